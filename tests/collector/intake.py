"""A small registry, a recorder in the place of the journal, and payloads: what the tests of the intake share."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Any

from collector.node_events import TakeEvent
from collector.pipeline import Pipeline
from collector.settings import PipelineSettings
from domain.directory import Directory
from domain.places import Channel, Node
from domain.quantities import QUANTITIES
from domain.reading import Batch, Reading, Sample
from domain.receipt import Receipt
from domain.rejection import Rejected
from domain.senml import WireFormat, encode
from domain.topics import UpLane, up

NOW_MS = 1_760_000_000_000
CHANNELS = {"fridge": "temperature", "mains": "voltage", "humidity": "humidity", "door": "door"}


def directory(*nodes: str) -> Directory:
    """Return a registry in which each node has the channels of ``CHANNELS``, with ids ``<node>.<name>``."""
    return Directory(
        nodes=[Node(node, "clinic") for node in nodes],
        channels=[
            Channel(
                f"{node}.{name}", "clinic", f"{node}.equipment", node, name, QUANTITIES[quantity], timedelta(minutes=1)
            )
            for node in nodes
            for name, quantity in CHANNELS.items()
        ],
    )


def payload(node: str, seq: int | None, *samples: Sample, epoch: str = "e1") -> bytes:
    """Return a SenML JSON payload with the identity of a batch."""
    batch = Batch(node, None if seq is None else epoch, seq, samples)
    return encode(batch, format=WireFormat.JSON)


def fridge(measured_at_ms: int, value: float = 4.5) -> Sample:
    """Return a temperature of the node's fridge."""
    return Sample("fridge", measured_at_ms, value)


def publish(topic: bytes, content: bytes, *, message_id: int | None = None, flags: int = 0) -> bytes:
    """Return an MQTT 3.1.1 PUBLISH packet; of quality of service 1 where it has an id."""
    body = struct.pack("!H", len(topic)) + topic
    if message_id is not None:
        flags |= 0x02
        body += struct.pack("!H", message_id)
    return packet(0x30 | flags, body + content)


def packet(first: int, body: bytes) -> bytes:
    """Return an MQTT packet."""
    length, rest = bytearray(), len(body)
    while rest >= 0x80:
        length.append(rest & 0x7F | 0x80)
        rest >>= 7
    length.append(rest)
    return bytes((first,)) + bytes(length) + body


class StoppedClock:
    """A clock that shows what it was set to."""

    def __init__(self, now_ms: int = NOW_MS) -> None:
        self.shows_ms = now_ms

    def now_ms(self) -> int:
        """Return what the clock shows."""
        return self.shows_ms

    async def sleep(self, seconds: float) -> None:
        """Give others a turn."""
        await asyncio.sleep(0)


class Recorder:
    """Takes groups like a journal, remembers the order of events, and fails or waits when told."""

    def __init__(self) -> None:
        self.events: list[tuple[str, Any]] = []
        self.groups: list[Sequence[Reading]] = []
        self.rejected: list[Rejected] = []
        self.receipts: list[tuple[str, Receipt]] = []
        self.told: list[Reading] = []
        self.before_commit: Callable[[Sequence[Reading], Sequence[Rejected]], Awaitable[None]] | None = None
        self.changed = asyncio.Event()

    @property
    def readings(self) -> list[Reading]:
        """Return everything committed, in order."""
        return [reading for group in self.groups for reading in group]

    async def commit(self, readings: Sequence[Reading], rejected: Sequence[Rejected]) -> int:
        """Stand in for the journal's commit."""
        if self.before_commit is not None:
            await self.before_commit(readings, rejected)
        self.groups.append(list(readings))
        self.rejected.extend(rejected)
        self._note("commit", len(self.groups))
        return len(self.groups)

    async def send_receipt(self, node: str, receipt: Receipt) -> None:
        """Stand in for the source's receipts."""
        self.receipts.append((node, receipt))
        self._note("receipt", node)

    def on_committed(self, readings: Sequence[Reading], position: int) -> None:
        """Stand in for a follower."""
        self.told.extend(readings)
        self._note("told", position)

    def receipted(self, node: str, seq: int, epoch: str = "e1") -> bool:
        """Tell whether a receipt for this batch went out."""
        return any(to == node and receipt.covers(epoch, seq) for to, receipt in self.receipts)

    async def until(self, condition: Callable[[], bool], seconds: float = 10.0) -> None:
        """Wait until the condition holds after some event; fail when it takes too long."""
        async with asyncio.timeout(seconds):
            while not condition():
                self.changed.clear()
                await self.changed.wait()

    def _note(self, kind: str, what: object) -> None:
        self.events.append((kind, what))
        self.changed.set()


@asynccontextmanager
async def running(
    recorder: Recorder,
    registry: Directory | Callable[[], Directory],
    *,
    commit: Callable[[Sequence[Reading], Sequence[Rejected]], Awaitable[int]] | None = None,
    on_event: TakeEvent | None = None,
    **settings: Any,
) -> AsyncIterator[Pipeline]:
    """Run a pipeline over the recorder; ``settings`` are those of ``PipelineSettings``."""
    pipeline = Pipeline(
        directory=(lambda: registry) if isinstance(registry, Directory) else registry,
        commit=commit or recorder.commit,
        send_receipt=recorder.send_receipt,
        on_committed=recorder.on_committed,
        on_event=on_event,
        clock=StoppedClock(),
        settings=PipelineSettings(**({"group_age": timedelta(milliseconds=5)} | settings)),
        jitter=lambda: 0.0,
    )
    task = asyncio.create_task(pipeline.run())
    try:
        yield pipeline
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def send(pipeline: Pipeline, node: str, content: bytes, lane: UpLane = UpLane.LIVE) -> None:
    """Hand a payload to the pipeline as it would come from the node's topic."""
    await pipeline.accept(up(node, lane), content, NOW_MS)
