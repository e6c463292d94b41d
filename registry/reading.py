"""From the registry's tables to a directory: what is said, not yet what follows from it."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, Table, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.directory import Directory
from domain.places import LimitScope, SharedLimits
from domain.upkeep import Upkeep
from registry import node_tables, people_tables, tables, upkeep_tables
from registry.history import LimitChange, SharedLimitChange, past_limits_of

_READ_IN_ORDER: Final = (
    people_tables.escalation_chain,
    people_tables.roster,
    people_tables.team,
    people_tables.contact_preference,
    tables.contact,
    tables.channel,
    upkeep_tables.equipment_detail,
    tables.equipment,
    node_tables.node_detail,
    tables.node,
    tables.facility,
)


async def recorded_limits(
    connection: AsyncConnection, wanted: ColumnElement[bool] | None = None
) -> defaultdict[str, list[LimitChange]]:
    """Return what was said of limits by channel, in the order in which it was said."""
    statement = select(tables.limit_change).order_by(tables.limit_change.c.id)
    found: defaultdict[str, list[LimitChange]] = defaultdict(list)
    for row in (await connection.execute(statement if wanted is None else statement.where(wanted))).all():
        found[row.channel].append(tables.to_limit_change(row))
    return found


async def shared_changes(connection: AsyncConnection) -> dict[LimitScope, SharedLimitChange]:
    """Return what was last said of the limits of each scope."""
    table = tables.shared_limit_change
    rows = (await connection.execute(select(table).order_by(table.c.id))).all()
    return {change.scope: change for change in map(tables.to_shared_limit_change, rows)}


async def last_upkeep(connection: AsyncConnection) -> list[Upkeep]:
    """Return what was last said of each piece of equipment of which anything was said."""
    table = upkeep_tables.upkeep
    newest = select(func.max(table.c.id)).group_by(table.c.equipment)
    rows = await connection.execute(select(table).where(table.c.id.in_(newest)).order_by(table.c.id))
    return [upkeep_tables.to_upkeep(row) for row in rows]


async def load(connection: AsyncConnection) -> Directory:
    """Return what is said; which limits are in force does not stand in it yet."""
    # What refers to others is read before them: rows are never removed, so every reference is found
    # even where another process imports between two of these statements.
    shared = [SharedLimits(scope, change.limits) for scope, change in (await shared_changes(connection)).items()]
    upkeep = await last_upkeep(connection)
    rows = {table.name: await _rows(connection, table) for table in _READ_IN_ORDER}
    recorded = await recorded_limits(connection)
    rows["place"] = (await connection.execute(select(tables.place).order_by(tables.place.c.id))).all()
    return await asyncio.to_thread(_directory, rows, recorded, shared, upkeep)


async def _rows(connection: AsyncConnection, table: Table) -> Sequence[Row[Any]]:
    return (await connection.execute(select(table).order_by(table.c.position))).all()


def _directory(
    rows: Mapping[str, Sequence[Row[Any]]],
    recorded: Mapping[str, Sequence[LimitChange]],
    shared: Sequence[SharedLimits],
    upkeep: Sequence[Upkeep],
) -> Directory:
    places = tables.place_keys(rows["place"])
    details = {row.id: row for row in rows["equipment_detail"]}
    exporters = {row.id: row for row in rows["node_detail"]}
    preferences = {row.id: row for row in rows["contact_preference"]}
    return Directory(
        facilities=[tables.to_facility(row, places) for row in rows["facility"]],
        equipment=(
            upkeep_tables.with_detail(item, details.get(item.id))
            for item in map(tables.to_equipment, rows["equipment"])
        ),
        nodes=(node_tables.with_detail(item, exporters.get(item.id)) for item in map(tables.to_node, rows["node"])),
        channels=(
            replace(channel, past_limits=past_limits_of(recorded[channel.id])) if channel.id in recorded else channel
            for channel in map(tables.to_channel, rows["channel"])
        ),
        contacts=(
            people_tables.with_preferences(contact, preferences.get(contact.id))
            for contact in map(tables.to_contact, rows["contact"])
        ),
        shared_limits=shared,
        teams=map(people_tables.to_team, rows["team"]),
        rosters=map(people_tables.to_roster, rows["roster"]),
        chains=map(people_tables.to_chain, rows["escalation_chain"]),
        upkeep=upkeep,
    )
