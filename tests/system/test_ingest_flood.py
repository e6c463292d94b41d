"""A flood of backfill: memory stays bounded, live readings pass by, and everything arrives in the end."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from collector.journal import Journal
from domain.topics import UpLane, up
from tests.collector.intake import NOW_MS, fridge, packet, payload, publish
from tests.system.brokers import mosquitto
from tests.system.collector_process import collector
from tests.system.honest_sender import HonestSender

pytestmark = pytest.mark.system

MESSAGES = 100_000
PAYLOAD_BYTES = 600
MOST_GROWTH_MEGABYTES = 64
"""The two lanes and two source buffers may hold 32 MB of payload; the flood has 60."""


def peak_megabytes(pid: int) -> float:
    """Return the largest resident size that a process ever had."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) / 1024


def flood(url: str) -> None:
    """Publish everything as fast as the broker takes it, as a node that keeps no window would."""
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname, parts.port)) as connection:
        connection.sendall(packet(0x10, b"\x00\x04MQTT\x04\x02\x00\x00\x00\x05flood"))
        expected = 4 + 4 * MESSAGES  # the CONNACK and the PUBACKs
        for first in range(0, MESSAGES, 500):
            connection.sendall(b"".join(map(_message, range(first, first + 500))))
            while expected > 4 * (MESSAGES - first):
                expected -= len(connection.recv(65_536))
        while expected > 0:
            expected -= len(connection.recv(65_536))


def _message(seq: int) -> bytes:
    content = payload("n1", seq, fridge(NOW_MS - seq * 1000)).ljust(PAYLOAD_BYTES)
    return publish(up("n1", UpLane.BACKFILL).encode(), content, message_id=seq % 65_535 + 1)


async def test_a_flood_of_backfill_is_bounded_and_does_not_delay_live(tmp_path: Path) -> None:
    """The journal is slow, the broker has 100,000 messages, and a live batch is stored long before the last of them."""
    folder = tmp_path / "journal"
    async with (
        mosquitto(tmp_path) as url,
        collector(url, folder, "n1", "n2", wait_seconds=0.25) as process,
        asyncio.timeout(120),
    ):
        before = peak_megabytes(process.pid)
        flooding = asyncio.create_task(asyncio.to_thread(flood, url))
        async with Journal.open(folder, read_only=True) as journal:
            await journal.wait_beyond(1)
            await HonestSender(url, "n2", {1: payload("n2", 1, fridge(NOW_MS))}).run()
            stored_with_live = await journal.wait_beyond(1)
            await flooding
            await journal.wait_beyond(MESSAGES)
            assert await journal.count() == MESSAGES + 1
        growth = peak_megabytes(process.pid) - before
    assert stored_with_live < MESSAGES // 2
    assert growth < MOST_GROWTH_MEGABYTES
