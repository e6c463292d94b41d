"""``mean_kinetic_temperature``: the limit on what all temperatures of a stretch of time did together."""

from __future__ import annotations

import math
from collections.abc import Iterator

from domain.document import Path
from domain.kinetic import ENOUGH, mean_kinetic_celsius
from domain.places import Channel
from domain.quantities import Quantity
from rules.conditions.base import Band, Condition, Flaw
from rules.conditions.bounds import Upper
from rules.signals import Recent, Scope, Signal
from rules.values import Amount, Reference, Stretch, milliseconds, spaced


class MeanKineticTemperature(Condition):
    """The limit, its comparison, and over which time the mean is taken."""

    above: Upper
    within: Stretch

    def signal(self, channel: Channel, scope: Scope) -> Signal | None:
        """Return whether the mean is above; unknown where fewer than half of the readings are there."""
        band = self.above.band(channel)
        if band is None:
            return None
        place, within_ms = scope.place(channel), milliseconds(self.within)
        fewest = max(1, math.ceil(within_ms / scope.interval_ms(channel) * ENOUGH))
        return Signal(lambda: _Kinetic(place, band, within_ms, fewest), within_ms, sign=1)

    def limits(self) -> Iterator[tuple[Path, Amount | Reference]]:
        """Yield the limit with its path."""
        for path, limit in self.above.limits():
            yield ("above", *path), limit

    def flaws(self, quantity: Quantity) -> Iterator[Flaw]:
        """Yield another quantity than a temperature, and what the limit gets wrong."""
        if quantity.name != "temperature":
            yield Flaw((), f"a mean kinetic temperature of {quantity.name}", "only on temperature")
            return
        yield from super().flaws(quantity)
        if self.above.clear is not None:
            yield Flaw(("above", "clear"), "a clear level", "none: the mean moves slowly enough")

    def flaws_at(self, channel: Channel) -> Iterator[Flaw]:
        """Yield a time in which no reading is expected."""
        if self.within < channel.interval:
            allowed = f"at least {spaced(channel.interval)}, the interval between readings"
            yield Flaw(("within",), spaced(self.within), allowed)

    def words(self, quantity: Quantity) -> str:
        """Return e.g. ``has a mean kinetic temperature above 8 °C over 1 d``."""
        return f"has a mean kinetic temperature {self.above.bound_words(quantity)} over {spaced(self.within)}"


class _Kinetic:
    """The readings of that time."""

    __slots__ = ("_band", "_fewest", "_mean", "_place", "_recent", "_within_ms")

    def __init__(self, place: int, band: Band, within_ms: int, fewest: int) -> None:
        self._place, self._band, self._within_ms, self._fewest = place, band, within_ms, fewest
        self._recent = Recent()
        self._mean: float | None = None

    def take(self, place: int, moment_ms: int, value: float) -> None:
        if place == self._place:
            self._recent.add(moment_ms, value)

    def truth(self, moment_ms: int) -> bool | None:
        self._recent.forget_before(moment_ms - self._within_ms + 1)
        self._mean = None
        if len(self._recent) < self._fewest:
            return None
        # A mean never exceeds the highest value: nearly always that is enough to know.
        if not self._band.holds(max(self._recent.all())):
            return False
        self._mean = mean_kinetic_celsius(self._recent.all())
        return self._band.holds(self._mean)

    def figure(self) -> float | None:
        if self._mean is None and len(self._recent) >= self._fewest:
            self._mean = mean_kinetic_celsius(self._recent.all())
        return self._mean
