"""By which limits roll-ups are judged: kept in the file beside them, so that they always fit each other.

Where other limits come to be in force, also for times that are over, the hours concerned are listed in the same
transaction. Queries judge listed hours anew from their rows; the background does it for good, some hours at a time.
Runs in the writer's thread.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from collector.journal.errors import translated
from collector.journal.packed import Insert, fetch
from collector.journal.rollup import floor_to
from collector.journal.writer import Writer, transaction
from domain.instant import HOUR_MS
from domain.limits import LimitHistory, LimitsSince, changed_between

_CHANNELS_PER_SLICE = 500
_LIST = """
    INSERT INTO rejudge VALUES(?, ?, ?) ON CONFLICT(channel)
    DO UPDATE SET first = min(first, excluded.first), until = max(until, excluded.until)
"""
_LISTED = """
    SELECT rejudge.channel, sid, max(first, kept_from), until FROM rejudge LEFT JOIN series USING(channel)
    ORDER BY rejudge.channel LIMIT ?
"""
_HOURS = "FROM rollup_hour WHERE sid = ? AND start >= ? AND start < ? ORDER BY start LIMIT ?"
_DIRTY = Insert("INSERT OR IGNORE INTO dirty_hour", 2)


class Judging:
    """The limits in the file, and the hours that were judged by others."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._known: dict[str, LimitHistory] | None = None

    def adopt(self, wanted: Mapping[str, LimitHistory]) -> Iterator[None]:
        """Take over the limits of all channels, a slice at each step; a channel that is left out has none."""
        known = self._known = self._stored() if self._known is None else self._known
        changed = iter([name for name in {**known, **wanted} if known.get(name, ()) != wanted.get(name, ())])
        while names := list(islice(changed, _CHANNELS_PER_SLICE)):
            with transaction(self._writer.connection, self._writer.path):
                for name in names:
                    self._replace(name, known.get(name, ()), wanted.get(name, ()))
            known.update((name, wanted.get(name, ())) for name in names)
            yield

    def mark(self, most: int) -> bool:
        """Move up to so many listed hours to the dirty ones; tell whether any channel was listed."""
        connection, room = self._writer.connection, most
        with translated(self._writer.path):
            listed = connection.execute(_LISTED, (_CHANNELS_PER_SLICE,)).fetchall()
        if not listed:
            return False
        with transaction(connection, self._writer.path):
            for channel, sid, first, until in listed:
                hours = [] if sid is None else self._hours(sid, first, until, room)
                _DIRTY.run(connection, [part for hour in hours for part in (sid, hour)])
                room -= len(hours)
                if room <= 0:
                    connection.execute("UPDATE rejudge SET first = ? WHERE channel = ?", (hours[-1] + HOUR_MS, channel))
                    break
                connection.execute("DELETE FROM rejudge WHERE channel = ?", (channel,))
        return True

    def _hours(self, sid: int, first: int, until: int, most: int) -> list[int]:
        bounds = (sid, floor_to(first, HOUR_MS), until, most)
        return sorted(hour for (hour,) in fetch(self._writer.connection, "start", _HOURS, bounds))

    def _replace(self, channel: str, old: LimitHistory, new: LimitHistory) -> None:
        connection = self._writer.connection
        connection.execute("DELETE FROM limits WHERE channel = ?", (channel,))
        for since in new:
            connection.execute("INSERT INTO limits VALUES(?, ?, ?, ?)", (channel, *since))
        if changed := changed_between(old, new):
            connection.execute(_LIST, (channel, *changed))

    def _stored(self) -> dict[str, LimitHistory]:
        rows = self._writer.connection.execute("SELECT * FROM limits ORDER BY channel, valid_from")
        return _by_channel(rows)


def _by_channel(rows: Iterable[tuple[Any, ...]]) -> dict[str, LimitHistory]:
    found: defaultdict[str, list[LimitsSince]] = defaultdict(list)
    for channel, *since in rows:
        found[channel].append(LimitsSince(*since))
    return {channel: tuple(history) for channel, history in found.items()}
