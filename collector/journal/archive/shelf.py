"""Answers out of the archive's files, for one thread."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from pathlib import Path

from collector.journal.archive.parquet import PartFile
from collector.journal.archive.parts import Part, Parts
from collector.journal.errors import JournalDamaged
from collector.journal.precedence import Row

FOLDER = "archive"
_OPEN_FILES = 8

Identity = tuple[int, int]


class Shelf:
    """The files of one archive; the last ones asked stay open."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open: OrderedDict[str, tuple[Identity, PartFile]] = OrderedDict()

    def rows(self, parts: Iterable[Part], channel: str, from_ms: int, to_ms: int, limit: int = -1) -> list[Row]:
        """Return a channel's rows in [from, to) out of the parts, in order of time; at least ``limit`` if there are."""
        found: list[Row] = []
        for part in parts:
            found += self.file(part).rows(channel, from_ms, to_ms)
            if 0 <= limit <= len(found):
                break
        return found

    def before(self, parts: Parts, channel: str, since_ms: int, moment_ms: int) -> list[Row]:
        """Return the last row of a channel in [since, moment), or nothing; newest month first."""
        for part in reversed(parts.touching(channel, since_ms, moment_ms)):
            if found := self.file(part).rows(channel, since_ms, moment_ms):
                return found[-1:]
        return []

    def file(self, part: Part) -> PartFile:
        """Return the file of a part as it is now: it is replaced as a whole when late readings are folded in."""
        path = self._folder / part.name
        try:
            found = path.stat()
        except OSError as error:
            raise JournalDamaged(f"the archive's file {path} cannot be read ({error.strerror})") from error
        identity = (found.st_ino, found.st_mtime_ns)
        if part.name not in self._open or self._open[part.name][0] != identity:
            self._open[part.name] = identity, PartFile(path)
        self._open.move_to_end(part.name)
        while len(self._open) > _OPEN_FILES:
            self._open.popitem(last=False)
        return self._open[part.name][1]
