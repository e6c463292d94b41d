"""The one writer: what goes into the log, the cursors and the dead letters. Runs in one thread only."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, count
from pathlib import Path
from typing import Any

from collector.journal.errors import translated
from collector.journal.letters import LetterBox
from collector.journal.marks import Mark
from collector.journal.memory import Newest, Recent, SeriesNumbers, Unsettled
from collector.journal.packed import Insert, fetch_columns
from collector.journal.settings import JournalSettings
from domain.reading import Quality, Reading
from domain.rejection import Rejected

_CODES = {quality: int(quality) for quality in Quality}
_LOG = Insert("INSERT INTO log", 6)


@contextmanager
def transaction(connection: sqlite3.Connection, path: Path) -> Iterator[None]:
    """Run the block as one durable transaction, or as nothing; SQLite's errors come out as the journal's."""
    with translated(path):
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


class Writer:
    """Commits readings in order of arrival and tells the memory of what is durable."""

    def __init__(self, connection: sqlite3.Connection, path: Path, settings: JournalSettings) -> None:
        """Take the only writing connection of the folder and learn where the file stands."""
        self.connection = connection
        self.path = path
        self.series = SeriesNumbers()
        self.newest = Newest()
        self.recent = Recent(settings.recent_readings)
        self.commits = 0
        self.commit_seconds = 0.0
        self._letters = LetterBox(connection, settings)
        with translated(path):
            self.series.add(connection.execute("SELECT sid, channel FROM series").fetchall())
            (self.settled,) = connection.execute("SELECT value FROM meta WHERE key = 'settled'").fetchone()
            (last,) = connection.execute("SELECT max(position) FROM log").fetchone()
            self.position: int = max(last or 0, self.settled)
            (marked,) = connection.execute("SELECT max(last) FROM marked").fetchone()
            self.marked_until: int = marked or 0
            """No stretch of the log is marked beyond this position."""
            # Read back by the first question or pass, not here: opening takes as long however many rows wait.
            self.unsettled = Unsettled(self.settled)

    def commit(self, readings: Sequence[Reading], rejected: Sequence[Rejected], *, copied: bool = False) -> int:
        """Store in one transaction; return the position of the last reading ever stored."""
        started = time.perf_counter()
        first, new_series = self.position + 1, dict[str, int]()
        with transaction(self.connection, self.path), self._letters.undone_with_it():
            rows = self._rows(first, readings, new_series)
            _LOG.run(self.connection, rows)
            if copied:
                self._mark(first, readings, Mark.COPIED)
            if rejected:
                self._letters.keep(rejected)
        self.series.add((sid, channel) for channel, sid in new_series.items())
        if copied:
            self.marked_until = self.position + len(readings)
        self._remember(first, readings, rows[2::6])
        self.commits += 1
        self.commit_seconds += time.perf_counter() - started
        return self.position

    def repeat(self, readings: Sequence[Reading]) -> None:
        """Within the open transaction, put readings that are kept into the log once more, marked as repeated.

        Call ``remember`` when the transaction is durable.
        """
        first = self.position + 1
        _LOG.run(self.connection, self._rows(first, readings, {}))
        self._mark(first, readings, Mark.REPEATED)

    def remember(self, readings: Sequence[Reading]) -> None:
        """Tell the memory of repeated readings that are durable at the end of the log."""
        if readings:
            self.marked_until = self.position + len(readings)  # before anybody can see them
            self._remember(self.position + 1, readings, [self.series.sids[reading[0]] for reading in readings])

    def _mark(self, first: int, readings: Sequence[Reading], mark: Mark) -> None:
        if readings:
            last = first + len(readings) - 1
            self.connection.execute("INSERT INTO marked VALUES(?, ?, ?)", (first, last, mark))

    def _rows(self, first: int, readings: Sequence[Reading], new_series: dict[str, int]) -> list[Any]:
        """Return flat log rows, put together column by column; sqlite3 binds plain integers without asking adapters."""
        if not readings:
            return []
        channels, moments, values, qualities, received = zip(*readings, strict=True)
        sids = list(map(self.series.sids.get, channels))
        if None in sids:
            sids = [
                sid or new_series.get(channel) or self._new_series(channel, new_series)
                for sid, channel in zip(sids, channels, strict=True)
            ]
        codes = map(_CODES.__getitem__, qualities)
        return list(chain.from_iterable(zip(count(first), moments, sids, values, codes, received, strict=False)))

    def _new_series(self, channel: str, new_series: dict[str, int]) -> int:
        sid = len(self.series.sids) + len(new_series) + 1
        self.connection.execute("INSERT INTO series(sid, channel) VALUES(?, ?)", (sid, channel))
        new_series[channel] = sid
        return sid

    def forget_letters(self, ids: Sequence[int]) -> None:
        """Delete dead letters."""
        with transaction(self.connection, self.path):
            self._letters.forget(ids)

    def _remember(self, first: int, readings: Sequence[Reading], sids: Sequence[int]) -> None:
        if readings:
            self.recent.append(first, readings)
            self.newest.extend(first, readings)
            self.unsettled.extend(first, sids)
            self.position += len(readings)


def catch_up(connection: sqlite3.Connection, unsettled: Unsettled, upto: int) -> Iterator[None]:
    """Tell the memory about the log's rows up to a position, a piece at each step."""
    while unsettled.known < upto:
        first = unsettled.known + 1
        bounds = (first, min(first + 50_000, upto + 1))
        source = "FROM log WHERE position >= ? AND position < ?"
        positions, sids = fetch_columns(connection, "position, sid", source, bounds)
        if not positions:
            return
        if positions != list(range(first, first + len(positions))):  # seldom: SQLite promises no order
            sids = [sid for _, sid in sorted(zip(positions, sids, strict=True))]
        unsettled.extend(first, sids)
        yield
