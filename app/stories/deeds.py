"""What people do in a story: they answer by text, ask for help, shelve, unshelve, close, announce work."""

from __future__ import annotations

from datetime import datetime, timedelta

from alerts.actions import Acted
from alerts.change import Actor
from alerts.closing import Closing
from alerts.notifiers.notifier import IncomingText
from alerts.silences import Silence, SilenceKind
from alerts.store import AlertStore
from app.correspondence import Correspondence
from app.stories.schedule import Deed
from app.stories.story import Close, Help, Maintenance, Shelve, Unshelve, Writes
from domain.directory import Directory
from domain.instant import to_datetime

CHANNEL = "console"


async def do(deed: Deed, alerts: AlertStore, correspondence: Correspondence, directory: Directory) -> None:
    """Let it happen now."""
    step, now = deed.step, to_datetime(deed.at_ms)
    match step:
        case Writes(writes=text, by=by):
            contact = directory.contacts.get(by)
            sender = (contact.phone or contact.email or contact.id) if contact else by
            await correspondence.heard(IncomingText(CHANNEL, sender, text, ""))
        case Maintenance():
            await alerts.silence(_maintenance(step, now, to_datetime(deed.starts_ms)))
        case _:
            await _act(step, alerts, now)


async def _act(step: Help | Shelve | Unshelve | Close, alerts: AlertStore, now: datetime) -> Acted:
    by, actions = Actor(step.by, "story"), alerts.actions
    match step:
        case Help(help=alert):
            return await alerts.act(lambda connection: actions.ask_for_help(connection, alert, by=by, now=now))
        case Shelve(shelve=alert, lasts=lasts, reason=reason):
            until: datetime = now + lasts
            return await alerts.act(
                lambda connection: actions.shelve(connection, alert, until=until, reason=reason, by=by, now=now)
            )
        case Unshelve(unshelve=alert):
            return await alerts.act(lambda connection: actions.unshelve(connection, alert, by=by, now=now))
        case Close(close=alert, reason=reason, action=action, doses=doses):
            closing = Closing(reason, action, doses)
            actions.require(closing)
            return await alerts.act(lambda connection: actions.close(connection, alert, closing, by=by, now=now))


def _maintenance(step: Maintenance, now: datetime, start: datetime) -> Silence:
    lasts: timedelta = step.lasts
    return Silence(
        kind=SilenceKind.MAINTENANCE,
        reason=step.maintenance,
        created_by=step.by,
        created_at=now,
        start=start,
        end=start + lasts,
        facility=step.facility,
        equipment=step.equipment,
        district=step.district,
        rule=step.rule,
    )
