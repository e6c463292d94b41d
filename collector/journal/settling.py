"""Settling: rows of the log are moved, series by series, into ``readings``, and hours they touch are marked.

A pass takes the log up to a fixed position, in slices of whole series so that every page of ``readings`` is written
once a pass. The watermark ``settled`` moves only at the end: until then a row may stand in both tables, and all
queries take the union, so every moment in between is right and a pass cut short is simply done again.
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterator
from itertools import chain
from typing import TypeAlias

from collector.journal.buckets import BUCKET_COLUMNS, HourKey, Recomputed
from collector.journal.contests import Contests
from collector.journal.errors import translated
from collector.journal.packed import Insert, fetch
from collector.journal.precedence import excluded_wins
from collector.journal.rollup import floor_to, touched_hours
from collector.journal.settings import IntervalOf, JournalSettings, RetentionOf
from collector.journal.writer import Writer, catch_up, transaction
from domain.instant import DAY_MS, HOUR_MS

Work: TypeAlias = "list[tuple[int, array[int]]]"
"""Series with the positions of their rows."""

_FROM_LOG = "FROM json_each(?) AS wanted CROSS JOIN log ON log.position = wanted.value"
_MOVE = f"""
    INSERT INTO readings SELECT log.sid, log.ts, log.value, log.quality, log.received {_FROM_LOG} WHERE true
    ON CONFLICT(sid, ts) DO UPDATE SET value = excluded.value, quality = excluded.quality, received = excluded.received
    WHERE {excluded_wins("readings")}
"""
_NEWEST = f"""
    INSERT INTO latest
    SELECT r.sid, r.ts, r.value, r.quality, r.received FROM json_each(?) AS wanted CROSS JOIN readings AS r
    ON r.sid = wanted.value AND r.ts = (SELECT max(ts) FROM readings WHERE sid = wanted.value) WHERE true
    ON CONFLICT(sid) DO UPDATE
    SET ts = excluded.ts, value = excluded.value, quality = excluded.quality, received = excluded.received
    WHERE excluded.ts > latest.ts OR (excluded.ts = latest.ts AND {excluded_wins("latest")})
"""  # noqa: S608 -- constants of this package
_TOUCHED = f"""
    FROM (SELECT log.sid AS sid, min(log.ts) AS first, max(log.ts) AS last {_FROM_LOG}
    GROUP BY log.sid, log.ts / {HOUR_MS})
