"""From drivers to disk: one write a round, patience with a full disk, and no reading taken down by another."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path

from domain.reading import Sample
from edge.intake import Intake
from edge.outbox import CannotKeepError, Outbox

START_MS = 1_763_640_000_000
MINUTE_MS = 60_000


class FullDisk:
    """An outbox whose disk can be filled."""

    def __init__(self, folder: Path) -> None:
        self.box = Outbox.open(folder / "outbox.sqlite")
        self.is_full = False
        self.writes: list[int] = []
        self.refused = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._put = self.box.put
        self.box.put = self.put  # type: ignore[method-assign]  # the disk of a test

    def put(self, samples: Iterable[Sample]) -> None:
        """Keep the samples, or refuse them as a full disk does."""
        samples = list(samples)
        if self.is_full:
            self._loop.call_soon_threadsafe(self.refused.set)
            raise CannotKeepError("full") from sqlite3.OperationalError("database or disk is full")
        self._put(samples)
        self.writes.append(len(samples))


@asynccontextmanager
async def running(disk: FullDisk, *, sources: int = 1, most: int = 1000) -> AsyncIterator[tuple[Intake, asyncio.Event]]:
    """Run an intake; yields it, and an event that tells of every write."""
    kept = asyncio.Event()
    intake = Intake(disk.box, sources=sources, kept=kept.set, most_readings=most, retry_seconds=0.01)
    task = asyncio.create_task(intake.run())
    try:
        yield intake, kept
    finally:
        task.cancel()
        await asyncio.wait({task})
        disk.box.close()


async def until(kept: asyncio.Event, condition: Callable[[], bool]) -> None:
    """Return as soon as the condition holds after a write."""
    async with asyncio.timeout(20):
        while not condition():
            kept.clear()
            await kept.wait()


def reading(minute: float, name: str = "a", value: float = 1.0) -> Sample:
    """Return a reading of so many minutes after the start."""
    return Sample(name, START_MS + int(minute * MINUTE_MS), value)


async def test_a_round_of_several_drivers_is_one_write(tmp_path: Path) -> None:
    """Three drivers, one of which has nothing to say."""
    disk = FullDisk(tmp_path)
    async with running(disk, sources=3) as (intake, kept):
        for minute in range(5):
            intake.offer(1, [reading(minute, "a"), reading(minute, "b")], None)
            intake.offer(2, [], None)
            intake.offer(3, [reading(minute, "c")], None)
            await until(kept, lambda: len(disk.writes) > minute)  # noqa: B023 - awaited within the round
        assert disk.writes == [3] * 5


async def test_a_driver_that_hangs_does_not_hold_up_the_others(tmp_path: Path) -> None:
    """A round waits a moment for its slower sensors, and is then written without them."""
    disk = FullDisk(tmp_path)
    async with running(disk, sources=2) as (intake, kept):
        intake.offer(1, [reading(0)], None)
        await until(kept, lambda: disk.writes == [1])


async def test_a_full_disk_costs_time_only(tmp_path: Path) -> None:
    """Readings wait in memory and are written when there is space again."""
    disk = FullDisk(tmp_path)
    async with running(disk) as (intake, kept):
        disk.is_full = True
        for minute in range(50):
            intake.offer(1, [reading(minute)], None)
        await disk.refused.wait()
        disk.is_full = False
        await until(kept, lambda: disk.box.depth() == 50)
    assert (disk.box.thinned(), disk.box.dropped()) == (0, 0)


async def test_memory_is_bounded_while_the_disk_is_full(tmp_path: Path) -> None:
    """Days on a full disk: what waits is thinned, extremes stay, and the outbox tells how much that was."""
    disk = FullDisk(tmp_path)
    disk.is_full = True
    intake = Intake(disk.box, sources=1, kept=lambda: None, most_readings=200)
    for minute in range(3000):
        intake.offer(1, [reading(minute, value=float(minute * 7919 % 3001))], None)
        if minute % 100 == 0:
            assert not await intake.flush()
    disk.is_full = False
    assert await intake.flush()
    assert disk.box.depth() <= 200 + 100
    assert disk.box.dropped() == 0
    assert disk.box.thinned() == 3000 - disk.box.depth()
    batches = disk.box.next_batches(START_MS + 10**10, 16)
    values = [sample.value for batch in batches for sample in disk.box.samples(batch.seq) if sample.value is not None]
    all_values = [float(minute * 7919 % 3001) for minute in range(3000)]
    assert (min(values), max(values)) == (min(all_values), max(all_values))
    disk.box.close()


async def test_what_cannot_be_thinned_is_dropped_oldest_first_and_told(tmp_path: Path) -> None:
    """The bound holds whatever waits."""
    disk = FullDisk(tmp_path)
    disk.is_full = True
    intake = Intake(disk.box, sources=1, kept=lambda: None, most_readings=10)
    intake.offer(1, [reading(0, f"channel-{number}") for number in range(25)], None)
    assert not await intake.flush()
    disk.is_full = False
    assert await intake.flush()
    assert (disk.box.depth(), disk.box.dropped()) == (10, 15)
    disk.box.close()


async def test_an_impossible_reading_takes_no_other_with_it(tmp_path: Path) -> None:
    """A moment that no message can carry is given up alone."""
    disk = FullDisk(tmp_path)
    async with running(disk) as (intake, kept):
        intake.offer(1, [reading(0), Sample("a", 12_000, 1.0), reading(1)], None)
        await until(kept, lambda: disk.box.depth() == 2)


async def test_a_write_that_waits_for_its_turn_survives_the_end(tmp_path: Path) -> None:
    """Stopped while no thread was free to write, an agent's last flush finds the readings still there."""
    disk, busy, free = FullDisk(tmp_path), asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()
    loop.set_default_executor(ThreadPoolExecutor(1))
    occupied = loop.run_in_executor(None, lambda: (loop.call_soon_threadsafe(busy.set), free.wait(20)))
    await busy.wait()
    intake = Intake(disk.box, sources=1, kept=lambda: None)
    intake.offer(1, [Sample("t", START_MS, 4.0)], None)
    writing = asyncio.create_task(intake.flush())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    writing.cancel()
    await asyncio.wait({writing})
    free.set()
    await occupied
    assert await intake.flush()
    assert disk.writes[0] == 1
    disk.box.close()
