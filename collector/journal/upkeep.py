"""The background work: settle, recompute roll-ups, trim the log, let go what retention lets go; slice by slice."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterator
from functools import partial

from collector.journal.buckets import HourKey, Recomputed, recompute
from collector.journal.errors import JournalError
from collector.journal.reader import Reader, Snapshot
from collector.journal.settings import JournalSettings
from collector.journal.settling import Settler
from collector.journal.threads import ReaderPool, WriterThread
from collector.journal.writer import Writer
from domain.instant import HOUR_MS, Clock

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
        self._one_at_a_time = asyncio.Lock()
        self._settled_at = time.monotonic()
        self._pruned_at = -float("inf")

    async def settle(self, before_ms: int = _EVERY_HOUR_MS) -> None:
        """Move what is committed by now, and recompute the dirty hours that begin before a moment."""
        async with self._one_at_a_time:
            self._settled_at = time.monotonic()
            await self._in_slices(self._settler.settle(self._writer.position))
            await self._refresh(before_ms)
            await self._in_slices(self._settler.trim())

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
        waiting = self._writer.position - self._writer.settled
        age = time.monotonic() - self._settled_at
        if waiting >= self._settings.settle_rows or (waiting and age >= self._settings.settle_after_seconds):
            # The running hour changes with every reading: queries compute it from its rows until it is over.
            await self.settle(now_ms - HOUR_MS)
        if time.monotonic() - self._pruned_at >= self._settings.prune_every_seconds:
            self._pruned_at = time.monotonic()
            await self.prune(now_ms)
        async with self._one_at_a_time:
            await self._in_slices(self._settler.trim())

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
