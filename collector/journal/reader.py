"""Queries, each on one snapshot: the settled rows of a series together with those still in the log."""

from __future__ import annotations

import json
import sqlite3
from array import array
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from operator import itemgetter
from pathlib import Path
from typing import Any, NamedTuple, TypeVar, cast

from collector.journal.archive.parts import Parts, load_parts
from collector.journal.archive.shelf import FOLDER, Shelf
from collector.journal.errors import translated
from collector.journal.marks import Mark, Stretch
from collector.journal.memory import Forgotten, Newest, SeriesNumbers, Unsettled
from collector.journal.packed import fetch
from collector.journal.precedence import Row, merged
from collector.journal.rollup import floor_to
from collector.journal.writer import catch_up
from domain.instant import DAY_MS
from domain.kept import Kept
from domain.limits import FOR_EVER_MS, LimitHistory, LimitsSince
from domain.reading import Quality, Reading
from domain.rejection import Reason

Answer = TypeVar("Answer")

_QUALITIES = tuple(Quality)
_ROW = "ts, value, quality, received"
_FROM_POSITIONS = "FROM log WHERE position IN (SELECT value FROM json_each(?1)) AND ts >= ?2 AND ts < ?3"
_FROM_SPAN = "FROM log WHERE position BETWEEN ?1 AND ?2 AND sid = ?3 AND ts >= ?4 AND ts < ?5"
_SCAN_FROM_ROWS = 2_000
"""A series with more unsettled rows than this is found by scanning: then the moments are compared inside SQLite."""
_LIMITS = """
    SELECT valid_from, low, high FROM limits WHERE channel = (SELECT channel FROM series WHERE sid = ?)
    ORDER BY valid_from
"""
_TO_BE_REJUDGED = "SELECT first, until FROM rejudge WHERE channel = (SELECT channel FROM series WHERE sid = ?)"
_KEPT = """
    SELECT (SELECT kept_from FROM series WHERE sid = :sid),
    (SELECT min(start) FROM rollup_hour WHERE sid = :sid), (SELECT min(start) FROM rollup_day WHERE sid = :sid)
"""
_ALL_KEYS = """
    SELECT (SELECT count(*) FROM readings) + (SELECT count(*) FROM (
        SELECT DISTINCT sid, ts FROM log WHERE position > ?
        AND NOT EXISTS (SELECT 1 FROM readings AS r WHERE r.sid = log.sid AND r.ts = log.ts)))
"""


_SERIES_BEFORE = """
    SELECT sid, channel FROM series WHERE EXISTS (SELECT 1 FROM readings AS r WHERE r.sid = series.sid AND r.ts < ?1)
    OR sid IN (SELECT sid FROM log WHERE position > ?2 AND ts < ?1)
"""
_MARKED = """
    SELECT max(first, ?1 + 1), min(last, ?2), mark FROM marked WHERE last > ?1 AND first <= ?2 ORDER BY first
"""
_STATE = """
    SELECT (SELECT value FROM meta WHERE key = 'settled'), (SELECT value FROM meta WHERE key = 'archive_version')
"""


class Snapshot(NamedTuple):
    """Where the file stands for one query."""

    settled: int
    last: int


class Memory(NamedTuple):
    """What a process keeps in memory about the file."""

    series: SeriesNumbers
    unsettled: Unsettled
    newest: Newest


