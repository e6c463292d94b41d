"""The outbox: what a node has measured and nobody has receipted yet, in one SQLite file that survives a pulled plug.

A reading is here from the moment ``put`` returns until a receipt names the batch it travelled in. A batch keeps its
number and its content for ever, also across restarts, so sending it again changes nothing at the other end.

Times are milliseconds on the timeline of this process: since 1970, or since the machine's start where ``open`` is told
of the boot. ``place`` says when that was.
"""

from __future__ import annotations

import logging
import secrets
import sqlite3
import struct
import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Self

from domain.errors import OperatorError
from domain.reading import Sample
from domain.senml_labels import ABSOLUTE_FROM_MS
from edge.keeping_settings import KeepSettings
from edge.outbox_boots import BootTimeline
from edge.outbox_contents import Contents, Outgoing
from edge.outbox_file import ABSOLUTE_BOOT, PAGE_BYTES, open_database
from edge.outbox_room import Given, Room, release_reserve, reserve_of, total

__all__ = ["CannotKeepError", "Outbox", "Outgoing"]

logger = logging.getLogger(__name__)

DEFAULT_BATCH_READINGS = 100
DEFAULT_LIVE_FOR_MS = 600_000
FORGET_AT_BATCHES = 16
"""Receipted batches are deleted together with the next readings, or when there are so many."""
_READING_BYTES = 20
_SLACK_BYTES = 128 * PAGE_BYTES
"""Made at once when room is short, so that not every round has to make some."""
_ATTEMPTS = 8
_BLOCKS_WHEN_FULL = 4
_FULL = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_SHMSIZE}


class CannotKeepError(OperatorError):
    """The disk does not take what it was given; nothing of it is kept, and trying again later may help."""

    retry = True


