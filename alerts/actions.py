"""What people do with alerts: take, ask for help, shelve, close; each within the caller's transaction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from alerts.bundle import Occasion
from alerts.change import Actor, AlertChange, UnknownAlertError
from alerts.escalation import step_of
from alerts.ledger import Stored
from alerts.lifecycle import ONGOING, AlertEvent, Effect, step
from alerts.notification import NotificationKind, NotificationState
from alerts.recorder import Recorder
from alerts.rows import IS_OPEN, alert_of, select_alerts
from alerts.settings import ClosingSettings
from alerts.silences import Silence, SilenceKind, Silences
from alerts.steps import take_step
from alerts.surroundings import Surroundings
from alerts.tables import ALERTS, CLOSINGS, EPISODES, NOTIFICATIONS, TELLINGS
from domain.alert import Alert, AlertState
from domain.errors import Fault, VitalsError
from domain.suggest import allowed_words


@dataclass(frozen=True, slots=True)
class Closing:
    """What was found and done, when an alert is closed for good."""

    reason: str = ""
    action: str = ""
    doses_affected: int | None = None
    note: str = ""


class Acted(NamedTuple):
    """What came of an action."""

    alert: Alert
    """As it is now."""
    took_effect: bool
    """False where somebody had done it before, or it was over: nothing changed then."""
    changes: tuple[AlertChange, ...]
    """Of every alert that changed; hand them to ``AlertStore.publish`` after the commit."""


class ToldBundle(NamedTuple):
    """One message that a person got, and the alerts that it told of."""

    told_at: datetime
    channel: str
    alerts: tuple[Alert, ...]
    """As they are now; the one that gave the message its reference first."""


class ActionRefusedError(VitalsError):
    """What was asked for is not allowed, or lacks what has to be said; says what is allowed."""

    fault = Fault.SENDER


class Actions:
    """What can be done with alerts. Unknown references raise ``UnknownAlertError``.

    ``around`` gives the surroundings of a change on a connection at a moment.
    """

    def __init__(
        self, around: Callable[[AsyncConnection, datetime], Surroundings], closing: ClosingSettings | None = None
    ) -> None:
        self._around = around
        self._closing = closing or ClosingSettings()

    async def acknowledge(
        self, connection: AsyncConnection, alert_id: int, *, by: Actor, now: datetime, note: str = ""
    ) -> Acted:
        """Note that somebody takes care of the alert and of all others of its incident."""
        recorder = self._recorder(connection, now)
        stored = await self._incident(recorder, connection, alert_id)
        changes = []
        for entry in stored.values():
            if _can_be_taken(entry.alert):
                until = self._until(connection, entry.alert, now)
                changes.append(await recorder.happen(entry, AlertEvent.ACKNOWLEDGED, by=by, detail=note, until=until))
        if by.contact:
            await _note_arrival(connection, by.contact, list(stored), now)
        await recorder.finish()
        took = any(change.alert.id == alert_id for change in changes)
        return Acted(stored[alert_id].alert, took, tuple(changes))

    async def ask_for_help(
        self, connection: AsyncConnection, alert_id: int, *, by: Actor, now: datetime, note: str = ""
    ) -> Acted:
        """Tell the next step of the escalation at once; what nobody took stays so, and the escalation goes on."""
        recorder = self._recorder(connection, now)
        entry = (await recorder.load([alert_id])).get(alert_id)
        if entry is None:
            raise UnknownAlertError(alert_id)
        if entry.alert.state not in ONGOING or entry.incident is None:
            return Acted(entry.alert, False, ())
        around = self._around(connection, now)
        await around.note(alert_id, [("help_wanted", note)], who=by.name, origin=by.origin)
        due = await step_of(connection, entry.incident, now=now)
        called = due._replace(occasion=Occasion.HELP_WANTED, who=by.name)
        changes = await take_step(around, called, [entry.alert])
        if by.contact:
            await _note_arrival(connection, by.contact, [alert_id], now)
        await recorder.finish()
        told = any(each.reason.told or each.reason.held for change in changes for each in change.decisions)
        return Acted(entry.alert, told, tuple(changes))

    async def close(
        self, connection: AsyncConnection, alert_id: int, closing: Closing, *, by: Actor, now: datetime
    ) -> Acted:
        """Close an alert that is over, with what was found and done.

        One that goes on is acknowledged instead, and ``took_effect`` is False. Where a person has room to say
        everything that is asked, ``require`` it first.
        """
        recorder = self._recorder(connection, now)
        entry = (await recorder.load([alert_id])).get(alert_id)
        if entry is None:
            raise UnknownAlertError(alert_id)
        if entry.alert.state in ONGOING:
            note = " ".join(filter(None, (closing.reason, closing.action, closing.note)))
            acted = await self.acknowledge(connection, alert_id, by=by, now=now, note=note)
            return Acted(acted.alert, False, acted.changes)
        known = await connection.scalar(select(CLOSINGS.c.alert).where(CLOSINGS.c.alert == alert_id))
        if known is not None:
            return Acted(entry.alert, False, ())
        changes = []
        if entry.alert.state is AlertState.RETURNED_UNACKNOWLEDGED:
            changes.append(await recorder.happen(entry, AlertEvent.ACKNOWLEDGED, by=by))
        values = {
            "alert": alert_id,
            "at": now,
            "by": by.name,
            "origin": by.origin,
            "reason": closing.reason,
            "action": closing.action,
            "doses_affected": closing.doses_affected,
            "note": closing.note,
        }
        await connection.execute(insert(CLOSINGS).values(values))
        doses = "" if closing.doses_affected is None else f"{closing.doses_affected} doses affected"
        said = "; ".join(filter(None, (closing.reason, closing.action, doses, closing.note)))
        await self._around(connection, now).note(alert_id, [("closed", said)], who=by.name, origin=by.origin)
        return Acted(entry.alert, True, tuple(changes) or (AlertChange(entry.alert, entry.alert.state, ()),))

    async def shelve(
        self, connection: AsyncConnection, alert_id: int, *, until: datetime, reason: str, by: Actor, now: datetime
    ) -> Acted:
        """Put the alert aside until a moment, and whatever the same rule says of the same subject until then.

        Raises ``ActionRefusedError`` without a reason, or for longer than is allowed.
        """
        around = self._around(connection, now)
        longest = timedelta(seconds=around.settings.longest_shelving_seconds)
        if not reason.strip():
            raise ActionRefusedError("an alert is shelved for a reason: say which")
        if not now < until <= now + longest:
            raise ActionRefusedError(
                f"an alert is shelved until a moment within {longest}; found {until:%Y-%m-%d %H:%M}"
            )
        recorder = self._recorder(connection, now)
        entry = (await recorder.load([alert_id])).get(alert_id)
        if entry is None:
            raise UnknownAlertError(alert_id)
        happening = await recorder.happen(
            entry, AlertEvent.SHELVED, by=by, detail=f"until {until:%Y-%m-%dT%H:%MZ}: {reason}"
        )
        alert = entry.alert
        silence = Silence(
            kind=SilenceKind.SHELVING,
            reason=reason,
            created_by=by.name,
            created_at=now,
            start=now,
            end=until,
            facility=alert.facility,
            subject=alert.subject,
            rule=alert.rule,
        )
        await Silences(connection).add(silence)
        await recorder.finish()
        return Acted(entry.alert, True, (happening,))

    async def told_to(self, connection: AsyncConnection, contact: str, *, limit: int = 20) -> list[ToldBundle]:
        """Return the alarms that a contact was sent, newest first."""
        table = NOTIFICATIONS.c
        kinds = [kind.value for kind in (NotificationKind.ALARM, NotificationKind.WORSE)]
        query = (
            select(table.bundle, table.queued_at, table.channel, table.alert)
            .where(table.contact == contact, table.kind.in_(kinds), table.bundle.is_not(None))
            .order_by(table.id.desc())
            .limit(4 * limit)
        )
        newest = {row.bundle: row for row in reversed((await connection.execute(query)).all())}
        bundles = sorted(newest.values(), key=lambda row: (row.queued_at, row.bundle), reverse=True)[:limit]
        alerts = await self._told(connection, contact, [row.bundle for row in bundles])
        return [
            ToldBundle(row.queued_at, row.channel, _lead_first(alerts[row.bundle], row.alert))
            for row in bundles
            if alerts[row.bundle]
        ]

    async def alert(self, connection: AsyncConnection, alert_id: int) -> Alert | None:
        """Return the alert with this reference, or None."""
        row = (await connection.execute(select_alerts().where(ALERTS.c.id == alert_id))).one_or_none()
        return None if row is None else alert_of(row)

    async def reply(
        self,
        connection: AsyncConnection,
        *,
        channel: str,
        address: str,
        contact: str,
        text: str,
        now: datetime,
        key: str,
    ) -> None:
        """Queue an answer to somebody; ``contact`` is empty for a stranger, the same ``key`` twice queues once."""
        known = select(NOTIFICATIONS.c.id).where(NOTIFICATIONS.c.key == key)
        if await connection.scalar(known) is not None:
            return
        values = {
            "key": key,
            "kind": NotificationKind.REPLY.value,
            "contact": contact,
            "channel": channel,
            "fallbacks": "[]",
            "address": address,
            "reason": NotificationKind.REPLY.value,
            "subject": text.partition("\n")[0][:120],
            "short_text": text,
            "long_text": text,
            "facts": "{}",
            "state": NotificationState.QUEUED.value,
            "attempts": 0,
            "queued_at": now,
            "next_attempt_at": now,
            "deadline": self._around(connection, now).deadline,
            "delivery_reference": "",
            "last_error": "",
        }
        await connection.execute(insert(NOTIFICATIONS).values(values))

    def _recorder(self, connection: AsyncConnection, now: datetime) -> Recorder:
        return Recorder(self._around(connection, now))

    async def _incident(self, recorder: Recorder, connection: AsyncConnection, alert_id: int) -> dict[int, Stored]:
        """Return the alert and the others of its incident that are not over, locked."""
        own = select(ALERTS.c.incident).where(ALERTS.c.id == alert_id).scalar_subquery()
        query = select(ALERTS.c.id).where(or_(ALERTS.c.id == alert_id, (ALERTS.c.incident == own) & IS_OPEN))
        stored = await recorder.load(await connection.scalars(query.order_by(ALERTS.c.id)))
        if alert_id not in stored:
            raise UnknownAlertError(alert_id)
        return stored

    def _until(self, connection: AsyncConnection, alert: Alert, now: datetime) -> datetime | None:
        lasts = self._around(connection, now).settings.acknowledged_for_seconds.of(alert.severity)
        return now + lasts if lasts and alert.state is AlertState.UNACKNOWLEDGED else None

    def require(self, closing: Closing) -> None:
        """Raise ``ActionRefusedError`` where something that the settings ask for is missing, or not allowed."""
        settings = self._closing
        said = {
            "a reason": bool(closing.reason.strip()) or not settings.reason_required,
            "the action taken": bool(closing.action.strip()) or not settings.action_required,
            "the number of doses affected": closing.doses_affected is not None or not settings.doses_required,
        }
        if missing := [name for name, there in said.items() if not there]:
            raise ActionRefusedError(f"closing an alert takes {' and '.join(missing)}")
        if settings.reasons and closing.reason not in settings.reasons:
            raise ActionRefusedError(f"the reason is {allowed_words(closing.reason, settings.reasons)}")
        if closing.doses_affected is not None and closing.doses_affected < 0:
            raise ActionRefusedError("the number of doses affected is 0 or more")

    async def _told(
        self, connection: AsyncConnection, contact: str, bundles: Sequence[int]
    ) -> defaultdict[int, list[Alert]]:
        query = (
            select_alerts()
            .add_columns(TELLINGS.c.bundle)
            .join(TELLINGS, TELLINGS.c.alert == ALERTS.c.id)
            .where(TELLINGS.c.bundle.in_(bundles), TELLINGS.c.contact == contact)
            .order_by(EPISODES.c.severity.desc(), ALERTS.c.id)
        )
        found: defaultdict[int, list[Alert]] = defaultdict(list)
        for row in await connection.execute(query):
            alert = alert_of(row)
            if alert not in found[row.bundle]:
                found[row.bundle].append(alert)
        return found


def _can_be_taken(alert: Alert) -> bool:
    """Tell whether an acknowledgement means anything: it needs one, and nobody has answered."""
    return Effect.RECORD_ACKNOWLEDGEMENT in step(alert.state, AlertEvent.ACKNOWLEDGED).effects and (
        alert.acknowledged_at is None
    )


def _lead_first(alerts: Sequence[Alert], lead: int) -> tuple[Alert, ...]:
    return tuple(sorted(alerts, key=lambda alert: alert.id != lead))


async def _note_arrival(connection: AsyncConnection, contact: str, alerts: Sequence[int], now: datetime) -> None:
    """Mark what told a person of these alerts as arrived, whatever the gateway said: the person answered."""
    table = NOTIFICATIONS.c
    arrived = [NotificationState.SUBMITTED.value, NotificationState.DELIVERED.value, NotificationState.UNKNOWN.value]
    told = select(TELLINGS.c.bundle).where(TELLINGS.c.alert.in_(alerts), TELLINGS.c.contact == contact)
    await connection.execute(
        update(NOTIFICATIONS)
        .where(table.contact == contact, table.bundle.in_(told), table.state.in_(arrived))
        .where(table.next_attempt_at.is_(None))
        .values(state=NotificationState.ACKNOWLEDGED.value, report_due_at=None, settled_at=now)
    )
