"""The page on which a node is claimed: what it sends, where it stands, what each of its channels measures. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from dashboards.pages.forms import Choice, Field
from dashboards.pages.registry import matching, place_of
from dashboards.pages.wording import LocalTime, ago_text, kind_word, local_time, quantity_word
from dashboards.pages.words import Words
from domain.directory import Directory
from domain.instant import MINUTE_MS
from domain.places import EquipmentKind, Facility
from domain.quantities import QUANTITIES
from domain.reading import Sample
from domain.units import UNITS_BY_SYMBOL

LEAVE_OUT: Final = "-"
"""The choice that a channel is not registered."""
NEW: Final = "new:"
"""Before the id of a piece of equipment that is to be registered with the node."""
MOST_FACILITIES: Final = 30


class Heard(NamedTuple):
    """What is known of a node that waits."""

    first_ms: int
    last_ms: int
    messages: int
    samples: Sequence[Sample]


@dataclass(frozen=True, slots=True)
class SampleLine:
    """The last value of a channel that nobody registered."""

    name: str
    value: str
    ago: str


@dataclass(frozen=True, slots=True)
class WaitingRow:
    """A node that waits to be claimed."""

    node: str
    since: LocalTime
    heard: str
    messages: int
    samples: tuple[SampleLine, ...]


def sample_line(sample: Sample, now_ms: int, words: Words) -> SampleLine:
    """Return the last value of a channel in words."""
    unit = UNITS_BY_SYMBOL.get(sample.unit or "")
    text = unit.text if unit else sample.unit or ""
    value = sample.quality.label if sample.value is None else words.isolated(f"{sample.value:g} {text}".rstrip())
    return SampleLine(sample.name, value, seconds_ago(sample.measured_at_ms, now_ms, words))


def waiting_row(node: str, heard: Heard, now_ms: int, words: Words) -> WaitingRow:
    """Return a node that waits, in words."""
    return WaitingRow(
        node=node,
        since=local_time(heard.first_ms, "UTC", now_ms, words),
        heard=words("heard {ago}", ago=seconds_ago(heard.last_ms, now_ms, words)),
        messages=heard.messages,
        samples=tuple(sample_line(each, now_ms, words) for each in heard.samples),
    )


def seconds_ago(moment_ms: int, now_ms: int, words: Words) -> str:
    """Return how long ago a moment was, to the second within the last minute: ``12 s ago``."""
    passed_ms = max(now_ms - moment_ms, 0)
    if passed_ms < MINUTE_MS:
        return words.many("{count} s ago", "{count} s ago", passed_ms // 1000)
    return ago_text(moment_ms, now_ms, words)


@dataclass(frozen=True, slots=True)
class FacilityChoice:
    """A facility where the node may stand."""

    id: str
    name: str
    place: str


@dataclass(frozen=True, slots=True)
class ChannelChoice:
    """One channel of the node, and what it may measure."""

    line: SampleLine
    quantity: Field
    equipment: Field
    replaces: str
    """The node that has reported this channel so far; empty where it is new."""


@dataclass(frozen=True, slots=True)
class NewEquipment:
    """A piece of equipment that may be registered with the node."""

    id: str
    name: Field
    kind: Field


@dataclass(frozen=True, slots=True)
class ClaimPage:
    """The page; without a row the node was not heard yet."""

    node: str
    row: WaitingRow | None
    search: str
    facilities: tuple[FacilityChoice, ...]
    left_out: int
    facility: FacilityChoice | None
    channels: tuple[ChannelChoice, ...]
    new: tuple[NewEquipment, ...]
    interval: Field | None
    problems: tuple[str, ...]


class Suggestion(NamedTuple):
    """How a channel seems to fit; the quantity or the kind may be one that does not exist."""

    name: str
    quantity: str
    equipment: str
    kind: str
    equipment_name: str
    channel: str
    """The id that it would have."""


def claim_page(
    node: str, heard: Heard | None, facilities: Sequence[Facility], search: str, now_ms: int, words: Words
) -> ClaimPage:
    """Return the page that asks where a node stands."""
    found = sorted(matching(facilities, search), key=lambda each: (each.district.casefold(), each.name.casefold()))
    return ClaimPage(
        node=node,
        row=None if heard is None else waiting_row(node, heard, now_ms, words),
        search=search,
        facilities=tuple(facility_choice(each) for each in found[:MOST_FACILITIES]),
        left_out=max(len(found) - MOST_FACILITIES, 0),
        facility=None,
        channels=(),
        new=(),
        interval=None,
        problems=(),
    )


def with_facility(
    page: ClaimPage,
    facility: Facility,
    suggestions: Sequence[Suggestion],
    directory: Directory,
    form: Mapping[str, str],
    problems: Iterable[str],
    words: Words,
) -> ClaimPage:
    """Return the page that asks what each channel measures; ``form`` holds what was chosen before."""
    known = {item.id.removeprefix(f"{facility.id}/"): item for item in directory.equipment_of(facility.id)}
    fresh = {each.equipment: each for each in suggestions if each.equipment not in known}
    here = [Choice(id_, item.name, words("Registered here")) for id_, item in known.items()]
    here += [Choice(f"{NEW}{id_}", each.equipment_name, words("New")) for id_, each in fresh.items()]
    here.append(Choice(LEAVE_OUT, words("Leave it out"), words("Neither")))
    lines = {each.name: each for each in page.row.samples} if page.row else {}
    return replace(
        page,
        facility=facility_choice(facility),
        channels=tuple(
            _channel_choice(each, lines[each.name], here, directory, facility, form, words)
            for each in suggestions
            if each.name in lines
        ),
        new=tuple(_new_equipment(id_, each, form, words) for id_, each in fresh.items()),
        interval=Field(
            name="interval",
            label=words("A reading is expected every"),
            hint=words("Such as {example}", example="10min"),
            value=form.get("interval", "1min"),
            required=True,
            longest=20,
        ),
        problems=tuple(problems),
    )


def _channel_choice(
    suggestion: Suggestion,
    line: SampleLine,
    equipment: Sequence[Choice],
    directory: Directory,
    facility: Facility,
    form: Mapping[str, str],
    words: Words,
) -> ChannelChoice:
    quantities = sorted((Choice(name, quantity_word(name, words)) for name in QUANTITIES), key=lambda each: each.label)
    known = f"{facility.id}/{suggestion.equipment}" in directory.equipment
    guessed = suggestion.equipment if known else f"{NEW}{suggestion.equipment}"
    guessable = suggestion.quantity in QUANTITIES
    of = form.get(f"of-{line.name}", guessed if guessable else LEAVE_OUT)
    choices = quantities if guessable else [Choice("", words("(choose)")), *quantities]
    before = directory.channels.get(suggestion.channel)
    return ChannelChoice(
        line=line,
        quantity=Field(
            name=f"is-{line.name}",
            label=words("What it measures"),
            kind="select",
            choices=choices,
            value=form.get(f"is-{line.name}", suggestion.quantity if guessable else ""),
        ),
        equipment=Field(name=f"of-{line.name}", label=words("Of what"), kind="select", choices=equipment, value=of),
        replaces=before.node if before else "",
    )


def _new_equipment(id_: str, suggestion: Suggestion, form: Mapping[str, str], words: Words) -> NewEquipment:
    kinds = sorted((Choice(kind.value, kind_word(kind, words)) for kind in EquipmentKind), key=lambda each: each.label)
    known = suggestion.kind in set(EquipmentKind)
    return NewEquipment(
        id=id_,
        name=Field(
            name=f"name-{id_}",
            label=words("Name"),
            value=form.get(f"name-{id_}", suggestion.equipment_name),
            required=True,
        ),
        kind=Field(
            name=f"kind-{id_}",
            label=words("Kind"),
            kind="select",
            choices=kinds if known else [Choice("", words("(choose)")), *kinds],
            value=form.get(f"kind-{id_}", suggestion.kind if known else ""),
        ),
    )


def facility_choice(facility: Facility) -> FacilityChoice:
    """Return a facility as one of those where a node may stand."""
    return FacilityChoice(facility.id, facility.name, place_of(facility))
