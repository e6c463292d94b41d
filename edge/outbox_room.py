"""Room for new readings: what the outbox may take of the disk, and what gives way when that is used up.

The oldest raw readings are thinned first, then thinned ones once more; only what was thinned as far as it goes is
dropped, the oldest first. Both are counted and told.
"""

from __future__ import annotations

import logging
import os
import shutil
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from domain.reading import Sample
from edge.keeping_settings import KeepSettings
from edge.outbox_chunks import SeriesName, cut, pack, unpack
from edge.outbox_file import LOG_PAGES, PAGE_BYTES
from edge.thinning import INTERVALS_MS, thin

logger = logging.getLogger(__name__)

LEAST_BYTES = 1_000_000
"""The outbox may always have this much: about two days of 20 channels a minute."""
LOG_BYTES = LOG_PAGES * PAGE_BYTES
RESERVE_BYTES = 2 * LOG_BYTES
"""Held in a file of its own and let go when the disk is full: thinning needs room too."""
LEAST_RESERVE_BYTES = LOG_BYTES // 16
"""Enough to open the file on a full disk."""
_UNLIMITED_PAGES = 1_073_741_823
_BLOCK_CHUNKS = 64
_BLOCK_READINGS = 4_000
_MOST_BLOCKS = 32
"""At most so much work for one round of readings."""


class Given(NamedTuple):
    """What gave way: readings by how, and what no longer travels under its number."""

    thinned: int = 0
    dropped: int = 0
    chunks_gone: int = 0
    batches: frozenset[int] = frozenset()
    """Their numbers must not be used again; the caller takes them from the chunks that are left."""


def allowed_bytes(settings: KeepSettings, *, file_bytes: int, free_bytes: int) -> int:
    """Return how large the outbox may be, while the disk has this much space left.

    A disk that others have filled stops its growth; it does not cost readings that are kept already.
    """
    may_grow_to = file_bytes + max(0, free_bytes - settings.leave_free_bytes)
    return min(settings.max_bytes - LOG_BYTES - RESERVE_BYTES, max(LEAST_BYTES, may_grow_to))


def reserve_of(path: Path) -> Path:
    """Return the file that holds the reserve of the outbox in ``path``."""
    return path.with_name(f"{path.name}.reserve")


def hold_reserve(reserve: Path, size_bytes: int) -> bool:
    """Set so much space aside; tell whether the disk has it."""
    try:
        descriptor = os.open(reserve, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o600)
        try:
            os.posix_fallocate(descriptor, 0, size_bytes)
        finally:
            os.close(descriptor)
    except OSError as error:
        logger.info("no space is held in reserve: %s", error)
        release_reserve(reserve)
        return False
    return True


def release_reserve(reserve: Path) -> bool:
    """Let go of the space that was set aside; tell whether there was any."""
    try:
        reserve.unlink()
    except OSError:
        return False
    return True


