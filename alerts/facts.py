"""What is known about an alert at the moment somebody is told: pure look-ups, no wording."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from alerts.notification import NotificationKind
from domain.directory import Directory
from domain.episode import Episode, SubjectKind
from domain.instant import format_rfc3339
from domain.places import Channel
from domain.quantities import Quantity

Show = Callable[[Quantity, float], str]
"""Writes a value with its unit."""
_PLACEHOLDER = re.compile(r"\$(?:limits\.(\w+)|(value))")


@dataclass(frozen=True, slots=True)
class RuleText:
    """What a rule says to people.

    ``message`` is a phrase that follows the value, such as ``above $limits.high``; ``$limits.NAME`` and ``$value``
    stand for a limit of the channel and the extreme, with their units.
    """

    title: str
    message: str = ""
    action: str = ""
    """What to do about it, one sentence."""
    worse_by: float | None = None
    """How much further out, in the quantity's canonical unit, tells people again; None: only a higher severity."""
    suppressed_by: tuple[str, ...] = ()
    """Rules whose alerts at the same facility explain those of this one: then people are not told of it."""
    translations: Mapping[str, RuleText] = field(default_factory=dict)
    """What it says in other languages, by their codes; empty parts are said as they are said here."""

    def spoken(self, language: str) -> RuleText:
        """Return what the rule says in a language, or in that of which it is a variety (``pt`` for ``pt-BR``)."""
        other = self.translations.get(language) or self.translations.get(language.split("-")[0])
        if other is None:
            return self
        return replace(
            self,
            title=other.title or self.title,
            message=other.message or self.message,
            action=other.action or self.action,
        )


@dataclass(frozen=True, slots=True)
class Power:
    """Whether a facility has power, and since when if that is known."""

    on: bool
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that a message may say."""

    reference: int
    kind: NotificationKind
    title: str
    message: str
    action: str
    severity: str
    facility: str
    facility_name: str
    region: str
    """Where the facility is, from the small to the large."""
    timezone: str
    equipment: str
    equipment_name: str
    value: str
    """The extreme with its unit; empty where the rule judges no value."""
    started_at: datetime
    now: datetime
    ended_at: datetime | None = None
    retracted: bool = False
    power: Power | None = None


def facts_of(
    kind: NotificationKind,
    episode: Episode,
    *,
    reference: int,
    directory: Directory,
    text: RuleText,
    now: datetime,
    retracted: bool = False,
    power: Power | None = None,
) -> Facts:
    """Return the facts; whatever the registry no longer knows is called by its id."""
    facility = directory.facilities.get(episode.facility)
    channel = directory.channels.get(episode.subject) if episode.subject_kind is SubjectKind.CHANNEL else None
    value = channel.quantity.format(episode.extreme) if channel and episode.extreme is not None else ""
    equipment, equipment_name = _equipment(episode, channel, directory)
    return Facts(
        reference=reference,
        kind=kind,
        title=text.title or episode.rule,
        message=filled(text.message, channel, value),
        action=text.action,
        severity=episode.severity.label,
        facility=episode.facility,
        facility_name=facility.name if facility else episode.facility,
        region=", ".join(filter(None, (facility.district, facility.region, facility.country))) if facility else "",
        timezone=facility.timezone if facility else "UTC",
        equipment=equipment,
        equipment_name=equipment_name,
        value=value,
        started_at=episode.started_at,
        now=now,
        ended_at=episode.ended_at,
        retracted=retracted,
        power=power,
    )


def facts_document(facts: Facts) -> dict[str, Any]:
    """Return the facts as plain data for programs; moments are RFC 3339 in UTC."""
    return {
        "reference": facts.reference,
        "kind": facts.kind.value,
        "severity": facts.severity,
        "title": facts.title,
        "message": facts.message,
        "action": facts.action,
        "facility": {"id": facts.facility, "name": facts.facility_name, "region": facts.region},
        "equipment": {"id": facts.equipment, "name": facts.equipment_name},
        "value": facts.value or None,
        "started_at": format_rfc3339(facts.started_at),
        "ended_at": format_rfc3339(facts.ended_at) if facts.ended_at else None,
        "told_at": format_rfc3339(facts.now),
        "retracted": facts.retracted,
        "power": None if facts.power is None else _power_document(facts.power),
    }


def _power_document(power: Power) -> dict[str, Any]:
    return {"on": power.on, "since": format_rfc3339(power.since) if power.since else None}


def _equipment(episode: Episode, channel: Channel | None, directory: Directory) -> tuple[str, str]:
    if channel is not None:
        equipment = directory.equipment.get(channel.equipment)
        return channel.equipment, equipment.name if equipment else channel.equipment
    node = directory.nodes.get(episode.subject)
    return episode.subject, (node.name if node else "") or episode.subject


def filled(message: str, channel: Channel | None, value: str, show: Show = Quantity.format) -> str:
    """Return the phrase with its placeholders filled; one that names nothing known stays as it is written."""

    def fill(match: re.Match[str]) -> str:
        if match[2]:
            return value or match[0]
        limit = channel.limits.get(match[1]) if channel else None
        return show(channel.quantity, limit) if channel and limit is not None else match[0]

    return _PLACEHOLDER.sub(fill, message)
