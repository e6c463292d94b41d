"""The judge: follows the journal, steps the rules engine, and commits what it found together with how far it got."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from alerts.change import AlertChange
from alerts.store import AlertStore
from alerts.whole import whole
from app.hearing import Hearing
from app.joined_engine import JudgingEngine
from app.judge_state import JudgeState
from app.timekeeping import Timekeeper
from collector.journal.journal import Journal
from domain.directory import Directory
from domain.episode import EpisodeChange
from domain.instant import Clock, to_datetime
from domain.reading import Reading
from rules.amendment import Stale
from rules.engine import Engine, Tick
from rules.model import Rule

log = logging.getLogger(__name__)

CURSOR_NAME = "judge"
RETRY_SECONDS = 2.0


class JudgeSettings(BaseModel):
    """How the judge works through the log."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    readings_per_turn: int = Field(default=1000, ge=1)
    """Readings judged before others get the event loop."""
    amendments_per_turn: int = Field(default=200, ge=1)
    """Histories judged again before new readings are: after a restart every rule on a stretch of time has one."""
    tick_seconds: float = Field(default=5.0, gt=0)
    """How often silence is looked at, on the service's clock."""
    snapshot_readings: int = Field(default=20_000, ge=1)
    """After so many readings without a change of any episode, the state is saved all the same ..."""
    snapshot_seconds: float = Field(default=5.0, gt=0)
    """... or after so much time, which is what a restart has to judge again. Keep it well below
    ``rules.engine.downtime``: after a restart, a saved clock older than that is taken for an absence."""


@dataclass(slots=True)
class JudgeStats:
    """Counts since the start."""

    readings: int = 0
    steps: int = 0
    """Readings and ticks that the rules were stepped with."""
    step_seconds: float = 0
    changes: int = 0
    amendments: int = 0
    snapshots: int = 0
    clock_jumps: int = 0
    """How often the machine's clock was set to another time."""
    turned_at_ms: int | None = None
    """When the last turn was through; None: not yet."""
    failing: str = ""
    """Why the judge cannot go on at present; empty while it can."""


