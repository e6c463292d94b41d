"""Words: from facts to a text that fits one SMS part, and to a longer one for channels with room. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from alerts.facts import Facts
from alerts.notification import NotificationKind
from domain.gsm7 import ONE_PART_SEPTETS, is_legible, septets, shorten, transliterate
from domain.instant import format_duration

_PLACE_SEPTETS = 40
_EQUIPMENT_SEPTETS = 24
_WHAT_SEPTETS = 72
_LEAST_PART_SEPTETS = 16
_TWO_DAYS = 2 * 86400
_FORTNIGHT = 14 * 86400
_KEYWORD = {NotificationKind.ALARM: "ALARM", NotificationKind.WORSE: "WORSE", NotificationKind.ALL_CLEAR: "OK"}
# "above 8 °C for 10 hours" says what the rule waits for; a message says how long it has lasted instead.
_RULES_DURATION = re.compile(r" for \d[\d.]* ?[a-z]+$")
_WITHDRAWN = "false alarm, corrected readings show no such event"


@dataclass(frozen=True, slots=True)
class Message:
    """The words of a notification."""

    subject: str
    """One line."""
    short_text: str
    """At most 160 characters of the GSM 7-bit alphabet, one SMS part."""
    long_text: str
    """Lines of plain text in any script."""


def compose(facts: Facts) -> Message:
    """Return what to say; place and reference are in every text, however long the names are."""
    return Message(subject=_subject(facts), short_text=_short(facts), long_text=_long(facts))


def brief_duration(duration: timedelta) -> str:
    """Return a duration as people say it: hours and minutes up to two days, then days and hours, then whole days."""
    seconds = max(0, round(duration.total_seconds()))
    if seconds < 60:
        return f"{seconds}s"
    if seconds < _TWO_DAYS:
        hours, minutes = divmod(seconds // 60, 60)
        return " ".join(text for text, there in ((f"{hours}h", hours), (f"{minutes}min", minutes)) if there)
    step = 3600 if seconds < _FORTNIGHT else 86400
    return format_duration(timedelta(seconds=seconds // step * step))


def _subject(facts: Facts) -> str:
    line = f"{_KEYWORD[facts.kind]} {facts.facility_name}, {facts.equipment_name}: {facts.title}"
    return f"{' '.join(line.split())[:120]} (ref {facts.reference})"


def _short(facts: Facts) -> str:
    place = shorten(_legible(facts.facility_name, facts.facility), _PLACE_SEPTETS)
    equipment = shorten(_legible(facts.equipment_name, facts.equipment), _EQUIPMENT_SEPTETS)
    head = f"{_KEYWORD[facts.kind]} {place} {equipment}:"
    tail = f"ref {facts.reference}"
    room = ONE_PART_SEPTETS - _size(head) - _size(tail) - 2
    kept = []
    for sentence in (
        shorten(_sentence(_what(facts)), _WHAT_SEPTETS),
        _sentence(_power(facts)),
        _sentence(_action(facts)),
    ):
        cut = sentence if _size(sentence) <= room else shorten(sentence, room) if room >= _LEAST_PART_SEPTETS else ""
        if cut:
            kept.append(cut)
            room -= _size(cut) + 1
    return " ".join((head, *kept, tail))


def _what(facts: Facts) -> str:
    if facts.kind is NotificationKind.ALL_CLEAR:
        if facts.retracted:
            return _WITHDRAWN
        return ", worst ".join(filter(None, (f"over after {_lasted(facts)}", facts.value)))
    phrase = _RULES_DURATION.sub("", facts.message or facts.title)
    value = "" if phrase.lower().startswith(facts.value.lower()) else facts.value
    return ", ".join(filter(None, (value, f"{phrase} for {_lasted(facts)}")))


def _power(facts: Facts) -> str:
    if facts.power is None:
        return ""
    state = "Power ON" if facts.power.on else "Power OFF"
    return state if facts.power.since is None else f"{state} {brief_duration(facts.now - facts.power.since)}"


def _action(facts: Facts) -> str:
    return "" if facts.kind is NotificationKind.ALL_CLEAR else facts.action


def _lasted(facts: Facts) -> str:
    return brief_duration((facts.ended_at or facts.now) - facts.started_at)


def _sentence(text: str) -> str:
    plain = transliterate(text).rstrip(" .")
    return f"{plain}." if plain else ""


def _legible(name: str, otherwise: str) -> str:
    return transliterate(name if is_legible(name) else otherwise)


def _size(text: str) -> int:
    return septets(text) or 0


def _long(facts: Facts) -> str:
    power = _power(facts).removeprefix("Power ")
    rows = (
        ("Place", ", ".join(filter(None, (facts.facility_name, facts.region)))),
        ("Equipment", facts.equipment_name),
        ("What", _what(facts)),
        ("Since", _local(facts.started_at, facts.timezone)),
        ("Until", _local(facts.ended_at, facts.timezone) if facts.ended_at else ""),
        ("Power", power),
        ("What to do", _action(facts)),
        ("Severity", facts.severity),
        ("Reference", str(facts.reference)),
    )
    lines = [f"{_KEYWORD[facts.kind]}: {facts.title}", ""]
    lines += [f"{name}: {' '.join(text.split())}" for name, text in rows if text]
    if facts.kind is not NotificationKind.ALL_CLEAR:
        lines += ["", f"If you take care of it, acknowledge alert {facts.reference}."]
    return "\n".join(lines) + "\n"


def _local(moment: datetime, timezone: str) -> str:
    try:
        zone = ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError):
        zone = ZoneInfo("UTC")
    return f"{moment.astimezone(zone):%-d %b %Y %H:%M} ({zone.key})"
