"""Listening to nodes: their events in the order they came, each with what is stored and measured around it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable

from sqlalchemy.ext.asyncio import AsyncConnection

from alerts.store import AlertStore
from app.adopted import Word
from app.adoption import Adoption
from app.joined_engine import JoinedEngine
from app.node_events import NodeEvents, Waiting
from collector.journal.journal import Journal
from domain.directory import Directory
from domain.episode import EpisodeChange
from domain.instant import to_ms
from rules.engine import Engine
from rules.model import Rule
from rules.settings import EngineSettings

log = logging.getLogger(__name__)

MOST_OVERLAPPING = 1_000
EVENTS_AT_ONCE = 50
"""Judged in one transaction; more would keep readings waiting."""


class Hearing:
    """The judge's ear; what it knows is written with everything else that the judge writes."""

    def __init__(
        self,
        events: NodeEvents,
        *,
        journal: Journal,
        alerts: AlertStore,
        rules: Callable[[], Iterable[Rule]],
        directory: Callable[[], Directory],
        settings: EngineSettings,
    ) -> None:
        self.events = events
        self._journal, self._alerts = journal, alerts
        self._rules, self._directory, self._settings = rules, directory, settings
        self._judged: list[int] = []

    async def join(self, engine: Engine) -> JoinedEngine:
        """Take up what is saved, and return the engine that minds it."""
        self._judged = []
        self._adoption = Adoption(self._rules(), self._directory, self._settings)
        self._adoption.load(await self.events.adopted())
        return JoinedEngine(engine, self._adoption)

    async def next(self) -> list[EpisodeChange] | None:
        """Return what the next events change, at most one a channel; None without any. ``save`` has to follow."""
        self.events.news.clear()
        changes: list[EpisodeChange] = []
        channels: set[str] = set()
        for waiting in await self.events.first(EVENTS_AT_ONCE):
            channel = waiting.event.episode.subject
            if channel in channels:
                break  # what is stored of the channel has to be written first
            channels.add(channel)
            self._judged.append(waiting.id)
            changes += await self._try(waiting)
        return changes if channels else None

    async def _try(self, waiting: Waiting) -> list[EpisodeChange]:
        try:
            return await self._hear(waiting)
        except (ArithmeticError, LookupError, TypeError, ValueError):  # one node's event must not stall the judge
            log.exception("an event of node %r cannot be judged and is dropped: %r", waiting.node, waiting.event)
            return []

    async def _hear(self, waiting: Waiting) -> list[EpisodeChange]:
        told, seen_at = waiting.event.episode, waiting.event.seen_at
        channel = self._directory().channels.get(told.subject)
        if channel is None or channel.node != waiting.node:
            return []  # the registry changed meanwhile
        stored = await self._alerts.episodes(
            subject=told.subject, from_=told.started_at, to=told.ended_at, limit=MOST_OVERLAPPING
        )
        until_ms = to_ms(waiting.received_at) + 1
        from_ms = to_ms(seen_at if told.ended_at is None else told.ended_at)
        later = await self._journal.series(told.subject, from_ms, until_ms)
        word = Word(told, waiting.event.epoch, seen_at, waiting.received_at)
        return self._adoption.hear(word, stored=stored, later=later)

    async def save(self, connection: AsyncConnection) -> None:
        """Write what changed inside the caller's transaction."""
        await self.events.save(connection, self._adoption.changed(), self._judged)
        self._judged = []