@dataclass(kw_only=True)
class Judge:
    """Everything the judge works with; ``run`` is its life."""

    journal: Journal
    new_engine: Callable[[], Engine]
    """Makes an engine that remembers nothing, with the rules and the registry of this moment."""
    alerts: AlertStore
    state: JudgeState
    database: AsyncEngine
    clock: Clock
    directory: Callable[[], Directory]
    timekeeper: Timekeeper | None = None
    """Says when the clock was set to another time; None for a clock that nobody can set."""
    hearing: Hearing | None = None
    """Takes up the episodes that nodes found themselves; None where nobody listens to them."""
    settings: JudgeSettings = field(default_factory=JudgeSettings)
    timer: Callable[[], float] = time.perf_counter
    stats: JudgeStats = field(default_factory=JudgeStats)
    engine: JudgingEngine = field(init=False)
    _next_rules: Sequence[Rule] | None = None
    _position: int = 0
    _saved_position: int = 0
    _saved_at_ms: int = 0
    _ticked_at_ms: int = 0

    @property
    def position(self) -> int:
        """Return the commit position up to which everything is judged."""
        return self._position

    async def resume(self) -> None:
        """Take up what was known at the last save, forgetting everything since; call it before ``run``."""
        if self.timekeeper is not None:
            await self.timekeeper.resume()
        engine = self.new_engine()
        self.engine = engine if self.hearing is None else await self.hearing.join(engine)
        position, snapshot = await self.state.load()
        if position > self.journal.position:
            # The journal was replaced under us: its log starts anew, what the rules know stays true.
            log.warning(
                "judged up to %d, but the journal ends at %d: going on from there", position, self.journal.position
            )
            position = self.journal.position
        self._position = self._saved_position = position
        self._saved_at_ms = self._ticked_at_ms = self.clock.now_ms()
        ended = self.engine.restore(snapshot)
        await self.journal.move_cursor(CURSOR_NAME, position)
        await self._save(ended)

    async def run(self) -> None:
        """Judge until cancelled; where the database is away, the log waits."""
        while True:
            try:
                judged = await self.turn()
                self.stats.failing = ""
                if not judged:
                    await self._wait()
            except Exception as error:
                # What was stepped and not saved is only in memory: begin again from what is saved.
                log.exception("judging stopped at position %d and begins again", self._position)
                self.stats.failing = f"{type(error).__name__}: {error}"
                await self._begin_again()

    async def _begin_again(self) -> None:
        while True:
            await asyncio.sleep(RETRY_SECONDS)
            try:
                return await self.resume()
            except Exception as error:
                log.exception("the judge cannot take up its state")
                self.stats.failing = f"{type(error).__name__}: {error}"

    def replace_rules(self, rules: Sequence[Rule]) -> None:
        """Judge by other rules, or with another registry, from the next turn on; open episodes of what is gone end.

        Between two turns, because a turn waits for the database with changes in hand that only it knows of.
        """
        self._next_rules = rules

    async def turn(self) -> bool:
        """Judge a portion of the log and what time brings, and commit it; return whether there was anything to read."""
        await self._follow_clock()
        await self._take_next_rules()
        position, readings = await self.journal.read_after(self._position, self.settings.readings_per_turn)
        changes: list[EpisodeChange] = []
        news = await self._news(position, readings)
        started = self.timer()
        for reading in news:
            changes += self.engine.step(reading)
        self._position = position
        changes += self._tick()
        self.stats.steps += len(news)
        self.stats.step_seconds += self.timer() - started
        await self._commit(changes)
        behind = await self._amend()
        # Not before what they led to is stored: whoever sees them counted may look for it.
        self.stats.readings += len(news)
        heard = await self._hear()
        self.stats.turned_at_ms = self.clock.now_ms()
        return bool(readings) or heard or behind

    async def _follow_clock(self) -> None:
        """Where the machine's clock was set to another time, go on from that one."""
        if self.timekeeper is None:
            return
        jump_ms = await self.timekeeper.follow(self.engine.shift_clock, self._save_state)
        if jump_ms:
            self.stats.clock_jumps += 1
            self._saved_at_ms += jump_ms
            self._ticked_at_ms += jump_ms
            self.alerts.wake()

    async def _save_state(self, connection: AsyncConnection) -> None:
        await self.state.save(connection, self._position, self.engine.changed_state())

    async def _news(self, position: int, readings: list[Reading]) -> Sequence[Reading]:
        """Leave out what did not arrive just now: nobody is heard by it, and no rule is to judge it."""
        first = position - len(readings) + 1
        stretches = await self.journal.marked(first - 1, position)
        if not stretches:
            return readings
        aside = {number for stretch in stretches for number in range(stretch.first, stretch.last + 1)}
        return [reading for number, reading in enumerate(readings, start=first) if number not in aside]

    async def _take_next_rules(self) -> None:
        rules, self._next_rules = self._next_rules, None
        if rules is not None:
            await self._save(self.engine.replace_rules(rules, self.directory()))

    def _tick(self) -> list[EpisodeChange]:
        """Let time pass for the engine: only where the log is read to its end, for silence is judged on arrivals."""
        now_ms = self.clock.now_ms()
        if self._position < self.journal.position or now_ms - self._ticked_at_ms < self.settings.tick_seconds * 1000:
            return []
        self._ticked_at_ms = now_ms
        self.stats.steps += 1
        return self.engine.step(Tick(now_ms))

    async def _hear(self) -> bool:
        """Take up some of what nodes told; return whether there was anything."""
        changes = None if self.hearing is None else await self.hearing.next()
        if changes is None:
            return False
        await self._save(changes)
        return True

    async def _amend(self) -> bool:
        """Judge again some of the history that late readings changed; tell whether there is more."""
        waiting = self.engine.stale()
        for stale in waiting[: self.settings.amendments_per_turn]:
            await self._amend_channel(stale)
        return len(waiting) > self.settings.amendments_per_turn

    async def _amend_channel(self, stale: Stale) -> None:
        amendment = self.engine.amendment(stale)
        while (ask := amendment.ask()) is not None:
            amendment.take(await self.journal.series(ask.channel, ask.from_ms, ask.to_ms))
        span = amendment.span
        episodes = await self.alerts.episodes(
            subject=stale.channel, from_=to_datetime(span.from_ms), to=to_datetime(span.to_ms), limit=100_000
        )
        self.stats.amendments += 1
        await self._commit(self.engine.amend(amendment, episodes))

    async def _commit(self, changes: list[EpisodeChange]) -> None:
        if changes or self._save_is_due():
            await self._save(changes)

    def _save_is_due(self) -> bool:
        behind = self._position - self._saved_position
        waited = timedelta(milliseconds=self.clock.now_ms() - self._saved_at_ms)
        return behind >= self.settings.snapshot_readings or waited.total_seconds() >= self.settings.snapshot_seconds

    async def _save(self, changes: list[EpisodeChange]) -> None:
        """Commit what changed, and tell of it."""
        now_ms = self.clock.now_ms()
        told = await whole(self._write(changes, now_ms))
        self._saved_position, self._saved_at_ms = self._position, now_ms
        self.stats.changes += len(changes)
        self.stats.snapshots += 1
        self.alerts.publish(told)
        await self.journal.move_cursor(CURSOR_NAME, self._position)

    async def _write(self, changes: Sequence[EpisodeChange], now_ms: int) -> Sequence[AlertChange]:
        """Write episodes, alerts, queued messages, the engine's state and the position in one transaction."""
        async with self.database.begin() as connection:
            told = await self.alerts.record(connection, changes, now=to_datetime(now_ms))
            await self._save_state(connection)
            if self.timekeeper is not None:
                await self.timekeeper.note(connection, now_ms)
            if self.hearing is not None:
                await self.hearing.save(connection)
        return told

    async def _wait(self) -> None:
        tick = asyncio.create_task(self.clock.sleep(self.settings.tick_seconds), name="judge tick")
        news = asyncio.create_task(self.journal.wait_beyond(self._position), name="judge news")
        waiting = [tick, news]
        if self.hearing is not None:
            waiting.append(asyncio.create_task(self.hearing.events.wait(), name="judge events"))
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waiting:
                each.cancel()