class Outbox:
    """Readings under way; every method blocks on the disk and may be called from any thread."""

    def __init__(self, connection: sqlite3.Connection, epoch: str, contents: Contents, room: Room) -> None:
        self._connection = connection
        self._lock = threading.Lock()
        self._contents, self._room = contents, room
        self._live_slots = 0
        self._is_stale = False
        self.epoch = epoch
        """Names this life of the database; a new file has a new one."""
        self._in_transaction(contents.note_ends)
        room.hold_reserve()

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        batch_readings: int = DEFAULT_BATCH_READINGS,
        live_for_ms: int = DEFAULT_LIVE_FOR_MS,
        keep: KeepSettings | None = None,
        timeline: BootTimeline | None = None,
        new_epoch: Callable[[], str] = lambda: secrets.token_hex(4),
    ) -> Self:
        """Open the outbox in this file, or begin a new one; raises ``OperatorError`` where that is impossible.

        A torn write-ahead log is cut where it tears. A file that is damaged otherwise is set aside, and what can still
        be read of it is carried over.
        """
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                connection, life = open_database(path, new_epoch)
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode not in _FULL or not release_reserve(reserve_of(path)):
                    raise
                connection, life = open_database(path, new_epoch)
            contents = Contents(
                connection, life, timeline=timeline, batch_readings=batch_readings, live_for_ms=live_for_ms
            )
            room = Room(
                connection,
                path,
                keep or KeepSettings(),
                most_in_chunk=batch_readings,
                series=contents.series,
                series_of=contents.number_of,
            )
            return cls(connection, life.epoch, contents, room)
        except (OSError, sqlite3.Error) as error:
            raise OperatorError(f"the outbox {path} cannot be opened: {error}") from error

    def close(self) -> None:
        """Close the file; what was put stays put."""
        with self._lock:
            try:
                self._forget_receipted()
            except (CannotKeepError, sqlite3.Error) as error:
                logger.warning("what was receipted last will be sent again: %s", error)
            self._connection.close()
            self._room.leave_reserve()

    def put(self, samples: Iterable[Sample]) -> None:
        """Keep these readings; when this returns they survive a power cut.

        Raises ``CannotKeepError`` where the disk is full or failing, and ``ValueError`` for a moment that no message
        can carry (before 1978-07-04T21:24:16Z, on the absolute timeline).
        """
        rows = list(samples)
        if not rows:
            return
        is_absolute = self._contents.boots.current == ABSOLUTE_BOOT
        if is_absolute and any(row.measured_at_ms < ABSOLUTE_FROM_MS for row in rows):
            raise ValueError("a reading from before 1978-07-04T21:24:16Z: the clock was not set")
        with self._lock:
            self._make_room(len(rows))
            self._write(lambda: self._contents.insert(rows, self._live_slots))
            self._contents.receipted.clear()
            self._room.hold_reserve()

    def next_batches(self, now_ms: int, window: int) -> list[Outgoing]:
        """Return what to have under way, most urgent first: live ones newest first, then backfill oldest first.

        At most ``window`` batches, of which half (rounded up) are kept for each lane. Batches are formed as the
        window has room: a live one of the newest readings, a backfill one of the oldest.
        """
        live_slots, backfill_slots = window - window // 2, window // 2
        with self._lock:
            contents = self._contents
            contents.now_ms, self._live_slots = now_ms, live_slots
            lanes = contents.lanes()
            if contents.index.unformed and (len(lanes.live) < live_slots or len(lanes.backfill) < backfill_slots):
                try:
                    self._write(lambda: contents.form(live_slots, backfill_slots))
                except CannotKeepError as error:
                    logger.warning("no new batch can be formed: %s", error)
                lanes = contents.lanes()
            chosen = lanes.live[:live_slots] + lanes.backfill[:backfill_slots]
            contents.unsent.difference_update(batch.seq for batch in chosen)
        return chosen

    def samples(self, seq: int, now_ms: int = 0) -> tuple[Sample, ...]:
        """Return the content of a batch in milliseconds since 1970; empty once it is receipted.

        It is always the same, except while nobody knows when the machine started: then times are relative to
        ``now_ms``, which is zero or less.
        """
        with self._lock:
            try:
                return tuple(self._contents.samples(seq, now_ms))
            except (KeyError, ValueError, struct.error) as error:
                logger.error("batch %d is damaged and cannot be sent: %r", seq, error)  # noqa: TRY400 - the traceback says nothing more
                self._contents.take_out([(seq, seq)])
                return ()

    def receipt(self, epoch: str, ranges: Iterable[Sequence[int]]) -> int:
        """Delete the batches that the ranges name, and return how many readings that were.

        Another epoch's receipt, or one that came before, deletes nothing. The disk is told together with the next
        readings: what is receipted and not yet deleted when the power fails is sent again.
        """
        if epoch != self.epoch:
            return 0
        with self._lock:
            deleted = self._contents.take_out(ranges)
            if len(self._contents.receipted) >= FORGET_AT_BATCHES:
                try:
                    self._forget_receipted()
                except CannotKeepError as error:
                    logger.warning("what was receipted cannot be deleted yet: %s", error)
            return deleted

    def depth(self) -> int:
        """Return how many readings wait, in batches or not."""
        return self._contents.index.depth

    def thinned(self) -> int:
        """Return how many readings gave way to the extremes of their interval, in this life of the outbox."""
        return self._contents.thinned

    def dropped(self) -> int:
        """Return how many readings were given up for want of space, in this life of the outbox."""
        return self._contents.dropped

    def oldest_ms(self) -> int | None:
        """Return the moment of what waits longest, as well as it is known; None where nothing waits."""
        with self._lock:
            return self._contents.oldest_ms()

    def place(self, offset_ms: int) -> None:
        """Say when the machine started, in milliseconds since 1970: readings that wait get their times by it.

        Readings of earlier boots whose clock was never trusted are placed as late as is possible, and are uncertain.
        Raises ``CannotKeepError``.
        """
        with self._lock:
            self._write(lambda: self._contents.place(offset_ms))

    def placed(self) -> int | None:
        """Return what ``place`` said of this boot, now or before a restart of the process."""
        boots = self._contents.boots
        return boots[boots.current].offset_ms

    def known_ms(self) -> int | None:
        """Return the latest moment that has certainly passed, in milliseconds since 1970; None where none is known."""
        offset_ms, latest_ms = self.placed(), self._contents.latest_ms
        if offset_ms is not None and latest_ms is not None:
            return latest_ms + offset_ms
        return self._contents.boots.known_ms()

    def note_lost(self, *, thinned: int, dropped: int) -> None:
        """Count readings that gave way before they came here; raises ``CannotKeepError``."""
        with self._lock:
            self._write(lambda: self._contents.count(thinned, dropped))

    def _make_room(self, readings: int) -> None:
        needed_bytes = readings * _READING_BYTES + PAGE_BYTES
        if self._room.missing_bytes(needed_bytes) <= 0:
            return
        self._forget_receipted()
        self._write(lambda: self._contents.give_up(self._room.make(needed_bytes + _SLACK_BYTES)))

    def _forget_receipted(self) -> None:
        if self._contents.receipted:
            self._write(self._contents.delete_receipted)
            self._contents.receipted.clear()

    def _write(self, work: Callable[[], None]) -> None:
        """Do the work in one transaction; on a full disk make room first, and try again."""
        for _ in range(_ATTEMPTS):
            try:
                self._in_transaction(work)
            except sqlite3.OperationalError as error:
                problem = error
                if error.sqlite_errorcode not in _FULL or not self._relieve():
                    break
            else:
                return
        raise CannotKeepError(f"the outbox cannot be written: {problem}") from problem

    def _relieve(self) -> bool:
        """Make room inside a file that cannot grow; tell whether that changed anything."""
        blocks: list[Given] = []
        try:
            if self._room.release_reserve():
                return True
            self._room.empty_log()
            self._in_transaction(lambda: blocks.extend(self._give_way()))
        except sqlite3.OperationalError as error:
            logger.warning("the disk is full, and nothing can be thinned: %s", error)
            return False
        return bool(blocks)

    def _give_way(self) -> list[Given]:
        self._contents.delete_receipted()
        blocks = [given for _ in range(_BLOCKS_WHEN_FULL) if (given := self._room.give_way()) is not None]
        self._contents.give_up(total(blocks))
        return blocks

    def _in_transaction(self, work: Callable[[], None]) -> None:
        if self._is_stale:
            self._contents.load()
            self._is_stale = False
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            work()
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            self._remember_what_is_there()
            raise

    def _remember_what_is_there(self) -> None:
        """Forget what was undone; nothing may travel under a number that is not in the file."""
        try:
            self._contents.load()
        except sqlite3.Error:
            self._is_stale = True
            self._contents.index.batches.clear()
