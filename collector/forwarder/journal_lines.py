"""The journal as a log of lines: what the forwarder reads."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Protocol

from collector.forwarder.forwarder import LineBatch
from collector.forwarder.line_protocol import SeriesPrefixes
from collector.journal.marks import Mark, Stretch
from domain.directory import Directory
from domain.reading import Reading

log = logging.getLogger(__name__)

CURSOR_NAME = "influxdb"


class Journal(Protocol):
    """The part of the journal that a follower needs."""

    @property
    def position(self) -> int:
        """The position of the newest committed reading."""

    async def cursor(self, name: str) -> int | None:
        """Return a follower's cursor, or None for a follower that is not registered."""

    async def move_cursor(self, name: str, position: int) -> None:
        """Register a follower or move its cursor; what stands behind it is kept for it."""

    async def read_after(self, position: int, limit: int) -> tuple[int, list[Reading]]:
        """Return the position of the last reading returned, and up to ``limit`` in the order of arrival."""

    async def marked(self, after: int, upto: int) -> list[Stretch]:
        """Return the stretches of (after, upto] that do not hold what just arrived."""

    async def wait_beyond(self, position: int) -> int:
        """Return when a reading stands behind the position."""


class JournalLines:
    """Reads the journal's log and tells it in line protocol."""

    def __init__(self, journal: Journal, directory: Callable[[], Directory], *, cursor_name: str = CURSOR_NAME) -> None:
        self._journal = journal
        self._directory = directory
        self._cursor_name = cursor_name
        self._prefixes = SeriesPrefixes(Directory())

    async def cursor(self) -> int:
        """Return the position up to which everything is delivered; registers the follower the first time."""
        position = await self._journal.cursor(self._cursor_name)
        if position is None:
            position = 0
            await self.move_cursor(position)
        return position

    async def move_cursor(self, position: int) -> None:
        """Keep that everything up to this position is delivered."""
        await self._journal.move_cursor(self._cursor_name, position)

    async def wait_beyond(self, position: int) -> None:
        """Return when there is a reading behind the position."""
        await self._journal.wait_beyond(position)

    def lag(self, position: int) -> int:
        """Return how many readings stand behind the position."""
        return max(0, self._journal.position - position)

    async def read_after(self, position: int, limit: int) -> LineBatch:
        """Return up to ``limit`` readings behind the position as lines, under the directory of this moment."""
        last, readings = await self._journal.read_after(position, limit)
        directory = self._directory()
        if directory is not self._prefixes.directory:
            self._prefixes = SeriesPrefixes(directory)
        lines, unwritable = self._prefixes.lines(readings)
        # Fields that a line leaves out stay as they were: a doubt that somebody wrote has to be taken back in words.
        for stretch in await self._journal.marked(position, last):
            if stretch.mark is Mark.REPEATED:
                begin = last - len(readings) + 1
                for reading in readings[stretch.first - begin : stretch.last - begin + 1]:
                    lines += self._prefixes.good(reading)
        if unwritable:
            first = unwritable[0]
            log.warning(
                "%d readings have no line; the first: %s of channel %s",
                len(unwritable),
                first.reason,
                first.reading.channel,
            )
        return LineBatch(lines, len(readings), last, len(unwritable))
