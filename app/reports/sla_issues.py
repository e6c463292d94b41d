"""Reports that were issued: a later one on the same period says what changed since. Takes inserts only."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Column, Integer, MetaData, Table, Text, insert, select
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.instant import to_ms
from domain.places import Place

METADATA = MetaData()

_ISSUE = Table(
    "sla_issue",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("place", Text, nullable=False),  # JSON
    Column("from_ms", BigInteger, nullable=False),
    Column("to_ms", BigInteger, nullable=False),
    Column("issued_ms", BigInteger, nullable=False),
    Column("report", Text, nullable=False),  # JSON
)


class Issues:
    """The table in the service's database."""

    def __init__(self, database: AsyncEngine) -> None:
        self._database = database

    async def create_tables(self) -> None:
        """Create the table where it is missing."""
        async with self._database.begin() as connection:
            await connection.run_sync(METADATA.create_all)

    async def keep(
        self, place: Place, start: datetime, end: datetime, now: datetime, report: Mapping[str, Any]
    ) -> None:
        """Keep a report as it was issued."""
        values = _key(place, start, end) | {"issued_ms": to_ms(now), "report": json.dumps(report)}
        async with self._database.begin() as connection:
            await connection.execute(insert(_ISSUE).values(values))

    async def last(self, place: Place, start: datetime, end: datetime) -> dict[str, Any] | None:
        """Return the last report that was issued on a period and place; None where there was none."""
        columns = _ISSUE.c
        query = select(columns.report).order_by(columns.id.desc()).limit(1)
        for name, value in _key(place, start, end).items():
            query = query.where(columns[name] == value)
        async with self._database.connect() as connection:
            found = await connection.scalar(query)
        return None if found is None else dict(json.loads(found))


def _key(place: Place, start: datetime, end: datetime) -> dict[str, Any]:
    named = [place.country, place.region, place.district, place.facility]
    return {"place": json.dumps(named), "from_ms": to_ms(start), "to_ms": to_ms(end)}
