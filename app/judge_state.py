"""Where the rules engine's snapshot lives: beside the alerts, so that both commit in one transaction."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Column, LargeBinary, MetaData, String, Table, bindparam, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app import cursors
from app.cursors import read_cursor, write_cursor

METADATA = MetaData()

_SNAPSHOT = Table(
    "judge_snapshot",
    METADATA,
    Column("key", String(400), primary_key=True),
    Column("state", LargeBinary, nullable=False),
)
_NAME = "judge"

StateChange = tuple[str, bytes | None]
"""Key of one (rule, subject) and its new state; None where the state went back to rest."""


class JudgeState:
    """Load and save what the engine knows, and up to which commit position it knows it."""

    def __init__(self, database: AsyncEngine) -> None:
        self._database = database

    async def create_tables(self) -> None:
        """Create the tables that are missing."""
        async with self._database.begin() as connection:
            for tables in (METADATA, cursors.METADATA):
                await connection.run_sync(tables.create_all)

    async def load(self) -> tuple[int, list[tuple[str, bytes]]]:
        """Return the commit position and the snapshot that belongs to it; (0, []) the first time."""
        async with self._database.connect() as connection:
            position = await read_cursor(connection, _NAME)
            rows = await connection.execute(select(_SNAPSHOT.c.key, _SNAPSHOT.c.state))
            return position, [(row.key, row.state) for row in rows]

    async def save(self, connection: AsyncConnection, position: int, changes: Sequence[StateChange]) -> None:
        """Write the changed states and the position inside the caller's transaction."""
        if changes:
            await connection.execute(
                delete(_SNAPSHOT).where(_SNAPSHOT.c.key == bindparam("which")), [{"which": key} for key, _ in changes]
            )
        kept = [{"key": key, "state": state} for key, state in changes if state is not None]
        if kept:
            await connection.execute(insert(_SNAPSHOT), kept)
        await write_cursor(connection, _NAME, position)
