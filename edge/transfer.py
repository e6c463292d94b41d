"""Publishing a finite set of readings and returning when the collector has every one of them."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from domain.errors import PeerError
from domain.instant import SECOND_MS, Clock
from domain.reading import Sample
from domain.receipt import Receipt
from edge.outbox import Outbox
from edge.publisher import Publisher
from edge.settings import BrokerSettings, PublishSettings

CHUNK_READINGS = 1_000
MOST_WAITING = 20_000
DEFAULT_PATIENCE_SECONDS = 30.0
BULK = PublishSettings(
    batch_readings=500,
    window=20,
    backfill_readings_per_second=None,
    receipt_timeout=timedelta(seconds=5),
    reconnect_first=timedelta(seconds=1),
)
"""Well below the patience, so that what a dying broker forgot is sent again before anybody gives up."""


class Progress(NamedTuple):
    """How far a transfer is."""

    put: int
    """Readings taken from the source so far."""
    receipted: int
    """Readings that the collector has taken."""
    rejected: int
    """Records among them that it refused; its log says why."""


async def publish_all(
    samples: Iterable[Sample],
    *,
    node: str,
    broker: BrokerSettings,
    clock: Clock,
    publish: PublishSettings = BULK,
    outbox_path: Path | None = None,
    speed: float | None = None,
    patience_seconds: float = DEFAULT_PATIENCE_SECONDS,
    progress: Callable[[Progress], None] = lambda _: None,
) -> Progress:
    """Publish the samples as ``node`` and return when every batch is receipted.

    With ``speed`` samples go out as fast as their times are apart, divided by it; they must be in the order of their
    times. Without ``outbox_path`` they wait in a temporary file. Raises ``PeerError`` naming the broker or the
    collector when nothing was receipted for ``patience_seconds``, and whatever the source raises.
    """
    with tempfile.TemporaryDirectory(prefix="vitals-") as folder:
        path = outbox_path or Path(folder) / "outbox.sqlite"
        outbox = await asyncio.to_thread(
            Outbox.open,
            path,
            batch_readings=publish.batch_readings,
            live_for_ms=round(publish.live_for.total_seconds() * SECOND_MS),
        )
        try:
            transfer = _Transfer(outbox, node, broker, clock, publish, patience_seconds, progress)
            return await transfer.run(_chunks(samples, speed))
        finally:
            outbox.close()


class _Chunk(NamedTuple):
    samples: list[Sample]
    wait_seconds: float
    """How long to wait before it is due."""


def _chunks(samples: Iterable[Sample], speed: float | None) -> Iterator[_Chunk]:
    source = iter(samples)
    if speed is None:
        while chunk := list(islice(source, CHUNK_READINGS)):
            yield _Chunk(chunk, 0.0)
        return
    last_ms: int | None = None
    for sample in source:
        waited_ms = 0 if last_ms is None else max(0, sample.measured_at_ms - last_ms)
        last_ms = sample.measured_at_ms
        yield _Chunk([sample], waited_ms / SECOND_MS / speed)


class _Transfer:
    def __init__(
        self,
        outbox: Outbox,
        node: str,
        broker: BrokerSettings,
        clock: Clock,
        publish: PublishSettings,
        patience_seconds: float,
        progress: Callable[[Progress], None],
    ) -> None:
        self._outbox = outbox
        self._broker = broker
        self._clock = clock
        self._patience_seconds = patience_seconds
        self._progress = progress
        self._node = node
        self._put = 0
        self._waiting = 0
        self._receipts = asyncio.Event()
        self._publisher = Publisher(
            outbox,
            node=node,
            broker=broker,
            settings=publish,
            clock=clock,
            version="",
            presence=False,
            on_receipt=self._note,
        )

    async def run(self, chunks: Iterator[_Chunk]) -> Progress:
        publishing = asyncio.create_task(self._publisher.run(), name=f"{self._node}: publish")
        feeding = asyncio.create_task(self._feed(chunks), name=f"{self._node}: feed")
        try:
            await asyncio.wait({publishing, feeding}, return_when=asyncio.FIRST_COMPLETED)
            if publishing.done():
                publishing.result()
            feeding.result()
        finally:
            for task in (publishing, feeding):
                task.cancel()
            await asyncio.wait({publishing, feeding})
        return self._so_far()

    async def _feed(self, chunks: Iterator[_Chunk]) -> None:
        while (chunk := await asyncio.to_thread(next, chunks, None)) is not None:
            await self._clock.sleep(chunk.wait_seconds)
            await asyncio.to_thread(self._outbox.put, chunk.samples)
            self._put += len(chunk.samples)
            self._publisher.wake()
            await self._until_waiting(MOST_WAITING)
        await self._until_waiting(0)

    async def _until_waiting(self, most: int) -> None:
        """Return when no more than so many readings wait; raise ``PeerError`` when nothing happens for too long."""
        while True:
            self._receipts.clear()
            self._waiting = await asyncio.to_thread(self._outbox.depth)
            self._progress(self._so_far())
            if self._waiting <= most:
                return
            receipted = False
            with suppress(TimeoutError):
                async with asyncio.timeout(self._patience_seconds):
                    receipted = await self._receipts.wait()
            if not receipted:
                raise self._silence()

    def _silence(self) -> PeerError:
        address, link = self._broker.address(), self._publisher.link
        if not link.connected:
            return PeerError(f"the broker at {address} cannot be reached: {link.last_error or 'no answer'}")
        return PeerError(
            f"the broker at {address} takes the readings of {self._node}, but no collector has receipted any for"
            f" {self._patience_seconds:g} s: is `vitals run` connected to this broker?"
        )

    def _note(self, _receipt: Receipt) -> None:
        self._receipts.set()

    def _so_far(self) -> Progress:
        return Progress(self._put, max(0, self._put - self._waiting), self._publisher.link.rejected_records)
