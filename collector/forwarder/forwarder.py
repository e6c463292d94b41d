"""The forwarder: follows a log of lines with a cursor and drains it into InfluxDB.

The cursor moves only after the server's yes, so a server that is away for a day costs nothing but time, and a process
that dies at any instant sends some lines twice, which changes nothing: a line is its series and its time.
"""

from __future__ import annotations

import asyncio
import logging
from typing import NamedTuple, Protocol

from collector.forwarder.bisection import Progress
from collector.forwarder.client import compress, open_writer
from collector.forwarder.delivery import DeadLetter, Delivery, Sleep
from collector.forwarder.health import Condition, ForwarderCounts, ForwarderHealth, ForwarderState
from collector.forwarder.settings import InfluxSettings
from domain.instant import Clock

log = logging.getLogger(__name__)


class LineBatch(NamedTuple):
    """What stands in the log behind a position."""

    lines: list[str]
    entries: int
    """How many entries of the log these are; some have no line."""
    position: int
    """The position of the last of them."""
    unwritable: int = 0
    """How many of them have no line."""


class LineSource(Protocol):
    """A log with positions that grow, and one cursor in it that survives a restart."""

    async def cursor(self) -> int:
        """Return the position up to which everything is delivered."""

    async def move_cursor(self, position: int) -> None:
        """Keep, durably, that everything up to this position is delivered."""

    async def read_after(self, position: int, limit: int) -> LineBatch:
        """Return up to ``limit`` entries behind the position, in order; none where there are none."""

    async def wait_beyond(self, position: int) -> None:
        """Return when there is an entry behind the position."""

    def lag(self, position: int) -> int:
        """Return how many entries stand behind the position."""


class Forwarder:
    """Drains one log into one InfluxDB for as long as ``run`` runs."""

    def __init__(
        self,
        source: LineSource,
        settings: InfluxSettings,
        *,
        clock: Clock,
        dead_letter: DeadLetter,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._source = source
        self._settings = settings
        self._dead_letter = dead_letter
        self._sleep = sleep
        self._condition = Condition(clock, server=settings.url)
        self._position = 0
        self.counts = ForwarderCounts()

    def health(self) -> ForwarderHealth:
        """Return the present state, since when it holds, a sentence for a person, and the readings still to go."""
        lag = self._source.lag(self._position)
        return ForwarderHealth(self._condition.state, self._condition.since_ms, self._condition.sentence(lag), lag)

    async def run(self) -> None:
        """Follow the log until cancelled; a failure is logged, shown in the health and tried again slowly."""
        while True:
            try:
                await self._follow()
            except Exception as error:
                log.exception("forwarding to InfluxDB at %s failed and starts again", self._settings.url)
                self._condition.enter(ForwarderState.FAILED, f"{type(error).__name__}: {error}")
                await self._sleep(self._settings.retry_slowly.total_seconds())

    async def _follow(self) -> None:
        async with open_writer(self._settings) as writer:
            delivery = Delivery(
                writer,
                self._settings,
                condition=self._condition,
                counts=self.counts,
                dead_letter=self._dead_letter,
                sleep=self._sleep,
            )
            self._position = await self._source.cursor()
            while True:
                await self._drain(delivery)

    async def _drain(self, delivery: Delivery) -> None:
        """Deliver batch after batch, preparing the next one while one is on its way, until the server takes nothing."""
        batch, packed = await self._prepare(self._position, delivery.limit_lines)
        while True:
            ahead = asyncio.create_task(
                self._prepare(batch.position, delivery.limit_lines), name="forwarder reads ahead"
            )
            try:
                if await delivery.deliver(batch.lines, packed) is Progress.HOPELESS:
                    return
                await self._source.move_cursor(batch.position)
                self._position = batch.position
                self.counts.unwritable += batch.unwritable
                batch, packed = await ahead
            finally:
                ahead.cancel()
                await asyncio.gather(ahead, return_exceptions=True)

    async def _prepare(self, position: int, limit: int) -> tuple[LineBatch, bytes]:
        batch = await self._gather(position, limit)
        return batch, await asyncio.to_thread(compress, batch.lines)

    async def _gather(self, position: int, limit: int) -> LineBatch:
        """Return the next batch: full, or as full as it became within ``max_age``."""
        batch = await self._source.read_after(position, limit)
        if not batch.entries:
            await self._source.wait_beyond(position)
        if batch.entries < limit:
            await self._sleep(self._settings.max_age.total_seconds())
            batch = await self._source.read_after(position, limit)
        return batch
