"""Whether the machine's clock may be believed: a pure decision with a reason.

A Raspberry Pi has no clock with a battery. After a power cut it starts at the moment at which its image was made, or
at which it was last shut down, and every date in between looks plausible. So a clock needs a reason to be believed.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from domain.instant import DAY_MS, MINUTE_MS, SECOND_MS

MADE_MS = 1_735_689_600_000
"""2025-01-01T00:00:00Z: no reading of this software is older."""
LATEST_MS = MADE_MS + 30 * 365 * DAY_MS
LONGEST_IN_STORE_MS = 366 * DAY_MS
"""A battery clock that leaps further than this is no clock that was kept in a box; it is wrong."""
GOES_BACK_MS = MINUTE_MS
"""So far a good clock may be behind the newest reading: it was corrected."""
BATTERY_AGREES_MS = 30 * SECOND_MS


class ClockReason(StrEnum):
    """Why the clock is believed, or why not."""

    DECLARED = "declared"
    """The settings say that somebody else sets it."""
    SYNCHRONISED = "synchronised"
    """The kernel says that a time service steers it."""
    SET_SINCE_START = "set_since_start"
    """A file says that a time service has set it since the machine started."""
    BATTERY = "battery"
    """A clock with a battery says the same, and it fits what was known before."""
    TOO_EARLY = "too_early"
    """It shows a moment before this software was made."""
    TOO_LATE = "too_late"
    """It shows a moment decades ahead."""
    BEHIND = "behind"
    """It shows a moment that has certainly passed."""
    LEAPT = "leapt"
    """It shows a moment more than a year after the newest one that is known."""
    UNCONFIRMED = "unconfirmed"
    """It may be right, and nothing says so."""

    @property
    def trusted(self) -> bool:
        """Tell whether readings get their times by this clock."""
        return self in _STRENGTH

    @property
    def strength(self) -> int:
        """Return how good a reason it is: a clock that was believed for a better one is not corrected for it."""
        return _STRENGTH.get(self, 0)


_STRENGTH = {
    ClockReason.BATTERY: 1,
    ClockReason.SET_SINCE_START: 2,
    ClockReason.SYNCHRONISED: 3,
    ClockReason.DECLARED: 4,
}


class Evidence(NamedTuple):
    """What is known of the machine's clock at one moment."""

    wall_ms: int
    """What it shows."""
    declared: bool = False
    synchronised: bool = False
    set_since_start: bool = False
    battery_ms: int | None = None
    """What a clock with a battery shows; None where there is none."""
    known_ms: int | None = None
    """The latest moment that has certainly passed; None on a new node."""


def judge_clock(evidence: Evidence) -> ClockReason:
    """Return whether to believe the clock, and why."""
    if evidence.wall_ms < MADE_MS:
        return ClockReason.TOO_EARLY
    if evidence.wall_ms > LATEST_MS:
        return ClockReason.TOO_LATE
    if evidence.declared:
        return ClockReason.DECLARED
    if evidence.synchronised:
        return ClockReason.SYNCHRONISED
    if evidence.set_since_start:
        return ClockReason.SET_SINCE_START
    return _judge_by_battery(evidence)


def _judge_by_battery(evidence: Evidence) -> ClockReason:
    known_ms = evidence.known_ms
    if known_ms is not None and evidence.wall_ms < known_ms - GOES_BACK_MS:
        return ClockReason.BEHIND
    if evidence.battery_ms is None or abs(evidence.battery_ms - evidence.wall_ms) > BATTERY_AGREES_MS:
        return ClockReason.UNCONFIRMED
    if known_ms is not None and evidence.wall_ms > known_ms + LONGEST_IN_STORE_MS:
        return ClockReason.LEAPT
    return ClockReason.BATTERY
