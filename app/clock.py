"""The clocks that the service runs on; see ``domain.instant.Clock``."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final


class SystemClock:
    """The machine's clock."""

    def now_ms(self) -> int:
        """Return the current moment in milliseconds since 1970, UTC."""
        return time.time_ns() // 1_000_000

    async def sleep(self, seconds: float) -> None:
        """Wait for this many seconds."""
        await asyncio.sleep(seconds)


TOLERANCE_MS: Final = 2_000
"""Machines set their clocks right by less than this all the time, most of them by slewing."""


def machine_elapsed_ms() -> int:
    """Return the milliseconds since the machine started, sleep included; nobody can set this clock."""
    boot = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    return time.clock_gettime_ns(boot) // 1_000_000


@dataclass(frozen=True)
class Beat:
    """What the machine's two clocks showed at one moment."""

    wall_ms: int
    """Milliseconds since 1970, UTC; can be set to another time."""
    elapsed_ms: int
    """Milliseconds since the machine started; only ever goes on."""


@dataclass
class SteadyClock:
    """The machine's clock without its jumps: a jump is followed only when whoever keeps timers has moved them.

    Shows the machine's time while that goes on as it should. Where it was set to another time, shows what it would be
    without, until ``follow``.
    """

    wall_ms: Callable[[], int] = SystemClock().now_ms
    elapsed_ms: Callable[[], int] = machine_elapsed_ms
    _last: Beat = field(init=False)

    def __post_init__(self) -> None:
        self._last = self.beat()

    def now_ms(self) -> int:
        """Return the current moment in milliseconds since 1970, UTC."""
        now = self.beat()
        jump_ms = jump_between(self._last, now)
        if jump_ms == 0:
            self._last = now
        return now.wall_ms - jump_ms

    async def sleep(self, seconds: float) -> None:
        """Wait for this many seconds."""
        await asyncio.sleep(seconds)

    def beat(self) -> Beat:
        """Return what the machine's clocks show."""
        return Beat(self.wall_ms(), self.elapsed_ms())

    def begin_from(self, last: Beat) -> None:
        """Go on from what was known in an earlier life: what happened to the clock since then is a jump as well."""
        self._last = last

    @property
    def jump_ms(self) -> int:
        """Return how far the machine's clock was set on (or back, negative), and is not followed yet; mostly 0."""
        return jump_between(self._last, self.beat())

    def follow(self) -> None:
        """Show the machine's time again."""
        self._last = self.beat()


def jump_between(last: Beat, now: Beat) -> int:
    """Return by how many milliseconds the wall clock was set between two beats; 0 within the tolerance."""
    jump_ms = (now.wall_ms - last.wall_ms) - (now.elapsed_ms - last.elapsed_ms)
    return 0 if abs(jump_ms) <= TOLERANCE_MS else jump_ms


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
