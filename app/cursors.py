"""Cursors in the SQL database, for followers whose work commits there."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, MetaData, String, Table, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

METADATA = MetaData()

_CURSOR = Table(
    "cursor_position",
    METADATA,
    Column("name", String(40), primary_key=True),
    Column("position", BigInteger, nullable=False),
)


async def read_cursor(connection: AsyncConnection, name: str) -> int:
    """Return a follower's position; 0 for one that never moved."""
    return await connection.scalar(select(_CURSOR.c.position).where(_CURSOR.c.name == name)) or 0


async def write_cursor(connection: AsyncConnection, name: str, position: int) -> None:
    """Move a follower's position inside the caller's transaction."""
    await connection.execute(delete(_CURSOR).where(_CURSOR.c.name == name))
    await connection.execute(insert(_CURSOR).values(name=name, position=position))
