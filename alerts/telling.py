"""Telling within the caller's transaction: decisions, the messages they queue, and the audit log."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert, update
from sqlalchemy.ext.asyncio import AsyncConnection

from alerts.facts import Power, RuleText, facts_document, facts_of
from alerts.lifecycle import AlertEvent, Effect
from alerts.messages import Message, compose
from alerts.notification import NotificationKind, NotificationState
from alerts.routing import Decision, Route, Sent, decide
from alerts.rows import sent_columns, sent_of
from alerts.tables import ALERTS, AUDIT, NOTIFICATIONS
from domain.alert import Alert
from domain.directory import Directory
from domain.episode import ChangeKind, Episode, EpisodeChange

_KIND = {
    Effect.NOTIFY_RAISED: NotificationKind.ALARM,
    Effect.NOTIFY_WORSENED: NotificationKind.WORSE,
    Effect.NOTIFY_ALL_CLEAR: NotificationKind.ALL_CLEAR,
}


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a batch of changes is recorded with."""

    connection: AsyncConnection
    """In the caller's transaction."""
    directory: Directory
    rules: Mapping[str, RuleText]
    routes: Sequence[Route]
    now: datetime
    deadline: datetime
    """Until when what is queued now may still be sent."""
    power_of: Callable[[str], Power | None]

    def text_of(self, rule: str) -> RuleText:
        """Return what the rule says; its id where nobody wrote a text."""
        return self.rules.get(rule) or RuleText(rule)


def is_audible(change: EpisodeChange) -> bool:
    """Tell whether somebody can still act on it: live, and not over in the same breath."""
    return change.live and change.episode.ended_at is None


async def tell(
    around: Surroundings, alert: Alert, change: EpisodeChange, effects: Sequence[Effect], *, transitions: int
) -> tuple[Decision, ...]:
    """Decide whom to tell for these effects, queue the messages and return the decisions.

    ``transitions`` is how often the alert has told somebody before.
    """
    decisions: list[Decision] = []
    for kind in (_KIND[effect] for effect in effects if effect in _KIND):
        sent = await _sent(around, alert) if transitions else []
        facility = around.directory.facilities.get(alert.facility)
        contacts = around.directory.contacts_for(facility) if facility else ()
        decided = decide(kind, live=is_audible(change), contacts=contacts, routes=around.routes, sent=sent)
        decisions += decided
        told = [decision for decision in decided if decision.reason.told]
        if told:
            transitions += 1
            await _queue(around, alert, change, told, transition=transitions)
    return tuple(decisions)


async def audit(
    around: Surroundings,
    alert: Alert,
    change: EpisodeChange,
    events: Sequence[AlertEvent],
    decisions: Sequence[Decision],
) -> None:
    """Write one row for every event and every decision; a mere new extreme leaves none."""
    entries = [(event.value, _described(change.episode)) for event in events]
    if not events and change.kind is ChangeKind.AMENDED:
        entries.append((change.kind.value, _described(change.episode)))
    entries += [(decision.reason.value, _explained(decision)) for decision in decisions]
    common = {"alert": alert.id, "at": around.now, "who": "vitals", "origin": "rules"}
    rows = [common | {"what": what, "detail": detail} for what, detail in entries]
    if rows:
        await around.connection.execute(insert(AUDIT), rows)


async def _sent(around: Surroundings, alert: Alert) -> list[Sent]:
    query = sent_columns().where(NOTIFICATIONS.c.alert == alert.id)
    return [sent_of(row) for row in await around.connection.execute(query)]


async def _queue(
    around: Surroundings, alert: Alert, change: EpisodeChange, told: Sequence[Decision], *, transition: int
) -> None:
    text = around.text_of(alert.rule)
    rows: list[dict[str, Any]] = []
    for spoken, decisions in _by_language(around, text, told):
        facts = facts_of(
            told[0].kind,
            change.episode,
            reference=alert.id,
            directory=around.directory,
            text=spoken,
            now=around.now,
            retracted=change.kind is ChangeKind.RETRACTED,
            power=around.power_of(alert.facility),
        )
        common = _queued(around, compose(facts)) | {
            "alert": alert.id,
            "transition": transition,
            "facts": json.dumps(facts_document(facts), ensure_ascii=False),
        }
        rows += [common | _addressed(decision) for decision in decisions]
    await around.connection.execute(insert(NOTIFICATIONS), rows)
    await around.connection.execute(update(ALERTS).where(ALERTS.c.id == alert.id).values(transitions=transition))


def _by_language(
    around: Surroundings, text: RuleText, told: Sequence[Decision]
) -> list[tuple[RuleText, list[Decision]]]:
    """Return what the rule says in each language that is needed, with those who are told in it."""
    contacts = around.directory.contacts
    languages = [contacts[each.contact].language if each.contact in contacts else "" for each in told]
    spoken = {language: text.spoken(language) for language in dict.fromkeys(languages)}
    return [
        (said, [each for each, its in zip(told, languages, strict=True) if its == language])
        for language, said in spoken.items()
    ]


def _queued(around: Surroundings, message: Message) -> dict[str, Any]:
    return {
        "subject": message.subject,
        "short_text": message.short_text,
        "long_text": message.long_text,
        "state": NotificationState.QUEUED.value,
        "attempts": 0,
        "queued_at": around.now,
        "next_attempt_at": around.now,
        "deadline": around.deadline,
        "delivery_reference": "",
        "last_error": "",
    }


def _addressed(decision: Decision) -> dict[str, str]:
    return {
        "kind": decision.kind.value,
        "contact": decision.contact,
        "channel": decision.channel,
        "address": decision.address,
        "reason": decision.reason.value,
    }


def _described(episode: Episode) -> str:
    until = f" to {episode.ended_at:%Y-%m-%dT%H:%M:%SZ}" if episode.ended_at else ""
    extreme = "" if episode.extreme is None else f", extreme {episode.extreme:g}"
    return f"{episode.severity.label} from {episode.started_at:%Y-%m-%dT%H:%M:%SZ}{until}{extreme}"


def _explained(decision: Decision) -> str:
    parts = (decision.kind.value, decision.contact, f"by {decision.channel}" if decision.channel else "")
    return " ".join(part for part in parts if part)
