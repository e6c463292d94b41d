"""The registry in SQL: imported from documents, exported to one, read as a whole into a directory."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, insert, literal, select, update
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.schema import CreateIndex, CreateTable

from domain.directory import Directory
from domain.document import Document
from domain.limits import LimitHistory
from domain.places import LimitScope
from registry import tables
from registry.checks import checked_draft
from registry.export import exported
from registry.guards import Guard
from registry.history import LimitChange, Occasion, SharedLimitChange, limits_of
from registry.in_force import in_force
from registry.reading import load, recorded_limits, shared_changes
from registry.writing import ImportReport, write


def _digest(documents: Sequence[Document]) -> str:
    said = [document.data for document in documents]
    return hashlib.sha256(json.dumps(said, sort_keys=True, default=str).encode()).hexdigest()


class RegistryStore:
    """The tables of ``registry.tables`` in the database of ``engine`` (SQLite or PostgreSQL)."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def create_tables(self) -> None:
        """Create what is missing; what is there stays."""
        first = select(literal(1), literal(0)).where(~select(tables.version.c.id).exists())
        async with self._engine.begin() as connection:
            for table in tables.metadata.sorted_tables:
                await connection.execute(CreateTable(table, if_not_exists=True))
                for index in table.indexes:
                    await connection.execute(CreateIndex(index, if_not_exists=True))
            await connection.execute(insert(tables.version).from_select(["id", "version"], first))

    async def version(self) -> int:
        """Return a number that grows with every change, so that other processes notice one."""
        async with self._engine.connect() as connection:
            return int((await connection.execute(select(tables.version.c.version))).scalar_one())

    async def import_document(
        self, *documents: Document, occasion: Occasion, guard: Guard | None = None
    ) -> ImportReport:
        """Add and change what the documents say, all of it or nothing; what they leave out stays as it is.

        Other limits than before are recorded in their history, and what becomes another in the log of changes.
        ``guard`` looks at what is registered at that moment. Raises ``DocumentError`` listing what cannot be used.
        """
        async with self._engine.connect() as connection, connection.begin() as transaction:
            # First of all, because it takes the lock: two imports at once stand in line instead of overwriting.
            await connection.execute(update(tables.version).values(version=tables.version.c.version + 1))
            registered = await load(connection)
            draft = await asyncio.to_thread(checked_draft, documents, registered)
            if guard is not None:
                guard(registered, draft)
            report = await write(connection, draft, registered, occasion)
            if not report.changed:
                await transaction.rollback()
        return report

    async def import_configured(self, *documents: Document, occasion: Occasion) -> ImportReport | None:
        """Import the documents of the configuration, unless they are the same as the last time: then return None.

        What people changed since would else be undone at every start.
        """
        digest = _digest(documents)
        async with self._engine.connect() as connection:
            if await connection.scalar(select(tables.configured.c.digest)) == digest:
                return None
        report = await self.import_document(*documents, occasion=occasion)
        async with self._engine.begin() as connection:
            await connection.execute(delete(tables.configured))
            await connection.execute(insert(tables.configured).values(id=1, digest=digest))
        return report

    async def export_document(self) -> dict[str, Any]:
        """Return the whole registry in the YAML form; importing it changes nothing."""
        directory = await self.load_directory()
        return await asyncio.to_thread(exported, directory)

    async def load_directory(self) -> Directory:
        """Return everything that is registered, in the order of registration."""
        async with self._engine.connect() as connection:
            said = await load(connection)
        return await asyncio.to_thread(in_force, said)

    async def load_limits(self, directory: Directory) -> dict[str, LimitHistory]:
        """Return which limits each channel of a directory had when.

        Load the directory first: an import in between then shows here with what was before it.
        """
        async with self._engine.connect() as connection:
            recorded = await recorded_limits(connection)
        return {
            channel.id: limits_of(channel, recorded[channel.id])
            for channel in directory.channels.values()
            if channel.limits or channel.id in recorded
        }

    async def limit_changes(self, channel: str) -> list[LimitChange]:
        """Return what was ever said of a channel's limits, in the order in which it was said; nothing if once only."""
        async with self._engine.connect() as connection:
            return (await recorded_limits(connection, tables.limit_change.c.channel == channel))[channel]

    async def shared_limit_changes(self) -> dict[LimitScope, SharedLimitChange]:
        """Return what was last said of the limits of each scope."""
        async with self._engine.connect() as connection:
            return await shared_changes(connection)
