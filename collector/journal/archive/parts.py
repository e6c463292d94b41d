"""Which months are archived, in which files: a small list in memory, the same as in the file's snapshot."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import NamedTuple

from domain.instant import to_datetime, to_ms


def month_start(moment_ms: int) -> int:
    """Return the beginning of the month, UTC, that a moment is in."""
    moment = to_datetime(moment_ms)
    return to_ms(datetime(moment.year, moment.month, 1, tzinfo=UTC))


def month_end(start_ms: int) -> int:
    """Return the beginning of the month after the one that begins at ``start_ms``."""
    start = to_datetime(start_ms)
    return to_ms(datetime(start.year + start.month // 12, start.month % 12 + 1, 1, tzinfo=UTC))


class Part(NamedTuple):
    """One month of the channels from ``lower`` on and before ``upper`` (None: to the last)."""

    month_ms: int
    number: int
    lower: str
    upper: str | None

    @property
    def end_ms(self) -> int:
        """Return the end of its month."""
        return month_end(self.month_ms)

    @property
    def name(self) -> str:
        """Return the file's name inside the archive's folder; the folder's name is a column to those who glob."""
        return f"month={to_datetime(self.month_ms):%Y-%m}/{self.number:03d}.parquet"

    def holds(self, channel: str) -> bool:
        """Tell whether readings of a channel belong into it."""
        return self.lower <= channel and (self.upper is None or channel < self.upper)


class Parts:
    """All parts as of one version of the list."""

    def __init__(self, version: int = 0, parts: Iterable[Part] = ()) -> None:
        self.version = version
        self._by_month: defaultdict[int, list[Part]] = defaultdict(list)
        for part in parts:
            self._by_month[part.month_ms].append(part)
        self.end_ms = max((month_end(month) for month in self._by_month), default=-(2**62))
        """Nothing from this moment on is archived."""

    def all(self) -> list[Part]:
        """Return every part, in order."""
        return [part for month in sorted(self._by_month) for part in self._by_month[month]]

    def of_month(self, month_ms: int) -> list[Part]:
        """Return the parts of one month."""
        return self._by_month.get(month_ms, [])

    def touching(self, channel: str, from_ms: int, to_ms: int) -> list[Part]:
        """Return the parts that may hold readings of a channel in [from, to), in order of time."""
        if from_ms >= self.end_ms:
            return []
        months = sorted(month for month in self._by_month if month < to_ms and from_ms < month_end(month))
        return [part for month in months for part in self._by_month[month] if part.holds(channel)]


def load_parts(connection: sqlite3.Connection, version: int) -> Parts:
    """Return the list as the connection's snapshot has it."""
    rows = connection.execute("SELECT month, number, lower, upper FROM archive_part ORDER BY month, number")
    return Parts(version, map(Part._make, rows.fetchall()))
