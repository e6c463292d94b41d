"""A collector of foreign devices as a process of its own: ``python -m tests.system.foreign_collector URL FOLDER``."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

from collector.foreign.devices import ForeignDevices
from collector.foreign.settings import ForeignSettings
from collector.journal import Journal
from collector.pipeline import Pipeline
from collector.settings import MqttSourceSettings, PipelineSettings
from collector.sources.foreign import ForeignSource
from domain.directory import Directory
from domain.places import Channel, Node
from domain.quantities import QUANTITIES
from domain.reading import Reading
from domain.receipt import Receipt
from domain.rejection import Rejected
from tests.system.collector_process import SOON, WallClock

NODE, CHANNEL = "tasmota-plug", "plug/temperature"
REGISTRY = Directory(
    nodes=[Node(NODE, "clinic")],
    channels=[
        Channel(CHANNEL, "clinic", "plug", NODE, "DS18B20/Temperature", QUANTITIES["temperature"], timedelta(minutes=1))
    ],
)


async def collect(url: str, folder: Path, *, refusing: Path | None = None) -> None:
    """Run until cancelled; while the file ``refusing`` exists every commit fails for good."""
    devices = ForeignDevices([ForeignSettings(adapter="tasmota", zone="UTC")])
    async with Journal.open(folder) as journal:

        async def commit(readings: Sequence[Reading], rejected: Sequence[Rejected]) -> int:
            if refusing is not None and refusing.exists():  # noqa: ASYNC240 - a test's switch
                raise ValueError("refused for good")
            return await journal.commit(readings, rejected)

        async def send_receipt(node: str, receipt: Receipt) -> None:
            raise AssertionError("foreign devices get no receipts")

        pipeline = Pipeline(
            directory=lambda: REGISTRY,
            commit=commit,
            send_receipt=send_receipt,
            on_committed=lambda _readings, _position: None,
            foreign=devices,
            clock=WallClock(),
            settings=PipelineSettings(),
        )
        settings = MqttSourceSettings(url=url, reconnect_first=SOON, reconnect_longest=SOON)
        source = ForeignSource(
            settings, devices.filters, wanted=devices.listens_to, accept=pipeline.accept, clock=WallClock()
        )
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(pipeline.run())
            tasks.create_task(source.run())
            while not source.stats().connected:  # noqa: ASYNC110 - a test may look again and again
                await asyncio.sleep(0.01)
            print("connected", flush=True)  # noqa: T201 - tells the test


@asynccontextmanager
async def foreign_collector(url: str, folder: Path, refusing: Path) -> AsyncIterator[None]:
    """Run a collector process, connected to the broker; kill it, as a power cut would, at the end of the block."""
    command = [sys.executable, "-m", "tests.system.foreign_collector", url, str(folder), str(refusing)]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    try:
        assert process.stdout is not None
        async with asyncio.timeout(30):
            assert await process.stdout.readline() == b"connected\n"
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


if __name__ == "__main__":
    asyncio.run(collect(sys.argv[1], Path(sys.argv[2]), refusing=Path(sys.argv[3])))
