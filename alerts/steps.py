"""Taking steps of escalations: their people are told of what nobody has answered; within the caller's transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from alerts.change import AlertChange
from alerts.escalation import DueStep, forget, go_on
from alerts.incidents import Incidents
from alerts.notification import NotificationKind
from alerts.routing import Decision, Reason
from alerts.surroundings import Note, Surroundings
from alerts.telling import News, Story, Telling, describe
from domain.alert import Alert, AlertState


async def take_step(around: Surroundings, due: DueStep, of: Sequence[Alert]) -> list[AlertChange]:
    """Tell the people of a step of these alerts; see ``take_steps``."""
    return await _take(around, {due: of})


async def take_steps(around: Surroundings, due: Sequence[DueStep]) -> list[AlertChange]:
    """Tell the people of steps of what nobody has answered; return what that was for each alert.

    Each step is of another incident. It may have told nobody, or nobody may be left.
    """
    alerts = await Incidents(around).alerts(step.incident for step in due)
    waiting = {step: [alert for alert in alerts.get(step.incident, ()) if _waits(alert)] for step in due}
    await forget(around.connection, [step.incident for step, unanswered in waiting.items() if not unanswered])
    return await _take(around, {step: unanswered for step, unanswered in waiting.items() if unanswered})


async def _take(around: Surroundings, alerts: Mapping[DueStep, Sequence[Alert]]) -> list[AlertChange]:
    worst = {due: max(of, key=lambda alert: alert.severity) for due, of in alerts.items()}
    taken = await go_on(around, worst)
    told = [
        (Story(alert, due.incident, _news(around, due)), step.people)
        for due, step in taken.items()
        if step.people is not None
        for alert in alerts[due]
    ]
    stories = [story for story, _ in told]
    decided = await Telling(around).tell_steps(stories, [step for _, step in told])
    by_alert = {story.alert.id: decisions for story, decisions in zip(stories, decided, strict=True)}
    changes: list[AlertChange] = []
    notes: list[Note] = []
    for due, alert in [(due, alert) for due, of in alerts.items() for alert in of]:
        decisions, step, detail = by_alert.get(alert.id, _NOBODY), taken[due], f"{due.occasion}, step {due.step + 1}"
        notes += [Note(alert.id, "escalated", detail)] if step.people else []
        notes += [Note(alert.id, "nobody_left", detail)] if step.is_last else []
        notes += [Note(alert.id, decision.reason.value, describe(decision)) for decision in decisions]
        changes.append(AlertChange(alert, alert.state, (), decisions, escalated=step.people is not None))
    await around.note_all(notes, origin="escalation")
    return changes


_NOBODY = (Decision(Reason.SILENT_NO_CONTACT, NotificationKind.ALARM),)


def _news(around: Surroundings, due: DueStep) -> News:
    who = around.directory.contacts.get(due.who)
    return News(NotificationKind.ALARM, True, due.occasion, who.name if who else due.who)


def _waits(alert: Alert) -> bool:
    return alert.state is AlertState.UNACKNOWLEDGED
