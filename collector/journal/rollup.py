"""Roll-ups: what an hour or a day of one channel comes to. Pure functions of the readings, never of earlier roll-ups.

The mean is of the usable readings, each counted once. A usable reading *covers* the time up to the next reading of any
quality, at most the channel's interval times a factor; the part of it inside a bucket counts for that bucket. Covered
time is *judged* where a limit was in force (``domain/limits.py``): it is then below, above or within the limits.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from enum import IntEnum
from typing import NamedTuple

from collector.journal.precedence import Row
from domain.instant import DAY_MS, HOUR_MS, SECOND_MS
from domain.limits import Era, LimitHistory, eras
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
    below_seconds: float = 0.0
    """Covered time below the low limit in force at that time."""
    above_seconds: float = 0.0
    """Covered time above the high limit in force at that time."""
    judged_seconds: float = 0.0
    """Covered time in which any limit was in force; what of it is neither below nor above is within."""


class RollupChange(NamedTuple):
    """A roll-up that was computed, or computed anew, at a position of the log of such changes."""

    position: int
    channel: str
    resolution: Resolution
    rollup: Rollup


Bucket = tuple[int, float, float | None, float | None, int, int, int, int, int]
"""A roll-up as it is stored: start, total, minimum, maximum, readings; covered, below, above, judged milliseconds. Days
come from the totals of their hours. A bare tuple: a page of charts has thousands."""
_Span = tuple[int, int, float]
"""A usable reading: measured, until when it covers, value."""


def rolled_up(buckets: Iterable[Bucket]) -> list[Rollup]:
    """Return the buckets that hold something as the outside knows them."""
    return as_rollups([bucket for bucket in buckets if bucket[4] or bucket[5]])


def as_rollups(buckets: Iterable[Bucket]) -> list[Rollup]:
    """Return buckets as the outside knows them."""
    # In one expression: a month of hours of one facility is 7,000 of them, and calls would take most of the time.
    make, second = Rollup._make, SECOND_MS
    return [
        make(
            (
                start, total / count if count else None, lowest, highest, count,
                covered / second, below / second, above / second, judged / second,
            )
        )
        for start, total, lowest, highest, count, covered, below, above, judged in buckets
    ]  # fmt: skip


def floor_to(moment_ms: int, resolution: int) -> int:
    """Return the start of the bucket that contains the moment."""
    return moment_ms - moment_ms % resolution


def touched_hours(first_ms: int, last_ms: int, cover_ms: int) -> range:
    """Return the starts of all hours that readings between two moments, both included, can have an effect on."""
    return range(floor_to(first_ms, HOUR_MS), last_ms + max(cover_ms, 1), HOUR_MS)


def hourly(rows: Sequence[Row], from_ms: int, to_ms: int, cover_ms: int, limits: LimitHistory = ()) -> list[Bucket]:
    """Return one bucket for each hour in [from, to), both on the hour.

    ``rows`` are in order of time, each moment once, and begin ``cover_ms`` before ``from_ms``.
    """
    hours = range(from_ms, to_ms, HOUR_MS)
    spans = _spans(rows, cover_ms)
    values: list[list[float]] = [[] for _ in hours]
    for begin, _, value in spans:
        if begin >= from_ms:
            values[(begin - from_ms) // HOUR_MS].append(value)
    covered = _by_hour(spans, hours)
    below, above, judged = _judged(spans, eras(limits, from_ms, to_ms), hours, covered)
    return [_bucket(*parts) for parts in zip(hours, values, covered, below, above, judged, strict=True)]


def daily(start_ms: int, hours: Sequence[Bucket]) -> Bucket:
    """Return the day that these hours make up."""
    _, totals, minima, maxima, *counts = zip(*hours, strict=True)
    lowest = min((minimum for minimum in minima if minimum is not None), default=None)
    highest = max((maximum for maximum in maxima if maximum is not None), default=None)
    readings, covered, below, above, judged = map(sum, counts)
    return (start_ms, math.fsum(totals), lowest, highest, readings, covered, below, above, judged)


def _spans(rows: Sequence[Row], cover_ms: int) -> list[_Span]:
    next_moments = [*(row[0] for row in rows[1:]), _NEVER_MS]
    return [
        (ts, min(next_ts, ts + cover_ms), value)
        for (ts, value, quality, _), next_ts in zip(rows, next_moments, strict=False)
        if quality <= _LAST_USABLE and value is not None
    ]


def _by_hour(spans: Iterable[_Span], hours: range) -> list[int]:
    """Return how many milliseconds of each hour the spans take."""
    first, count = hours.start, len(hours)
    taken = [0] * count
    for begin, end, _ in spans:
        hour = (begin - first) // HOUR_MS
        if 0 <= hour < count and hour == (end - 1 - first) // HOUR_MS:
            taken[hour] += end - begin  # nearly always
        else:
            _take(taken, begin - first, end - first)
    return taken


def _take(taken: list[int], begin: int, end: int) -> None:
    """Add the time from ``begin`` to ``end``, both relative to the first hour, to the hours it lies in."""
    begin, end = max(begin, 0), min(end, len(taken) * HOUR_MS)
    while begin < end:
        hour = begin // HOUR_MS
        stop = min(end, (hour + 1) * HOUR_MS)
        taken[hour] += stop - begin
        begin = stop


def _judged(
    spans: list[_Span], in_force: Sequence[Era], hours: range, covered: list[int]
) -> tuple[list[int], list[int], list[int]]:
    """Return how much of each hour was below, above, and judged at all."""
    below, above, judged = ([0] * len(hours) for _ in range(3))
    for era in in_force:
        if (era.from_ms, era.to_ms) == (hours.start, hours.stop):
            inside, judged = spans, covered  # nearly always: one era
        else:
            inside = _within(spans, era)
            judged = _sum(judged, _by_hour(inside, hours))
        low, high = era.low, era.high
        if over := [span for span in inside if span[2] > high]:
            above = _sum(above, _by_hour(over, hours))
        # Where the limits contradict each other no time counts twice.
        if under := [span for span in inside if low > span[2] <= high]:
            below = _sum(below, _by_hour(under, hours))
    return below, above, judged


def _within(spans: Iterable[_Span], era: Era) -> list[_Span]:
    return [
        (max(begin, era.from_ms), min(end, era.to_ms), value)
        for begin, end, value in spans
        if begin < era.to_ms and end > era.from_ms
    ]


def _sum(ours: list[int], theirs: list[int]) -> list[int]:
    return [one + other for one, other in zip(ours, theirs, strict=True)]


def _bucket(start: int, values: list[float], covered: int, below: int, above: int, judged: int) -> Bucket:
    if not values:
        return (start, 0.0, None, None, 0, covered, below, above, judged)
    return (start, math.fsum(values), min(values), max(values), len(values), covered, below, above, judged)
