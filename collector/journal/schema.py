"""The file: tables, connections, version."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from collector.journal.errors import JournalDamaged, JournalMissing, JournalTooNew, JournalTooOld, translated

FILE_NAME = "journal.sqlite"

_BUSY_MS = 5_000
_WRITER_CACHE_KIB = 64 * 1024
_READER_CACHE_KIB = 8 * 1024
_MAPPED_BYTES = 256 * 1024 * 1024
_LARGEST_IDLE_LOG_BYTES = 64 * 1024 * 1024
# Pages; measured: 4,000 takes a quarter off the time of a commit against the default 1,000 and costs 16 MB of log.
_CHECKPOINT_PAGES = 4_000

_FIRST = """
CREATE TABLE meta(key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
-- sid: the short number of a channel. kept_from: raw readings before this moment were deleted by retention.
CREATE TABLE series(sid INTEGER PRIMARY KEY, channel TEXT NOT NULL UNIQUE, kept_from INTEGER NOT NULL DEFAULT 0);
-- Commit order. Rows leave when they are settled and every cursor has passed them.
CREATE TABLE log(
    position INTEGER PRIMARY KEY, ts INTEGER NOT NULL, sid INTEGER NOT NULL,
    value REAL, quality INTEGER NOT NULL, received INTEGER NOT NULL);
CREATE TABLE readings(
    sid INTEGER NOT NULL, ts INTEGER NOT NULL,
    value REAL, quality INTEGER NOT NULL, received INTEGER NOT NULL, PRIMARY KEY(sid, ts)) WITHOUT ROWID;
-- The newest settled reading of each series; outlives retention.
CREATE TABLE latest(
    sid INTEGER PRIMARY KEY, ts INTEGER NOT NULL, value REAL, quality INTEGER NOT NULL, received INTEGER NOT NULL);
CREATE TABLE rollup_hour(
    sid INTEGER NOT NULL, start INTEGER NOT NULL, total REAL NOT NULL, minimum REAL, maximum REAL,
    readings INTEGER NOT NULL, covered INTEGER NOT NULL, PRIMARY KEY(sid, start)) WITHOUT ROWID;
CREATE TABLE rollup_day(
    sid INTEGER NOT NULL, start INTEGER NOT NULL, total REAL NOT NULL, minimum REAL, maximum REAL,
    readings INTEGER NOT NULL, covered INTEGER NOT NULL, PRIMARY KEY(sid, start)) WITHOUT ROWID;
-- Hours whose roll-up no longer tells what is in readings.
CREATE TABLE dirty_hour(sid INTEGER NOT NULL, start INTEGER NOT NULL, PRIMARY KEY(sid, start)) WITHOUT ROWID;
CREATE TABLE cursor(name TEXT PRIMARY KEY, position INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE rejected(
    id INTEGER PRIMARY KEY, reason TEXT NOT NULL, received INTEGER NOT NULL,
    topic TEXT NOT NULL, node TEXT, detail TEXT NOT NULL, payload BLOB NOT NULL);
CREATE INDEX rejected_by_reason ON rejected(reason, id);
CREATE TABLE rejected_total(reason TEXT PRIMARY KEY, count INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO meta VALUES('schema_version', 0), ('settled', 0);
"""
_LETTERS_BY_SENDER = "CREATE INDEX rejected_by_sender ON rejected(reason, node, id);"
_ROLLUP_CHANGES = """
ALTER TABLE rollup_hour ADD COLUMN changed INTEGER NOT NULL DEFAULT 0;
ALTER TABLE rollup_day ADD COLUMN changed INTEGER NOT NULL DEFAULT 0;
CREATE INDEX rollup_hour_changed ON rollup_hour(changed) WHERE changed > 0;
CREATE INDEX rollup_day_changed ON rollup_day(changed) WHERE changed > 0;
INSERT INTO meta VALUES('rollup_changes', 0);
"""
_ARCHIVE = """
-- The files of the archive: one month each, of the channels from lower on and before upper (null: to the last).
-- The row comes before any reading it holds is deleted here; version changes with the list.
CREATE TABLE archive_part(
    month INTEGER NOT NULL, number INTEGER NOT NULL, lower TEXT NOT NULL, upper TEXT,
    PRIMARY KEY(month, number)) WITHOUT ROWID;
INSERT INTO meta VALUES('archive_version', 0);
"""
_LIMITS = """
-- Milliseconds of covered time below and above the limits in force, and of covered time in which any were in force.
ALTER TABLE rollup_hour ADD COLUMN below INTEGER NOT NULL DEFAULT 0;
ALTER TABLE rollup_hour ADD COLUMN above INTEGER NOT NULL DEFAULT 0;
ALTER TABLE rollup_hour ADD COLUMN judged INTEGER NOT NULL DEFAULT 0;
ALTER TABLE rollup_day ADD COLUMN below INTEGER NOT NULL DEFAULT 0;
ALTER TABLE rollup_day ADD COLUMN above INTEGER NOT NULL DEFAULT 0;
ALTER TABLE rollup_day ADD COLUMN judged INTEGER NOT NULL DEFAULT 0;
-- The limits by which roll-ups are judged, also of channels that have no series yet.
CREATE TABLE limits(
    channel TEXT NOT NULL, valid_from INTEGER NOT NULL, low REAL, high REAL,
    PRIMARY KEY(channel, valid_from)) WITHOUT ROWID;
-- Stored hours in [first, until) that were judged by other limits.
CREATE TABLE rejudge(channel TEXT PRIMARY KEY, first INTEGER NOT NULL, until INTEGER NOT NULL) WITHOUT ROWID;
"""
_MARKS = """
-- Stretches of the log that bring no news: 1 what is kept of contested moments, once more; 2 copied from another store.
CREATE TABLE marked(first INTEGER PRIMARY KEY, last INTEGER NOT NULL, mark INTEGER NOT NULL);
"""
STEPS = (_FIRST, _LETTERS_BY_SENDER, _ROLLUP_CHANGES, _ARCHIVE, _LIMITS, _MARKS)
"""What makes schema n + 1 out of schema n, from the empty file on. A step that was released is never changed."""
_ONE_MORE = "UPDATE meta SET value = value + 1 WHERE key = 'schema_version';"


def open_writer(folder: Path) -> sqlite3.Connection:
    """Return the connection of the one writer, with the tables made where they are missing."""
    path = folder / FILE_NAME
    with translated(path):
        connection = _connect(path, "rwc")
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            _durable(connection)
            connection.execute(f"PRAGMA wal_autocheckpoint={_CHECKPOINT_PAGES}")
            connection.execute(f"PRAGMA journal_size_limit={_LARGEST_IDLE_LOG_BYTES}")
            connection.execute(f"PRAGMA cache_size=-{_WRITER_CACHE_KIB}")
            _prepare(connection, path)
        except BaseException:
            connection.close()
            raise
    return connection


def open_reader(folder: Path) -> sqlite3.Connection:
    """Return a connection that cannot change anything."""
    path = folder / FILE_NAME
    if not path.exists():
        raise JournalMissing(f"there is no journal in {folder}")
    with translated(path):
        connection = _connect(path, "ro")
        try:
            connection.execute("PRAGMA query_only=1")
            connection.execute(f"PRAGMA mmap_size={_MAPPED_BYTES}")
            connection.execute(f"PRAGMA cache_size=-{_READER_CACHE_KIB}")
            _refuse_older(connection, path)
        except BaseException:
            connection.close()
            raise
    return connection


def open_for_cursors(folder: Path) -> sqlite3.Connection:
    """Return a connection for another process than the writer's, which moves its cursor and writes nothing else."""
    path = folder / FILE_NAME
    with translated(path):
        connection = _connect(path, "rw")
        _durable(connection)
    return connection


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}",
        uri=True,
        isolation_level=None,
        check_same_thread=False,  # closed by another thread than the one that used it
    )
    connection.execute(f"PRAGMA busy_timeout={_BUSY_MS}")
    return connection


def _durable(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA synchronous=FULL")


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    for version, step in enumerate(STEPS, start=1):
        if version > (_version(connection, path) if tables else 0):
            connection.executescript(f"BEGIN IMMEDIATE; {step} {_ONE_MORE} COMMIT;")
            tables = True
    # SQLite quietly opens for reading what it may not write, and tells at the first change: make one, keep none.
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("UPDATE meta SET value = value")
    connection.execute("ROLLBACK")


def _refuse_older(connection: sqlite3.Connection, path: Path) -> None:
    if _version(connection, path) < len(STEPS):
        raise JournalTooOld(f"{path} is of an older Vitals; start the service once, which brings it up to date")


def _version(connection: sqlite3.Connection, path: Path) -> int:
    try:
        row = connection.execute("SELECT value FROM meta WHERE key = 'schema_version'").fetchone()
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_ERROR:
            raise
        raise JournalDamaged(f"{path} is a database, but not a journal") from error
    if row is None or row[0] < 1:
        raise JournalDamaged(f"{path} does not say which schema it has")
    if row[0] > len(STEPS):
        raise JournalTooNew(
            f"{path} has schema {row[0]} and this version reads up to {len(STEPS)}: "
            "it was written by a newer Vitals; install that one"
        )
    return int(row[0])
