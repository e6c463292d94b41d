"""Roll-ups out of the file: stored ones where they are right, recomputed ones where they are not (yet)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import groupby
from typing import NamedTuple, cast

from collector.journal.packed import fetch
from collector.journal.precedence import Row
from collector.journal.reader import Reader, Snapshot
from collector.journal.rollup import (
    Bucket,
    Resolution,
    Rollup,
    RollupChange,
    as_rollups,
    daily,
    floor_to,
    hourly,
    rolled_up,
    touched_hours,
)
from domain.instant import DAY_MS, HOUR_MS

BUCKET_COLUMNS = "start, total, minimum, maximum, readings, covered, below, above, judged"
_IN_RANGE = "WHERE sid = ? AND start >= ? AND start < ?"
_LONGEST_RUN_HOURS = 24
"""So many hours of raw rows are in memory at a time."""

HourKey = tuple[int, int]
"""(series, start of the hour)."""
RowsOf = Callable[[int, int], list[Row]]
"""(from, to) to the rows of one series in [from, to)."""


_CHANGES = f"""
    SELECT * FROM (SELECT changed, {int(Resolution.HOUR)}, sid, {BUCKET_COLUMNS} FROM rollup_hour
    WHERE changed > ?1 AND changed > 0 ORDER BY changed LIMIT ?2)
    UNION ALL
    SELECT * FROM (SELECT changed, {int(Resolution.DAY)}, sid, {BUCKET_COLUMNS} FROM rollup_day
    WHERE changed > ?1 AND changed > 0 ORDER BY changed LIMIT ?2)
    ORDER BY 1 LIMIT ?2
"""  # noqa: S608 - constants of this package


def changes(reader: Reader, position: int, limit: int) -> list[RollupChange]:
    """Return up to ``limit`` stored roll-ups that changed after a position, in the order of their changes."""
    channels = reader.channels()
    rows = reader.connection.execute(_CHANGES, (position, limit)).fetchall()
    return [
        RollupChange(row[0], channels[row[2]], Resolution(row[1]), rollup)
        for row, rollup in zip(rows, as_rollups(row[3:] for row in rows), strict=True)
    ]


class Recomputed(NamedTuple):
    """A slice of the dirty list and what its hours, and the days they are in, come to."""

    last: HourKey
    """The last hour of the slice."""
    hours: list[tuple[int, Bucket]]
    days: list[tuple[int, Bucket]]


def rollups(
    reader: Reader, snapshot: Snapshot, sid: int, from_ms: int, to_ms: int, resolution: Resolution, cover_ms: int
) -> list[Rollup]:
    """Return the roll-ups of all buckets that share time with [from, to), as if everything were settled."""
    begin, end = floor_to(from_ms, resolution), floor_to(to_ms - 1, resolution) + resolution
    stale = _stale_hours(reader, snapshot, sid, begin, end, cover_ms)
    hours = _Hours(reader, sid, cover_ms, partial(reader.rows, snapshot, sid))
    computed = hours.computed(stale)
    if resolution is Resolution.HOUR:
        buckets = _stored(reader, "FROM rollup_hour", sid, begin, end) | computed
    else:
        buckets = _stored(reader, "FROM rollup_day", sid, begin, end) | hours.days(computed)
    return rolled_up(map(buckets.__getitem__, sorted(buckets)))


def recompute(
    reader: Reader, done: HourKey, before: int, limit: int, cover_of: Callable[[int], int]
) -> Recomputed | None:
    """Return the next slice of dirty hours after ``done`` that begin before a moment, from settled rows alone."""
    source = "FROM dirty_hour WHERE (sid, start) > (?, ?) AND start < ? ORDER BY sid, start LIMIT ?"
    keys = sorted(fetch(reader.connection, "sid, start", source, (*done, before, limit)))
    if not keys:
        return None
    slice_hours: list[tuple[int, Bucket]] = []
    slice_days: list[tuple[int, Bucket]] = []
    for sid, group in groupby(keys, key=lambda key: int(key[0])):
        hours = _Hours(reader, sid, cover_of(sid), partial(reader.settled_rows, sid))
        computed = hours.computed([start for _, start in group])
        slice_hours += [(sid, bucket) for bucket in computed.values()]
        slice_days += [(sid, day) for day in hours.days(computed).values()]
    sid, start = keys[-1]
    return Recomputed((sid, start), slice_hours, slice_days)


class _Hours:
    """The hours of one series."""

    def __init__(self, reader: Reader, sid: int, cover_ms: int, rows_of: RowsOf) -> None:
        self._reader, self._sid, self._cover_ms, self._rows_of = reader, sid, cover_ms, rows_of

    def computed(self, stale: Sequence[int]) -> dict[int, Bucket]:
        """Return these hours computed from their rows, without those whose rows retention has deleted."""
        (kept_from,) = self._reader.connection.execute(
            "SELECT kept_from FROM series WHERE sid = ?", (self._sid,)
        ).fetchone()
        limits = self._reader.limits(self._sid) if stale else ()
        computed: dict[int, Bucket] = {}
        for first, end in _runs(hour for hour in stale if hour >= kept_from):
            rows = self._rows_of(first - self._cover_ms, end)
            computed |= {bucket[0]: bucket for bucket in hourly(rows, first, end, self._cover_ms, limits)}
        return computed

    def days(self, computed: Mapping[int, Bucket]) -> dict[int, Bucket]:
        """Return the days that these hours are in."""
        days: dict[int, Bucket] = {}
        for start, starts in groupby(computed, key=lambda hour: floor_to(hour, DAY_MS)):
            hours = _stored(self._reader, "FROM rollup_hour", self._sid, start, start + DAY_MS)
            hours |= {hour: computed[hour] for hour in starts}
            days[start] = daily(start, list(hours.values()))
        return days


def _stale_hours(reader: Reader, snapshot: Snapshot, sid: int, from_ms: int, to_ms: int, cover_ms: int) -> list[int]:
    dirty = fetch(reader.connection, "start", f"FROM dirty_hour {_IN_RANGE}", (sid, from_ms, to_ms))
    stale = {hour for (hour,) in dirty}
    first, until = reader.to_be_rejudged(sid)
    if first < to_ms and until > from_ms:
        bounds = (sid, max(from_ms, floor_to(first, HOUR_MS)), min(to_ms, until))
        stale.update(hour for (hour,) in fetch(reader.connection, "start", f"FROM rollup_hour {_IN_RANGE}", bounds))
    for row in reader.unsettled_rows(snapshot, sid, from_ms - cover_ms, to_ms):
        stale.update(touched_hours(row[0], row[0], cover_ms))
    return sorted(hour for hour in stale if from_ms <= hour < to_ms)


def _stored(reader: Reader, source: str, sid: int, from_ms: int, to_ms: int) -> dict[int, Bucket]:
    rows = fetch(reader.connection, BUCKET_COLUMNS, f"{source} {_IN_RANGE}", (sid, from_ms, to_ms))
    return {row[0]: row for row in cast("list[Bucket]", rows)}


def _runs(hours: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Yield (first, end) of runs of hours without a gap, none longer than the memory allows."""
    run: list[int] = []
    for hour in hours:
        if run and (hour != run[-1] + HOUR_MS or len(run) == _LONGEST_RUN_HOURS):
            yield run[0], run[-1] + HOUR_MS
            run = []
        run.append(hour)
    if run:
        yield run[0], run[-1] + HOUR_MS