class Room:
    """Looks after the size of one outbox; the caller holds the lock, and the transaction where one is needed."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        path: Path,
        settings: KeepSettings,
        *,
        most_in_chunk: int,
        series: Mapping[int, SeriesName],
        series_of: Callable[[SeriesName], int],
        free_bytes: Callable[[Path], int] = lambda folder: shutil.disk_usage(folder).free,
    ) -> None:
        self._connection = connection
        self._folder = path.parent
        self._reserve = reserve_of(path)
        self._holds_reserve = False
        self._settings = settings
        self._most_in_chunk = most_in_chunk
        self._series, self._series_of = series, series_of
        self._free_bytes = free_bytes
        self._thinned_up_to = [0] * len(INTERVALS_MS)

    def used_bytes(self) -> int:
        """Return the size of what is in the file, without the room that deleted readings left."""
        return (self._pragma("page_count") - self._pragma("freelist_count")) * PAGE_BYTES

    def missing_bytes(self, needed_bytes: int) -> int:
        """Return by how much the outbox would be too large with this much more in it; 0 or less where it fits."""
        file_bytes = self._pragma("page_count") * PAGE_BYTES
        free_bytes = self._free_bytes(self._folder)
        allowed = allowed_bytes(self._settings, file_bytes=file_bytes, free_bytes=free_bytes)
        return self.used_bytes() + needed_bytes - allowed

    def make(self, needed_bytes: int, *, most_blocks: int = _MOST_BLOCKS) -> Given:
        """Thin, and at last drop, until there is room for so many bytes, or as much as may be done at once."""
        given = Given()
        for _ in range(most_blocks):
            if self.missing_bytes(needed_bytes) <= 0:
                break
            block = self.give_way()
            if block is None:
                break
            given = total([given, block])
        return given

    def give_way(self) -> Given | None:
        """Thin or drop one block of the oldest readings; None where there is nothing left."""
        for _ in range(2):
            for level, interval_ms in enumerate(INTERVALS_MS):
                if rows := self._oldest(level, self._thinned_up_to[level]):
                    return self._thin(rows, level, interval_ms)
            self._thinned_up_to = [0] * len(INTERVALS_MS)
        rows = self._oldest(len(INTERVALS_MS), 0)
        return self._drop(rows) if rows else None

    def hold_reserve(self) -> None:
        """Set aside the space that thinning needs, as long as the disk has more than enough; the file may grow then."""
        if self._holds_reserve or self._free_bytes(self._folder) < 2 * RESERVE_BYTES:
            return
        self._holds_reserve = hold_reserve(self._reserve, RESERVE_BYTES)
        if self._holds_reserve:
            self._connection.execute(f"PRAGMA max_page_count = {_UNLIMITED_PAGES}")

    def release_reserve(self) -> bool:
        """Let go of the space that was set aside, to bring the file in order with it; tell whether there was any.

        From then on the file keeps its size: pages that others leave no room for would block the write-ahead log.
        """
        if not release_reserve(self._reserve):
            return False
        self._holds_reserve = False
        self.empty_log()
        self._connection.execute(f"PRAGMA max_page_count = {self._pragma('page_count')}")
        return True

    def empty_log(self) -> None:
        """Write what stands in the log into the file, so that the log begins anew in the space that it has."""
        self._connection.execute("PRAGMA wal_checkpoint(RESTART)")

    def leave_reserve(self) -> None:
        """Set aside what closing the file gave back, so that it can be opened again."""
        if not self._reserve.exists():
            hold_reserve(self._reserve, LEAST_RESERVE_BYTES)

    def _pragma(self, name: str) -> int:
        return int(self._connection.execute(f"PRAGMA {name}").fetchone()[0])

    def _oldest(self, level: int, after: int) -> list[_Row]:
        """Return a block of neighbours of one boot, the oldest of those that were thinned so often."""
        found = self._connection.execute(
            "SELECT id, boot, first_ms, readings, batch, content FROM chunk WHERE level = ? AND id > ?"
            " ORDER BY id LIMIT ?",
            (level, after, _BLOCK_CHUNKS),
        )
        rows: list[_Row] = []
        readings = 0
        for row in map(_Row._make, found):
            if rows and (row.boot != rows[0].boot or readings + row.readings > _BLOCK_READINGS):
                break
            rows.append(row)
            readings += row.readings
        return rows

    def _thin(self, rows: Sequence[_Row], level: int, interval_ms: int) -> Given:
        samples: list[Sample] = []
        for row in rows:
            samples += unpack(row.first_ms, row.content, self._series)
        kept = thin(samples, interval_ms)
        most = max(self._most_in_chunk, -(-len(kept) // len(rows)))
        chunks = [pack(part, self._series_of) for part in cut(kept, most)]
        if len(chunks) > len(rows):  # years in few readings: nothing to gain
            return self._leave(rows, level)
        self._delete(rows[len(chunks) :])  # first: what comes now needs pages, and there may be no others
        for row, chunk in zip(rows, chunks, strict=False):
            self._connection.execute(
                "UPDATE chunk SET first_ms = ?, newest_ms = ?, readings = ?, content = ?, level = ?,"
                " batch = NULL, offset_ms = NULL WHERE id = ?",
                (*chunk, level + 1, row.id),
            )
        self._thinned_up_to[level] = rows[-1].id
        return Given(len(samples) - len(kept), 0, len(rows) - len(chunks), _batches(rows))

    def _leave(self, rows: Sequence[_Row], level: int) -> Given:
        self._connection.executemany("UPDATE chunk SET level = ? WHERE id = ?", [(level + 1, row.id) for row in rows])
        self._thinned_up_to[level] = rows[-1].id
        return Given()

    def _drop(self, rows: Sequence[_Row]) -> Given:
        self._delete(rows)
        return Given(0, sum(row.readings for row in rows), len(rows), _batches(rows))

    def _delete(self, rows: Sequence[_Row]) -> None:
        self._connection.executemany("DELETE FROM chunk WHERE id = ?", [(row.id,) for row in rows])


class _Row(NamedTuple):
    id: int
    boot: int
    first_ms: int
    readings: int
    batch: int | None
    content: bytes


def _batches(rows: Sequence[_Row]) -> frozenset[int]:
    return frozenset(row.batch for row in rows if row.batch is not None)


def total(parts: Sequence[Given]) -> Given:
    """Return what gave way in all these steps."""
    return Given(
        sum(part.thinned for part in parts),
        sum(part.dropped for part in parts),
        sum(part.chunks_gone for part in parts),
        frozenset(batch for part in parts for batch in part.batches),
    )
