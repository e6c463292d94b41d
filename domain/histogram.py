"""How often a figure fell where: what an owner counts while it works, and Prometheus is told."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple


class Spread(NamedTuple):
    """A snapshot of a histogram."""

    bounds: tuple[float, ...]
    up_to: tuple[int, ...]
    """How many figures were at most each bound, and last how many there were at all."""
    total: float
    """Their sum."""


class Histogram:
    """Counts figures by bounds; taking one costs less than half a microsecond."""

    __slots__ = ("_bounds", "_counts", "_total")

    def __init__(self, bounds: Sequence[float]) -> None:
        """``bounds`` grow; each belongs to the figures below it."""
        self._bounds = tuple(bounds)
        self._counts = [0] * (len(self._bounds) + 1)
        self._total = 0.0

    def take(self, figure: float) -> None:
        """Count a figure; one below zero, which only clocks that disagree can make, counts as zero."""
        figure = max(figure, 0.0)  # or the sum would fall, which a counter never does
        self._counts[bisect_left(self._bounds, figure)] += 1
        self._total += figure

    def spread(self) -> Spread:
        """Return what was counted."""
        return Spread(self._bounds, tuple(accumulate(self._counts)), self._total)
