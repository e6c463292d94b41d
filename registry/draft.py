"""From documents to a draft: everything that the documents say, each item with the place where it is said."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from pydantic import ValidationError

from domain.document import Document, Path
from domain.errors import DocumentError, Problem
from domain.people import Contact, EscalationChain, Roster, Team
from domain.places import Channel, Equipment, Facility, LimitScope, Node, SharedLimits
from registry.document import (
    ChannelEntry,
    ChannelRow,
    EquipmentRow,
    FacilityEntry,
    FacilityFields,
    NodeRow,
    RegistryDocument,
    SharedLimitsEntry,
)
from registry.entry import Entry
from registry.people_document import ContactRow, RosterEntry, TeamRow

Item = TypeVar("Item", Facility, Equipment, Node, Channel, Contact, SharedLimits, Team, Roster, EscalationChain)
Row = TypeVar("Row", bound=Entry)


@dataclass(frozen=True, slots=True)
class Place:
    """Where something is said."""

    document: Document
    path: Path

    def problem(self, step: str, found: str, allowed: str) -> Problem:
        """Return a problem with the field ``step`` of what stands here."""
        return self.document.problem((*self.path, step), found, allowed)


@dataclass(frozen=True, slots=True)
class Said(Generic[Item]):
    """An item and its place."""

    item: Item
    place: Place


@dataclass(slots=True)
class Draft:
    """What documents say, by id; ``problems`` lists what cannot be used."""

    facilities: dict[str, Said[Facility]] = field(default_factory=dict)
    equipment: dict[str, Said[Equipment]] = field(default_factory=dict)
    nodes: dict[str, Said[Node]] = field(default_factory=dict)
    channels: dict[str, Said[Channel]] = field(default_factory=dict)
    contacts: dict[str, Said[Contact]] = field(default_factory=dict)
    shared_limits: dict[LimitScope, Said[SharedLimits]] = field(default_factory=dict)
    teams: dict[str, Said[Team]] = field(default_factory=dict)
    rosters: dict[str, Said[Roster]] = field(default_factory=dict)
    chains: dict[str, Said[EscalationChain]] = field(default_factory=dict)
    keep_overrides: set[str] = field(default_factory=set)
    """Rosters of whose overrides nothing is said."""
    problems: list[Problem] = field(default_factory=list)

    def add(self, said: dict[Any, Said[Item]], item: Item, place: Place, *, known_by: str = "id") -> None:
        """Take an item, or note that what it is known by was said before."""
        if item.id in said:
            first: Place = said[item.id].place
            where = first.document.problem((*first.path, known_by), "", "")
            found = f"{item.id} again (first in {where.source}:{where.line})"
            self.problems.append(place.problem(known_by, found, f"each {known_by} once"))
        else:
            said[item.id] = Said(item, place)

    def add_channel(self, entry: ChannelEntry, facility: str, equipment: str, place: Place) -> None:
        """Take a channel whose limits can be used."""
        errors = entry.limit_errors()
        if errors:
            self.problems += place.document.refuse_all(errors, place.path).problems
        else:
            self.add(self.channels, entry.channel(facility, equipment), place)

    def add_shared_limits(self, entry: SharedLimitsEntry, place: Place) -> None:
        """Take limits that can be used, of a scope that was not said before."""
        errors = entry.limit_errors()
        if errors:
            self.problems += place.document.refuse_all(errors, place.path).problems
        else:
            self.add(self.shared_limits, entry.shared_limits(), place, known_by="scope")

    def add_roster(self, entry: RosterEntry, place: Place) -> None:
        """Take a roster; where it says nothing of overrides, note that."""
        self.add(self.rosters, entry.roster(), place)
        if entry.overrides is None:
            self.keep_overrides.add(entry.id)


def read_draft(documents: Iterable[Document]) -> Draft:
    """Return what all the documents say together; what each of them says wrong stands in the draft's problems."""
    draft = Draft()
    for document in documents:
        try:
            (_add_table if isinstance(document.data, list) else _add_tree)(draft, document)
        except DocumentError as error:
            draft.problems += error.problems
    return draft


