"""The time that local rules run on: it only ever goes on, whatever the wall clock does.

A node without a battery clock starts with any time of day, and learns the right one when the network is back: just not
while local alarms matter most. So rules run on a line of time that continues over restarts, and only what is told to
others is put into the time of day, as well as that is known by then.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import NamedTuple

MOST_STRETCHES = 20
LONGEST_READ_MS = 600_000
"""No sensor is read for longer; a sample that seems older was stamped before the clock was put right."""


class Stretch(NamedTuple):
    """From ``from_ms`` on, one boot of the machine: ``time of day = moment - ahead_ms``."""

    from_ms: int
    boot: str
    base_ms: int
    """Moment at which the machine started."""
    ahead_ms: int


class Timeline:
    """Moments of the local rules, in milliseconds: those of the time of day, while no clock was ever wrong."""

    def __init__(self, stretches: tuple[Stretch, ...] = (), last_ms: int | None = None) -> None:
        self._stretches = list(stretches)
        self._last_ms = last_ms

    @property
    def last_ms(self) -> int | None:
        """Return the latest moment that has passed; None on a new node."""
        return self._last_ms

    @property
    def stretches(self) -> tuple[Stretch, ...]:
        """Return what has to be remembered."""
        return tuple(self._stretches)

    def start(self, boot: str, elapsed_ms: int, wall_ms: int) -> None:
        """Begin or go on with a boot of the machine, which started ``elapsed_ms`` ago."""
        if self._stretches and self._stretches[-1].boot == boot:
            return
        # A clock that shows a moment before the last one is wrong, or was wrong before; time goes on all the same.
        moment_ms = wall_ms if self._last_ms is None else max(wall_ms, self._last_ms + 1)
        base_ms = moment_ms - elapsed_ms
        self._stretches.append(Stretch(moment_ms, boot, base_ms, moment_ms - wall_ms))
        del self._stretches[:-MOST_STRETCHES]

    def now_ms(self, elapsed_ms: int) -> int:
        """Return the moment, ``elapsed_ms`` after the machine started."""
        self._last_ms = self._stretches[-1].base_ms + elapsed_ms
        return self._last_ms

    def put_right(self, elapsed_ms: int, wall_ms: int) -> None:
        """Note what the clock shows now: moments of this boot are told accordingly."""
        stretch = self._stretches[-1]
        ahead_ms = stretch.base_ms + elapsed_ms - wall_ms
        if ahead_ms != stretch.ahead_ms:
            self._stretches[-1] = stretch._replace(ahead_ms=ahead_ms)

    def moment_of(self, measured_at_ms: int, elapsed_ms: int, wall_ms: int) -> int:
        """Return the moment of a sample that was just measured, with the time of day that it bears."""
        now_ms = self.now_ms(elapsed_ms)
        age_ms = wall_ms - measured_at_ms
        return now_ms - age_ms if 0 <= age_ms <= LONGEST_READ_MS else now_ms

    def wall_ms(self, moment_ms: int) -> int:
        """Return the time of day of a moment, as well as it is known now."""
        place = bisect_right(self._stretches, moment_ms, key=lambda stretch: stretch.from_ms) - 1
        return moment_ms - self._stretches[max(0, place)].ahead_ms
