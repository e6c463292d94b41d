"""A collector as a process of its own, to be killed: ``python -m tests.system.collector_process URL FOLDER NODE...``.

It has the registry of ``tests.collector.intake``, takes messages from the broker, and commits to a journal in FOLDER.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

from collector.journal import Journal
from collector.lanes import Lane
from collector.pipeline import Pipeline
from collector.settings import MqttSourceSettings, PipelineSettings
from collector.sources.mqtt import MqttSource
from domain.reading import Reading
from domain.receipt import Receipt
from domain.rejection import Rejected
from tests.collector.intake import directory

SOON = timedelta(milliseconds=50)


class WallClock:
    """The machine's own time."""

    def now_ms(self) -> int:
        """Return the current moment."""
        return time.time_ns() // 1_000_000

    async def sleep(self, seconds: float) -> None:
        """Wait in real time."""
        await asyncio.sleep(seconds)


async def collect(url: str, folder: Path, nodes: list[str], *, wait_seconds: float = 0.0) -> None:
    """Run until cancelled; ``wait_seconds`` makes every commit so much slower."""
    registry, clock = directory(*nodes), WallClock()
    async with Journal.open(folder) as journal:

        async def send_receipt(node: str, receipt: Receipt) -> None:
            await source.send_receipt(node, receipt)

        async def commit(readings: Sequence[Reading], rejected: Sequence[Rejected]) -> int:
            await asyncio.sleep(wait_seconds)
            return await journal.commit(readings, rejected)

        pipeline = Pipeline(
            directory=lambda: registry,
            commit=commit,
            send_receipt=send_receipt,
            on_committed=lambda _readings, _position: None,
            clock=clock,
            settings=PipelineSettings(),
        )
        settings = MqttSourceSettings(url=url, reconnect_first=SOON, reconnect_longest=SOON)
        source = MqttSource(settings, accept=pipeline.accept, clock=clock)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(pipeline.run())
            tasks.create_task(source.run())
            tasks.create_task(_announce(source))


async def _announce(source: MqttSource) -> None:
    while not all(source.stats()[lane].connected for lane in Lane):  # noqa: ASYNC110 - a test may look again and again
        await asyncio.sleep(0.01)
    print("connected", flush=True)  # noqa: T201 - tells the test


@asynccontextmanager
async def collector(
    url: str, folder: Path, *nodes: str, wait_seconds: float = 0.0
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a collector process, connected to the broker; kill it, as a power cut would, at the end of the block."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.system.collector_process",
        url,
        str(folder),
        str(wait_seconds),
        *nodes,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(30):
            assert await process.stdout.readline() == b"connected\n"
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


if __name__ == "__main__":
    asyncio.run(collect(sys.argv[1], Path(sys.argv[2]), sys.argv[4:], wait_seconds=float(sys.argv[3])))
