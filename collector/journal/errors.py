"""What can go wrong with the journal, each error saying whether trying again helps."""
# ruff: noqa: N818 -- JournalFull reads as what it is; all of them are JournalErrors

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from domain.errors import OperatorError


class JournalError(OperatorError):
    """The journal cannot do what was asked; nothing of the call was stored."""


class JournalFull(JournalError):
    """The disk, a quota or a size limit leaves no room; the same call succeeds once there is room."""

    retry = True


class JournalBusy(JournalError):
    """Another program holds the database file for longer than we wait."""

    retry = True


class JournalLocked(JournalError):
    """Another process writes into this folder."""


class JournalUnwritable(JournalError):
    """The folder or the file cannot be written, or the journal was opened read-only."""


class JournalMissing(JournalError):
    """There is no journal in the folder to read."""


class JournalTooNew(JournalError):
    """The file was written by a newer Vitals."""


class JournalTooOld(JournalError):
    """The file was written by an older Vitals, and who opened it only reads."""


class JournalDamaged(JournalError):
    """The file is not a journal, or its contents cannot be trusted."""


_BY_PRIMARY_CODE: dict[int, tuple[type[JournalError], str]] = {
    sqlite3.SQLITE_FULL: (JournalFull, "no room left for"),
    sqlite3.SQLITE_BUSY: (JournalBusy, "another program holds"),
    sqlite3.SQLITE_LOCKED: (JournalBusy, "another program holds"),
    sqlite3.SQLITE_READONLY: (JournalUnwritable, "cannot write"),
    sqlite3.SQLITE_PERM: (JournalUnwritable, "no permission for"),
    sqlite3.SQLITE_CANTOPEN: (JournalUnwritable, "cannot open"),
    sqlite3.SQLITE_IOERR: (JournalUnwritable, "the disk fails for"),
    sqlite3.SQLITE_CORRUPT: (JournalDamaged, "damaged:"),
    sqlite3.SQLITE_NOTADB: (JournalDamaged, "not a journal:"),
}
# A file-size limit and a full memory file system show as failed writes, not as SQLITE_FULL.
_ROOM_CODES = {sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_SHMSIZE, sqlite3.SQLITE_IOERR_TRUNCATE}


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turn SQLite's errors about ``path`` into the journal's; those that would be a bug of ours pass."""
    try:
        yield
    except sqlite3.Error as error:
        ours = _translate(error, path)
        if ours is None:
            raise
        raise ours from error


def _translate(error: sqlite3.Error, path: Path) -> JournalError | None:
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:
        return None
    primary = sqlite3.SQLITE_FULL if code in _ROOM_CODES else code & 0xFF
    if primary not in _BY_PRIMARY_CODE:
        return None
    kind, words = _BY_PRIMARY_CODE[primary]
    return kind(f"{words} {path} ({error})")
