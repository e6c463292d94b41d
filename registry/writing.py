"""From a draft that was checked to the registry's tables: what it adds and changes, and the history of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from sqlalchemy import Table, bindparam, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.directory import Directory
from domain.places import Channel
from registry import node_tables, people_tables, tables, upkeep_tables
from registry.changes import change_cells, registry_change
from registry.checks import limits_touched, merged
from registry.draft import Draft, Said
from registry.history import LimitChange, Occasion, SharedLimitChange, changes_of
from registry.in_force import in_force, sources
from registry.reading import recorded_limits
from registry.tables import Cells, PlaceKey

_ROWS_A_STATEMENT: Final = 5_000


class _Beside(NamedTuple):
    """A second table of a kind, for what few of its items have."""

    table: Table
    has_any: Callable[[Any], bool]
    cells: Callable[[Any], Cells]


_EQUIPMENT_DETAIL: Final = _Beside(upkeep_tables.equipment_detail, upkeep_tables.has_detail, upkeep_tables.detail_cells)
_NODE_DETAIL: Final = _Beside(node_tables.node_detail, node_tables.has_detail, node_tables.detail_cells)
_CONTACT_PREFERENCE: Final = _Beside(
    people_tables.contact_preference, people_tables.has_preferences, people_tables.preference_cells
)


@dataclass(frozen=True, slots=True)
class Counts:
    """What an import did with the items of one kind."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did; nothing that a document leaves out is ever removed."""

    counts: Mapping[str, Counts]
    """By kind: facilities, equipment, nodes, channels, contacts, teams, rosters, chains, shared limits."""
    limits_changed: int = 0
    """Channels whose limits are others than before, now or at a time that is over."""

    @property
    def changed(self) -> bool:
        """Tell whether the registry is other than before."""
        return self.limits_changed > 0 or any(count.added or count.changed for count in self.counts.values())

    def __str__(self) -> str:
        lines = [
            f"{kind}: {count.added} added, {count.changed} changed, {count.unchanged} unchanged"
            for kind, count in self.counts.items()
        ]
        return "\n".join([*lines, f"limits: changed of {self.limits_changed} channels"])


async def write(connection: AsyncConnection, draft: Draft, registered: Directory, occasion: Occasion) -> ImportReport:
    """Write what a draft adds and changes, with its history; return what that was."""
    places = await _write_places(connection, draft)
    # Whoever is referred to is written before those who refer to it.
    steps: tuple[tuple[str, Table, Callable[[Any], Cells]], ...] = (
        ("facilities", tables.facility, lambda item: tables.facility_cells(item, places)),
        ("equipment", tables.equipment, tables.equipment_cells),
        ("nodes", tables.node, tables.node_cells),
        ("channels", tables.channel, tables.channel_cells),
        ("contacts", tables.contact, tables.contact_cells),
        ("teams", people_tables.team, people_tables.team_cells),
        ("rosters", people_tables.roster, people_tables.roster_cells),
        ("chains", people_tables.escalation_chain, people_tables.chain_cells),
    )
    counts = {}
    for kind, table, cells in steps:
        said = [entry.item for entry in getattr(draft, kind).values()]
        known: Mapping[str, Any] = getattr(registered, kind)
        counts[kind] = await _write_kind(connection, table, cells, said, known)
        notes = [change_cells(kind, known.get(item.id), item, occasion) for item in said if known.get(item.id) != item]
        await _in_parts(connection, insert(registry_change), notes)
    await _write_beside(connection, _EQUIPMENT_DETAIL, draft.equipment, registered.equipment)
    await _write_beside(connection, _NODE_DETAIL, draft.nodes, registered.nodes)
    await _write_beside(connection, _CONTACT_PREFERENCE, draft.contacts, registered.contacts)
    counts["shared limits"] = await _write_shared_limits(connection, draft, registered, occasion)
    return ImportReport(counts, await _write_limits(connection, draft, registered, occasion))


async def _write_beside(
    connection: AsyncConnection, beside: _Beside, entries: Mapping[str, Said[Any]], registered: Mapping[str, Any]
) -> None:
    """Write what stands beside the rows of a kind: of those of which there is anything to say, or was."""
    kept = set((await connection.execute(select(beside.table.c.id))).scalars())
    said = [entry.item for entry in entries.values()]
    concerned = [each for each in said if each.id in kept or beside.has_any(each)]
    await _write_kind(connection, beside.table, beside.cells, concerned, {id_: registered[id_] for id_ in kept})


