"""Readings over MQTT 3.1.1: one persistent session per lane, receipts back to the nodes.

Live and backfill come through two connections, for a connection is the unit that can be held back: while the
backfill lane is full its socket is not read, and live messages pass by on their own. Receipts leave through a third,
whose acknowledgements do not queue behind readings and which is never held back.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple, Protocol

import aiomqtt

from collector.lanes import Lane
from collector.settings import MqttSourceSettings
from collector.sources.link import Link, tls_context
from collector.sources.paho_socket import FastClient
from collector.sources.receipts import PendingReceipts, ReceiptSender
from domain.errors import PeerError
from domain.instant import Clock
from domain.receipt import Receipt
from domain.topics import UpLane, every_node_up

FILTERS: dict[Lane, tuple[str, ...]] = {
    Lane.LIVE: tuple(every_node_up(lane) for lane in UpLane if lane is not UpLane.BACKFILL),
    Lane.BACKFILL: (every_node_up(UpLane.BACKFILL),),
}


class Accept(Protocol):
    """What a source does with a message; it waits while there is no room."""

    async def __call__(self, topic: str, payload: bytes, received_at_ms: int, /, *, retained: bool = False) -> None:
        """Take the message."""


@dataclass(slots=True)
class ConnectionStats:
    """How one lane's connection fares."""

    connected: bool = False
    connections: int = 0
    """How often it was made."""
    messages: int = 0
    pauses: int = 0
    """How often reading was held back."""


class MqttSource:
    """Takes messages from a broker until cancelled, and publishes receipts."""

    def __init__(
        self, settings: MqttSourceSettings, *, accept: Accept, clock: Clock, jitter: Callable[[], float] = random.random
    ) -> None:
        """``accept`` is the pipeline's. Raises ``OperatorError`` for certificate files that cannot be used."""
        link = partial(Link, settings, tls=tls_context(settings), jitter=jitter)
        self._inlets = {lane: _Inlet(settings, lane, accept, clock) for lane in Lane}
        self._receipts = ReceiptSender(
            PendingReceipts(settings.pending_receipts), delay_seconds=settings.receipt_delay.total_seconds()
        )
        self._links = [link(lane, inlet, keeps_session=True) for lane, inlet in self._inlets.items()]
        self._links.append(link("receipts", _Outlet(self._receipts), keeps_session=False))

    async def run(self) -> None:
        """Keep all connections until cancelled; a broker that is away is tried again and again."""
        async with asyncio.TaskGroup() as tasks:
            for link in self._links:
                tasks.create_task(link.run(), name="MQTT link")
            for lane, inlet in self._inlets.items():
                tasks.create_task(inlet.pump(), name=f"MQTT {lane} pump")

    async def send_receipt(self, node: str, receipt: Receipt) -> None:
        """Hand over a receipt; returns at once, for waiting here could make the broker wait for us."""
        self._receipts.send(node, receipt)

    def stats(self) -> dict[Lane, ConnectionStats]:
        """Return a snapshot of how each lane's connection fares."""
        return {lane: replace(inlet.stats) for lane, inlet in self._inlets.items()}

    def receipts_waiting(self) -> int:
        """Return how many batches' receipts wait to be published."""
        return len(self._receipts.pending)


class _Outlet:
    """The connection that receipts leave by."""

    def __init__(self, receipts: ReceiptSender) -> None:
        self._receipts = receipts
        self.on_published = receipts.acknowledged
        self.disconnected = receipts.detach

    async def ready(self) -> None:
        """Connect at once."""

    def on_message(self, topic: str, payload: bytes, retained: bool) -> None:
        """Nothing is subscribed to here."""

    async def connected(self, _client: aiomqtt.Client, fast: FastClient) -> None:
        """Send what waits."""
        self._receipts.attach(fast.publish)


class _Arrived(NamedTuple):
    topic: str
    payload: bytes
    received_at_ms: int
    retained: bool


class _Inlet:
    """The connection of one lane: buffers what it reads, and stops reading while the buffer is full."""

    def __init__(self, settings: MqttSourceSettings, lane: Lane, accept: Accept, clock: Clock) -> None:
        self._settings, self._lane, self._accept, self._clock = settings, lane, accept, clock
        self._buffer: deque[_Arrived] = deque()
        self._buffered_bytes = 0
        self._arrived, self._room = asyncio.Event(), asyncio.Event()
        self._room.set()
        self._fast: FastClient | None = None
        self.stats = ConnectionStats()

    async def pump(self) -> None:
        """Hand what was read to the pipeline, in order, as fast as the pipeline takes it."""
        while True:
            while self._buffer:
                topic, payload, received_at_ms, retained = self._buffer.popleft()
                self._buffered_bytes -= len(payload)
                await self._accept(topic, payload, received_at_ms, retained=retained)
                if not self._room.is_set() and self._half_empty():
                    self._resume()
            self._arrived.clear()
            await self._arrived.wait()

    async def ready(self) -> None:
        """Return when there is room: a session that would not be read is not worth having."""
        await self._room.wait()

    async def connected(self, client: aiomqtt.Client, fast: FastClient) -> None:
        """Subscribe; raise ``PeerError`` where the broker does not allow it."""
        self._fast = fast
        if not self._room.is_set():
            fast.pause()
        filters = FILTERS[self._lane]
        granted = await client.subscribe([(topic_filter, 1) for topic_filter in filters])
        if any(getattr(code, "is_failure", False) for code in granted):
            raise PeerError(f"the broker does not allow this user to subscribe to {', '.join(filters)}")
        self.stats.connected = True
        self.stats.connections += 1

    def disconnected(self) -> None:
        """Forget the connection."""
        self._fast, self.stats.connected = None, False

    def on_published(self, message_id: int) -> None:
        """Nothing is published here."""

    def on_message(self, topic: str, payload: bytes, retained: bool) -> None:
        """Buffer a message; hold the connection back where that fills the buffer."""
        self._buffer.append(_Arrived(topic, payload, self._clock.now_ms(), retained))
        self._buffered_bytes += len(payload)
        self.stats.messages += 1
        self._arrived.set()
        if self._room.is_set() and self._full():
            self._room.clear()
            self.stats.pauses += 1
            if self._fast is not None:
                self._fast.pause()

    def _resume(self) -> None:
        self._room.set()
        if self._fast is not None:
            self._fast.resume()

    def _full(self) -> bool:
        settings = self._settings
        return len(self._buffer) >= settings.buffered_messages or self._buffered_bytes >= settings.buffered_bytes

    def _half_empty(self) -> bool:
        settings = self._settings
        few = len(self._buffer) <= settings.buffered_messages // 2
        return few and self._buffered_bytes <= settings.buffered_bytes // 2
