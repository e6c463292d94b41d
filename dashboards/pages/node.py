"""The page of a registered node: whether a reading came, what of it, and what to look at while nothing comes. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from dashboards.pages.claim import FacilityChoice, facility_choice, seconds_ago
from dashboards.pages.wording import quantity_word, value_text
from dashboards.pages.words import Words
from domain.directory import Directory
from domain.places import Channel, Facility
from domain.reading import Reading


class FirstReading(NamedTuple):
    """A channel of a claimed node, and its newest reading since; None: nothing came."""

    channel: Channel
    reading: Reading | None


@dataclass(frozen=True, slots=True)
class ReadingLine:
    """A channel of a node, and what came of it."""

    equipment: str
    equipment_id: str
    quantity: str
    name: str
    value: str
    ago: str
    came: bool


@dataclass(frozen=True, slots=True)
class NodePage:
    """A registered node: whether it is heard, and what of it."""

    node: str
    facility: FacilityChoice
    sentence: str
    came: bool
    """Whether any reading came."""
    waits: bool
    """Whether something is still to come, so that the page looks again."""
    lines: tuple[ReadingLine, ...]


def node_page(
    node: str, facility: Facility, found: Sequence[FirstReading], directory: Directory, now_ms: int, words: Words
) -> NodePage:
    """Return the page of a registered node."""
    came = [(each.channel, each.reading) for each in found if each.reading is not None]
    sentence = words("Waiting for the first reading")
    if came:
        channel, newest = max(came, key=lambda each: (each[1].measured_at_ms, each[1].value is not None))
        value = value_text(channel.quantity, newest.value, words)
        sentence = words(
            "Reading received: {value}, {ago}", value=value, ago=seconds_ago(newest.measured_at_ms, now_ms, words)
        )
    return NodePage(
        node=node,
        facility=facility_choice(facility),
        sentence=sentence,
        came=bool(came),
        waits=len(came) < len(found),
        lines=tuple(_reading_line(each, directory, now_ms, words) for each in found),
    )


def _reading_line(found: FirstReading, directory: Directory, now_ms: int, words: Words) -> ReadingLine:
    channel, reading = found
    item = directory.equipment.get(channel.equipment)
    return ReadingLine(
        equipment=item.name if item else channel.equipment,
        equipment_id=channel.equipment,
        quantity=quantity_word(channel.quantity.name, words),
        name=channel.name,
        value=value_text(channel.quantity, reading.value, words) if reading else words("nothing yet"),
        ago=seconds_ago(reading.measured_at_ms, now_ms, words) if reading else "",
        came=reading is not None,
    )
