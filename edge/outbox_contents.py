"""What is in the outbox: its tables, and a summary of them in memory that is kept in step.

Whoever calls has the outbox's lock, and a transaction wherever something is written.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from domain.instant import MINUTE_MS
from domain.reading import Quality, Sample
from domain.topics import UpLane
from edge.outbox_boots import Boots, BootTimeline
from edge.outbox_chunks import SeriesName, cut, pack, unpack
from edge.outbox_file import ABSOLUTE_BOOT, SEQ_GAP, Life
from edge.outbox_index import Formed, Index, Piece, grouped
from edge.outbox_room import Given

logger = logging.getLogger(__name__)

FORMED_AHEAD = 8
"""Batches of old readings are formed several at a time: each time costs a write."""
SEEN_STEP_MS = 10 * MINUTE_MS
_MOST_LIVE_PIECES = 300
"""So far back live readings are looked for; old ones that are sent once more may have come after them."""
_PIECES = "SELECT id, boot, newest_ms, readings FROM chunk WHERE batch IS NULL"


class Outgoing(NamedTuple):
    """A batch that waits for its receipt."""

    seq: int
    lane: UpLane
    readings: int


class Lanes(NamedTuple):
    """The batches that exist: live ones newest first, the others in the order of their numbers."""

    live: list[Outgoing]
    backfill: list[Outgoing]


class Contents:
    """Chunks, batches, boots and series of one outbox."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        life: Life,
        *,
        timeline: BootTimeline | None,
        batch_readings: int,
        live_for_ms: int,
    ) -> None:
        self._connection = connection
        self._batch_readings, self._live_for_ms = batch_readings, live_for_ms
        self._last_seq, self._seq_end = life.next_seq - 1, life.next_seq
        self._skipped_to = 0
        self._series: dict[int, SeriesName] = {}
        self._series_numbers: dict[SeriesName, int] = {}
        self.boots = Boots(connection, timeline)
        self.now_ms = 0
        """When somebody last asked for batches, on the timeline of the current boot."""
        self.latest_ms: int | None = None
        """The moment of the newest reading that came in this process."""
        self.receipted: dict[int, Formed] = {}
        """What may be deleted and is not yet."""
        self.unsent: set[int] = set()
        """Batches that nobody was told of so far."""
        self.load()

    def load(self) -> None:
        """Read everything again."""
        rows = self._connection.execute("SELECT id, name, unit FROM series")
        self._series.clear()
        self._series.update((number, (name, unit)) for number, name, unit in rows)
        self._series_numbers = {name: number for number, name in self._series.items()}
        self.thinned: int
        self.dropped: int
        self.thinned, self.dropped = self._connection.execute("SELECT thinned, dropped FROM life").fetchone()
        self.boots.load()
        self.index = Index.load(self._connection)
        self.index.take_out((seq, seq) for seq in self.receipted)
        self.unsent.clear()
        self._skipped_to = 0

    @property
    def series(self) -> Mapping[int, SeriesName]:
        """Return the channels by the number that stands in chunks."""
        return self._series

    def number_of(self, name: SeriesName) -> int:
        """Return the number of a channel, and give it one where it has none."""
        number = self._series_numbers.get(name)
        if number is None:
            row = self._connection.execute("INSERT INTO series(name, unit) VALUES (?, ?) RETURNING id", name).fetchone()
            number = int(row[0])
            self._series_numbers[name], self._series[number] = number, name
        return number

    def insert(self, samples: Sequence[Sample], numbers_at_once: int) -> None:
        """Add readings of the current boot, and delete what is receipted.

        While less than so many batches are under way, the newest readings get their number now: it saves a write.
        """
        self.delete_receipted()
        pieces = [self._insert_chunk(part) for part in cut(samples, self._batch_readings)]
        self.index.unformed += len(pieces)
        self.index.depth += len(samples)
        newest_ms = max(piece.newest_ms for piece in pieces)
        self.latest_ms = newest_ms if self.latest_ms is None else max(newest_ms, self.latest_ms)
        self.boots.seen(self.boots.current, self.latest_ms, SEEN_STEP_MS)
        room = numbers_at_once - len(self.index.batches)
        for piece in reversed(pieces[-room:] if room > 0 else []):
            if self._is_live(piece.boot, piece.newest_ms):
                self._give_number([piece])

    def form(self, live_slots: int, backfill_slots: int) -> None:
        """Form batches until each lane has so many, and backfill some more."""
        if self.boots.current == ABSOLUTE_BOOT and self.boots.held():
            self.boots.estimate(before_ms=self.now_ms)
        lanes = self.lanes()
        if (live := live_slots - len(lanes.live)) > 0:
            self._form_groups(self._newest_live(), live)
        if (backfill := backfill_slots - len(lanes.backfill)) > 0:
            self._form_groups(self._oldest_sendable(), backfill + FORMED_AHEAD)

    def lanes(self) -> Lanes:
        """Return the batches by lane, without those of boots that ended before anybody knew their time."""
        held = set(self.boots.held())
        live: list[tuple[int, Outgoing]] = []
        backfill: list[Outgoing] = []
        for seq, formed in self.index.batches.items():
            if formed.boot in held:
                continue  # an age counts from now in its own boot only
            age_ms = self.boots.age_ms(formed.boot, formed.newest_ms, self.now_ms)
            if age_ms is not None and age_ms <= self._live_for_ms:
                live.append((age_ms, Outgoing(seq, UpLane.LIVE, formed.readings)))
            else:
                backfill.append(Outgoing(seq, UpLane.BACKFILL, formed.readings))
        return Lanes([batch for _, batch in sorted(live)], backfill)

    def samples(self, seq: int, now_ms: int) -> Iterator[Sample]:
        """Yield what a batch consists of, if it waits; raises what ``unpack`` raises."""
        formed = self.index.batches.get(seq)
        if formed is None:
            return
        boot = self.boots[formed.boot]
        for chunk in formed.chunks:
            first_ms, offset_ms, content = self._connection.execute(
                "SELECT first_ms, offset_ms, content FROM chunk WHERE id = ?", (chunk,)
            ).fetchone()
            known_ms = boot.offset_ms if offset_ms is None else offset_ms
            shift_ms = -now_ms if known_ms is None else known_ms
            for sample in unpack(first_ms + shift_ms, content, self._series):
                doubtful = boot.estimated and sample.quality is Quality.GOOD
                yield sample._replace(quality=Quality.UNCERTAIN) if doubtful else sample

    def take_out(self, ranges: Iterable[Sequence[int]]) -> int:
        """Forget the batches that the ranges name, and return how many readings that were."""
        gone = self.index.take_out(ranges)
        self.receipted.update(gone)
        return sum(formed.readings for formed in gone.values())

    def delete_receipted(self) -> None:
        """Delete what was taken out; the caller clears ``receipted`` once that is certain."""
        for formed in self.receipted.values():
            self.boots.seen(formed.boot, formed.newest_ms, SEEN_STEP_MS)
            self._connection.executemany("DELETE FROM chunk WHERE id = ?", [(chunk,) for chunk in formed.chunks])

    def give_up(self, given: Given) -> None:
        """Keep the counts in step with what was thinned and dropped; batches that changed lose their number."""
        self.count(given.thinned, given.dropped)
        self._dissolve(given.batches)
        self.index.unformed -= given.chunks_gone
        self.index.depth -= given.thinned + given.dropped

    def count(self, thinned: int, dropped: int) -> None:
        """Count what was lost, and say so."""
        if not thinned and not dropped:
            return
        self.thinned += thinned
        self.dropped += dropped
        self._connection.execute("UPDATE life SET thinned = ?, dropped = ?", (self.thinned, self.dropped))
        text = "no room: %d readings gave way to the extremes of their intervals, %d were given up"
        logger.warning(text, thinned, dropped)

    def place(self, offset_ms: int) -> None:
        """Note when the current boot began; batches that nobody was told of are formed anew."""
        self._dissolve(self.unsent & self.index.batches.keys())
        self.boots.place(offset_ms)

    def note_ends(self) -> None:
        """Note how long the boots lasted of which something waits, and forget the others in time."""
        self.boots.forget_old(set(self.index.ends))
        for boot, newest_ms in self.index.ends.items():
            self.boots.seen(boot, newest_ms, 1)

    def oldest_ms(self) -> int | None:
        """Return the moment of what waits longest, as well as it is known; None where nothing waits."""
        gone = {chunk for formed in self.receipted.values() for chunk in formed.chunks}
        for number, boot, first_ms in self._connection.execute("SELECT id, boot, first_ms FROM chunk ORDER BY id"):
            if number not in gone:
                return self.boots.shown_ms(boot, first_ms)
        return None

    def _dissolve(self, batches: Iterable[int]) -> None:
        """Take their numbers away for ever; what is left of them will travel under new ones."""
        for seq in batches:
            chunks = self.index.batches.pop(seq).chunks
            self.index.unformed += len(chunks)
            self._connection.executemany(
                "UPDATE chunk SET batch = NULL, offset_ms = NULL WHERE id = ?", [(chunk,) for chunk in chunks]
            )
        self._skipped_to = 0

    def _insert_chunk(self, samples: Sequence[Sample]) -> Piece:
        chunk, boot = pack(samples, self.number_of), self.boots.current
        (number,) = self._connection.execute(
            "INSERT INTO chunk(boot, first_ms, newest_ms, readings, level, content) VALUES (?, ?, ?, ?, 0, ?)"
            " RETURNING id",
            (boot, *chunk),
        ).fetchone()
        return Piece(number, boot, chunk.newest_ms, chunk.readings)

    def _form_groups(self, pieces: Iterable[Piece], most: int) -> None:
        for group in [group for _, group in zip(range(most), grouped(pieces, self._batch_readings), strict=False)]:
            self._give_number(group)

    def _newest_live(self) -> Iterator[Piece]:
        rows = self._connection.execute(f"{_PIECES} ORDER BY id DESC LIMIT ?", (_MOST_LIVE_PIECES,))
        for piece in map(Piece._make, rows):
            if self._is_live(piece.boot, piece.newest_ms):
                yield piece

    def _oldest_sendable(self) -> Iterator[Piece]:
        held = set(self.boots.held())
        first = True
        for piece in map(
            Piece._make, self._connection.execute(f"{_PIECES} AND id >= ? ORDER BY id", (self._skipped_to,))
        ):
            if piece.boot in held:
                continue
            if first:
                # What lies before is not looked at again until somebody knows its time.
                self._skipped_to, first = piece.id, False
            if not self._is_live(piece.boot, piece.newest_ms):
                yield piece

    def _is_live(self, boot: int, newest_ms: int) -> bool:
        age_ms = self.boots.age_ms(boot, newest_ms, self.now_ms)
        return age_ms is not None and age_ms <= self._live_for_ms

    def _give_number(self, pieces: Sequence[Piece]) -> None:
        seq = self._next_seq()
        offset_ms = self.boots[pieces[0].boot].offset_ms
        self._connection.executemany(
            "UPDATE chunk SET batch = ?, offset_ms = ? WHERE id = ?", [(seq, offset_ms, piece.id) for piece in pieces]
        )
        self.index.form(seq, pieces)
        self.unsent.add(seq)

    def _next_seq(self) -> int:
        if self._last_seq + 1 >= self._seq_end:
            self._connection.execute("UPDATE life SET next_seq = ?", (self._seq_end + SEQ_GAP,))
            self._seq_end += SEQ_GAP
        self._last_seq += 1
        return self._last_seq
