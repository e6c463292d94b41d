"""What in the database is old enough for the archive: a walk over the series, a seek for each month of each."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from typing import NamedTuple

from collector.journal.archive.parts import Part, Parts, month_end, month_start
from collector.journal.settings import ArchiveSettings
from domain.instant import DAY_MS

_FIRST = "SELECT min(ts) FROM readings WHERE sid = ? AND ts >= ?"
_LATE = "SELECT count(*), min(received) FROM readings WHERE sid = ? AND ts >= ? AND ts < ?"
_BEFORE_ALL = -(2**62)

Channels = dict[str, int]
"""Channels with their series numbers, in order of their names."""


class Late(NamedTuple):
    """What waits in the database for a file that is written already."""

    readings: int
    oldest_received_ms: int


def closed_before(now_ms: int, settings: ArchiveSettings) -> int:
    """Return the end of the last month that may be archived at a moment."""
    return month_start(now_ms - settings.after_days * DAY_MS)


def months_with_readings(connection: sqlite3.Connection, before_ms: int) -> dict[int, Channels]:
    """Return the months before a moment of which the database holds settled readings, in order, with the channels."""
    found: defaultdict[int, Channels] = defaultdict(dict)
    for sid, channel in connection.execute("SELECT sid, channel FROM series ORDER BY channel").fetchall():
        since = _BEFORE_ALL
        while (first := connection.execute(_FIRST, (sid, since)).fetchone()[0]) is not None and first < before_ms:
            month = month_start(first)
            found[month][channel] = sid
            since = month_end(month)
    return dict(sorted(found.items()))


def late_for(connection: sqlite3.Connection, part: Part, channels: Channels) -> Late:
    """Return what waits for a part."""
    counts = [
        connection.execute(_LATE, (sid, part.month_ms, part.end_ms)).fetchone()
        for channel, sid in channels.items()
        if part.holds(channel)
    ]
    oldest = min((received for _, received in counts if received is not None), default=0)
    return Late(sum(count for count, _ in counts), oldest)


def fold_is_due(late: Late, now_ms: int, settings: ArchiveSettings) -> bool:
    """Tell whether a file is to be written anew for what waits for it."""
    if not late.readings:
        return False
    waited = now_ms - late.oldest_received_ms >= settings.fold_after_days * DAY_MS
    return waited or late.readings >= settings.fold_readings


def next_part(parts: Parts, month_ms: int) -> Part | None:
    """Return the part of a month that is to be written next, open to the last channel; None when all are."""
    written = parts.of_month(month_ms)
    if not written:
        return Part(month_ms, 0, "", None)
    last = written[-1]
    return None if last.upper is None else Part(month_ms, last.number + 1, last.upper, None)
