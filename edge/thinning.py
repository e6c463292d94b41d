"""Thinning: fewer readings that still say how bad it was and when (docs/decisions/030-thinning.md)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from domain.instant import DAY_MS, HOUR_MS, MINUTE_MS
from domain.reading import Sample

INTERVALS_MS = (15 * MINUTE_MS, HOUR_MS, 6 * HOUR_MS, DAY_MS)
"""Each further step thins what the step before left; after the last one readings are dropped."""

MOST_PER_INTERVAL = 4
"""The first, the last, the lowest and the highest reading of a channel."""


def thin(samples: Iterable[Sample], interval_ms: int) -> list[Sample]:
    """Return of each channel and interval the first, the last, the lowest and the highest reading, as they were.

    Readings without a usable value are kept at both ends of an interval for each reason. The order stays.
    """
    ordered = list(samples)
    groups: dict[tuple[object, ...], list[int]] = {}
    for position, sample in enumerate(ordered):
        reason = None if sample.quality.usable else sample.quality
        key = (sample.name, sample.unit, reason, sample.measured_at_ms // interval_ms)
        groups.setdefault(key, []).append(position)
    kept = {position for group in groups.values() for position in _telling(ordered, group)}
    return [ordered[position] for position in sorted(kept)]


def _telling(samples: Sequence[Sample], group: Sequence[int]) -> set[int]:
    """Return which readings of one channel and interval say the most, by position."""
    by_time = sorted(group, key=lambda position: samples[position].measured_at_ms)
    with_value = [(value, position) for position in by_time if (value := samples[position].value) is not None]
    extremes = {min(with_value)[1], max(with_value, key=lambda pair: pair[0])[1]} if with_value else set()
    return {by_time[0], by_time[-1]} | extremes
