"""From the drivers to the outbox: the readings of one round in one write, and patience with a disk that is full."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress

from domain.reading import Sample
from edge.outbox import CannotKeepError, Outbox
from edge.thinning import INTERVALS_MS, thin
from edge.timekeeper import Mark, Timekeeper

logger = logging.getLogger(__name__)

GATHER_SECONDS = 1.0
"""So long, in real time, a round waits for its slower sensors."""
RETRY_SECONDS = 10.0
MOST_READINGS = 20_000
"""Kept in memory while the disk takes nothing: most of a day of 20 channels a minute, about 5 MB."""


class Intake:
    """Readings on their way to the disk; until ``put`` has returned they are promised to nobody.

    ``sources`` is how many drivers make a whole round; ``kept`` is called when the outbox has something new.
    """

    def __init__(
        self,
        outbox: Outbox,
        *,
        sources: int,
        kept: Callable[[], None],
        timekeeper: Timekeeper | None = None,
        most_readings: int = MOST_READINGS,
        retry_seconds: float = RETRY_SECONDS,
    ) -> None:
        self._outbox = outbox
        self._sources = sources
        self._kept = kept
        self._timekeeper = timekeeper
        self._most_readings = most_readings
        self._retry_seconds = retry_seconds
        self._waiting: list[Sample] = []
        self._heard: set[int] = set()
        self._something = asyncio.Event()
        self._is_round_whole = asyncio.Event()
        self._writing: asyncio.Task[bool] | None = None
        self._thinned = self._dropped = 0

    def mark(self) -> Mark | None:
        """Return the present moment, to be taken before a sensor is read."""
        return None if self._timekeeper is None else self._timekeeper.mark()

    def offer(self, source: int, samples: Sequence[Sample], since: Mark | None) -> None:
        """Take what one driver has read since then; it is written with the rest of the round."""
        if self._timekeeper is not None and since is not None:
            samples = self._timekeeper.since_start(samples, since)
        self._waiting += samples
        self._heard.add(source)
        if self._waiting:
            self._something.set()
        if len(self._heard) >= self._sources:
            self._is_round_whole.set()

    async def run(self) -> None:
        """Write round after round, until cancelled; what fails is tried again."""
        while True:
            await self._something.wait()
            with suppress(TimeoutError):
                async with asyncio.timeout(GATHER_SECONDS):
                    await self._is_round_whole.wait()
            if not await self.flush():
                await asyncio.sleep(self._retry_seconds)

    async def flush(self) -> bool:
        """Write what waits; tell whether the disk took it. A cancelled write goes on; the next one follows it."""
        if self._writing is not None:
            await asyncio.wait({self._writing})
        self._writing = asyncio.create_task(self._write())
        return await asyncio.shield(self._writing)

    async def _write(self) -> bool:
        samples, self._waiting = self._waiting, []
        self._heard.clear()
        self._something.clear()
        self._is_round_whole.clear()
        try:
            await asyncio.to_thread(self._keep, samples)
        except CannotKeepError as error:
            logger.warning("%d readings wait in memory: %s", len(samples), error)
            self._waiting = self._fit([*samples, *self._waiting])
            self._something.set()
            return False
        self._kept()
        return True

    def _keep(self, samples: Sequence[Sample]) -> None:
        try:
            if self._timekeeper is not None:
                self._timekeeper.look(self._outbox)
            self._outbox.put(samples)
        except CannotKeepError:
            raise
        except Exception:
            # One impossible reading must not take the others with it.
            logger.exception("a round of %d readings is impossible; each is tried alone", len(samples))
            self._keep_each(samples)
        if self._thinned or self._dropped:
            with suppress(CannotKeepError):
                self._outbox.note_lost(thinned=self._thinned, dropped=self._dropped)
                self._thinned = self._dropped = 0

    def _keep_each(self, samples: Sequence[Sample]) -> None:
        for sample in samples:
            try:
                self._outbox.put([sample])
            except CannotKeepError:
                raise
            except Exception:
                logger.exception("given up: %s", sample)

    def _fit(self, samples: list[Sample]) -> list[Sample]:
        """Return what may stay in memory: thinned, if need be, and at last without the oldest."""
        fitting = samples
        for interval_ms in INTERVALS_MS:
            if len(fitting) <= self._most_readings:
                break
            fitting = thin(fitting, interval_ms)
        self._thinned += len(samples) - len(fitting)
        surplus = max(0, len(fitting) - self._most_readings)
        self._dropped += surplus
        return fitting[surplus:]
