"""The outbox's file: its layout, its opening after any kind of end, and what is saved from a damaged one."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

logger = logging.getLogger(__name__)

SEQ_GAP = 1_000
"""Numbers skipped at every opening: a disk that forgot its last writes must not give a number out twice."""

_LAYOUT = """
CREATE TABLE IF NOT EXISTS life(
    one INTEGER PRIMARY KEY CHECK (one = 1), epoch TEXT NOT NULL, next_seq INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS channel(
    id INTEGER PRIMARY KEY, name TEXT NOT NULL, unit TEXT NOT NULL, UNIQUE (name, unit)
);
CREATE TABLE IF NOT EXISTS batch(
    seq INTEGER PRIMARY KEY, newest_ms INTEGER NOT NULL, readings INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS reading(
    id INTEGER PRIMARY KEY, channel INTEGER NOT NULL, measured_at_ms INTEGER NOT NULL, value REAL,
    quality INTEGER NOT NULL, batch INTEGER
);
CREATE INDEX IF NOT EXISTS reading_waiting ON reading(measured_at_ms) WHERE batch IS NULL;
CREATE INDEX IF NOT EXISTS reading_batched ON reading(batch) WHERE batch IS NOT NULL;
"""


def open_database(path: Path, new_epoch: Callable[[], str]) -> tuple[sqlite3.Connection, str]:
    """Return a connection to the outbox in this file, and its epoch; a damaged file is replaced first."""
    try:
        return _open(path, new_epoch)
    except sqlite3.OperationalError:
        raise  # locked, read-only, no space: nothing is wrong with the file
    except sqlite3.DatabaseError as error:
        return _replace(path, new_epoch, error)


def _open(path: Path, new_epoch: Callable[[], str]) -> tuple[sqlite3.Connection, str]:
    connection = _connect(path)
    try:
        _check(connection)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA journal_size_limit = 4194304")
        connection.executescript(f"BEGIN IMMEDIATE; {_LAYOUT} COMMIT;")
        connection.execute("INSERT OR IGNORE INTO life VALUES (1, ?, 1)", (new_epoch(),))
        (epoch,) = connection.execute("UPDATE life SET next_seq = next_seq + ? RETURNING epoch", (SEQ_GAP,)).fetchone()
    except BaseException:
        connection.close()
        raise
    return connection, str(epoch)


def _check(connection: sqlite3.Connection) -> None:
    (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if verdict != "ok":
        raise sqlite3.DatabaseError(verdict)


def _connect(path: Path) -> sqlite3.Connection:
    # The outbox has its own lock, and lets worker threads take turns.
    return sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5.0)


def _replace(path: Path, new_epoch: Callable[[], str], damage: Exception) -> tuple[sqlite3.Connection, str]:
    aside = _set_aside(path)
    connection, epoch = _open(path, new_epoch)
    saved = 0
    connection.execute("BEGIN IMMEDIATE")
    for name, unit, at, value, quality in _readable(aside):
        connection.execute("INSERT OR IGNORE INTO channel(name, unit) VALUES (?, ?)", (name, unit))
        connection.execute(
            "INSERT INTO reading(channel, measured_at_ms, value, quality)"
            " SELECT id, ?, ?, ? FROM channel WHERE name = ? AND unit = ?",
            (at, value, quality, name, unit),
        )
        saved += 1
    connection.execute("COMMIT")
    logger.error("outbox %s was damaged (%s); kept as %s, readings saved from it: %d", path, damage, aside, saved)
    return connection, epoch


def _set_aside(path: Path) -> Path:
    """Rename the file and its write-ahead log, never onto an earlier damaged one."""
    number = 1
    while (aside := path.with_name(f"{path.name}.damaged-{number}")).exists():
        number += 1
    for suffix in ("-wal", "-shm", ""):
        part = path.with_name(path.name + suffix)
        if part.exists():
            part.rename(aside.with_name(aside.name + suffix))
    return aside


Row = tuple[str, str, int, float | None, int]


def _readable(damaged: Path) -> Iterator[Row]:
    """Yield what can be read from both ends of a damaged file towards the damage."""
    connection = _connect(damaged)
    highest = -1
    try:
        for row_id, *row in _until_damage(connection.execute(_ROWS_ASCENDING), damaged):
            highest = row_id
            yield tuple(row)
        for row_id, *row in _until_damage(connection.execute(_ROWS_DESCENDING), damaged):
            if row_id <= highest:
                return
            yield tuple(row)
    except sqlite3.DatabaseError as error:
        logger.warning("nothing can be read from the damaged outbox %s: %s", damaged, error)
    finally:
        connection.close()


def _until_damage(rows: sqlite3.Cursor, damaged: Path) -> Iterator[Any]:
    try:
        yield from rows
    except sqlite3.DatabaseError as error:
        logger.warning("reading the damaged outbox %s stopped: %s", damaged, error)


_ROWS_ASCENDING = """
SELECT reading.id, name, unit, measured_at_ms, value, quality FROM reading NOT INDEXED
JOIN channel ON channel.id = reading.channel ORDER BY reading.id
"""
_ROWS_DESCENDING = _ROWS_ASCENDING + "DESC"
