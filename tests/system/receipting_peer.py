"""A collector in miniature: keeps what it decodes in a dictionary and receipts it, as slowly or rarely as told."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import aiomqtt

from domain.reading import Sample
from domain.receipt import Receipt
from domain.senml import decode
from domain.topics import DownLane, UpLane, down, every_node_up, parse_topic

NOW_MS = 1_763_640_000_000
WAIT_SECONDS = 30.0


class ReceiptingPeer:
    """What arrived so far; ``answer`` decides which batches are receipted."""

    def __init__(self) -> None:
        self.samples: dict[tuple[str, str, int], Sample] = {}
        self.lanes: list[UpLane] = []
        self.payloads: dict[tuple[str | None, int | None], set[bytes]] = {}
        self.states: list[bytes] = []
        self.deliveries: Counter[int | None] = Counter()
        self.refused = 0
        self.answer: Callable[[int | None], bool] = lambda seq: True
        self._changed = asyncio.Event()

    async def until(self, condition: Callable[[], bool]) -> None:
        """Return as soon as the condition holds; raise ``TimeoutError`` when it does not come true."""
        async with asyncio.timeout(WAIT_SECONDS):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    def look_again(self, *_: object) -> None:
        """Make whoever waits in ``until`` look at the condition again."""
        self._changed.set()

    async def run(self, url: str, *, identifier: str = "peer") -> None:
        """Take and receipt messages until cancelled, across broken connections."""
        while not _is_cancelled():
            with contextlib.suppress(aiomqtt.MqttError):
                async with _client(url, identifier) as client:
                    for lane in (UpLane.LIVE, UpLane.BACKFILL, UpLane.STATE):
                        await client.subscribe(every_node_up(lane), qos=1)
                    async for message in client.messages:
                        await self._take(client, message)
                        if _is_cancelled():
                            return
            await asyncio.sleep(0.05)

    async def _take(self, client: aiomqtt.Client, message: aiomqtt.Message) -> None:
        topic = parse_topic(str(message.topic))
        payload = bytes(message.payload)
        if topic.lane is UpLane.STATE:
            self.states.append(payload)
        else:
            await self._keep(client, topic.node, UpLane(topic.lane), payload)
        self.look_again()

    async def _keep(self, client: aiomqtt.Client, node: str, lane: UpLane, payload: bytes) -> None:
        decoded = decode(payload, node=node, now_ms=NOW_MS)
        batch = decoded.batch
        self.lanes.append(lane)
        self.refused += len(decoded.refused)
        self.deliveries[batch.seq] += 1
        self.payloads.setdefault((batch.epoch, batch.seq), set()).add(payload)
        for sample in batch.samples:
            self.samples[node, sample.name, sample.measured_at_ms] = sample
        if batch.epoch is not None and batch.seq is not None and self.answer(batch.seq):
            receipt = Receipt.of(batch.epoch, [batch.seq], len(decoded.refused))
            await client.publish(down(node, DownLane.RECEIPT), receipt.encode(), qos=1)


def _is_cancelled() -> bool:
    # aiomqtt waits with asyncio.wait_for, which in Python 3.11 may swallow a cancellation.
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _client(url: str, identifier: str) -> aiomqtt.Client:
    parts = urlsplit(url)
    return aiomqtt.Client(
        parts.hostname or "",
        parts.port or 1883,
        username=parts.username,
        password=parts.password,
        identifier=identifier,
        clean_session=False,
        timeout=1,
    )


@asynccontextmanager
async def receipting_peer(url: str) -> AsyncIterator[ReceiptingPeer]:
    """Run a receipting peer at this broker."""
    peer = ReceiptingPeer()
    task = asyncio.create_task(peer.run(url))
    try:
        yield peer
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
