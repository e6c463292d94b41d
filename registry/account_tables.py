"""The SQL tables of those who sign in, and their rows.

As everywhere in the registry no table changes its columns. What stands as JSON is read as a whole and never searched.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Final

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, MetaData, String, Table, Text
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.schema import CreateIndex, CreateTable

from domain.access import Grant, Role
from domain.places import Place

metadata = MetaData()

account = Table(
    "account",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("name", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("grants", Text, nullable=False),  # JSON
    Column("secret", Text, nullable=False),
    Column("change_by_ms", BigInteger),
    Column("created_ms", BigInteger, nullable=False),
    Column("disabled_ms", BigInteger),
)

session = Table(
    "account_session",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("mark", String(64), nullable=False),
    Column("account", String(64), ForeignKey("account.id"), nullable=False),
    Column("device", String(64), nullable=False),
    Column("address", Text, nullable=False),
    Column("browser", Text, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("seen_ms", BigInteger, nullable=False),
    Column("ended_ms", BigInteger),
)

api_token = Table(
    "api_token",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("mark", String(64), nullable=False),
    Column("name", Text, nullable=False),
    Column("grants", Text, nullable=False),  # JSON
    Column("issued_by", Text, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("expires_ms", BigInteger),
    Column("revoked_ms", BigInteger),
)

_INDEXES: Final = (
    Index("account_session_by_mark", session.c.mark, unique=True),
    Index("account_session_by_account", session.c.account, session.c.id),
    Index("api_token_by_mark", api_token.c.mark, unique=True),
)
_PLACE: Final = ("country", "region", "district", "facility")


async def create_account_tables(engine: AsyncEngine) -> None:
    """Create what is missing."""
    async with engine.begin() as connection:
        for table in (account, session, api_token):
            await connection.execute(CreateTable(table, if_not_exists=True))
        for index in _INDEXES:
            await connection.execute(CreateIndex(index, if_not_exists=True))


def written_grants(grants: Iterable[Grant]) -> str:
    """Return grants as they are kept, always in the same order."""
    return json.dumps([_cell(each) for each in sorted(grants, key=lambda each: (each.role, *_parts(each.place)))])


def read_grants(text: str) -> frozenset[Grant]:
    """Return the grants that were kept; a role that this Vitals does not know gives nothing."""
    known = {role.word: role for role in Role}
    return frozenset(
        Grant(known[each["role"]], Place(**{part: each.get(part, "") for part in _PLACE}))
        for each in json.loads(text)
        if each["role"] in known
    )


def _cell(grant: Grant) -> dict[str, Any]:
    named = zip(_PLACE, _parts(grant.place), strict=True)
    return {"role": grant.role.word, **{part: name for part, name in named if name}}


def _parts(place: Place) -> tuple[str, str, str, str]:
    return place.country, place.region, place.district, place.facility
