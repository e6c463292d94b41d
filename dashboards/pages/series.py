"""Series made small enough for a screen; minimum and maximum always survive, and gaps stay gaps."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import timedelta
from enum import StrEnum
from operator import mul
from typing import NamedTuple

from dashboards.pages.words import noop
from domain.instant import DAY_MS, HOUR_MS
from domain.kept import Kept
from domain.reading import Reading

MOST_POINTS = 1500
"""More than this no screen can show and no phone should load."""
NOTHING_DELETED = Kept()
GAP_INTERVALS = 2.5
"""A pause of more than this many expected intervals is a gap: nothing is known there."""


class Resolution(StrEnum):
    """How finely a series is read."""

    RAW = "raw"
    HOUR = "hour"
    DAY = "day"

    @property
    def step_ms(self) -> int:
        """Return the length of one roll-up in milliseconds; 0 for raw readings."""
        return _STEPS_MS[self]


_STEPS_MS = {Resolution.RAW: 0, Resolution.HOUR: HOUR_MS, Resolution.DAY: DAY_MS}


class Bucket(NamedTuple):
    """What is known of a stretch of time, in the quantity's canonical unit; a single reading is the shortest one."""

    start_ms: int
    end_ms: int
    minimum: float
    mean: float
    maximum: float
    readings: int = 1
    covered_ms: int = 0
    """For how much of the stretch the readings stand; a single one says nothing of it."""

    @property
    def middle_ms(self) -> int:
        """Return the moment at which the stretch is drawn."""
        return (self.start_ms + self.end_ms) // 2


class Range(NamedTuple):
    """A stretch of time that a page offers; its words are English, translated where they are shown."""

    key: str
    words: str
    last: str
    """As it stands in a sentence about what a chart shows."""
    span: timedelta
    table_step: timedelta


RANGES = {
    each.key: each
    for each in (
        Range("24h", noop("24 hours"), noop("last 24 hours"), timedelta(hours=24), timedelta(hours=1)),
        Range("7d", noop("7 days"), noop("last 7 days"), timedelta(days=7), timedelta(hours=12)),
        Range("30d", noop("30 days"), noop("last 30 days"), timedelta(days=30), timedelta(days=1)),
        Range("year", noop("A year"), noop("last 365 days"), timedelta(days=365), timedelta(days=7)),
    )
}
DEFAULT_RANGE = RANGES["24h"]


class Window(NamedTuple):
    """The stretch of time that a chart shows, and whose wall clock labels it."""

    from_ms: int
    to_ms: int
    zone: str
    range: Range


def resolutions(
    interval: timedelta, from_ms: int, to_ms: int, most: int = MOST_POINTS, kept: Kept = NOTHING_DELETED
) -> tuple[Resolution, ...]:
    """Return the resolutions that tell all of [from, to) within ``most`` points, the finest first.

    Whoever finds more raw readings than the interval promised takes the next. Days come last in any case: nothing
    coarser is kept. Each keeps the lowest and the highest value, so that no zoom hides a breach.
    """
    found = []
    if kept.raw_from_ms <= from_ms and to_ms - from_ms <= most * interval.total_seconds() * 1000:
        found.append(Resolution.RAW)
    if kept.hours_from_ms <= from_ms and _buckets_touched(from_ms, to_ms, HOUR_MS) <= most:
        found.append(Resolution.HOUR)
    return (*found, Resolution.DAY)


def _buckets_touched(from_ms: int, to_ms: int, step_ms: int) -> int:
    return -(-to_ms // step_ms) - from_ms // step_ms


def from_readings(readings: Iterable[Reading]) -> list[Bucket]:
    """Return the usable readings as buckets of one."""
    return [
        Bucket(each.measured_at_ms, each.measured_at_ms, each.value, each.value, each.value)
        for each in readings
        if each.value is not None and each.quality.usable
    ]


def merge_every(buckets: Iterable[Bucket], from_ms: int, width_ms: int) -> list[Bucket]:
    """Return buckets joined per stretch of ``width_ms`` counted from ``from_ms``."""
    groups: dict[int, list[Bucket]] = {}
    for bucket in buckets:
        groups.setdefault((bucket.start_ms - from_ms) // width_ms, []).append(bucket)
    return [_join(group) for _, group in sorted(groups.items())]


def split_at_gaps(buckets: Sequence[Bucket], gap_ms: int) -> list[list[Bucket]]:
    """Return the runs of buckets between which less than ``gap_ms`` is unknown."""
    runs: list[list[Bucket]] = []
    for bucket in buckets:
        if runs and bucket.start_ms - runs[-1][-1].end_ms <= gap_ms:
            runs[-1].append(bucket)
        else:
            runs.append([bucket])
    return runs


def runs(buckets: Sequence[Bucket], interval: timedelta, window: Window, columns: int) -> list[list[Bucket]]:
    """Return what is drawn as one line each: joined per column, and never across a gap.

    A column in which a gap lies comes out as the end of one run and the beginning of the next.
    """
    unbroken = split_at_gaps(buckets, gap_after_ms(interval, buckets))
    if len(buckets) <= columns:
        return unbroken
    width_ms = column_ms(window.from_ms, window.to_ms, columns)
    return [merge_every(run, window.from_ms, width_ms) for run in unbroken]


def column_ms(from_ms: int, to_ms: int, columns: int) -> int:
    """Return how much time one of so many columns over [from_ms, to_ms] stands for."""
    return max(math.ceil((to_ms - from_ms + 1) / columns), 1)


def gap_after_ms(interval: timedelta, buckets: Sequence[Bucket]) -> int:
    """Return the pause in milliseconds that counts as a gap; a roll-up's own coarseness is no gap."""
    coarse = any(bucket.readings > 1 for bucket in buckets)
    widest_ms = max((bucket.end_ms - bucket.start_ms for bucket in buckets), default=0)
    return max(round(GAP_INTERVALS * interval.total_seconds() * 1000), widest_ms // 2 if coarse else 0)


def _join(group: Sequence[Bucket]) -> Bucket:
    if len(group) == 1:
        return group[0]
    # Column by column: a page of charts joins thousands, and a loop over them would take most of its time.
    starts, ends, minima, means, maxima, counts, covered = zip(*group, strict=True)
    count = sum(counts)
    mean = sum(map(mul, means, counts)) / count
    return Bucket(min(starts), max(ends), min(minima), mean, max(maxima), count, sum(covered))
