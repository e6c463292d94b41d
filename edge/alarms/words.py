"""What a local alarm says: one SMS part, whoever reads it on whatever phone. Pure."""

from __future__ import annotations

import re
from datetime import UTC, datetime, tzinfo
from typing import NamedTuple

from domain.episode import Episode
from domain.gsm7 import ONE_PART_SEPTETS, shorten, transliterate
from domain.quantities import Quantity

_PLACE_SEPTETS = 40
_EQUIPMENT_SEPTETS = 24


class Facts(NamedTuple):
    """What there is to say of an alarm."""

    place: str
    equipment: str
    quantity: Quantity
    episode: Episode
    """In the time of day."""
    title: str
    action: str
    zone: tzinfo = UTC
    clock_known: bool = True


def alarm_text(facts: Facts) -> str:
    """Return the alarm: where, what, since when, what to do; the advice is cut first."""
    head = f"ALARM {_named(facts)}: {_what(facts)}, {_since(facts)}."
    return shorten(_one_line(f"{head} {facts.action}".rstrip()), ONE_PART_SEPTETS)


def all_clear_text(facts: Facts) -> str:
    """Return the all-clear."""
    episode = facts.episode
    lasted = _lasted(episode.started_at, episode.ended_at or episode.started_at)
    worst = "" if episode.extreme is None else f", worst {facts.quantity.format(episode.extreme)}"
    return shorten(_one_line(f"OK {_named(facts)}: over after {lasted}{worst}."), ONE_PART_SEPTETS)


def _named(facts: Facts) -> str:
    place = shorten(_one_line(facts.place), _PLACE_SEPTETS)
    return f"{place} {shorten(_one_line(facts.equipment), _EQUIPMENT_SEPTETS)}"


def _what(facts: Facts) -> str:
    value = facts.episode.extreme
    return facts.title if value is None else f"{facts.quantity.format(value)}, {facts.title}"


def _since(facts: Facts) -> str:
    started_at = facts.episode.started_at
    if not facts.clock_known:
        return f"for {_lasted(started_at, facts.episode.confirmed_at)}"
    return f"since {started_at.astimezone(facts.zone):%H:%M}"


def _lasted(start: datetime, end: datetime) -> str:
    minutes = max(0, round((end - start).total_seconds() / 60))
    hours, minutes = divmod(minutes, 60)
    return " ".join(text for text, there in ((f"{hours}h", hours), (f"{minutes}min", minutes)) if there) or "1min"


def _one_line(text: str) -> str:
    return re.sub(r"\s+", " ", transliterate(text)).strip()
