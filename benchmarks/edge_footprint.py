"""What the agent costs a small machine: how soon it measures, how much memory and processor it takes.

The agent is a process of its own with 20 probes read once a minute, publishing to a real mosquitto and receipted by a
collector in miniature. Beside it the least that could do the job: an interpreter that holds an MQTT connection.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import aiomqtt

from benchmarks._mosquitto import mosquitto
from benchmarks.figure import Better, Figure
from domain.receipt import Receipt
from domain.senml import decode
from domain.topics import DownLane, UpLane, down, every_node_up, parse_topic

CHANNELS = 20
MEGABYTE = 1_000_000
SETTLE_SECONDS = 5.0
_ANSWER = "48 01 4b 46 7f ff 0c 10 5f"
_BARE = """
import asyncio, os, socket, aiomqtt

async def main():
    async with aiomqtt.Client("127.0.0.1", {port}) as client:
        await client.subscribe("nothing")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as endpoint:
            endpoint.sendto(b"READY=1", os.environ["NOTIFY_SOCKET"])
        async for _ in client.messages:
            pass

asyncio.run(main())
"""
_NODE = """\
node: bench
broker: mqtt://127.0.0.1:{port}
outbox: outbox.db
interval: 1min
drivers:
  - driver: health
    channels: {{depth: outbox_depth}}
  - driver: ds18b20
    root: w1
    probes: {{{probes}}}
"""


class Cost(NamedTuple):
    """What one process took."""

    start_seconds: float
    resident_bytes: float
    processor_ratio: float
    """Processor seconds by seconds, of one core."""


def measure(quick: bool) -> Iterator[Figure]:
    """Yield the figures of the agent's footprint."""
    yield from asyncio.run(_measure(window_seconds=65.0 if quick else 185.0, starts=3 if quick else 7))


async def _measure(*, window_seconds: float, starts: int) -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="footprint-") as name:
        folder = Path(name)
        async with mosquitto(folder) as port, _receipts(port) as receipted:
            agent = [sys.executable, "-m", "app.cli", "edge", "--config", str(_node(folder, port))]
            bare = [sys.executable, "-c", _BARE.format(port=port)]
            soonest = [
                [(await _run(command, folder, 0.0)).start_seconds for _ in range(starts)] for command in (agent, bare)
            ]
            ours, theirs = await asyncio.gather(*(_run(each, folder, window_seconds) for each in (agent, bare)))
            assert receipted, "no batch arrived"
    note = f"{CHANNELS} probes once a minute, {window_seconds:.0f} s; baseline: an interpreter holding a connection"
    return [
        Figure(
            "edge agent: start to first measuring",
            "s",
            statistics.median(soonest[0]),
            statistics.median(soonest[1]),
            target=3.0,
            better=Better.LOWER,
            note=f"until it reports ready, median of {starts}; baseline: an interpreter until it is connected",
        ),
        Figure(
            "edge agent: resident memory",
            "MB",
            ours.resident_bytes / MEGABYTE,
            theirs.resident_bytes / MEGABYTE,
            target=60.0,
            better=Better.LOWER,
            note=note,
        ),
        Figure(
            "edge agent: processor",
            "% of a core",
            100 * ours.processor_ratio,
            100 * theirs.processor_ratio,
            target=2.0,
            better=Better.LOWER,
            note=note,
        ),
    ]


def _node(folder: Path, port: int) -> Path:
    devices = [f"28-{number:012x}" for number in range(CHANNELS - 1)]
    for device in devices:
        (folder / "w1" / device).mkdir(parents=True)
        (folder / "w1" / device / "w1_slave").write_text(f"{_ANSWER} : crc=5f YES\n{_ANSWER} t=4437\n")
    config = folder / "edge.yaml"
    probes = ", ".join(f"{device}: fridge-{number}/temperature" for number, device in enumerate(devices))
    config.write_text(_NODE.format(port=port, probes=probes))
    return config


async def _run(command: Sequence[str], folder: Path, window_seconds: float) -> Cost:
    """Start a process, wait until it says that it is ready, watch it for a while, end it."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as endpoint:
        address = tempfile.mktemp(prefix="notify-", dir=folder)  # noqa: S306 - a socket's name, in a folder of our own
        endpoint.bind(address)
        started = time.perf_counter()
        process = await asyncio.create_subprocess_exec(
            *command,
            env=os.environ | {"NOTIFY_SOCKET": address},
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            async with asyncio.timeout(30):
                while await asyncio.get_running_loop().sock_recv(endpoint, 4096) != b"READY=1":
                    pass
            start_seconds = time.perf_counter() - started
            if not window_seconds:
                return Cost(start_seconds, 0.0, 0.0)
            await asyncio.sleep(SETTLE_SECONDS)
            before = _processor_seconds(process.pid)
            await asyncio.sleep(window_seconds)
            used = _processor_seconds(process.pid) - before
            return Cost(start_seconds, _resident_bytes(process.pid), used / window_seconds)
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            await process.wait()


def _processor_seconds(pid: int) -> float:
    """Return what all threads of a process have used, to the nanosecond (proc(5), schedstat)."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9


def _resident_bytes(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    (line,) = (line for line in lines if line.startswith("VmRSS:"))
    return int(line.split()[1]) * 1024.0


@asynccontextmanager
async def _receipts(port: int) -> AsyncIterator[list[int]]:
    """Receipt every batch; yields the numbers of those that came."""
    seen: list[int] = []

    async def answer() -> None:
        async with aiomqtt.Client("127.0.0.1", port) as client:
            for lane in (UpLane.LIVE, UpLane.BACKFILL):
                await client.subscribe(every_node_up(lane), qos=1)
            async for message in client.messages:
                node = parse_topic(message.topic.value).node
                batch = decode(bytes(message.payload), node=node, now_ms=time.time_ns() // 1_000_000).batch
                if batch.epoch is not None and batch.seq is not None:
                    seen.append(batch.seq)
                    receipt = Receipt.of(batch.epoch, [batch.seq]).encode()
                    await client.publish(down(node, DownLane.RECEIPT), receipt, qos=1)

    task = asyncio.create_task(answer())
    try:
        yield seen
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
