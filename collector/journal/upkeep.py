"""The background work: settle, recompute roll-ups, trim the log, let go what retention lets go; slice by slice."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterator, Mapping
from functools import partial

from collector.journal.buckets import HourKey, Recomputed, recompute
from collector.journal.errors import JournalError
from collector.journal.judging import Judging
from collector.journal.reader import Reader, Snapshot
from collector.journal.settings import JournalSettings
from collector.journal.settling import Settler
from collector.journal.threads import ReaderPool, WriterThread
from collector.journal.writer import Writer
from domain.instant import HOUR_MS, Clock
from domain.limits import LimitHistory

log = logging.getLogger(__name__)

_EVERY_HOUR_MS = 2**62
_HOURS_PER_SLICE = 500
_BEFORE_ALL: HourKey = (0, 0)


class Upkeep:
    """Keeps the file in shape while commits and queries go on."""

    def __init__(
        self, writer: Writer, settler: Settler, thread: WriterThread, readers: ReaderPool, settings: JournalSettings
    ) -> None:
        self._writer, self._settler, self._thread, self._readers = writer, settler, thread, readers
        self._settings = settings
        self._judging = Judging(writer)
        self._limits: Mapping[str, LimitHistory] | None = None
        self._one_at_a_time = asyncio.Lock()
        self._settled_at = time.monotonic()
        self._pruned_at = -float("inf")

    def judge_by(self, limits: Mapping[str, LimitHistory]) -> None:
        """Have the next round of work take over these limits."""
        self._limits = limits

    async def settle(self) -> None:
        """Move what is committed by now, and recompute every hour that is not up to date."""
        async with self._one_at_a_time:
            await self._adopt_limits()
            await self._settle(_EVERY_HOUR_MS)
            while await self._rejudge(_EVERY_HOUR_MS):
                pass

    async def prune(self, now_ms: int) -> None:
        """Delete what retention lets go at a moment."""
        async with self._one_at_a_time:
            await self._in_slices(self._settler.prune(now_ms))

    async def run(self, clock: Clock) -> None:
        """Do what is due, for ever; what fails is tried again at the next check."""
        while True:
            try:
                await self._check(clock.now_ms())
            except JournalError as error:
                log.warning("journal upkeep put off: %s", error)
            await asyncio.sleep(self._settings.check_seconds)

    async def _check(self, now_ms: int) -> None:
        # The running hour changes with every reading: queries compute it from its rows until it is over.
        over_ms = now_ms - HOUR_MS
        async with self._one_at_a_time:
            await self._adopt_limits()
            if self._is_due():
                await self._settle(over_ms)
            # Some hours at each check: years of them must not hold up the next settling.
            await self._rejudge(over_ms)
        if time.monotonic() - self._pruned_at >= self._settings.prune_every_seconds:
            self._pruned_at = time.monotonic()
            await self.prune(now_ms)
        async with self._one_at_a_time:
            await self._in_slices(self._settler.trim())

    def _is_due(self) -> bool:
        waiting = self._writer.position - self._writer.settled
        age = time.monotonic() - self._settled_at
        return waiting >= self._settings.settle_rows or (waiting > 0 and age >= self._settings.settle_after_seconds)

    async def _settle(self, before_ms: int) -> None:
        self._settled_at = time.monotonic()
        await self._in_slices(self._settler.settle(self._writer.position))
        await self._refresh(before_ms)
        await self._in_slices(self._settler.trim())

    async def _adopt_limits(self) -> None:
        if (limits := self._limits) is not None:
            await self._in_slices(self._judging.adopt(limits))
            if self._limits is limits:
                self._limits = None

    async def _rejudge(self, before_ms: int) -> bool:
        """Judge some of the hours anew that were judged by other limits; tell whether there were any."""
        found = await self._thread.run(partial(self._judging.mark, _HOURS_PER_SLICE))
        if found:
            await self._refresh(before_ms)
        return found

    async def _in_slices(self, work: Iterator[None]) -> None:
        """Step through work in the writer's thread; commits that wait go in between."""
        while await self._thread.run(partial(next, work, work)) is not work:
            pass

    async def _refresh(self, before_ms: int) -> None:
        done = _BEFORE_ALL
        while (fresh := await self._readers.ask(partial(self._recompute, done, before_ms))) is not None:
            await self._thread.run(partial(self._settler.store, done, before_ms, fresh))
            done = fresh.last

    def _recompute(self, done: HourKey, before_ms: int, reader: Reader, snapshot: Snapshot) -> Recomputed | None:
        del snapshot
        return recompute(reader, done, before_ms, _HOURS_PER_SLICE, self._settler.cover_ms)
