"""One writer per folder, held by a lock that the operating system drops when the process dies."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from collector.journal.errors import JournalLocked, JournalUnwritable

_FILE_NAME = "journal.lock"


class FolderLock:
    """An exclusive lock on a folder from construction to ``release``."""

    def __init__(self, folder: Path) -> None:
        """Take the lock; raise ``JournalLocked`` or ``JournalUnwritable``."""
        path = folder / _FILE_NAME
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise JournalUnwritable(f"cannot write into {folder}: {error.strerror}") from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.read(self._file, 20).decode(errors="replace").strip()
            os.close(self._file)
            raise JournalLocked(f"another process ({holder or 'unknown'}) writes into {folder}") from error
        self._name_holder()

    def release(self) -> None:
        """Give the folder back."""
        os.close(self._file)

    def _name_holder(self) -> None:
        try:
            os.ftruncate(self._file, 0)
            os.pwrite(self._file, f"{os.getpid()}\n".encode(), 0)
        except OSError:
            return  # a full disk: the lock holds, only its holder stays unnamed
