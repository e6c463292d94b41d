"""Keys that the service made for itself once: every process on the same database has the same."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Column, LargeBinary, MetaData, String, Table, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

metadata = MetaData()

service_key = Table(
    "service_key",
    metadata,
    Column("name", String, primary_key=True),
    Column("key", LargeBinary, nullable=False),
)


async def key_of(database: AsyncEngine, name: str, make: Callable[[], bytes]) -> bytes:
    """Return the key of this name; it is made and kept where there is none yet."""
    async with database.begin() as connection:
        await connection.run_sync(metadata.create_all)
    found = await _kept(database, name)
    if found is None:
        try:
            async with database.begin() as connection:
                await connection.execute(insert(service_key).values(name=name, key=make()))
        except IntegrityError:
            pass  # another process was a moment earlier; its key is the one
        found = await _kept(database, name)
    if found is None:
        raise LookupError(f"the key {name} was written and is not there")
    return found


async def _kept(database: AsyncEngine, name: str) -> bytes | None:
    async with database.connect() as connection:
        found: bytes | None = await connection.scalar(select(service_key.c.key).where(service_key.c.name == name))
    return found
