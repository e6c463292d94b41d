"""``time_to_limit``: how long until a limit is reached, if it goes on as it does now.

A box whose cooling is off comes to the temperature around it: T(t) = A + (T0 - A) * exp(-t / tau) (Newton). A and T0
follow from tau by least squares; tau is sought over a range from much shorter than the stretch fitted to much longer.
Taus whose curve fits nearly as well give the interval. Where the curve does not explain the readings, or the interval
is too wide to act on, nothing is said.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import NamedTuple

from domain.places import Channel
from domain.quantities import Quantity
from rules.conditions.base import Flaw, Predicate
from rules.conditions.beyond import Beyond
from rules.signals import Recent, Scope, Signal
from rules.values import Stretch, milliseconds, spaced

FEWEST = 6
"""Fewer readings are not fitted."""
MOST = 30
"""Of more readings means are fitted: a curve of three parameters needs no more points."""
GOOD_FIT = 0.9
"""Share of the variance that the curve has to explain."""
WIDEST = 3.0
"""The latest moment of the interval may be so many times as far away as the earliest."""
_TAUS = tuple(0.25 * 1.35**step for step in range(24))
"""In multiples of the stretch fitted: from a quarter to 250 times."""
_NOT_NEAR = 3.0
"""A straight line is faster than the curve; where it takes so many times as long, nothing needs to be fitted."""
_NEARLY = 4.0
"""A curve fits nearly as well where its squares exceed the least ones by so many times their mean (two sigma)."""


class Forecast(NamedTuple):
    """When a limit is reached, from now; infinite where it is not."""

    best_ms: float
    earliest_ms: float
    latest_ms: float


class TimeToLimit(Beyond):
    """Which limit, how near is too near, and to what the curve is fitted."""

    why_no_clear = "a forecast ends when the time left is longer again"

    less_than: Stretch
    fitted_over: Stretch = timedelta(hours=1)

    def signal(self, channel: Channel, scope: Scope) -> Signal | None:
        """Return whether the limit is reached, or will be in less than that time."""
        levels, band = self.bound.levels(channel), self.bound.band(channel)
        if levels is None or band is None:
            return None
        place, gap_ms, sign = scope.place(channel), scope.gap_ms(channel), self.bound.sign
        within_ms, less_ms = (milliseconds(each) for each in (self.fitted_over, self.less_than))
        return Signal(
            lambda: _Forecaster(place, levels[0], band.holds, sign, within_ms, less_ms, gap_ms),
            within_ms + gap_ms,
            sign=sign,
            is_dear=True,
        )

    def flaws_at(self, channel: Channel) -> Iterator[Flaw]:
        """Yield a stretch with too few readings for a curve."""
        if self.fitted_over < (FEWEST - 1) * channel.interval:
            allowed = f"at least {spaced((FEWEST - 1) * channel.interval)}, which is {FEWEST} readings"
            yield Flaw(("fitted_over",), spaced(self.fitted_over), allowed)

    def words(self, quantity: Quantity) -> str:
        """Return e.g. ``will be above 8 °C in less than 2 h if it goes on like this``."""
        return (
            f"will be {self.bound.bound_words(quantity)} in less than {spaced(self.less_than)} if it goes on like this"
        )


def forecast(moments_ms: Sequence[int], values: Sequence[float], limit: float, sign: int) -> Forecast | None:
    """Return when values that move as these did reach a limit that lies upwards (sign 1) or downwards (-1).

    None where there are too few readings, or where the curve explains too little of how they move. Pure.
    """
    stretch_ms = moments_ms[-1] - moments_ms[0] if len(moments_ms) >= FEWEST else 0
    if not stretch_ms:
        return None
    step = max(1, math.ceil(len(values) / MOST))
    ages = [(each - moments_ms[-1]) / stretch_ms for each in _means(moments_ms, step)]
    levels = _means(values, step)
    mean = math.fsum(levels) / len(levels)
    variance = math.fsum((level - mean) ** 2 for level in levels)
    curves = [_fitted(ages, levels, tau) for tau in _TAUS]
    best = min(curves, key=lambda curve: curve.squares)
    if variance <= 0.0 or best.squares > (1 - GOOD_FIT) * variance:
        return None
    nearly = best.squares * (1 + _NEARLY / (len(levels) - 3 + 1)) + 1e-12
    good = [at for at, curve in enumerate(curves) if curve.squares <= nearly]
    # One step further on either side: the true tau lies between those that were tried.
    tried = curves[max(good[0] - 1, 0) : good[-1] + 2]
    times = [curve.reaches(limit, sign) * stretch_ms for curve in tried]
    return Forecast(best.reaches(limit, sign) * stretch_ms, min(times), max(times))


def _means(numbers: Sequence[float], step: int) -> list[float]:
    """Return the mean of each so many numbers, the last ones first."""
    ends = range(len(numbers), 0, -step)
    return [math.fsum(part) / len(part) for end in ends for part in (numbers[max(end - step, 0) : end],)]


class _Curve(NamedTuple):
    """around + lead * exp(-t / tau), with t from now in stretches."""

    tau: float
    around: float
    lead: float
    squares: float

    def reaches(self, limit: float, sign: int) -> float:
        """Return when, in stretches from now; 0 where it is there, infinite where it never is."""
        if (self.around + self.lead - limit) * sign >= 0:
            return 0.0
        if (self.around - limit) * sign <= 0 or not self.lead:
            return math.inf
        return self.tau * math.log(self.lead / (limit - self.around))


def _fitted(ages: Sequence[float], levels: Sequence[float], tau: float) -> _Curve:
    """Return the curve of this tau by linear least squares over exp(-t / tau)."""
    shapes = [math.exp(-age / tau) for age in ages]
    count = len(levels)
    shape_mean, level_mean = math.fsum(shapes) / count, math.fsum(levels) / count
    spread = math.fsum((shape - shape_mean) ** 2 for shape in shapes)
    joint = math.fsum((shape - shape_mean) * (level - level_mean) for shape, level in zip(shapes, levels, strict=True))
    lead = joint / spread if spread else 0.0
    around = level_mean - lead * shape_mean
    squares = math.fsum((around + lead * shape - level) ** 2 for shape, level in zip(shapes, levels, strict=True))
    return _Curve(tau, around, lead, squares)


class _Forecaster:
    """The readings of the stretch that is fitted."""

    __slots__ = ("_gap_ms", "_less_ms", "_limit", "_place", "_reached", "_recent", "_sign", "_within_ms")

    def __init__(
        self, place: int, limit: float, reached: Predicate, sign: int, within_ms: int, less_ms: int, gap_ms: int
    ) -> None:
        self._place, self._limit, self._reached, self._sign = place, limit, reached, sign
        self._within_ms, self._less_ms, self._gap_ms = within_ms, less_ms, gap_ms
        self._recent = Recent()

    def take(self, place: int, moment_ms: int, value: float) -> None:
        if place != self._place:
            return
        if moment_ms - self._recent.newest_ms > self._gap_ms:
            self._recent.clear()  # a curve is not fitted across a gap
        self._recent.add(moment_ms, value)
        self._recent.forget_before(moment_ms - self._within_ms)

    def truth(self, moment_ms: int) -> bool | None:
        recent = self._recent
        recent.forget_before(moment_ms - self._within_ms)
        if not len(recent) or moment_ms - recent.newest_ms > self._gap_ms:
            return None
        if self._reached(recent.latest):
            return True  # however it moves: nothing is well again as long as it is beyond the limit
        towards = (recent.latest - recent.value_at(recent.oldest_ms)) * self._sign
        if len(recent) < FEWEST:
            return None
        left, stretch_ms = (self._limit - recent.latest) * self._sign, recent.newest_ms - recent.oldest_ms
        if towards <= 0 or left * stretch_ms >= towards * self._less_ms * _NOT_NEAR:
            return False  # nearly always: it moves the other way, or would take far longer even without slowing down
        found = forecast(recent.all_moments(), list(recent.all()), self._limit, self._sign)
        if found is None:
            return None
        if found.latest_ms < self._less_ms or found.earliest_ms >= self._less_ms:
            return found.latest_ms < self._less_ms
        return found.best_ms < self._less_ms if found.latest_ms <= found.earliest_ms * WIDEST else None

    def figure(self) -> float | None:
        return self._recent.latest if len(self._recent) else None
