"""Roll-ups: what an hour or a day of one channel comes to. Pure functions of the readings, never of earlier roll-ups.

The mean is of the usable readings, each counted once. A usable reading *covers* the time up to the next reading of any
quality, at most the channel's interval times a factor; the part of it inside a bucket counts for that bucket.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from enum import IntEnum
from typing import NamedTuple

from collector.journal.precedence import Row
from domain.instant import DAY_MS, HOUR_MS, SECOND_MS
from domain.reading import Quality

_NEVER_MS = 2**62
_LAST_USABLE = max(quality for quality in Quality if quality.usable)


class Resolution(IntEnum):
    """Length of a bucket in milliseconds; buckets begin at multiples of it since 1970, UTC."""

    HOUR = HOUR_MS
    DAY = DAY_MS


class Rollup(NamedTuple):
    """One bucket of one channel, in the canonical unit of its quantity."""

    start_ms: int
    mean: float | None
    """None, like minimum and maximum, where the bucket is covered only by a reading before it."""
    minimum: float | None
    maximum: float | None
    readings: int
    """Usable readings measured in the bucket."""
    covered_seconds: float


class RollupChange(NamedTuple):
    """A roll-up that was computed, or computed anew, at a position of the log of such changes."""

    position: int
    channel: str
    resolution: Resolution
    rollup: Rollup


Bucket = tuple[int, float, float | None, float | None, int, int]
"""A roll-up as it is stored: start, total, minimum, maximum, readings, covered milliseconds. Days come from the totals
of their hours. A bare tuple: a page of charts has thousands."""


def rolled_up(buckets: Iterable[Bucket]) -> list[Rollup]:
    """Return the buckets that hold something as the outside knows them."""
    return [as_rollup(bucket) for bucket in buckets if bucket[4] or bucket[5]]


def as_rollup(bucket: Bucket) -> Rollup:
    """Return a bucket as the outside knows it."""
    start, total, minimum, maximum, readings, covered = bucket
    return Rollup(start, total / readings if readings else None, minimum, maximum, readings, covered / SECOND_MS)


def floor_to(moment_ms: int, resolution: int) -> int:
    """Return the start of the bucket that contains the moment."""
    return moment_ms - moment_ms % resolution


def touched_hours(first_ms: int, last_ms: int, cover_ms: int) -> range:
    """Return the starts of all hours that readings between two moments, both included, can have an effect on."""
    return range(floor_to(first_ms, HOUR_MS), last_ms + max(cover_ms, 1), HOUR_MS)


def hourly(rows: Sequence[Row], from_ms: int, to_ms: int, cover_ms: int) -> list[Bucket]:
    """Return one bucket for each hour in [from, to), both on the hour.

    ``rows`` are in order of time, each moment once, and begin ``cover_ms`` before ``from_ms``.
    """
    hours = range(from_ms, to_ms, HOUR_MS)
    values: list[list[float]] = [[] for _ in hours]
    covered = [0] * len(hours)
    for (ts, value, quality, _), next_ts in zip(rows, _next_moments(rows), strict=True):
        if quality > _LAST_USABLE or value is None:
            continue
        begin, end = ts - from_ms, min(next_ts, ts + cover_ms) - from_ms
        hour = begin // HOUR_MS
        if 0 <= hour < len(hours):
            values[hour].append(value)
        if hour == (end - 1) // HOUR_MS and 0 <= hour < len(hours):
            covered[hour] += end - begin  # nearly always
        else:
            _cover(covered, begin, end)
    return [_bucket(*parts) for parts in zip(hours, values, covered, strict=True)]


def daily(start_ms: int, hours: Sequence[Bucket]) -> Bucket:
    """Return the day that these hours make up."""
    totals = [total for _, total, _, _, readings, _ in hours if readings]
    minima = [minimum for _, _, minimum, _, _, _ in hours if minimum is not None]
    maxima = [maximum for _, _, _, maximum, _, _ in hours if maximum is not None]
    readings, covered = sum(hour[4] for hour in hours), sum(hour[5] for hour in hours)
    return (start_ms, math.fsum(totals), min(minima, default=None), max(maxima, default=None), readings, covered)


def _next_moments(rows: Sequence[Row]) -> list[int]:
    moments = [row[0] for row in rows[1:]]
    return [*moments, _NEVER_MS] if rows else []


def _cover(covered: list[int], begin: int, end: int) -> None:
    """Add the time from ``begin`` to ``end``, both relative to the first hour, to the hours it lies in."""
    begin, end = max(begin, 0), min(end, len(covered) * HOUR_MS)
    while begin < end:
        hour = begin // HOUR_MS
        stop = min(end, (hour + 1) * HOUR_MS)
        covered[hour] += stop - begin
        begin = stop


def _bucket(start: int, values: list[float], covered: int) -> Bucket:
    if not values:
        return (start, 0.0, None, None, 0, covered)
    return (start, math.fsum(values), min(values), max(values), len(values), covered)
