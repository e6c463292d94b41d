"""Sums that can be added up: a place's are those of its parts, to the millisecond."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import IntEnum
from typing import NamedTuple, TypeVar

from domain.instant import DAY_MS


class Stretch(IntEnum):
    """How many days a figure looks back on; the period before is as long."""

    WEEK = 7
    MONTH = 30
    QUARTER = 90

    @property
    def key(self) -> str:
        """Return what stands in addresses: ``30d``."""
        return f"{int(self)}d"

    @property
    def length_ms(self) -> int:
        """Return how long it is."""
        return self * DAY_MS


STRETCHES = {stretch.key: stretch for stretch in Stretch}
DAYS_KEPT = 2 * max(Stretch)
"""The longest stretch and as long a one before it."""


class Cold(NamedTuple):
    """How long appliances were within their limits, in milliseconds."""

    span_ms: int = 0
    """How long the appliances were to be watched."""
    judged_ms: int = 0
    """How much of that is known: readings stood for it, and limits were in force."""
    below_ms: int = 0
    above_ms: int = 0

    @property
    def within_ms(self) -> int:
        """Return the time within the limits; what is not known is no part of it."""
        return self.judged_ms - self.below_ms - self.above_ms

    @property
    def outside_ms(self) -> int:
        """Return the time too cold or too hot."""
        return self.below_ms + self.above_ms


class Power(NamedTuple):
    """How long facilities had power from any supply, in milliseconds."""

    span_ms: int = 0
    known_ms: int = 0
    on_ms: int = 0


class Water(NamedTuple):
    """On how many days facilities had water."""

    span_days: int = 0
    known_days: int = 0
    days: int = 0


Sums = TypeVar("Sums", Cold, Power, Water)


class Tally(NamedTuple):
    """What a stretch of days came to at a place."""

    cold: Cold = Cold()
    power: Power = Power()
    water: Water = Water()


class Compared(NamedTuple):
    """A stretch of days, and the one before it."""

    now: Tally = Tally()
    before: Tally = Tally()


def summed(kind: type[Sums], parts: Sequence[Sums]) -> Sums:
    """Return what the parts come to together."""
    return kind._make(map(sum, zip(*parts, strict=True))) if parts else kind()


def total(tallies: Iterable[Compared]) -> Compared:
    """Return what several places come to together, in both stretches."""
    found = list(tallies)
    now, before = (
        Tally(
            summed(Cold, [each[part].cold for each in found]),
            summed(Power, [each[part].power for each in found]),
            summed(Water, [each[part].water for each in found]),
        )
        for part in (0, 1)
    )
    return Compared(now, before)


def share(part: float, whole: float) -> float | None:
    """Return the part of a whole; None of nothing."""
    return part / whole if whole else None
