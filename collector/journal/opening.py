"""Opening a folder to write or only to read, and giving everything back."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from collector.journal.lock import FolderLock
from collector.journal.memory import Newest, SeriesNumbers, Unsettled
from collector.journal.reader import Memory
from collector.journal.schema import FILE_NAME, open_for_cursors, open_reader, open_writer
from collector.journal.settings import JournalSettings
from collector.journal.writer import Writer, transaction


class OpenToWrite:
    """The folder's one writer, with its lock."""

    def __init__(self, folder: Path, settings: JournalSettings) -> None:
        """Raise ``JournalLocked``, ``JournalUnwritable``, ``JournalTooNew`` or ``JournalDamaged``."""
        self._lock = FolderLock(folder)
        try:
            self.cursor_connection = open_writer(folder)
            self.path = folder / FILE_NAME
            self.writer = Writer(self.cursor_connection, self.path, settings)
        except BaseException:
            self._lock.release()
            raise
        self.memory = Memory(self.writer.series, self.writer.unsettled, self.writer.newest)

    def close(self) -> None:
        """Close the file, then give the folder back."""
        self.cursor_connection.close()
        self._lock.release()


class OpenToRead:
    """Another process's journal; the only thing written is the position of a cursor."""

    writer = None

    def __init__(self, folder: Path) -> None:
        """Raise ``JournalMissing``, ``JournalTooNew`` or ``JournalDamaged``."""
        connection = open_reader(folder)
        (settled,) = connection.execute("SELECT value FROM meta WHERE key = 'settled'").fetchone()
        connection.close()
        self.path = folder / FILE_NAME
        self.memory = Memory(SeriesNumbers(), Unsettled(settled), Newest())
        self._folder = folder
        self._connection: sqlite3.Connection | None = None

    @property
    def cursor_connection(self) -> sqlite3.Connection:
        """The connection that moves cursors, opened when the first one moves."""
        if self._connection is None:
            self._connection = open_for_cursors(self._folder)
        return self._connection

    def close(self) -> None:
        """Close the file."""
        if self._connection is not None:
            self._connection.close()


def change_cursor(opened: OpenToWrite | OpenToRead, name: str, position: int | None) -> None:
    """Register or move a follower's cursor, or forget it where there is no position."""
    connection = opened.cursor_connection
    with transaction(connection, opened.path):
        if position is None:
            connection.execute("DELETE FROM cursor WHERE name = ?", (name,))
        else:
            connection.execute("INSERT OR REPLACE INTO cursor VALUES(?, ?)", (name, position))
