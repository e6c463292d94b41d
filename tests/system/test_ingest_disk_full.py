"""The collector's disk is full: nothing is acknowledged that is not stored, senders wait, and room is all it takes."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from collector.journal import Journal
from tests.collector.intake import NOW_MS
from tests.system.brokers import mosquitto_server
from tests.system.collector_process import collector
from tests.system.full_disk import fill
from tests.system.honest_sender import HonestSender
from tests.system.small_disk import small_disk
from tests.system.test_ingest_restarts import BATCHES, EVERYTHING, SAMPLES, batches, stored_moments

pytestmark = pytest.mark.system

STANDSTILL_SECONDS = 3.0
"""Three times as long as a sender waits before it sends again."""


async def until_it_stands_still(sender: HonestSender) -> None:
    """Wait until repeating brings no further receipt."""
    left = -1
    while left != len(sender.held):
        left = len(sender.held)
        await asyncio.sleep(STANDSTILL_SECONDS)


async def test_full_disk_holds_the_senders_until_there_is_room(tmp_path: Path) -> None:
    """Receipts stop with the disk; every receipted batch is stored; with room the rest comes in, without a restart."""
    disk = tmp_path / "small"
    with small_disk(disk, size="3m"):
        folder = disk / "journal"
        async with (
            mosquitto_server(tmp_path) as server,
            collector(server.url, folder, "n1", wait_seconds=0.2),
            asyncio.timeout(120),
        ):
            sender = HonestSender(server.url, "n1", batches("n1"))
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(sender.run())
                await sender.until_left(BATCHES - 1)
                ballast = fill(disk)
                await until_it_stands_still(sender)
                assert sender.held
                assert receipted(sender) <= await found(folder)
                ballast.unlink()
        assert sorted(await found(folder)) == EVERYTHING == await stored_moments(folder, "n1")


def receipted(sender: HonestSender) -> set[int]:
    """Return the moments of what the sender need not keep any more."""
    done = set(range(BATCHES)) - set(sender.held)
    return {NOW_MS - (seq * SAMPLES + n) * 1000 for seq in done for n in range(SAMPLES)}


async def found(folder: Path) -> set[int]:
    """Return the moments stored, as another process sees them."""
    async with Journal.open(folder, read_only=True) as journal:
        return {reading.measured_at_ms for reading in await journal.series("n1.fridge", 0, NOW_MS + 1)}
