"""What replies are made of: places, values and times as people say them, and the room of an SMS. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from alerts.facts import Power, RuleText
from domain.alert import Alert
from domain.directory import Directory
from domain.episode import SubjectKind
from domain.gsm7 import ONE_PART_SEPTETS, septets, shorten, transliterate
from domain.instant import format_duration

_TWO_UCS2_PARTS = 134
_LOST = "?"
_MOST_LOST = 2
"""Characters of a foreign script: a whole word of them is worth the shorter parts."""
_PLACE = 34
_EQUIPMENT = 18
_TITLE = 30
_MINUTE_SECONDS = 60
_TWO_DAYS_SECONDS = 2 * 86400


@dataclass(frozen=True, slots=True)
class Scene:
    """What is known at the moment of a reply."""

    directory: Directory
    rules: Mapping[str, RuleText]
    language: str
    now: datetime
    power_of: Callable[[str], Power | None]

    def what(self, alert: Alert, *, brief: bool = False) -> str:
        """Return where it is and what it is about; ``brief``: without the rule's title where there is a value."""
        facility = self.directory.facilities.get(alert.facility)
        place = _cut(facility.name if facility else alert.facility, _PLACE)
        equipment, value = self._equipment(alert)
        rule = self.rules.get(alert.rule)
        title = (rule.spoken(self.language).title if rule else "") or alert.rule
        said = value if brief and value else f"{_cut(title, _TITLE)} {value}".strip()
        where = f"{place} {_cut(equipment, _EQUIPMENT)}".strip()
        return f"{where}: {said}"

    def lasted(self, alert: Alert) -> str:
        """Return how long it has gone on, or went on."""
        seconds = ((alert.ended_at or self.now) - alert.started_at).total_seconds()
        step = _MINUTE_SECONDS if seconds < _TWO_DAYS_SECONDS else 60 * _MINUTE_SECONDS
        return format_duration(timedelta(seconds=seconds // step * step))

    def local(self, moment: datetime, facility: str) -> str:
        """Return the time of day at a facility, with the date where it is another day."""
        zone = self._zone(facility)
        then, today = moment.astimezone(zone), self.now.astimezone(zone)
        return f"{then:%H:%M}" if then.date() == today.date() else f"{then:%d.%m. %H:%M}"

    def _zone(self, facility: str) -> ZoneInfo:
        known = self.directory.facilities.get(facility)
        try:
            return ZoneInfo(known.timezone if known else "UTC")
        except (ZoneInfoNotFoundError, ValueError):
            return ZoneInfo("UTC")

    def _equipment(self, alert: Alert) -> tuple[str, str]:
        if alert.subject_kind is not SubjectKind.CHANNEL:
            node = self.directory.nodes.get(alert.subject)
            return (node.name if node else "") or alert.subject, ""
        channel = self.directory.channels.get(alert.subject)
        if channel is None:
            return "", ""
        equipment = self.directory.equipment.get(channel.equipment)
        value = "" if alert.extreme is None else channel.quantity.format(alert.extreme)
        return equipment.name if equipment else channel.equipment, value


def fitted(sentences: Sequence[str], is_sms: bool, separator: str = " ") -> str:
    """Return as many of the sentences as fit an SMS, the first one in any case; all of them where it is none.

    That is one part of 160 characters of the GSM alphabet, or two parts of 67 in scripts that it lacks.
    """
    if not is_sms:
        return separator.join(sentences)
    plain = [transliterate(sentence) for sentence in sentences]
    lost = sum(sentence.count(_LOST) for sentence in plain) - sum(sentence.count(_LOST) for sentence in sentences)
    if lost > _MOST_LOST:
        return _within(sentences, separator, _TWO_UCS2_PARTS, len, lambda text, room: text[:room])
    return _within(plain, separator, ONE_PART_SEPTETS, lambda text: septets(text) or 0, shorten)


def _within(
    sentences: Sequence[str],
    separator: str,
    room: int,
    size: Callable[[str], int],
    cut: Callable[[str, int], str],
) -> str:
    text = cut(sentences[0], room)
    for sentence in sentences[1:]:
        longer = text + separator + sentence
        if size(longer) > room:
            break
        text = longer
    return text


def _cut(name: str, longest: int) -> str:
    line = " ".join(name.split())
    return line if len(line) <= longest else f"{line[: longest - 2].rstrip()}.."
