"""Ingest: from the broker to a durable journal and back to the node as a receipt, beside a bare aiomqtt loop.

Both drain the same messages (20 readings each, JSON, QoS 1) from the same mosquitto; the sender is a process of its
own. For our side it sends within a window of batches without receipts, for the bare loop within one of PUBACKs. They
take turns and each one's median counts, because the machine's other work comes and goes.
"""

from __future__ import annotations

import asyncio
import contextlib
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import aiomqtt

from benchmarks._batch_sender import READINGS_PER_BATCH, channel_name, node_name
from benchmarks._mosquitto import mosquitto
from benchmarks.figure import Figure
from collector.journal import Journal
from collector.lanes import Lane
from collector.latest import Latest
from collector.pipeline import Pipeline
from collector.settings import MqttSourceSettings, PipelineSettings
from collector.sources.mqtt import MqttSource
from domain.directory import Directory
from domain.places import Channel, Node
from domain.quantities import QUANTITIES
from domain.receipt import Receipt
from domain.topics import UpLane, every_node_up

_NODES = 100
_WINDOW = 2_000
"""20 batches per node."""


def measure(quick: bool) -> Iterator[Figure]:
    """Yield the ingest figure."""
    yield asyncio.run(_ingest(batches=8_000 if quick else 40_000, rounds=2 if quick else 3))


async def _ingest(*, batches: int, rounds: int) -> Figure:
    ours, bare = list[float](), list[float]()
    with tempfile.TemporaryDirectory(prefix="ingest-") as folder:
        async with mosquitto(Path(folder)) as port:
            for turn in range(rounds):
                bare.append(await _bare_loop(port, batches))
                ours.append(await _collector(port, batches, Path(folder) / f"journal-{turn}"))
    return Figure(
        "ingest, MQTT to receipt",
        "readings/s",
        statistics.median(ours) * READINGS_PER_BATCH,
        statistics.median(bare) * READINGS_PER_BATCH,
        target=100_000,
        target_ratio=0.6,
        note=f"{batches} batches of {READINGS_PER_BATCH}, median of {rounds}; baseline: a bare aiomqtt loop, no work",
    )


async def _bare_loop(port: int, batches: int) -> float:
    """Return messages per second that ``async for`` takes from the broker, doing nothing with them."""
    async with aiomqtt.Client("127.0.0.1", port) as client:
        await client.subscribe(every_node_up(UpLane.LIVE), qos=1)
        async with sender(port, batches, "puback"):
            started, seen = 0.0, 0
            async for _ in client.messages:
                started = started or time.perf_counter()
                seen += 1
                if seen == batches:
                    break
            return batches / (time.perf_counter() - started)


async def _collector(port: int, batches: int, folder: Path) -> float:
    """Return batches per second that are validated, durable and receipted."""
    async with collecting(port, folder) as (source, journal):
        async with sender(port, batches, "receipt") as sending:
            while not source.stats()[Lane.LIVE].messages:  # noqa: ASYNC110 - a benchmark may look again and again
                await asyncio.sleep(0.001)
            started = time.perf_counter()
            await sending.wait()
            seconds = time.perf_counter() - started
        stored = await journal.count()
        assert stored == batches * READINGS_PER_BATCH, f"{stored} readings stored"
    return batches / seconds


@asynccontextmanager
async def collecting(port: int, folder: Path) -> AsyncIterator[tuple[MqttSource, Journal]]:
    """Run a collector in this process while the block runs, connected to the broker."""
    clock, directory, latest = _WallClock(), _directory(), Latest()
    async with Journal.open(folder) as journal:

        async def send_receipt(node: str, receipt: Receipt) -> None:
            await source.send_receipt(node, receipt)

        pipeline = Pipeline(
            directory=lambda: directory,
            commit=journal.commit,
            send_receipt=send_receipt,
            on_committed=lambda readings, _: (latest.update(readings), None)[1],
            clock=clock,
            settings=PipelineSettings(),
        )
        settings = MqttSourceSettings(url=f"mqtt://127.0.0.1:{port}", client_id=folder.name)
        source = MqttSource(settings, accept=pipeline.accept, clock=clock)
        tasks = [asyncio.create_task(work) for work in (pipeline.run(), source.run(), journal.run(clock))]
        try:
            while not source.stats()[Lane.LIVE].connected:  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.01)
            yield source, journal
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def sender(
    port: int, batches: int, window_by: str, per_second: float | None = None
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Start the sender once everything is encoded; leaves it running, ends it with the block."""
    arguments = (
        str(port),
        str(_NODES),
        str(batches),
        str(_WINDOW),
        window_by,
        *([str(per_second)] if per_second else []),
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "benchmarks._batch_sender",
        *arguments,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        await process.stdout.readline()
        process.stdin.write(b"go\n")
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def _directory() -> Directory:
    nodes = [node_name(index) for index in range(_NODES)]
    temperature, minute = QUANTITIES["temperature"], timedelta(minutes=1)
    return Directory(
        nodes=[Node(node, "bench") for node in nodes],
        channels=[
            Channel(f"{node}/{name}", "bench", "fridge", node, name, temperature, minute)
            for node in nodes
            for name in map(channel_name, range(READINGS_PER_BATCH))
        ],
    )


class _WallClock:
    """The machine's own time."""

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
