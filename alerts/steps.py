"""Taking a step of an escalation: its people are told of what nobody has answered; within the caller's transaction."""

from __future__ import annotations

from collections.abc import Sequence

from alerts.change import AlertChange
from alerts.escalation import DueStep, Escalation
from alerts.incidents import Incidents
from alerts.notification import NotificationKind
from alerts.routing import Decision, Reason
from alerts.surroundings import Surroundings
from alerts.telling import News, Telling, describe
from domain.alert import Alert, AlertState


async def take_step(around: Surroundings, due: DueStep, of: Sequence[Alert] = ()) -> list[AlertChange]:
    """Tell the people of a step and return what that was for each alert, whether it told anybody or nobody is left.

    ``of`` are the alerts that it is about, by default those of the incident that nobody has answered.
    """
    waiting = [alert for alert in await Incidents(around).alerts(due.incident) if _waits(alert)]
    alerts = [*of] or waiting
    if not alerts:
        await Escalation.forget(around, due.incident)
        return []
    escalation = Escalation(around, max(alerts, key=lambda alert: alert.severity))
    step = await escalation.go_on(due)
    who = around.directory.contacts.get(due.who)
    news = News(NotificationKind.ALARM, True, due.occasion, who.name if who else due.who)
    changes = []
    for alert in alerts:
        decisions: tuple[Decision, ...] = (Decision(Reason.SILENT_NO_CONTACT, NotificationKind.ALARM),)
        if step is not None:
            decisions = await Telling(around).tell_step(alert, step, news)
        detail = f"{due.occasion}, step {due.step + 1}"
        notes = [("escalated", detail)] if step else []
        if not escalation.goes_on_after(due.step):
            notes.append(("nobody_left", detail))
        notes += [(decision.reason.value, describe(decision)) for decision in decisions]
        await around.note(alert.id, notes, origin="escalation")
        changes.append(AlertChange(alert, alert.state, (), decisions, escalated=step is not None))
    return changes


def _waits(alert: Alert) -> bool:
    return alert.state is AlertState.UNACKNOWLEDGED