class Reader:
    """One thread's read-only view of the journal."""

    def __init__(self, connection: sqlite3.Connection, path: Path, memory: Memory) -> None:
        self.connection = connection
        self.memory = memory
        self.parts = Parts()
        """The archived months of the snapshot that is being asked."""
        self.shelf = Shelf(path.parent / FOLDER)
        self._path = path

    def ask(self, question: Callable[[Reader, Snapshot], Answer]) -> Answer:
        """Answer a question on one snapshot, with the memory brought up to it."""
        while True:
            try:
                with translated(self._path), self._snapshot() as snapshot:
                    return question(self, snapshot)
            except Forgotten:
                continue

    def sid(self, channel: str) -> int | None:
        """Return the number of a channel, or None for one that never had a reading."""
        if channel not in self.memory.series.sids:
            rows = self.connection.execute("SELECT sid, channel FROM series WHERE channel = ?", (channel,))
            self.memory.series.add(rows.fetchall())
        return self.memory.series.sids.get(channel)

    def rows(self, snapshot: Snapshot, sid: int, from_ms: int, to_ms: int, limit: int = -1) -> list[Row]:
        """Return a series' rows in [from, to) in order of time, each moment once."""
        settled = self.settled_rows(sid, from_ms, to_ms, limit)
        unsettled = self.unsettled_rows(snapshot, sid, from_ms, to_ms)
        found = merged(settled, unsettled) if unsettled else settled
        return found if limit < 0 else found[:limit]

    def settled_rows(self, sid: int, from_ms: int, to_ms: int, limit: int = -1) -> list[Row]:
        """Return what ``readings`` and the archive hold of a series in [from, to), in order of time."""
        source = "FROM readings WHERE sid = ? AND ts >= ? AND ts < ? ORDER BY ts LIMIT ?"
        kept = sorted(_rows(self.connection, source, (sid, from_ms, to_ms, limit)), key=itemgetter(0))
        if from_ms >= self.parts.end_ms:
            return kept
        channel = self.channels()[sid]
        archived = self.shelf.rows(self.parts.touching(channel, from_ms, to_ms), channel, from_ms, to_ms, limit)
        found = merged(archived, kept) if kept else archived
        return found if limit < 0 else found[:limit]

    def unsettled_rows(self, snapshot: Snapshot, sid: int, from_ms: int, to_ms: int) -> list[Row]:
        """Return what the log holds of a series in [from, to) beyond the watermark, in any order."""
        positions = self.memory.unsettled.positions(sid, snapshot.settled, snapshot.last)
        if not positions:
            return []
        source, parameters = _log_source(positions, sid, from_ms, to_ms)
        return _rows(self.connection, source, parameters)

    def before(self, snapshot: Snapshot, sid: int, moment_ms: int) -> Row | None:
        """Return the last row of a series before a moment."""
        source = "FROM readings WHERE sid = ? AND ts < ? ORDER BY ts DESC LIMIT 1"
        settled = _rows(self.connection, source, (sid, moment_ms))
        since = settled[0][0] if settled else 0
        if since < self.parts.end_ms:
            settled = merged(settled, self.shelf.before(self.parts, self.channels()[sid], since, moment_ms))
        unsettled = self.unsettled_rows(snapshot, sid, since, moment_ms)
        found = merged(settled, unsettled)
        return found[-1] if found else None

    def limits(self, sid: int) -> LimitHistory:
        """Return the limits by which a series is judged."""
        rows = self.connection.execute(_LIMITS, (sid,))
        return tuple(map(LimitsSince._make, rows))

    def to_be_rejudged(self, sid: int) -> tuple[int, int]:
        """Return the stretch [first, until) whose stored hours were judged by other limits; an empty one if none."""
        row = self.connection.execute(_TO_BE_REJUDGED, (sid,)).fetchone()
        return (row[0], row[1]) if row else (0, 0)

    def kept(self, sid: int) -> Kept:
        """Return from when on raw readings and hours of a series are whole."""
        raw_from, first_hour, first_day = self.connection.execute(_KEPT, {"sid": sid}).fetchone()
        hours_gone = first_day is not None and (first_hour is None or first_hour >= first_day + DAY_MS)
        return Kept(raw_from, floor_to(FOR_EVER_MS if first_hour is None else first_hour, DAY_MS) if hours_gone else 0)

    def after(self, snapshot: Snapshot, position: int, limit: int) -> tuple[int, list[Reading]]:
        """Return the position of the last one returned (or ``position``) and up to ``limit`` in order of arrival."""
        last = min(snapshot.last, self._first_position(position) + limit - 1)
        source = "FROM log WHERE position > ? AND position <= ?"
        rows = sorted(fetch(self.connection, f"position, sid, {_ROW}", source, (position, last)))
        channels = self.channels()
        readings = [
            Reading(channels[sid], moment, value, _QUALITIES[quality], received)
            for _, sid, moment, value, quality, received in rows
        ]
        return (rows[-1][0] if rows else position), readings

    def marked(self, after: int, upto: int) -> list[Stretch]:
        """Return the marked stretches of (after, upto], ascending."""
        rows = self.connection.execute(_MARKED, (after, upto))
        return [Stretch(first, last, Mark(mark)) for first, last, mark in rows]

    def newest(self, snapshot: Snapshot) -> dict[str, Reading]:
        """Return the newest reading of every channel."""
        newest = self.memory.newest
        if newest.known is None or newest.known < snapshot.settled:
            newest.load(snapshot.last, self._load_newest(snapshot))
        while (known := newest.known or 0) < snapshot.last:
            newest.extend(known + 1, self.after(snapshot, known, 50_000)[1])
        return newest.copy()

    def rejected_counts(self) -> dict[Reason, int]:
        """Return how many records were ever refused, by reason."""
        return {Reason(name): count for name, count in self.connection.execute("SELECT * FROM rejected_total")}

    def rollup_changes(self) -> int:
        """Return how many changes of stored roll-ups there ever were."""
        (count,) = self.connection.execute("SELECT value FROM meta WHERE key = 'rollup_changes'").fetchone()
        return int(count)

    def cursor(self, name: str) -> int | None:
        """Return the position of a follower's cursor, or None for a name that is not registered."""
        row = self.connection.execute("SELECT position FROM cursor WHERE name = ?", (name,)).fetchone()
        return None if row is None else int(row[0])

    def cursors(self) -> dict[str, int]:
        """Return the position of every registered cursor."""
        return dict(self.connection.execute("SELECT name, position FROM cursor").fetchall())

    def count(self, snapshot: Snapshot) -> int:
        """Return the number of stored readings, each (channel, moment) once."""
        (count,) = self.connection.execute(_ALL_KEYS, (snapshot.settled,)).fetchone()
        archived = sum(self.shelf.file(part).readings for part in self.parts.all())
        return int(count) + archived - self._kept_twice(snapshot)

    def channels(self) -> dict[int, str]:
        """Return the channel of every series number of the snapshot."""
        known = self.memory.series.channels
        (last,) = self.connection.execute("SELECT coalesce(max(sid), 0) FROM series").fetchone()
        if len(known) < last:
            rows = self.connection.execute("SELECT sid, channel FROM series WHERE sid > ?", (len(known),))
            self.memory.series.add(rows.fetchall())
        return known

    def _kept_twice(self, snapshot: Snapshot) -> int:
        """Return how many moments stand both in the archive and in the database."""
        begin, end, twice = -(2**62), self.parts.end_ms, 0
        if not self.parts.all():
            return 0
        found = self.connection.execute(_SERIES_BEFORE, (end, snapshot.settled)).fetchall()
        for sid, channel in found:
            rows = _rows(self.connection, "FROM readings WHERE sid = ? AND ts < ?", (sid, end))
            moments = {row[0] for row in rows + self.unsettled_rows(snapshot, sid, begin, end)}
            archived = self.shelf.rows(self.parts.touching(channel, begin, end), channel, begin, end)
            twice += sum(row[0] in moments for row in archived)
        return twice

    @contextmanager
    def _snapshot(self) -> Iterator[Snapshot]:
        self.connection.execute("BEGIN")
        try:
            settled, version = self.connection.execute(_STATE).fetchone()
            if version != self.parts.version:
                self.parts = load_parts(self.connection, version)
            (last,) = self.connection.execute("SELECT max(position) FROM log").fetchone()
            snapshot = Snapshot(settled, max(last or 0, settled))
            self._bring_up(snapshot)
            yield snapshot
        finally:
            self.connection.execute("ROLLBACK")

    def _bring_up(self, snapshot: Snapshot) -> None:
        # Another process may have settled, and trimmed, what this one never saw.
        self.memory.unsettled.forget(snapshot.settled)
        for _ in catch_up(self.connection, self.memory.unsettled, snapshot.last):
            pass

    def _first_position(self, after: int) -> int:
        (first,) = self.connection.execute("SELECT min(position) FROM log WHERE position > ?", (after,)).fetchone()
        return int(first) if first is not None else after + 1

    def _load_newest(self, snapshot: Snapshot) -> list[Reading]:
        channels = self.channels()
        rows = fetch(self.connection, f"sid, {_ROW}", "FROM latest")
        unsettled = (
            "FROM log JOIN (SELECT sid AS s, max(ts) AS newest FROM log WHERE position > ?1 GROUP BY sid)"
            " ON sid = s AND ts = newest WHERE position > ?1"
        )
        rows += fetch(self.connection, f"sid, {_ROW}", unsettled, (snapshot.settled,))
        return [reading(channels[row[0]], row[1:]) for row in rows]


def reading(channel: str, row: Sequence[Any]) -> Reading:
    """Return the reading that a stored row stands for."""
    ts, value, quality, received = row
    return Reading(channel, ts, value, _QUALITIES[quality], received)


def _rows(connection: sqlite3.Connection, source: str, parameters: Sequence[int | str]) -> list[Row]:
    return cast("list[Row]", fetch(connection, _ROW, source, parameters))


def _log_source(positions: array[int], sid: int, from_ms: int, to_ms: int) -> tuple[str, tuple[int | str, ...]]:
    if len(positions) > _SCAN_FROM_ROWS:
        return _FROM_SPAN, (positions[0], positions[-1], sid, from_ms, to_ms)
    return _FROM_POSITIONS, (json.dumps(positions.tolist()), from_ms, to_ms)
