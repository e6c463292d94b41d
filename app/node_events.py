"""Where episodes that nodes tell wait for the judge, and where it keeps which ones it took up.

The receipt goes to the node after an event is in this table, so neither side can lose it; the judge takes it out in the
transaction in which it records the episode.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from pydantic import TypeAdapter
from sqlalchemy import BigInteger, Column, Integer, LargeBinary, MetaData, String, Table, delete, insert, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from alerts.whole import whole
from app.adopted import Adopted
from collector.node_events import NodeEvent
from domain.directory import Directory
from domain.episode_event import EpisodeEvent
from domain.errors import PeerError
from domain.instant import to_datetime
from domain.rejection import PayloadError, Reason
from rules.conditions.base import ValueCondition
from rules.model import Rule

METADATA = MetaData()

_WAITING = Table(
    "node_event",
    METADATA,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("node", String(64), nullable=False),
    Column("received_at_ms", BigInteger, nullable=False),
    Column("payload", LargeBinary, nullable=False),
)
_ADOPTED = Table(
    "node_episode",
    METADATA,
    Column("episode", String(400), primary_key=True),
    Column("state", LargeBinary, nullable=False),
)
_ADOPTED_SHAPE = TypeAdapter(Adopted)


class Waiting(NamedTuple):
    """An event that nobody has judged yet."""

    id: int
    node: str
    received_at: datetime
    event: EpisodeEvent


class NodeEvents:
    """The inbox of what nodes tell, in SQL."""

    def __init__(
        self, database: AsyncEngine, rules: Callable[[], Mapping[str, Rule]], directory: Callable[[], Directory]
    ) -> None:
        self._database, self._rules, self._directory = database, rules, directory
        self.news = asyncio.Event()
        """Set when an event came to this process."""

    async def create_tables(self) -> None:
        """Create the tables that are missing."""
        async with self._database.begin() as connection:
            await connection.run_sync(METADATA.create_all)

    async def take(self, found: NodeEvent) -> None:
        """Keep an event; raise ``PayloadError`` for a rule that is not in force, ``PeerError`` without a database."""
        self._check_rule(found.event)
        row = {
            "node": found.node,
            "received_at_ms": found.message.received_at_ms,
            "payload": found.message.payload,
        }
        try:
            await whole(self._insert(row))
        except (SQLAlchemyError, OSError) as error:
            raise PeerError(f"the database takes no events: {error}") from error
        self.news.set()

    async def wait(self) -> None:
        """Return when an event has come to this process since the last look."""
        await self.news.wait()

    async def first(self, limit: int) -> list[Waiting]:
        """Return the events that wait longest, in the order they came."""
        async with self._database.connect() as connection:
            rows = await connection.execute(select(_WAITING).order_by(_WAITING.c.id).limit(limit))
            return [
                Waiting(row.id, row.node, to_datetime(row.received_at_ms), EpisodeEvent.decode(row.payload))
                for row in rows
            ]

    async def adopted(self) -> list[Adopted]:
        """Return what was taken up and is still remembered."""
        async with self._database.connect() as connection:
            return [
                _ADOPTED_SHAPE.validate_json(state)
                for state in await connection.scalars(select(_ADOPTED.c.state).order_by(_ADOPTED.c.episode))
            ]

    async def save(
        self, connection: AsyncConnection, adopted: Sequence[tuple[str, Adopted | None]], judged: Iterable[int]
    ) -> None:
        """Write what changed, and forget the events that were judged, inside the caller's transaction."""
        for event in judged:
            await connection.execute(delete(_WAITING).where(_WAITING.c.id == event))
        for episode, entry in adopted:
            await connection.execute(delete(_ADOPTED).where(_ADOPTED.c.episode == episode))
            if entry is not None:
                state = _ADOPTED_SHAPE.dump_json(entry)
                await connection.execute(insert(_ADOPTED).values(episode=episode, state=state))

    async def _insert(self, row: Mapping[str, object]) -> None:
        async with self._database.begin() as connection:
            await connection.execute(insert(_WAITING).values(row))

    def _check_rule(self, event: EpisodeEvent) -> None:
        rule = self._rules().get(event.episode.rule)
        channel = self._directory().channels.get(event.episode.subject)
        if rule is None:
            detail = f"rule {event.episode.rule!r} is not in force here; give the service the node's rule file"
            raise PayloadError(Reason.UNKNOWN_RULE, detail)
        if not isinstance(rule.condition, ValueCondition) or channel is None or rule.quantity != channel.quantity:
            detail = f"rule {rule.id!r} does not judge values of channel {event.episode.subject!r} here"
            raise PayloadError(Reason.UNKNOWN_RULE, detail)
