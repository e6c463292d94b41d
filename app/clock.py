"""The clocks that the service runs on; see ``domain.instant.Clock``."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field


class SystemClock:
    """The machine's clock."""

    def now_ms(self) -> int:
        """Return the current moment in milliseconds since 1970, UTC."""
        return time.time_ns() // 1_000_000

    async def sleep(self, seconds: float) -> None:
        """Wait for this many seconds."""
        await asyncio.sleep(seconds)


@dataclass(frozen=True)
class ScaledClock:
    """A clock that starts at a given moment and runs ``speed`` times as fast as the machine's."""

    start_ms: int
    speed: float
    monotonic: Callable[[], float] = time.monotonic
    _origin: float = field(init=False)

    def __post_init__(self) -> None:
        if self.speed <= 0:
            raise ValueError(f"a clock cannot run {self.speed} times as fast; allowed: above 0")
        object.__setattr__(self, "_origin", self.monotonic())

    def now_ms(self) -> int:
        """Return the current moment on this clock in milliseconds since 1970, UTC."""
        return self.start_ms + int((self.monotonic() - self._origin) * self.speed * 1000)

    async def sleep(self, seconds: float) -> None:
        """Wait for this many seconds of this clock."""
        await asyncio.sleep(seconds / self.speed)
