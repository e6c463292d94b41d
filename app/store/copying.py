"""Copying an SQLite database while others write into it, and proving the copy."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from domain.errors import OperatorError

Say = Callable[[str], None]
Counts = dict[str, int]
Stopped = Callable[[], bool]
"""Tells a thread at work that nobody waits for it any more."""
_PAGES = 2_000
_STEPS_BETWEEN_LOOKS = 1_000_000


def copy_database(source: Path, target: Path, say: Say, stopped: Stopped) -> Counts:
    """Copy a database as of one moment; return the rows of each table. Raises ``OperatorError`` where that fails.

    The source's read transaction holds the moment: writers go on, and the copying need not begin again for them.
    """
    try:
        with closing(_open(source, "ro")) as reading, closing(_open(target, "rwc")) as writing:
            reading.execute("BEGIN")
            counts = _counts(reading)
            reading.backup(writing, pages=_PAGES, progress=_progress(source.name, say, stopped), sleep=0)
            reading.execute("ROLLBACK")
            # A copy is one file: nothing of it may wait in a log beside it.
            writing.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.Error as error:
        raise OperatorError(f"{source} cannot be copied to {target}: {error}") from error
    return counts


def verify_database(path: Path, counts: Counts, stopped: Stopped = lambda: False) -> None:
    """Raise ``OperatorError`` unless a database is whole and has these rows."""
    try:
        with closing(_open(path, "ro")) as connection:
            connection.set_progress_handler(stopped, _STEPS_BETWEEN_LOOKS)
            findings = [row[0] for row in connection.execute("PRAGMA integrity_check(3)")]
            found = _counts(connection)
    except sqlite3.Error as error:
        raise OperatorError(f"{path} is damaged: {error}") from error
    if findings != ["ok"]:
        raise OperatorError(f"{path} is damaged: {'; '.join(findings)}")
    if found != counts:
        differing = sorted(name for name in found.keys() | counts.keys() if found.get(name) != counts.get(name))
        raise OperatorError(f"{path} does not hold what it should: other numbers of rows in {', '.join(differing)}")


def _open(path: Path, mode: str) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode={mode}", uri=True, isolation_level=None, timeout=30)


def _counts(connection: sqlite3.Connection) -> Counts:
    tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    return {
        name: connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]  # noqa: S608 -- the database's own names
        for name in tables
    }


def _progress(name: str, say: Say, stopped: Stopped) -> Callable[[int, int, int], None]:
    told = -1

    def progress(_status: int, remaining: int, total: int) -> None:
        nonlocal told
        if stopped():
            raise OperatorError(f"copying {name} was stopped")
        tenths = 10 - 10 * remaining // max(total, 1)
        if tenths != told:
            told = tenths
            say(f"{name}: {tenths * 10} %")

    return progress