"""
_DIRTY = Insert("INSERT OR IGNORE INTO dirty_hour", 2)
_STORED = f"sid, {BUCKET_COLUMNS}, changed"
_STORE = {
    table: Insert(f"INSERT OR REPLACE INTO {table}({_STORED})", len(_STORED.split()))
    for table in ("rollup_hour", "rollup_day")
}
_SLICE = {
    "readings": "SELECT ts FROM readings WHERE sid = ? ORDER BY ts LIMIT 1 OFFSET ?",
    "rollup_hour": "SELECT start FROM rollup_hour WHERE sid = ? ORDER BY start LIMIT 1 OFFSET ?",
}
_KEPT_FROM = "UPDATE series SET kept_from = max(kept_from, ?) WHERE sid = ?"
_PRUNE = {
    "readings": "DELETE FROM readings WHERE sid = ? AND ts < ?",
    "rollup_hour": "DELETE FROM rollup_hour WHERE sid = ? AND start < ?",
}
_SERIES_PER_STEP = 500


class Settler:
    """The background work of the writer, in slices that let commits in between. Runs in the writer's thread."""

    def __init__(
        self,
        writer: Writer,
        contests: Contests,
        settings: JournalSettings,
        interval_of: IntervalOf,
        retention_of: RetentionOf,
    ) -> None:
        self._writer, self._contests = writer, contests
        self._settings = settings
        self._interval_of = interval_of
        self._retention_of = retention_of

    def settle(self, upto: int) -> Iterator[None]:
        """Do a pass over everything up to a position, a slice at each step."""
        with translated(self._writer.path):
            yield from catch_up(self._writer.connection, self._writer.unsettled, upto)
        for work in self._slices(upto):
            self._move(work)
            yield
        connection = self._writer.connection
        with transaction(connection, self._writer.path):
            connection.execute("UPDATE meta SET value = ? WHERE key = 'settled'", (upto,))
        self._writer.settled = upto
        self._writer.unsettled.forget(upto)

    def cover_ms(self, sid: int) -> int:
        """Return the longest time that one reading of a series can stand for."""
        return round(self._interval_of(self._writer.series.channels[sid]) * self._settings.cover_factor)

    def store(self, done: HourKey, before: int, fresh: Recomputed) -> None:
        """Keep recomputed buckets; take the hours after ``done`` that they answer off the list."""
        connection = self._writer.connection
        with transaction(connection, self._writer.path):
            (changes,) = connection.execute("SELECT value FROM meta WHERE key = 'rollup_changes'").fetchone()
            for table, buckets in (("rollup_hour", fresh.hours), ("rollup_day", fresh.days)):
                rows = ((sid, *bucket, change) for change, (sid, bucket) in enumerate(buckets, changes + 1))
                _STORE[table].run(connection, list(chain.from_iterable(rows)))
                changes += len(buckets)
            connection.execute("UPDATE meta SET value = ? WHERE key = 'rollup_changes'", (changes,))
            connection.execute(
                "DELETE FROM dirty_hour WHERE (sid, start) > (?, ?) AND (sid, start) <= (?, ?) AND start < ?",
                (*done, *fresh.last, before),
            )

    def trim(self) -> Iterator[None]:
        """Delete the log rows that nobody needs any more, a slice at each step."""
        connection = self._writer.connection
        first, cursor = connection.execute(
            "SELECT (SELECT min(position) FROM log), (SELECT min(position) FROM cursor)"
        ).fetchone()
        bound = self._writer.settled if cursor is None else min(cursor, self._writer.settled)
        while first is not None and first <= bound:
            first = min(bound + 1, first + 5 * self._settings.slice_rows)
            with transaction(connection, self._writer.path):
                connection.execute("DELETE FROM log WHERE position < ?", (first,))
                connection.execute("DELETE FROM marked WHERE last < ?", (first,))
            yield

    def prune(self, now_ms: int) -> Iterator[None]:
        """Delete what retention lets go at a moment, a slice at each step; raw rows and hours go by whole days."""
        for number, (sid, channel) in enumerate(list(self._writer.series.channels.items())):
            kept = self._retention_of(channel)
            if kept.raw_ms is not None:
                raw_from = floor_to(now_ms - kept.raw_ms, DAY_MS)
                yield from self._prune("readings", sid, raw_from)
                if kept.hourly_ms is not None:
                    hourly_from = min(raw_from, floor_to(now_ms - kept.hourly_ms, DAY_MS))
                    yield from self._prune("rollup_hour", sid, hourly_from)
            if number % _SERIES_PER_STEP == 0:
                yield

    def _prune(self, table: str, sid: int, kept_from: int) -> Iterator[None]:
        # The first hour that stays needs the reading that covers its beginning.
        before = kept_from - self.cover_ms(sid) if table == "readings" else kept_from
        connection = self._writer.connection
        while (slice_end := self._slice_end(table, sid, before)) is not None:
            with transaction(connection, self._writer.path):
                if table == "readings":
                    connection.execute(_KEPT_FROM, (kept_from, sid))
                connection.execute(_PRUNE[table], (sid, slice_end))
            yield

    def _slice_end(self, table: str, sid: int, before: int) -> int | None:
        """Return the moment before which one slice of a series lies; None where there is nothing to delete."""
        find = _SLICE[table]
        first = self._writer.connection.execute(find, (sid, 0)).fetchone()
        if first is None or first[0] >= before:
            return None
        end = self._writer.connection.execute(find, (sid, self._settings.slice_rows)).fetchone()
        return before if end is None else min(before, int(end[0]))

    def _dirty(self, positions: str) -> list[int]:
        touched = fetch(self._writer.connection, "sid, first, last", _TOUCHED, (positions,))
        hours = {(sid, hour) for sid, first, last in touched for hour in touched_hours(first, last, self.cover_ms(sid))}
        return list(chain.from_iterable(sorted(hours)))

    def _slices(self, upto: int) -> Iterator[Work]:
        """Yield series with the positions of their rows, about ``slice_rows`` at a time."""
        work: Work = []
        room = size = self._settings.slice_rows
        for sid, positions in self._writer.unsettled.by_series(self._writer.settled, upto):
            for start in range(0, len(positions), size):
                work.append((sid, positions[start : start + size]))
                room -= len(work[-1][1])
                if room <= 0:
                    yield work
                    work, room = [], size
        if work:
            yield work

    def _move(self, work: Work) -> None:
        count = sum(len(part) for _, part in work)
        positions = json.dumps(list(chain.from_iterable(part for _, part in work)))
        connection = self._writer.connection
        with transaction(connection, self._writer.path):
            moved = connection.execute(_MOVE, (positions,)).rowcount
            connection.execute(_NEWEST, (json.dumps([sid for sid, _ in work]),))
            _DIRTY.run(connection, self._dirty(positions))
            if moved < count:
                self._contests.find_losers(positions)
            repeated = self._contests.settle()
        self._writer.remember(repeated)
