"""What was said of the state of equipment, and the log of visits: only ever added to."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, Select, exists, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from domain.errors import Fault, VitalsError
from domain.instant import to_ms
from domain.upkeep import Upkeep, Visit
from registry import tables
from registry.upkeep_tables import to_upkeep, to_visit, upkeep, upkeep_cells, visit, visit_cells

_FACILITIES_A_QUERY: Final = 500
"""So few that every SQLite takes them as parameters."""


class UpkeepError(VitalsError):
    """What is said of equipment or of a visit cannot be kept; the sentence says why."""

    fault = Fault.SENDER


class UpkeepStore:
    """Both logs, in the registry's tables in the database of ``engine``."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def say(self, said: Upkeep) -> Upkeep:
        """Keep how a piece of equipment is; raise ``UpkeepError`` for one that is not registered, or a later moment."""
        _not_in_the_future(said.since, said.said_at)
        async with self._engine.begin() as connection:
            # Others notice, and those who say something at once stand in line.
            await connection.execute(update(tables.version).values(version=tables.version.c.version + 1))
            await _require(connection, said.equipment, tables.equipment.c.id == said.equipment)
            values = upkeep_cells(said)
            number = await connection.scalar(insert(upkeep).values(values).returning(upkeep.c.id))
        return replace(said, id=number or 0)

    async def history(self, equipment: str) -> Sequence[Upkeep]:
        """Return everything that was said of a piece of equipment, in the order in which it was said."""
        query = select(upkeep).where(upkeep.c.equipment == equipment).order_by(upkeep.c.id)
        async with self._engine.connect() as connection:
            return [to_upkeep(row) for row in await connection.execute(query)]

    async def note(self, entry: Visit) -> Visit:
        """Add an entry to the visit log, which may correct an earlier one of the same facility.

        Raises ``UpkeepError`` where the facility, the equipment or the corrected entry is not there, or that one was
        corrected before, or for a visit that is still to come.
        """
        _not_in_the_future(entry.at, entry.said_at)
        try:
            async with self._engine.begin() as connection:
                await _require_named(connection, entry)
                values = visit_cells(entry)
                number = await connection.scalar(insert(visit).values(values).returning(visit.c.id))
        except IntegrityError:
            raise UpkeepError(f"Visit {entry.corrects} was corrected by somebody else meanwhile.") from None
        return replace(entry, id=number or 0)

    async def visit(self, number: int) -> Visit | None:
        """Return an entry of the log by its number, also one that was corrected since."""
        async with self._engine.connect() as connection:
            row = (await connection.execute(select(visit).where(visit.c.id == number))).one_or_none()
        return None if row is None else to_visit(row)

    async def visits(self, facility: str, from_: datetime, to: datetime, *, limit: int) -> Sequence[Visit]:
        """Return visits of a facility with ``from_ <= at < to`` as they stand after corrections, the last first."""
        period = (visit.c.at_ms >= to_ms(from_)) & (visit.c.at_ms < to_ms(to))
        query = _standing().where(visit.c.facility == facility, period)
        query = query.order_by(visit.c.at_ms.desc(), visit.c.id.desc()).limit(limit)
        async with self._engine.connect() as connection:
            return [to_visit(row) for row in await connection.execute(query)]

    async def last_visits(self, facilities: Collection[str]) -> Mapping[str, Visit]:
        """Return the last visit of each of these facilities that was ever visited."""
        wanted, found = sorted(facilities), dict[str, Visit]()
        ranked = _standing().add_columns(
            func.row_number()
            .over(partition_by=visit.c.facility, order_by=(visit.c.at_ms.desc(), visit.c.id.desc()))
            .label("rank")
        )
        async with self._engine.connect() as connection:
            for start in range(0, len(wanted), _FACILITIES_A_QUERY):
                part = ranked.where(visit.c.facility.in_(wanted[start : start + _FACILITIES_A_QUERY])).subquery()
                rows = await connection.execute(select(part).where(part.c.rank == 1))
                found |= {row.facility: to_visit(row) for row in rows}
        return found


def _standing() -> Select[tuple[object, ...]]:
    """Select the entries that were neither corrected nor withdrawn."""
    later = visit.alias()
    return select(visit).where(~visit.c.withdrawn, ~exists().where(later.c.corrects == visit.c.id))


def _not_in_the_future(moment: datetime, now: datetime) -> None:
    if moment > now:
        raise UpkeepError(f"Found {moment:%Y-%m-%d %H:%M} UTC, which is still to come; allowed: up to now.")


async def _require_named(connection: AsyncConnection, entry: Visit) -> None:
    await _require(connection, entry.facility, tables.facility.c.id == entry.facility)
    if entry.equipment:
        here = tables.equipment.c.facility == entry.facility
        await _require(connection, entry.equipment, here & (tables.equipment.c.id == entry.equipment))
    if entry.corrects:
        here = visit.c.facility == entry.facility
        await _require(connection, f"visit {entry.corrects}", here & (visit.c.id == entry.corrects))


async def _require(connection: AsyncConnection, name: str, holds: ColumnElement[bool]) -> None:
    if not await connection.scalar(select(exists().where(holds))):
        raise UpkeepError(f"There is no {name}.")
