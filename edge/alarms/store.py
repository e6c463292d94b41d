"""What local alarms may not forget, in one SQLite file: the engine's memory, episodes, events and messages under way.

Whatever a round of judging changes is one transaction, so that an episode and the event that tells of it are both there
or both not. Events have an epoch of their own; a receipt with it deletes them, as it deletes batches of readings.
"""

from __future__ import annotations

import json
import logging
import secrets
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple, Self

from pydantic import TypeAdapter

from domain.episode_event import EpisodeEvent
from domain.errors import OperatorError
from edge.alarms.records import Record, Telling
from edge.alarms.sms import Message
from edge.alarms.timeline import Stretch

logger = logging.getLogger(__name__)

SEQ_GAP = 1_000
"""Numbers skipped at every opening: a disk that forgot its last writes must not give a number out twice."""
_LAYOUT = """
CREATE TABLE IF NOT EXISTS life(
    one INTEGER PRIMARY KEY CHECK (one = 1), epoch TEXT NOT NULL, next_seq INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS engine(key TEXT PRIMARY KEY, state BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS timeline(one INTEGER PRIMARY KEY CHECK (one = 1), last_ms INTEGER, stretches TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS record(key TEXT PRIMARY KEY, content BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS event(key TEXT PRIMARY KEY, seq INTEGER NOT NULL UNIQUE, payload BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS message(
    key TEXT NOT NULL, number TEXT NOT NULL, kind TEXT NOT NULL, content BLOB NOT NULL, PRIMARY KEY (key, number, kind)
);
"""
_RECORD = TypeAdapter(Record)
_MESSAGE = TypeAdapter(Message)


class Memory(NamedTuple):
    """Everything that was remembered."""

    engine: list[tuple[str, bytes]]
    records: list[Record]
    messages: list[Message]
    stretches: tuple[Stretch, ...]
    last_ms: int | None


class Round(NamedTuple):
    """What a round of judging changed."""

    engine: Sequence[tuple[str, bytes | None]] = ()
    records: Sequence[tuple[str, Record | None]] = ()
    tellings: Sequence[Telling] = ()
    stretches: tuple[Stretch, ...] = ()
    last_ms: int | None = None


class Event(NamedTuple):
    """An event that waits for its receipt."""

    key: str
    seq: int
    payload: bytes


