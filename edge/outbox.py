"""The outbox: what a node has measured and nobody has receipted yet, in one SQLite file that survives a pulled plug.

A reading is here from the moment ``put`` returns until a receipt names the batch it travelled in. A batch keeps its
number and its content for ever, also across restarts, so sending it again changes nothing at the other end.
"""

from __future__ import annotations

import logging
import secrets
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, Self

from domain.errors import OperatorError
from domain.reading import Quality, Sample
from domain.senml_labels import ABSOLUTE_FROM_MS
from domain.topics import UpLane
from edge.outbox_file import open_database

logger = logging.getLogger(__name__)

DEFAULT_BATCH_READINGS = 100
DEFAULT_LIVE_FOR_MS = 600_000


class Outgoing(NamedTuple):
    """A batch that waits for its receipt; ``Outbox.samples`` has its content."""

    seq: int
    lane: UpLane
    readings: int


class Outbox:
    """Readings under way; every method blocks on the disk and may be called from any thread."""

    def __init__(self, connection: sqlite3.Connection, epoch: str, *, batch_readings: int, live_for_ms: int) -> None:
        self._connection = connection
        self._lock = threading.Lock()
        self._batch_readings = batch_readings
        self._live_for_ms = live_for_ms
        self.epoch = epoch
        """Names this life of the database; a new file has a new one."""

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        batch_readings: int = DEFAULT_BATCH_READINGS,
        live_for_ms: int = DEFAULT_LIVE_FOR_MS,
        new_epoch: Callable[[], str] = lambda: secrets.token_hex(4),
    ) -> Self:
        """Open the outbox in this file, or begin a new one; raises ``OperatorError`` where that is impossible.

        A torn write-ahead log is cut where it tears. A file that is damaged otherwise is set aside, and what can still
        be read of it is carried over.
        """
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            connection, epoch = open_database(path, new_epoch)
        except (OSError, sqlite3.Error) as error:
            raise OperatorError(f"the outbox {path} cannot be opened: {error}") from error
        return cls(connection, epoch, batch_readings=batch_readings, live_for_ms=live_for_ms)

    def close(self) -> None:
        """Close the file; what was put stays put."""
        with self._lock:
            self._connection.close()

    def put(self, samples: Iterable[Sample]) -> None:
        """Keep these readings; when this returns they survive a power cut.

        Raises ``ValueError`` for a moment that no message can carry (before 1978-07-04T21:24:16Z).
        """
        rows = list(samples)
        if any(row.measured_at_ms < ABSOLUTE_FROM_MS for row in rows):
            raise ValueError("a reading from before 1978-07-04T21:24:16Z: the clock was not set")
        with self._transaction() as connection:
            connection.executemany(
                "INSERT OR IGNORE INTO channel(name, unit) VALUES (?, ifnull(?, ''))",
                {(row.name, row.unit) for row in rows},
            )
            connection.executemany(
                "INSERT INTO reading(channel, measured_at_ms, value, quality) SELECT id, ?2, ?3, ?4 FROM channel"
                " WHERE name = ?1 AND unit = ifnull(?5, '')",
                rows,
            )

    def next_batches(self, now_ms: int, window: int) -> list[Outgoing]:
        """Return what to have under way, most urgent first: live ones newest first, then backfill oldest first.

        At most ``window`` batches, of which half (rounded up) are kept for each lane. Batches are formed as the
        window has room: a live one of the newest readings, a backfill one of the oldest.
        """
        live_slots, backfill_slots = window - window // 2, window // 2
        live_from_ms = now_ms - self._live_for_ms
        with self._transaction() as connection:
            batches = _batches(connection, live_from_ms)
            live = [batch for batch in batches if batch.lane is UpLane.LIVE]
            backfill = [batch for batch in batches if batch.lane is UpLane.BACKFILL]
            while len(live) < live_slots and (formed := self._form(connection, UpLane.LIVE, live_from_ms)):
                live.append(formed)
            while len(backfill) < backfill_slots and (formed := self._form(connection, UpLane.BACKFILL, live_from_ms)):
                backfill.append(formed)
        return live[:live_slots] + backfill[:backfill_slots]

    def samples(self, seq: int) -> tuple[Sample, ...]:
        """Return the content of a batch, always the same; empty once it is receipted."""
        with self._lock:
            rows = self._connection.execute(
                "SELECT name, measured_at_ms, value, quality, nullif(unit, '') FROM reading JOIN channel"
                " ON channel.id = reading.channel WHERE batch = ? ORDER BY measured_at_ms, reading.id",
                (seq,),
            )
            return tuple(Sample(name, at, value, Quality(quality), unit) for name, at, value, quality, unit in rows)

    def receipt(self, epoch: str, ranges: Iterable[Sequence[int]]) -> int:
        """Delete the batches that the ranges name, and return how many readings that were.

        Another epoch's receipt, or one that came before, deletes nothing.
        """
        if epoch != self.epoch:
            return 0
        deleted = 0
        with self._transaction() as connection:
            for first, last in ranges:
                deleted += connection.execute("DELETE FROM reading WHERE batch BETWEEN ? AND ?", (first, last)).rowcount
                connection.execute("DELETE FROM batch WHERE seq BETWEEN ? AND ?", (first, last))
        return deleted

    def depth(self) -> int:
        """Return how many readings wait, in batches or not."""
        with self._lock:
            (count,) = self._connection.execute("SELECT count(*) FROM reading").fetchone()
            return int(count)

    def oldest_ms(self) -> int | None:
        """Return the moment of the oldest reading that waits; None where nothing does."""
        with self._lock:
            # Two questions, for each of which there is an index.
            rows = self._connection.execute(
                "SELECT min(measured_at_ms) FROM reading WHERE batch IS NULL"
                " UNION ALL SELECT min(measured_at_ms) FROM reading WHERE batch IS NOT NULL"
            )
            return min((oldest for (oldest,) in rows if oldest is not None), default=None)

    def _form(self, connection: sqlite3.Connection, lane: UpLane, live_from_ms: int) -> Outgoing | None:
        newest_first = "measured_at_ms >= ? ORDER BY measured_at_ms DESC, id DESC"
        oldest_first = "measured_at_ms < ? ORDER BY measured_at_ms, id"
        order = newest_first if lane is UpLane.LIVE else oldest_first
        chosen = connection.execute(
            f"SELECT id, measured_at_ms FROM reading WHERE batch IS NULL AND {order} LIMIT ?",  # noqa: S608 - two constants
            (live_from_ms, self._batch_readings),
        ).fetchall()
        if not chosen:
            return None
        seq = connection.execute(
            "INSERT INTO batch(seq, newest_ms, readings) SELECT next_seq, ?, ? FROM life RETURNING seq",
            (max(at for _, at in chosen), len(chosen)),
        ).fetchone()[0]
        connection.execute("UPDATE life SET next_seq = next_seq + 1")
        connection.executemany("UPDATE reading SET batch = ? WHERE id = ?", [(seq, row) for row, _ in chosen])
        return Outgoing(seq, lane, len(chosen))

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")


def _batches(connection: sqlite3.Connection, live_from_ms: int) -> list[Outgoing]:
    """Return every batch without a receipt, live ones newest first, then the rest in the order they were formed."""
    rows = connection.execute(
        "SELECT seq, newest_ms >= ?1 AS live, readings FROM batch"
        " ORDER BY live DESC, CASE WHEN newest_ms >= ?1 THEN -newest_ms END, seq",
        (live_from_ms,),
    )
    return [Outgoing(seq, UpLane.LIVE if live else UpLane.BACKFILL, readings) for seq, live, readings in rows]