def _add_tree(draft: Draft, document: Document) -> None:
    try:
        tree = RegistryDocument.model_validate(document.data)
    except ValidationError as error:
        raise _refusal(document, error, ()) from error
    for index, limits in enumerate(tree.limits):
        draft.add_shared_limits(limits, Place(document, ("limits", index)))
    for index, entry in enumerate(tree.facilities):
        _add_facility(draft, entry, document, ("facilities", index))
    for index, contact in enumerate(tree.contacts):
        draft.add(draft.contacts, contact.contact(), Place(document, ("contacts", index)))
    for index, team in enumerate(tree.teams):
        draft.add(draft.teams, team.team(), Place(document, ("teams", index)))
    for index, roster in enumerate(tree.rosters):
        draft.add_roster(roster, Place(document, ("rosters", index)))
    for index, chain in enumerate(tree.escalation):
        draft.add(draft.chains, chain.chain(), Place(document, ("escalation", index)))


def _add_facility(draft: Draft, entry: FacilityEntry, document: Document, path: Path) -> None:
    draft.add(draft.facilities, entry.facility(), Place(document, path))
    for index, node in enumerate(entry.nodes):
        draft.add(draft.nodes, node.node(entry.id), Place(document, (*path, "nodes", index)))
    for index, item in enumerate(entry.equipment):
        at = (*path, "equipment", index)
        draft.add(draft.equipment, item.equipment(entry.id), Place(document, at))
        for number, channel in enumerate(item.channels):
            draft.add_channel(channel, entry.id, item.id, Place(document, (*at, "channels", number)))


@dataclass(frozen=True, slots=True)
class _Table(Generic[Row]):
    """One kind of table: the columns by any of which it is known, its row, and what to do with one."""

    name: str
    known_by: frozenset[str]
    row: type[Row]
    add: Callable[[Draft, Row, Place], None]


_TABLES: tuple[_Table[Any], ...] = (
    _Table(
        "channels",
        frozenset({"node", "interval"}),
        ChannelRow,
        lambda draft, row, place: draft.add_channel(row, row.facility, row.equipment, place),
    ),
    _Table(
        "limits",
        frozenset({"quantity"}),
        SharedLimitsEntry,
        lambda draft, row, place: draft.add_shared_limits(row, place),
    ),
    _Table(
        "equipment",
        frozenset({"kind", "model", "serial", "pqs_code", "installed"}),
        EquipmentRow,
        lambda draft, row, place: draft.add(draft.equipment, row.equipment(row.facility), place),
    ),
    _Table(
        "facilities",
        frozenset({"country", "timezone"}),
        FacilityFields,
        lambda draft, row, place: draft.add(draft.facilities, row.facility(), place),
    ),
    _Table(
        "teams",
        frozenset({"members"}),
        TeamRow,
        lambda draft, row, place: draft.add(draft.teams, row.team(), place),
    ),
    _Table(
        "contacts",
        frozenset({"language", "email", "phone", "facilities", "district", "region", "channels"}),
        ContactRow,
        lambda draft, row, place: draft.add(draft.contacts, row.contact(), place),
    ),
    _Table(
        "nodes",
        frozenset({"facility"}),
        NodeRow,
        lambda draft, row, place: draft.add(draft.nodes, row.node(row.facility), place),
    ),
)


_GROUPS = {"limit": "limits", "address": "addresses", "quiet": "quiet"}
"""Columns before whose dot this stands are one field of the row."""


def _add_table(draft: Draft, document: Document) -> None:
    columns = {name for row in document.data if isinstance(row, Mapping) for name in row}
    table = next((table for table in _TABLES if table.known_by & columns), None)
    if table is None:
        found = f"a table with the columns {', '.join(sorted(columns))}" if columns else "a table without rows"
        raise document.refuse((), found, f"a table of {', '.join(table.name for table in _TABLES)}")
    for index, cells in enumerate(document.data):
        try:
            row = table.row.model_validate(_gathered(cells))
        except ValidationError as error:
            draft.problems += _refusal(document, error, (index,)).problems
        else:
            table.add(draft, row, Place(document, (index,)))


def _gathered(cells: Any) -> Any:
    """Gather the columns ``limit.<name>``, ``address.<medium>`` and ``quiet.<field>`` as the YAML form writes them."""
    if not isinstance(cells, Mapping):
        return cells
    gathered: dict[str, Any] = {}
    for name, cell in cells.items():
        group, dot, field_name = name.partition(".")
        if dot and group in _GROUPS:
            gathered.setdefault(_GROUPS[group], {})[field_name] = cell
        else:
            gathered[name] = cell
    return gathered


def _refusal(document: Document, error: ValidationError, under: Path) -> DocumentError:
    return document.refuse_all(_as_mappings(error.errors()), under)


def _as_mappings(errors: Sequence[Any]) -> list[Mapping[str, Any]]:
    return [dict(error) for error in errors]