class AlarmStore:
    """The file; every method blocks on the disk and may be called from any thread."""

    def __init__(self, connection: sqlite3.Connection, epoch: str) -> None:
        self._connection = connection
        self._lock = threading.Lock()
        self.epoch = epoch
        """Names this life of the file; a new file has a new one."""

    @classmethod
    def open(cls, path: Path, *, new_epoch: Callable[[], str] = lambda: secrets.token_hex(4)) -> Self:
        """Open the file, or begin a new one; a damaged one is set aside.

        Raises ``OperatorError`` where that is impossible.
        """
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                return cls(*_open(path, new_epoch()))
            except sqlite3.OperationalError:
                raise  # locked, read-only, no space: nothing is wrong with the file
            except sqlite3.DatabaseError as error:
                aside = _set_aside(path)
                logger.error("the local alarms' memory %s is damaged (%s); kept as %s", path, error, aside)  # noqa: TRY400 - the traceback says nothing more
                return cls(*_open(path, new_epoch()))
        except (OSError, sqlite3.Error) as error:
            raise OperatorError(f"the local alarms' memory {path} cannot be opened: {error}") from error

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    def load(self) -> Memory:
        """Return everything that is remembered."""
        with self._lock:
            ask = self._connection.execute
            timeline = ask("SELECT last_ms, stretches FROM timeline").fetchone()
            return Memory(
                engine=ask("SELECT key, state FROM engine").fetchall(),
                records=[_RECORD.validate_json(row[0]) for row in ask("SELECT content FROM record ORDER BY rowid")],
                messages=[_MESSAGE.validate_json(row[0]) for row in ask("SELECT content FROM message ORDER BY rowid")],
                stretches=tuple(Stretch(*each) for each in json.loads(timeline[1])) if timeline else (),
                last_ms=timeline[0] if timeline else None,
            )

    def save(self, change: Round) -> None:
        """Keep what a round changed; when this returns it survives a power cut. Raises ``sqlite3.Error``."""
        with self._transaction() as connection:
            for key, state in change.engine:
                _put(connection, "engine", key, state)
            for key, record in change.records:
                _put(connection, "record", key, None if record is None else _RECORD.dump_json(record))
            for telling in change.tellings:
                self._put_event(connection, telling)
            stretches = json.dumps(change.stretches)
            connection.execute("INSERT OR REPLACE INTO timeline VALUES (1, ?, ?)", (change.last_ms, stretches))

    def save_messages(self, messages: Sequence[Message], done: Sequence[Message] = ()) -> None:
        """Keep messages under way, and forget those that are done with. Raises ``sqlite3.Error``."""
        with self._transaction() as connection:
            for each in messages:
                row = (each.key, each.number, each.kind.value, _MESSAGE.dump_json(each))
                connection.execute("INSERT OR REPLACE INTO message VALUES (?, ?, ?, ?)", row)
            for each in done:
                connection.execute(
                    "DELETE FROM message WHERE key = ? AND number = ? AND kind = ?",
                    (each.key, each.number, each.kind.value),
                )

    def events(self) -> list[Event]:
        """Return the events without a receipt, the oldest first."""
        with self._lock:
            rows = self._connection.execute("SELECT key, seq, payload FROM event ORDER BY seq")
            return [Event(*row) for row in rows]

    def receipt(self, epoch: str, ranges: Sequence[Sequence[int]]) -> int:
        """Delete the events that the ranges name, and return how many; another epoch's receipt deletes nothing."""
        if epoch != self.epoch:
            return 0
        with self._transaction() as connection:
            return sum(
                connection.execute("DELETE FROM event WHERE seq BETWEEN ? AND ?", tuple(each)).rowcount
                for each in ranges
            )

    def _put_event(self, connection: sqlite3.Connection, telling: Telling) -> None:
        """Put an event in the place of an earlier one about the same episode: the last word says everything."""
        (seq,) = connection.execute("UPDATE life SET next_seq = next_seq + 1 RETURNING next_seq - 1").fetchone()
        event = EpisodeEvent(self.epoch, seq, replace(telling.episode, facility=""), telling.seen_at)
        connection.execute("INSERT OR REPLACE INTO event VALUES (?, ?, ?)", (telling.key, seq, event.encode()))

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


def _put(connection: sqlite3.Connection, table: str, key: str, content: bytes | None) -> None:
    if content is None:
        connection.execute(f"DELETE FROM {table} WHERE key = ?", (key,))  # noqa: S608 - one of two constants
    else:
        connection.execute(f"INSERT OR REPLACE INTO {table} VALUES (?, ?)", (key, content))  # noqa: S608 - see above


def _open(path: Path, epoch: str) -> tuple[sqlite3.Connection, str]:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5.0)
    try:
        _check(connection)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA journal_size_limit = 1048576")
        connection.executescript(f"BEGIN IMMEDIATE; {_LAYOUT} COMMIT;")
        connection.execute("INSERT OR IGNORE INTO life VALUES (1, ?, 1)", (epoch,))
        (kept,) = connection.execute("UPDATE life SET next_seq = next_seq + ? RETURNING epoch", (SEQ_GAP,)).fetchone()
    except BaseException:
        connection.close()
        raise
    return connection, str(kept)


def _check(connection: sqlite3.Connection) -> None:
    (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if verdict != "ok":
        raise sqlite3.DatabaseError(verdict)


def _set_aside(path: Path) -> Path:
    aside = path.with_name(f"{path.name}.damaged-{secrets.token_hex(3)}")
    for suffix in ("-wal", "-shm", ""):
        part = path.with_name(path.name + suffix)
        if part.exists():
            part.rename(aside.with_name(aside.name + suffix))
    return aside
