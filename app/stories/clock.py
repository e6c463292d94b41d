"""The clock that tests move by hand; whoever sleeps on it wakes when the hand has come far enough."""

from __future__ import annotations

import asyncio
import heapq
from datetime import timedelta

from domain.instant import to_datetime


class HandClock:
    """A ``domain.instant.Clock`` that stands still between two calls of ``move`` or ``move_to``."""

    def __init__(self, now_ms: int) -> None:
        self._now_ms = now_ms
        self._sleepers: list[tuple[int, int, asyncio.Future[None]]] = []
        self._count = 0

    def now_ms(self) -> int:
        """Return where the hand stands."""
        return self._now_ms

    async def sleep(self, seconds: float) -> None:
        """Wait until the hand has moved so far."""
        due_ms = self._now_ms + round(seconds * 1000)
        if due_ms <= self._now_ms:
            await asyncio.sleep(0)
            return
        waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._count += 1
        heapq.heappush(self._sleepers, (due_ms, self._count, waiting))
        await waiting

    def move(self, duration: timedelta) -> None:
        """Move the hand forward."""
        self.move_to(self._now_ms + duration // timedelta(milliseconds=1))

    def move_to(self, moment_ms: int) -> None:
        """Move the hand to a moment and wake who is due, in the order of their moments."""
        if moment_ms < self._now_ms:
            raise ValueError(f"the hand stands at {to_datetime(self._now_ms)} and does not move back")
        self._now_ms = moment_ms
        while self._sleepers and self._sleepers[0][0] <= moment_ms:
            waiting = heapq.heappop(self._sleepers)[2]
            if not waiting.done():
                waiting.set_result(None)

    @property
    def next_due_ms(self) -> int | None:
        """The moment at which the next sleeper wakes; None while nobody sleeps."""
        while self._sleepers and self._sleepers[0][2].done():
            heapq.heappop(self._sleepers)
        return self._sleepers[0][0] if self._sleepers else None
