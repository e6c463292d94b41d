"""The registry's pages: which facilities there are and what each lacks, one of them, and who changed what. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

from dashboards.pages.forms import Choice
from dashboards.pages.registry_log import ChangeLine
from dashboards.pages.upkeep import UpkeepBadge, VisitLine, badge_of
from dashboards.pages.wording import LocalTime, ago_text, kind_word
from dashboards.pages.words import Words, noop
from domain.directory import Directory
from domain.places import Facility
from domain.upkeep import UpkeepState

MOST_ROWS: Final = 200


class Lack(StrEnum):
    """What a facility lacks."""

    EQUIPMENT = "equipment"
    NODE = "node"
    COORDINATES = "coordinates"
    CONTACT = "contact"


LACK_WORDS: Final = {
    Lack.EQUIPMENT: noop("No equipment"),
    Lack.NODE: noop("No node"),
    Lack.COORDINATES: noop("No coordinates"),
    Lack.CONTACT: noop("No contact"),
}


LACK_NOUNS: Final = {
    Lack.EQUIPMENT: noop("equipment"),
    Lack.NODE: noop("a node"),
    Lack.COORDINATES: noop("coordinates"),
    Lack.CONTACT: noop("somebody who answers for it"),
}


class LackCount(NamedTuple):
    """How many facilities lack something."""

    lack: str
    word: str
    facilities: int
    chosen: bool


@dataclass(frozen=True, slots=True)
class RegistryRow:
    """One facility in the list."""

    id: str
    name: str
    place: str
    counted: str
    lacks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RegistryPage:
    """The list of facilities."""

    sentence: str
    search: str
    lack: str
    counts: tuple[LackCount, ...]
    rows: tuple[RegistryRow, ...]
    left_out: int
    may_add: bool


def lacks_of(facility: Facility, directory: Directory) -> frozenset[Lack]:
    """Return what a facility lacks."""
    missing = {
        Lack.EQUIPMENT: not directory.equipment_of(facility.id),
        Lack.NODE: not directory.nodes_of(facility.id),
        Lack.COORDINATES: facility.latitude is None or facility.longitude is None,
        Lack.CONTACT: not directory.contacts_for(facility),
    }
    return frozenset(lack for lack, holds in missing.items() if holds)


def lack_nouns(lacks: frozenset[Lack], words: Words) -> tuple[str, ...]:
    """Return what is missing, as it stands after "Missing:"."""
    return tuple(words(LACK_NOUNS[each]) for each in Lack if each in lacks)


def matching(facilities: Sequence[Facility], search: str) -> list[Facility]:
    """Return the facilities in whose names, places or ids every word of a search stands."""
    wanted = search.casefold().split()

    def text(facility: Facility) -> str:
        return " ".join((facility.name, facility.id, facility.district, facility.region)).casefold()

    return [each for each in facilities if all(word in text(each) for word in wanted)]


def place_of(facility: Facility) -> str:
    """Return district and region."""
    return " · ".join(part for part in (facility.district, facility.region) if part)


def registry_page(directory: Directory, search: str, lack: str, *, may_add: bool, words: Words) -> RegistryPage:
    """Return the list of the facilities that match a search and lack something."""
    found = matching(list(directory.facilities.values()), search)
    lacks = {facility.id: lacks_of(facility, directory) for facility in found}
    counts = Counter(each for missing in lacks.values() for each in missing)
    chosen = [each for each in found if lack not in set(Lack) or Lack(lack) in lacks[each.id]]
    chosen.sort(key=lambda each: (each.district.casefold(), each.name.casefold()))
    total = len(directory.facilities)
    return RegistryPage(
        sentence=words.many("{count} facility is registered", "{count} facilities are registered", total),
        search=search,
        lack=lack if lack in set(Lack) else "",
        counts=tuple(LackCount(each.value, words(LACK_WORDS[each]), counts[each], each.value == lack) for each in Lack),
        rows=tuple(_row(each, lacks[each.id], directory, words) for each in chosen[:MOST_ROWS]),
        left_out=max(len(chosen) - MOST_ROWS, 0),
        may_add=may_add,
    )


def _row(facility: Facility, lacks: frozenset[Lack], directory: Directory, words: Words) -> RegistryRow:
    equipment, nodes = len(directory.equipment_of(facility.id)), len(directory.nodes_of(facility.id))
    return RegistryRow(
        id=facility.id,
        name=facility.name,
        place=place_of(facility),
        counted=words(
            "{equipment}, {nodes}",
            equipment=words.many("{count} piece of equipment", "{count} pieces of equipment", equipment),
            nodes=words.many("{count} node", "{count} nodes", nodes),
        ),
        lacks=lack_nouns(lacks, words),
    )


@dataclass(frozen=True, slots=True)
class EquipmentRow:
    """A piece of equipment in the list of a facility."""

    id: str
    name: str
    kind: str
    model: str
    badge: UpkeepBadge


@dataclass(frozen=True, slots=True)
class NodeRow:
    """A node in a list."""

    id: str
    name: str
    facility: str
    facility_name: str
    heard: str
    silent: bool
    channels: int


@dataclass(frozen=True, slots=True)
class FacilityRegistryPage:
    """What is registered of a facility."""

    facility: Facility
    place: str
    local_now: LocalTime
    coordinates: str
    contacts: tuple[str, ...]
    lacks: tuple[str, ...]
    equipment: tuple[EquipmentRow, ...]
    nodes: tuple[NodeRow, ...]
    visits: tuple[VisitLine, ...]
    changes: tuple[ChangeLine, ...]
    may_change: bool
    may_act: bool
    choices: tuple[Choice, ...]
    """The equipment, as a field of a form offers it."""
    now_local: str
    """As a form field writes it."""


def equipment_row(item_id: str, directory: Directory, now_ms: int, words: Words) -> EquipmentRow:
    """Return a piece of equipment as a row."""
    item = directory.equipment[item_id]
    zone = directory.facilities[item.facility].timezone
    badge = badge_of(directory.upkeep.get(item_id), zone, now_ms, words)
    return EquipmentRow(item.id, item.name, kind_word(item.kind, words), item.model, badge)


def equipment_rows(facility: str, directory: Directory, now_ms: int, words: Words) -> tuple[EquipmentRow, ...]:
    """Return the equipment of a facility, the worst first."""
    rows = [equipment_row(item.id, directory, now_ms, words) for item in directory.equipment_of(facility)]
    order = [UpkeepState.OUT_OF_SERVICE, UpkeepState.NEEDS_REPAIR, UpkeepState.FUNCTIONING]
    return tuple(sorted(rows, key=lambda row: order.index(row.badge.state)))


def node_row(
    node: str, directory: Directory, heard_ms: int | None, now_ms: int, words: Words, *, silent: bool
) -> NodeRow:
    """Return a node as a row."""
    found = directory.nodes[node]
    facility = directory.facilities.get(found.facility)
    return NodeRow(
        id=node,
        name=found.name,
        facility=found.facility,
        facility_name=facility.name if facility else found.facility,
        heard=words("heard {ago}", ago=ago_text(heard_ms, now_ms, words)) if heard_ms else words("never heard"),
        silent=silent,
        channels=len(directory.channels_of_node(node) or {}),
    )
