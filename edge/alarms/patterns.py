"""How an alarm sounds and blinks; pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from domain.episode import Severity

Pattern = tuple[float, ...]
"""Seconds on, off, on, off, ..., again and again; a single number means on without a break, none means off."""

OFF: Pattern = ()
STEADY: Pattern = (1.0,)
IDENTIFY: Pattern = (0.1, 0.1, 0.1, 0.7)
"""Two quick ones a second: like no alarm."""
PULSES: Mapping[Severity, Pattern] = {
    Severity.INFO: OFF,
    Severity.WARNING: (0.2, 4.8),
    Severity.CRITICAL: (0.5, 0.5),
}
"""One short beep in five seconds, and one a second: told apart through a closed door."""


class Phase(NamedTuple):
    """What a pattern asks for at a moment, and for how long; None means until the pattern changes."""

    on: bool
    lasts_s: float | None


def phase(pattern: Pattern, elapsed_s: float) -> Phase:
    """Return where the pattern stands so long after it began."""
    if len(pattern) < 2:
        return Phase(bool(pattern), None)
    left_s = elapsed_s % sum(pattern)
    for index, lasts_s in enumerate(pattern):
        if left_s < lasts_s:
            return Phase(index % 2 == 0, lasts_s - left_s)
        left_s -= lasts_s
    return Phase(True, pattern[0])  # a rounding error behind the end is the beginning