async def _write_limits(connection: AsyncConnection, draft: Draft, registered: Directory, occasion: Occasion) -> int:
    """Record the limits that become others; return of how many channels."""
    if not (draft.equipment or draft.channels or draft.shared_limits):
        return 0
    recorded = await recorded_limits(connection)
    changes = await asyncio.to_thread(_limit_changes, draft, registered, recorded, occasion)
    rows = [tables.limit_change_cells(each) for found in changes for each in found]
    await _in_parts(connection, insert(tables.limit_change), rows)
    return len(changes)


def _limit_changes(
    draft: Draft, registered: Directory, recorded: Mapping[str, Sequence[LimitChange]], occasion: Occasion
) -> list[list[LimitChange]]:
    """Return what to record of each channel whose limits become others, whoever they were said of."""
    touched = limits_touched(draft, registered)
    before, after = in_force(touched), merged(draft, touched)
    changes = []
    for channel in after.channels.values():
        known = before.channels.get(channel.id)
        names = None if channel.id in draft.channels else _names_said(channel, known, after, draft)
        if names is None or names:
            changes.append(changes_of(channel, known, recorded.get(channel.id, ()), occasion, names))
    return [found for found in changes if found]


def _names_said(channel: Channel, known: Channel | None, after: Directory, draft: Draft) -> set[str]:
    """Return the names of the limits that the draft decides at a channel of which itself it says nothing."""
    before = known.limits if known else {}
    changed = {name for name in {*before, *channel.limits} if before.get(name) != channel.limits.get(name)}
    if not draft.shared_limits:
        return changed
    return changed | {name for name, source in sources(channel, after).items() if source.scope in draft.shared_limits}


async def _write_shared_limits(
    connection: AsyncConnection, draft: Draft, registered: Directory, occasion: Occasion
) -> Counts:
    said = [entry.item for entry in draft.shared_limits.values()]
    changed = [each for each in said if registered.shared_limits.get(each.id) != each]
    valid_from_ms = occasion.at_ms if occasion.limits_from_ms is None else occasion.limits_from_ms
    changes = [
        SharedLimitChange(each.id, valid_from_ms, each.limits, occasion.at_ms, occasion.author, occasion.reason)
        for each in changed
    ]
    await _in_parts(
        connection, insert(tables.shared_limit_change), list(map(tables.shared_limit_change_cells, changes))
    )
    added = sum(each.id not in registered.shared_limits for each in changed)
    return Counts(added, len(changed) - added, len(said) - len(changed))


async def _write_kind(
    connection: AsyncConnection,
    table: Table,
    cells: Callable[[Any], Cells],
    said: Sequence[Any],
    registered: Mapping[str, Any],
) -> Counts:
    added = [cells(item) for item in said if item.id not in registered]
    changed = [cells(item) for item in said if item.id in registered and registered[item.id] != item]
    if added:
        last = (await connection.execute(select(func.coalesce(func.max(table.c.position), 0)))).scalar_one()
        positioned = [{**row, "position": last + number} for number, row in enumerate(added, start=1)]
        await _in_parts(connection, insert(table), positioned)
    if changed:
        columns: dict[str, Any] = {name: bindparam(name) for name in changed[0] if name != "id"}
        statement = update(table).where(table.c.id == bindparam("which")).values(columns)
        await _in_parts(connection, statement, [{"which": row.pop("id"), **row} for row in changed])
    return Counts(len(added), len(changed), len(said) - len(added) - len(changed))


async def _write_places(connection: AsyncConnection, draft: Draft) -> dict[PlaceKey, int]:
    """Register the places of the draft's facilities; return the ids of all places."""
    rows = (await connection.execute(select(tables.place).order_by(tables.place.c.id))).all()
    ids = {key: id_ for id_, key in tables.place_keys(rows).items()}
    missing: list[Cells] = []
    for key in _keys_from_the_top(draft):
        if key not in ids:
            ids[key] = len(ids) + 1
            kind, parent = tables.PLACE_KINDS[len(key) - 1], ids.get(key[:-1])
            missing.append({"id": ids[key], "kind": kind, "name": key[-1], "parent": parent})
    if missing:
        await _in_parts(connection, insert(tables.place), missing)
    return ids


def _keys_from_the_top(draft: Draft) -> Iterable[PlaceKey]:
    for said in draft.facilities.values():
        key = (said.item.country, said.item.region, said.item.district)
        yield from (key[:depth] for depth in (1, 2, 3))


async def _in_parts(connection: AsyncConnection, statement: Any, rows: Sequence[Cells]) -> None:
    for start in range(0, len(rows), _ROWS_A_STATEMENT):
        await connection.execute(statement, rows[start : start + _ROWS_A_STATEMENT])
