"""Histograms that owners keep while they work."""

from __future__ import annotations

from domain.histogram import Histogram


def test_figures_fall_below_the_first_bound_that_is_not_smaller() -> None:
    """A figure on a bound belongs below it; the last count is that of all."""
    histogram = Histogram((1, 5))
    for figure in (0.5, 1, 1.5, 5, 7):
        histogram.take(figure)
    spread = histogram.spread()
    assert (spread.bounds, spread.up_to, spread.total) == ((1, 5), (2, 4, 5), 15)


def test_the_sum_never_falls() -> None:
    """Clocks that disagree make figures below zero: they count as zero."""
    histogram = Histogram((1,))
    histogram.take(-3)
    assert (histogram.spread().up_to, histogram.spread().total) == ((1, 1), 0)
