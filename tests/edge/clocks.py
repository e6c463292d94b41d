"""Clocks for tests: days pass in no time."""

from __future__ import annotations

import asyncio

START_MS = 1_763_640_000_000


class JumpingClock:
    """A clock on which sleeping takes no time and moves it on."""

    def __init__(self, now_ms: int = START_MS) -> None:
        self.moment_ms = now_ms
        self._moved = asyncio.Event()

    def now_ms(self) -> int:
        """Return the moment that was slept up to."""
        return self.moment_ms

    async def sleep(self, seconds: float) -> None:
        """Move on at once, and let others have a turn."""
        self.moment_ms += round(seconds * 1000)
        self._moved.set()
        await asyncio.sleep(0)

    async def reach(self, moment_ms: int) -> None:
        """Return when somebody has slept up to this moment."""
        while self.moment_ms < moment_ms:
            self._moved.clear()
            await self._moved.wait()
