"""Shared by the forwarder's tests: readings in memory, a small directory, a forwarder that waits for nobody."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from collector.forwarder.dead_letters import DeadLetters
from collector.forwarder.forwarder import Forwarder
from collector.forwarder.journal_lines import JournalLines
from collector.forwarder.settings import InfluxSettings
from collector.journal.marks import Stretch
from domain.directory import Directory
from domain.places import Channel, Equipment, EquipmentKind, Facility
from domain.quantities import QUANTITIES
from domain.reading import Quality, Reading
from tests.system.servers import SHIM_ORG, SHIM_TOKEN

PATIENCE_SECONDS = 30.0
START_MS = 1_795_000_000_000

FACILITY = Facility("kasese-hc3", "Kasese HC3", "Uganda", "Western", "Kasese")
EQUIPMENT = [
    Equipment("fridge", FACILITY.id, EquipmentKind.FRIDGE, "Fridge"),
    Equipment("mains", FACILITY.id, EquipmentKind.MAINS, "Grid"),
]
MINUTE = timedelta(minutes=1)
CHANNELS = [
    Channel(f"fridge-t{n}", FACILITY.id, "fridge", "node-1", f"t{n}", QUANTITIES["temperature"], MINUTE)
    for n in range(10)
]
MAINS = Channel("mains-v", FACILITY.id, "mains", "node-1", "v", QUANTITIES["voltage"], MINUTE)
DIRECTORY = Directory(facilities=[FACILITY], equipment=EQUIPMENT, channels=[*CHANNELS, MAINS])


class WallClock:
    """The machine's clock, which only dates the health here."""

    def now_ms(self) -> int:
        """Return the same moment always."""
        return START_MS

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)


class Log:
    """Readings with positions and one cursor, in memory: a journal as far as a follower sees it."""

    def __init__(self) -> None:
        self.entries: list[Reading] = []
        self.kept = 0
        self._changed = asyncio.Condition()

    @property
    def position(self) -> int:
        """The position of the newest reading."""
        return len(self.entries)

    async def append(self, readings: Sequence[Reading]) -> None:
        """Commit readings."""
        async with self._changed:
            self.entries.extend(readings)
            self._changed.notify_all()

    async def cursor(self, name: str) -> int:
        """Return the cursor."""
        return self.kept

    async def move_cursor(self, name: str, position: int) -> None:
        """Move the cursor; it never goes back."""
        async with self._changed:
            assert position >= self.kept
            self.kept = position
            self._changed.notify_all()

    async def read_after(self, position: int, limit: int) -> tuple[int, list[Reading]]:
        """Return readings behind the position."""
        found = self.entries[position : position + limit]
        return position + len(found), found

    async def marked(self, after: int, upto: int) -> list[Stretch]:
        """Return that everything arrived just then."""
        return []

    async def wait_beyond(self, position: int) -> int:
        """Wait for a reading behind the position."""
        async with self._changed:
            await self._changed.wait_for(lambda: len(self.entries) > position)
        return len(self.entries)

    async def delivered(self, position: int) -> None:
        """Wait until the cursor has come to a position; it is written after the server's yes."""
        async with asyncio.timeout(PATIENCE_SECONDS), self._changed:
            await self._changed.wait_for(lambda: self.kept >= position)


class Waits:
    """Stands in for sleeping: remembers what was asked for, and lets the event loop turn once."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def __call__(self, seconds: float) -> None:
        """Remember a wait."""
        self.seconds.append(seconds)
        await asyncio.sleep(0.001)


def temperatures(count: int, *, first: int = 0) -> list[Reading]:
    """Return readings of the fridge's channels, each channel and moment once."""
    return [
        Reading(CHANNELS[n % 10].id, START_MS + n, 2.0 + n % 60 / 10, Quality.GOOD, START_MS + n)
        for n in range(first, first + count)
    ]


def v1(url: str, **more: Any) -> InfluxSettings:
    """Return settings for 1.x that wait for nobody."""
    return InfluxSettings.model_validate({"url": url, "max_age": timedelta(0), **more})


def v2(url: str, **more: Any) -> InfluxSettings:
    """Return settings for 2.x that wait for nobody."""
    return v1(url, kind="v2", org=SHIM_ORG, token=SHIM_TOKEN, **more)


def v3(url: str, **more: Any) -> InfluxSettings:
    """Return settings for 3.x that wait for nobody."""
    return v1(url, kind="v3", token=SHIM_TOKEN, **more)


@asynccontextmanager
async def forwarding(
    log: Log, settings: InfluxSettings, *, letters: DeadLetters | None = None, waits: Waits | None = None
) -> AsyncIterator[Forwarder]:
    """Run a forwarder on a log."""
    forwarder = Forwarder(
        JournalLines(log, lambda: DIRECTORY),
        settings,
        clock=WallClock(),
        dead_letter=letters or DeadLetters(),
        sleep=waits or Waits(),
    )
    task = asyncio.create_task(forwarder.run())
    try:
        yield forwarder
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not holds():  # noqa: ASYNC110 -- what is waited for has no event
            await asyncio.sleep(0.01)
