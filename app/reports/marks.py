"""Which monthly reports were sent: in SQL, so that a restart sends none twice and forgets none."""

from __future__ import annotations

import json

from sqlalchemy import Column, Integer, MetaData, Table, Text, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from dashboards.report.month import Month
from domain.places import Place

METADATA = MetaData()

_NEXT = Table(
    "report_next",
    METADATA,
    Column("place", Text, primary_key=True),  # JSON
    Column("month", Integer, nullable=False),  # months since the year 0
)
_SENT = Table(
    "report_sent",
    METADATA,
    Column("place", Text, primary_key=True),
    Column("address", Text, primary_key=True),
)


class ReportMarks:
    """For each place the next month to be sent, and who has it already."""

    def __init__(self, database: AsyncEngine) -> None:
        self._database = database

    async def create_tables(self) -> None:
        """Create the tables where they are missing."""
        async with self._database.begin() as connection:
            await connection.run_sync(METADATA.create_all)

    async def next(self, place: Place, first: Month) -> Month:
        """Return the next month to be sent; of a place that was never asked for, ``first``, and remember that."""
        key = _key(place)
        async with self._database.begin() as connection:
            found = await connection.scalar(select(_NEXT.c.month).where(_NEXT.c.place == key))
            if found is None:
                await connection.execute(insert(_NEXT).values(place=key, month=_number(first)))
                return first
        return Month(0, 1).moved(found)

    async def reached(self, place: Place) -> frozenset[str]:
        """Return the addresses that have the next month, or refused it for good."""
        async with self._database.connect() as connection:
            rows = await connection.execute(select(_SENT.c.address).where(_SENT.c.place == _key(place)))
            return frozenset(rows.scalars())

    async def reach(self, place: Place, address: str) -> None:
        """Note that an address has the next month, or refused it for good."""
        async with self._database.begin() as connection:
            await connection.execute(insert(_SENT).values(place=_key(place), address=address))

    async def go_on(self, place: Place, month: Month) -> None:
        """Note that everybody has a month: the following one is the next."""
        key = _key(place)
        async with self._database.begin() as connection:
            await connection.execute(update(_NEXT).where(_NEXT.c.place == key).values(month=_number(month.moved(1))))
            await connection.execute(delete(_SENT).where(_SENT.c.place == key))


def _key(place: Place) -> str:
    return json.dumps([place.country, place.region, place.district, place.facility])


def _number(month: Month) -> int:
    return month.year * 12 + month.number - 1
