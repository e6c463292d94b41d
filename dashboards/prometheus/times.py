"""Stretches of time in rules: their names, how Prometheus writes them, and how they shrink in a story."""

from __future__ import annotations

from typing import Final, NamedTuple

from domain.episode import Severity

MINUTE: Final = 60
HOUR: Final = 3600
DAY: Final = 86_400

SECONDS: Final = {
    "5m": 5 * MINUTE,
    "30m": 30 * MINUTE,
    "1h": HOUR,
    "2h": 2 * HOUR,
    "6h": 6 * HOUR,
    "1d": DAY,
    "3d": 3 * DAY,
    "7d": 7 * DAY,
    "30d": 30 * DAY,
}
"""The windows by their name, which is part of the names of what is recorded over them."""
_UNITS = ((DAY, "d"), (HOUR, "h"), (MINUTE, "m"), (1, "s"))


class Burn(NamedTuple):
    """How many times too fast a month's allowance is used up, and over which two windows that is looked at."""

    factor: float
    long: str
    short: str
    """So that the alert ends soon after the outage."""
    facility: Severity
    """How bad at one facility, whose own people Vitals tells anyway ..."""
    region: Severity
    """... and how bad in a region as a whole."""

    def threshold(self, target: float) -> float:
        """Return the share of the window down from which on it is too fast; 1 or more cannot be."""
        return round(self.factor * (1 - target), 9)

    def reachable(self, target: float) -> bool:
        """Tell whether a service that is down all the time would be too fast."""
        return self.threshold(target) < 1


BURNS: Final = (
    Burn(14.4, "1h", "5m", Severity.WARNING, Severity.CRITICAL),
    Burn(6, "6h", "30m", Severity.WARNING, Severity.CRITICAL),
    Burn(3, "1d", "2h", Severity.INFO, Severity.WARNING),
    Burn(1, "3d", "6h", Severity.INFO, Severity.WARNING),
)
"""The fastest first."""


def duration(seconds: float, pace: float = 1) -> str:
    """Return a stretch as Prometheus reads it; with a pace so many times shorter."""
    paced_ms = round(seconds * 1000 / pace)
    for size, unit in _UNITS:
        if paced_ms % (size * 1000) == 0:
            return f"{paced_ms // (size * 1000)}{unit}"
    return f"{paced_ms}ms"


def paced(window: str, pace: float) -> str:
    """Return a named window as it stands in an expression."""
    return duration(SECONDS[window], pace)
