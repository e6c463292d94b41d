"""Collectors and brokers die, journals refuse; what foreign devices sent with quality of service 1 is stored."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from urllib.parse import urlsplit

import aiomqtt
import pytest

from collector.journal import Journal
from domain.instant import format_rfc3339
from tests.system.brokers import MosquittoServer, mosquitto_server
from tests.system.collector_process import WallClock
from tests.system.foreign_collector import CHANNEL, foreign_collector

pytestmark = pytest.mark.system

START_MS = WallClock().now_ms() // 1000 * 1000 - 3_600_000
MESSAGES = 600
KEEPS = "user root"
"""Started as root, mosquitto would become a user who may not write into the folder of the test, and keep nothing."""


async def send(broker: MosquittoServer, first: int, last: int) -> None:
    """Publish measurements ``first`` to ``last`` - 1, a second apart; return when the broker has them."""
    parts = urlsplit(broker.url)
    async with aiomqtt.Client(parts.hostname or "", parts.port or 0) as client:
        for n in range(first, last):
            said = {"Time": format_rfc3339(START_MS + n * 1000), "DS18B20": {"Temperature": 4 + n / 1000}}
            await client.publish("tele/plug/SENSOR", json.dumps(said), qos=1)


async def stored(folder: Path) -> list[int]:
    """Return the numbers of the measurements that are stored, read from the files beside whoever writes them."""
    async with Journal.open(folder, read_only=True) as journal:
        readings = await journal.series(CHANNEL, START_MS, START_MS + 3_600_000)
    return [(reading.measured_at_ms - START_MS) // 1000 for reading in readings]


async def until_all_stored(folder: Path, count: int) -> None:
    """Wait until the measurements 0 to ``count`` - 1 are stored, and no others."""
    for _ in range(150):
        if len(await stored(folder)) >= count:
            break
        await asyncio.sleep(0.1)
    assert await stored(folder) == list(range(count))


async def test_a_killed_collector_loses_nothing(tmp_path: Path) -> None:
    """The collector is killed in the middle of the stream, and is away for a part of it; everything is stored once."""
    folder, never = tmp_path / "journal", tmp_path / "never"
    async with mosquitto_server(tmp_path, extra=KEEPS) as broker:
        async with foreign_collector(broker.url, folder, never):
            await send(broker, 0, MESSAGES // 3)
        await send(broker, MESSAGES // 3, MESSAGES * 2 // 3)
        async with foreign_collector(broker.url, folder, never):
            await send(broker, MESSAGES * 2 // 3, MESSAGES)
            await until_all_stored(folder, MESSAGES)


async def test_a_restarted_broker_loses_nothing(tmp_path: Path) -> None:
    """The broker is restarted while nobody collects and while somebody does; it kept the session on its disk."""
    folder, never = tmp_path / "journal", tmp_path / "never"
    async with mosquitto_server(tmp_path, extra=KEEPS) as broker:
        async with foreign_collector(broker.url, folder, never):
            await send(broker, 0, 100)
        await send(broker, 100, 200)
        await broker.restart()
        async with foreign_collector(broker.url, folder, never):
            await send(broker, 200, 300)
            await broker.restart()
            await send(broker, 300, 400)
            await until_all_stored(folder, 400)


async def test_what_the_journal_refuses_comes_again(tmp_path: Path) -> None:
    """Commits that fail leave their messages with the broker; when the journal takes them again they are there."""
    folder, refusing = tmp_path / "journal", tmp_path / "refusing"
    async with mosquitto_server(tmp_path, extra=KEEPS) as broker, foreign_collector(broker.url, folder, refusing):
        refusing.touch()
        await send(broker, 0, 50)
        await asyncio.sleep(0.5)
        assert await stored(folder) == []
        refusing.unlink()
        await until_all_stored(folder, 50)
