"""The outbox's file: its layout, its opening after any kind of end, and what is saved from a damaged one."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

logger = logging.getLogger(__name__)

SEQ_GAP = 1_000
"""Numbers set aside at every opening: a disk that forgot its last writes must not give a number out twice."""
PAGE_BYTES = 1024
"""Small pages wear flash less: a round of readings changes one or two (benchmarks/edge_outbox.py)."""
LOG_PAGES = 1024
"""The write-ahead log is emptied into the file at this many pages, and keeps its place on the disk."""

_VERSION = 2
_LAYOUT = f"""
CREATE TABLE IF NOT EXISTS life(
    one INTEGER PRIMARY KEY CHECK (one = 1), epoch TEXT NOT NULL, next_seq INTEGER NOT NULL,
    thinned INTEGER NOT NULL DEFAULT 0, dropped INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS series(
    id INTEGER PRIMARY KEY, name TEXT NOT NULL, unit TEXT NOT NULL, UNIQUE (name, unit)
);
CREATE TABLE IF NOT EXISTS boot(
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, offset_ms INTEGER, estimated INTEGER NOT NULL DEFAULT 0,
    last_ms INTEGER
);
CREATE TABLE IF NOT EXISTS chunk(
    id INTEGER PRIMARY KEY, boot INTEGER NOT NULL, first_ms INTEGER NOT NULL, newest_ms INTEGER NOT NULL,
    readings INTEGER NOT NULL, level INTEGER NOT NULL, batch INTEGER, offset_ms INTEGER, content BLOB NOT NULL
);
PRAGMA user_version = {_VERSION};
"""
# boot.offset_ms: what has to be added to a chunk's times for milliseconds since 1970; null while nobody knows.
# chunk.batch: the number it travels under; chunk.offset_ms: the boot's offset when that number was given.
# chunk.level: how often it was thinned. Chunks are numbered in the order of their times within a boot.

ABSOLUTE_BOOT = 0
"""The timeline of readings that come with milliseconds since 1970."""


class Life(NamedTuple):
    """What an opened file says of itself."""

    epoch: str
    next_seq: int
    thinned: int
    dropped: int


def open_database(path: Path, new_epoch: Callable[[], str]) -> tuple[sqlite3.Connection, Life]:
    """Return a connection to the outbox in this file, and its life; a damaged file is replaced first."""
    try:
        return _open(path, new_epoch)
    except sqlite3.OperationalError:
        raise  # locked, read-only, no space: nothing is wrong with the file
    except sqlite3.DatabaseError as error:
        return _replace(path, new_epoch, error)


def _open(path: Path, new_epoch: Callable[[], str]) -> tuple[sqlite3.Connection, Life]:
    connection = _connect(path)
    try:
        _check(connection)
        connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA wal_autocheckpoint = {LOG_PAGES}")
        connection.execute(f"PRAGMA journal_size_limit = {2 * LOG_PAGES * PAGE_BYTES}")
        if _version(connection) != _VERSION:
            connection.executescript(f"BEGIN IMMEDIATE; {_LAYOUT} COMMIT;")
        connection.execute(
            "INSERT OR IGNORE INTO boot(id, name, offset_ms) VALUES (?, 'absolute', 0)", (ABSOLUTE_BOOT,)
        )
        connection.execute("INSERT OR IGNORE INTO life(one, epoch, next_seq) VALUES (1, ?, 1)", (new_epoch(),))
        life = connection.execute(
            "UPDATE life SET next_seq = next_seq + ? RETURNING epoch, next_seq, thinned, dropped", (SEQ_GAP,)
        ).fetchone()
    except BaseException:
        connection.close()
        raise
    return connection, Life(*life)


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _check(connection: sqlite3.Connection) -> None:
    (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if verdict != "ok":
        raise sqlite3.DatabaseError(verdict)
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if _version(connection) != _VERSION and tables:
        raise sqlite3.DatabaseError(f"layout {_version(connection)} instead of {_VERSION}")


def _connect(path: Path) -> sqlite3.Connection:
    # The outbox has its own lock, and lets worker threads take turns.
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5.0)
    # Nobody else has business here; and without others no shared memory is needed, which is a file of its own.
    connection.execute("PRAGMA locking_mode = EXCLUSIVE")
    return connection


def _replace(path: Path, new_epoch: Callable[[], str], damage: Exception) -> tuple[sqlite3.Connection, Life]:
    aside = _set_aside(path)
    connection, life = _open(path, new_epoch)
    connection.execute("BEGIN IMMEDIATE")
    saved = _carry_over(aside, connection)
    connection.execute("COMMIT")
    logger.error("outbox %s was damaged (%s); kept as %s, readings saved from it: %d", path, damage, aside, saved)
    return connection, life


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


_SERIES = "SELECT id, name, unit FROM series NOT INDEXED"
_BOOTS = "SELECT id, name, offset_ms, estimated, last_ms FROM boot NOT INDEXED"
_CHUNKS = "SELECT id, boot, first_ms, newest_ms, readings, level, content FROM chunk ORDER BY id"


def _carry_over(damaged: Path, connection: sqlite3.Connection) -> int:
    """Copy what can be read of a damaged file, without its batches, whose numbers belong to another epoch."""
    source = _connect(damaged)
    try:
        connection.executemany("INSERT OR IGNORE INTO series VALUES (?, ?, ?)", _until_damage(source, _SERIES))
        connection.executemany("INSERT OR IGNORE INTO boot VALUES (?, ?, ?, ?, ?)", _until_damage(source, _BOOTS))
        for row in _from_both_ends(source):
            connection.execute("INSERT INTO chunk VALUES (?, ?, ?, ?, ?, ?, NULL, NULL, ?)", row)
    finally:
        source.close()
    # Chunks whose boot could not be read: nothing is known of its clock.
    connection.execute("INSERT OR IGNORE INTO boot(id, name) SELECT DISTINCT boot, 'lost-' || boot FROM chunk")
    return int(connection.execute("SELECT ifnull(sum(readings), 0) FROM chunk").fetchone()[0])


def _from_both_ends(source: sqlite3.Connection) -> Iterator[Any]:
    """Yield the chunks from both ends of the file towards the damage."""
    highest = -1
    for row in _until_damage(source, _CHUNKS):
        highest = row[0]
        yield row
    for row in _until_damage(source, _CHUNKS + " DESC"):
        if row[0] <= highest:
            return
        yield row


def _until_damage(source: sqlite3.Connection, query: str) -> Iterator[Any]:
    try:
        yield from source.execute(query)
    except sqlite3.DatabaseError as error:
        logger.warning("reading the damaged outbox stopped: %s", error)
