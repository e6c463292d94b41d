"""Brokers and collectors die at any moment; what an honest node sent is stored exactly once."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from collector.journal import Journal
from domain.reading import Sample
from tests.collector.intake import NOW_MS, payload
from tests.system.amqtt_process import amqtt_process
from tests.system.brokers import mosquitto_server
from tests.system.collector_process import collector
from tests.system.honest_sender import HonestSender

pytestmark = pytest.mark.system

NODES = ("n1", "n2")
BATCHES, SAMPLES = 300, 5
Kill = Callable[[], Awaitable[None]]


@asynccontextmanager
async def mosquitto_that_can_die(folder: Path) -> AsyncIterator[tuple[str, Kill]]:
    """Yield mosquitto's address, and what kills it and starts it again."""
    async with mosquitto_server(folder) as server:

        async def kill() -> None:
            await server.kill()
            await server.restart()

        yield server.url, kill


@asynccontextmanager
async def amqtt_that_can_die(folder: Path) -> AsyncIterator[tuple[str, Kill]]:
    """Yield amqtt's address, and what kills it (with all its sessions) and starts it again."""
    async with amqtt_process(folder) as (url, process):

        async def kill() -> None:
            await process.kill()
            await process.start()

        yield url, kill


BROKERS = pytest.mark.parametrize("broker", [mosquitto_that_can_die, amqtt_that_can_die], ids=["mosquitto", "amqtt"])
Broker = Callable[[Path], contextlib.AbstractAsyncContextManager[tuple[str, Kill]]]


def batches(node: str) -> dict[int, bytes]:
    """Return batches of different moments by sequence number."""
    return {
        seq: payload(
            node, seq, *(Sample("fridge", NOW_MS - (seq * SAMPLES + n) * 1000, 4.0 + n) for n in range(SAMPLES))
        )
        for seq in range(BATCHES)
    }


async def stored_moments(folder: Path, node: str) -> list[int]:
    """Return the moments of everything stored of a node's fridge, read from the files."""
    async with Journal.open(folder) as journal:
        return [reading.measured_at_ms for reading in await journal.series(f"{node}.fridge", 0, NOW_MS + 1)]


EVERYTHING = sorted(NOW_MS - n * 1000 for n in range(BATCHES * SAMPLES))


@BROKERS
async def test_everything_sent_is_stored_once_and_receipted(broker: Broker, tmp_path: Path) -> None:
    """Nothing dies: both lanes, two nodes, every batch receipted, every reading there once."""
    folder = tmp_path / "journal"
    async with broker(tmp_path) as (url, _), collector(url, folder, *NODES), asyncio.timeout(60):
        await asyncio.gather(*(HonestSender(url, node, batches(node)).run() for node in NODES))
    for node in NODES:
        assert await stored_moments(folder, node) == EVERYTHING


@BROKERS
async def test_killed_brokers_lose_nothing(broker: Broker, tmp_path: Path) -> None:
    """The broker is killed twice in the middle of the stream; the collector and the nodes come back by themselves."""
    folder = tmp_path / "journal"
    async with broker(tmp_path) as (url, kill), collector(url, folder, *NODES), asyncio.timeout(90):
        senders = [HonestSender(url, node, batches(node)) for node in NODES]
        async with asyncio.TaskGroup() as tasks:
            for sender in senders:
                tasks.create_task(sender.run())
            for left in (BATCHES * 2 // 3, BATCHES // 3):
                await senders[0].until_left(left)
                await kill()
    for node in NODES:
        assert await stored_moments(folder, node) == EVERYTHING


@BROKERS
async def test_killed_collectors_lose_nothing_and_store_nothing_twice(broker: Broker, tmp_path: Path) -> None:
    """The collector is killed twice in the middle of the stream; a new one goes on with the same journal."""
    folder = tmp_path / "journal"
    async with broker(tmp_path) as (url, _), asyncio.timeout(90), asyncio.TaskGroup() as tasks:
        senders = [HonestSender(url, node, batches(node)) for node in NODES]
        async with collector(url, folder, *NODES):
            for sender in senders:
                tasks.create_task(sender.run())
            await senders[0].until_left(BATCHES * 2 // 3)
        async with collector(url, folder, *NODES):
            await senders[1].until_left(BATCHES // 3)
        async with collector(url, folder, *NODES):
            for sender in senders:
                await sender.until_left(0)
    for node in NODES:
        assert await stored_moments(folder, node) == EVERYTHING
