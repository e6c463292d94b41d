"""The journal's roll-ups as a log of lines: what a third forwarder brings to InfluxDB, for long ranges.

A roll-up that is computed anew, for late readings came, is a new entry of the log and the same point in InfluxDB.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

from collector.forwarder.forwarder import LineBatch
from collector.forwarder.line_protocol import SeriesPrefixes
from collector.journal.rollup import Resolution, Rollup, RollupChange
from domain.directory import Directory

SECONDS = ("covered_seconds", "below_seconds", "above_seconds", "judged_seconds")
"""Fields of a roll-up that are called there as they are here."""
CURSOR_NAME = "influxdb-rollups"
POLL_SECONDS = 5.0
SUFFIXES = {Resolution.HOUR: "_1h", Resolution.DAY: "_1d"}
"""Behind the measurement's name."""


class ChangeLog(Protocol):
    """The part of the journal that tells which roll-ups changed."""

    async def rollup_changes(self, position: int, limit: int) -> list[RollupChange]:
        """Return up to ``limit`` roll-ups that changed after a position, in order."""

    async def last_rollup_change(self) -> int:
        """Return the position of the newest change."""


class RollupLines:
    """Reads which roll-ups changed and tells them in line protocol."""

    def __init__(
        self,
        journal: ChangeLog,
        directory: Callable[[], Directory],
        *,
        read_cursor: Callable[[], Awaitable[int]],
        write_cursor: Callable[[int], Awaitable[None]],
    ) -> None:
        """Leave the cursor to the caller: it counts changes, not positions of the journal's log."""
        self._journal, self._directory = journal, directory
        self._read_cursor, self._write_cursor = read_cursor, write_cursor
        self._newest = 0
        self._prefixes = _prefixes(Directory())

    async def cursor(self) -> int:
        """Return the position up to which everything is delivered."""
        return await self._read_cursor()

    async def move_cursor(self, position: int) -> None:
        """Keep that everything up to this position is delivered."""
        await self._write_cursor(position)

    async def wait_beyond(self, position: int) -> None:
        """Return when there is a change behind the position; roll-ups change in the background, so nobody hurries."""
        while True:
            if await self._look() > position:
                return
            await asyncio.sleep(POLL_SECONDS)

    def lag(self, position: int) -> int:
        """Return how many changes stand behind the position, as far as is known."""
        return max(0, self._newest - position)

    async def read_after(self, position: int, limit: int) -> LineBatch:
        """Return up to ``limit`` changes behind the position as lines."""
        changes = await self._journal.rollup_changes(position, limit)
        directory = self._directory()
        if directory is not self._prefixes[Resolution.HOUR].directory:
            self._prefixes = _prefixes(directory)
        lines = [line for change in changes if (line := self._line(change)) is not None]
        last = changes[-1].position if changes else position
        return LineBatch(lines, len(changes), last, len(changes) - len(lines))

    async def _look(self) -> int:
        self._newest = await self._journal.last_rollup_change()
        return self._newest

    def _line(self, change: RollupChange) -> str | None:
        prefix = self._prefixes[change.resolution].of(change.channel)
        return None if prefix is None else f"{prefix}{rollup_fields(change.rollup)} {change.rollup.start_ms}"


def rollup_fields(rollup: Rollup) -> str:
    """Return a roll-up's fields, all floats; a bucket without a reading of its own has only what it covers.

    Zeros are written too: a field that is left out would keep what an earlier computation wrote.
    """
    fields = [f"count={float(rollup.readings)!r}"] + [f"{name}={getattr(rollup, name)!r}" for name in SECONDS]
    for name, value in (("mean", rollup.mean), ("min", rollup.minimum), ("max", rollup.maximum)):
        if value is not None:
            fields.append(f"{name}={value + 0.0!r}")
    return ",".join(fields)


def _prefixes(directory: Directory) -> dict[Resolution, SeriesPrefixes]:
    return {resolution: SeriesPrefixes(directory, suffix) for resolution, suffix in SUFFIXES.items()}
