"""What the journal keeps in memory about its file: rebuilt from it, bounded, the same in writer and follower.

Every part takes rows by position and ignores those it has, so that the writer's thread can hand over what it just
committed and any reader can catch up from its own snapshot, in any order.
"""

from __future__ import annotations

import threading
from array import array
from bisect import bisect_right
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from collector.journal.precedence import rank
from domain.reading import Reading

_SEGMENT_ROWS = 100_000


class Forgotten(Exception):  # noqa: N818 -- a signal inside the package, not an error
    """Rows were settled since the asker's snapshot: a new snapshot finds them in their series."""


class _Segment(NamedTuple):
    first: int
    positions: defaultdict[int, array[int]]


def _segment(first: int) -> _Segment:
    return _Segment(first, defaultdict(lambda: array("q")))


class Unsettled:
    """Where in the log the rows of each series stand that are not settled: about 10 bytes a row."""

    def __init__(self, settled: int) -> None:
        self.floor = settled
        """Rows up to this position are not known here."""
        self.known = settled
        """Rows up to this position are known here."""
        self._segments: deque[_Segment] = deque([_segment(settled + 1)])
        self._lock = threading.Lock()

    def extend(self, first: int, sids: Sequence[int]) -> None:
        """Take the series of rows that stand in the log from position ``first`` on; known ones are passed over."""
        with self._lock:
            fresh = sids[max(0, self.known + 1 - first) :] if first <= self.known + 1 else ()
            while fresh:
                segment = self._segments[-1]
                room = segment.first + _SEGMENT_ROWS - self.known - 1
                if room <= 0:
                    self._segments.append(_segment(self.known + 1))
                    continue
                positions = segment.positions
                for position, sid in enumerate(fresh[:room], self.known + 1):
                    positions[sid].append(position)
                self.known += len(fresh[:room])
                fresh = fresh[room:]

    def forget(self, settled: int) -> None:
        """Let go of what is settled, as far as whole segments are."""
        with self._lock:
            if settled >= self.known:
                self.known = settled
                self._segments = deque([_segment(settled + 1)])
            while len(self._segments) > 1 and self._segments[1].first <= settled + 1:
                self._segments.popleft()
            self.floor = max(self.floor, self._segments[0].first - 1)

    def positions(self, sid: int, after: int, upto: int) -> array[int]:
        """Return the positions of a series' rows in (after, upto], ascending; raise ``Forgotten``."""
        found = array("q")
        with self._lock:
            if after < self.floor:
                raise Forgotten
            for segment in self._segments:
                part = segment.positions.get(sid)
                if part is not None:
                    found.extend(part[bisect_right(part, after) : bisect_right(part, upto)])
        return found

    def by_series(self, after: int, upto: int) -> Iterator[tuple[int, array[int]]]:
        """Yield each series with rows in (after, upto], by its number, with their positions."""
        with self._lock:
            sids = sorted({sid for segment in self._segments for sid in segment.positions})
        for sid in sids:
            positions = self.positions(sid, after, upto)
            if positions:
                yield sid, positions


class Newest:
    """The newest reading of every channel; nothing is kept before somebody asks for it."""

    def __init__(self) -> None:
        self.known: int | None = None
        """Rows up to this position are in it; None while it is not loaded."""
        self._by_channel: dict[str, Reading] = {}
        self._lock = threading.Lock()

    def load(self, known: int, readings: Iterable[Reading]) -> None:
        """Start with the newest readings as of position ``known``, where nothing later is known yet."""
        with self._lock:
            if self.known is None or known > self.known:
                self._by_channel = {}
                self._fold(readings)
                self.known = known

    def extend(self, first: int, readings: Sequence[Reading]) -> None:
        """Take readings that stand in the log from position ``first`` on; known ones are passed over."""
        with self._lock:
            if self.known is not None and first <= self.known + 1:
                self._fold(readings[self.known + 1 - first :])
                self.known = max(self.known, first + len(readings) - 1)

    def copy(self) -> dict[str, Reading]:
        """Return the newest reading by channel."""
        with self._lock:
            return self._by_channel.copy()

    def _fold(self, readings: Iterable[Reading]) -> None:
        kept = self._by_channel
        for reading in readings:
            other = kept.get(reading[0])
            if other is None or reading[1] > other[1] or (reading[1] == other[1] and _wins(reading, other)):
                kept[reading[0]] = reading


class Recent:
    """The last readings in order of arrival, for followers that keep up."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._parts: deque[tuple[int, Sequence[Reading]]] = deque()
        self._count = 0
        self._lock = threading.Lock()

    def append(self, first: int, readings: Sequence[Reading]) -> None:
        """Take the readings of one commit; the oldest leave."""
        with self._lock:
            self._parts.append((first, readings))
            self._count += len(readings)
            while self._count > self._capacity:
                self._count -= len(self._parts.popleft()[1])

    def after(self, position: int, limit: int) -> list[Reading] | None:
        """Return up to ``limit`` readings after a position, or None where the first of them has left."""
        with self._lock:
            if not self._parts or position + 1 < self._parts[0][0]:
                return None
            found: list[Reading] = []
            for first, readings in self._parts_from(position + 1):
                begin = max(0, position + 1 - first)
                found += readings[begin : begin + limit - len(found)]
                if len(found) >= limit:
                    break
            return found

    def _parts_from(self, position: int) -> Iterator[tuple[int, Sequence[Reading]]]:
        newest_first = []
        for part in reversed(self._parts):
            newest_first.append(part)
            if part[0] <= position:
                break
        return reversed(newest_first)


class SeriesNumbers:
    """Channel ids and their short numbers, in both directions."""

    def __init__(self) -> None:
        self.sids: dict[str, int] = {}
        self.channels: dict[int, str] = {}

    def add(self, pairs: Iterable[tuple[int, str]]) -> None:
        """Take (number, channel) pairs."""
        for sid, channel in pairs:
            self.channels[sid] = channel
            self.sids[channel] = sid


def _wins(reading: Reading, other: Reading) -> bool:
    return rank(*_ranked(reading)) < rank(*_ranked(other))


def _ranked(reading: Reading) -> tuple[float | None, int, int]:
    return reading.value, reading.quality, reading.received_at_ms
