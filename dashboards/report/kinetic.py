"""Mean kinetic temperatures of what was measured: over all of it, and the highest of any 24 hours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from dashboards.sla.spans import Span
from domain.instant import DAY_MS
from domain.kinetic import ENOUGH, as_harmful, harm

Measured = Sequence[tuple[Span, float]]
"""Temperatures in °C, each with the time that it stands for; in order, none overlapping another."""


class Peak(NamedTuple):
    """The 24 hours with the highest mean kinetic temperature."""

    celsius: float
    until_ms: int


def kinetic_celsius(measured: Measured) -> float | None:
    """Return the mean kinetic temperature, each value weighed by its time; None of nothing."""
    known_ms = sum(span.length_ms for span, _ in measured)
    return as_harmful(sum(span.length_ms * harm(value) for span, value in measured) / known_ms) if known_ms else None


def worst_day(measured: Measured, window_ms: int = DAY_MS) -> Peak | None:
    """Return the worst of the windows that end with a reading and are known for half of their time; None without."""
    peak: Peak | None = None
    known_ms, harmed, first = 0, 0.0, 0
    for span, value in measured:
        known_ms += span.length_ms
        harmed += span.length_ms * harm(value)
        begin_ms = span.to_ms - window_ms
        while measured[first][0].to_ms <= begin_ms:
            known_ms -= measured[first][0].length_ms
            harmed -= measured[first][0].length_ms * harm(measured[first][1])
            first += 1
        oldest, oldest_value = measured[first]
        before_ms = max(begin_ms - oldest.from_ms, 0)
        inside_ms = known_ms - before_ms
        if inside_ms >= window_ms * ENOUGH:
            found = as_harmful((harmed - before_ms * harm(oldest_value)) / inside_ms)
            if peak is None or found > peak.celsius:
                peak = Peak(found, span.to_ms)
    return peak
