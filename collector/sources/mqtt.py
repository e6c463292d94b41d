"""Readings over MQTT 3.1.1: one persistent session per lane, receipts back to the nodes.

Live and backfill come through two connections, for a connection is the unit that can be held back: while the
backfill lane is full its socket is not read, and live messages pass by on their own.
"""

from __future__ import annotations

import asyncio
import logging
import random
import ssl
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol

import aiomqtt

from collector import backoff
from collector.lanes import Lane
from collector.settings import MqttSourceSettings
from collector.sources.paho_socket import FastClient
from collector.sources.receipts import PendingReceipts, ReceiptSender
from domain.errors import OperatorError, PeerError
from domain.instant import Clock
from domain.receipt import Receipt
from domain.topics import UpLane, every_node_up

log = logging.getLogger(__name__)

FILTERS: dict[Lane, tuple[str, ...]] = {
    Lane.LIVE: tuple(every_node_up(lane) for lane in UpLane if lane is not UpLane.BACKFILL),
    Lane.BACKFILL: (every_node_up(UpLane.BACKFILL),),
}


class Accept(Protocol):
    """What a source does with a message; it waits while there is no room."""

    async def __call__(self, topic: str, payload: bytes, received_at_ms: int, *, retained: bool = False) -> None:
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
        tls = tls_context(settings)
        self._receipts = ReceiptSender(PendingReceipts(settings.pending_receipts))
        self._connections = {
            lane: _Connection(settings, lane, accept=accept, clock=clock, jitter=jitter, tls=tls, receipts=receipts)
            for lane, receipts in ((Lane.LIVE, self._receipts), (Lane.BACKFILL, None))
        }

    async def run(self) -> None:
        """Keep both connections until cancelled; a broker that is away is tried again and again."""
        async with asyncio.TaskGroup() as tasks:
            for lane, connection in self._connections.items():
                tasks.create_task(connection.run(), name=f"MQTT {lane}")
                tasks.create_task(connection.pump(), name=f"MQTT {lane} pump")

    async def send_receipt(self, node: str, receipt: Receipt) -> None:
        """Hand over a receipt; returns at once, for waiting here could make the broker wait for us."""
        self._receipts.send(node, receipt)

    def stats(self) -> dict[Lane, ConnectionStats]:
        """Return a snapshot of how each lane's connection fares."""
        return {lane: replace(connection.stats) for lane, connection in self._connections.items()}

    def receipts_waiting(self) -> int:
        """Return how many batches' receipts wait to be published."""
        return len(self._receipts.pending)


def tls_context(settings: MqttSourceSettings) -> ssl.SSLContext | None:
    """Return the TLS context that the settings ask for; raise ``OperatorError`` where its files cannot be used."""
    if not settings.tls:
        return None
    try:
        context = ssl.create_default_context(cafile=settings.ca_file)
        if settings.certificate_file is not None:
            context.load_cert_chain(settings.certificate_file, settings.key_file)
    except OSError as error:
        raise OperatorError(f"the certificate files of the broker connection cannot be used: {error}") from error
    return context


class _Arrived(NamedTuple):
    topic: str
    payload: bytes
    received_at_ms: int
    retained: bool


class _Connection:
    """One lane: connects again and again, buffers what it reads, and stops reading while the buffer is full."""

    def __init__(
        self,
        settings: MqttSourceSettings,
        lane: Lane,
        *,
        accept: Accept,
        clock: Clock,
        jitter: Callable[[], float],
        tls: ssl.SSLContext | None,
        receipts: ReceiptSender | None,
    ) -> None:
        self._settings, self._lane, self._accept, self._clock = settings, lane, accept, clock
        self._jitter, self._tls, self._receipts = jitter, tls, receipts
        self._waits = self._fresh_waits()
        self._buffer: deque[_Arrived] = deque()
        self._buffered_bytes = 0
        self._arrived, self._room = asyncio.Event(), asyncio.Event()
        self._room.set()
        self._fast: FastClient | None = None
        self.stats = ConnectionStats()

    async def run(self) -> None:
        """Stay connected, with growing pauses between attempts."""
        while True:
            await self._room.wait()  # a session that would not be read is not worth having
            try:
                await self._session()
            except (aiomqtt.MqttError, PeerError, OSError) as error:
                log.warning("MQTT %s, %s:%d: %s", self._lane, self._settings.host, self._settings.port, error)
            await asyncio.sleep(next(self._waits))

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

    async def _session(self) -> None:
        """Connect, subscribe, and stay until the connection ends, which raises ``MqttError``."""
        client = self._client()
        fast = FastClient(client, self._on_message, self._on_published)
        self._fast = fast
        try:
            async with client:
                fast.start()
                await self._subscribe(client)
                self._connected(fast)
                async for _ in client.messages:  # ends with the connection; messages go to _on_message instead
                    log.error("MQTT %s: a message came past its reader", self._lane)
        finally:
            self._fast, self.stats.connected = None, False
            if self._receipts is not None:
                self._receipts.detach()

    async def _subscribe(self, client: aiomqtt.Client) -> None:
        filters = FILTERS[self._lane]
        granted = await client.subscribe([(topic_filter, 1) for topic_filter in filters])
        if any(getattr(code, "is_failure", False) for code in granted):
            raise PeerError(f"the broker does not allow this user to subscribe to {', '.join(filters)}")

    def _connected(self, fast: FastClient) -> None:
        self._waits = self._fresh_waits()
        self.stats.connected = True
        self.stats.connections += 1
        log.info("MQTT %s: connected to %s:%d", self._lane, self._settings.host, self._settings.port)
        if self._receipts is not None:
            self._receipts.attach(fast.publish)

    def _client(self) -> aiomqtt.Client:
        """Return a new client: one that is used for a second connection would deliver its old queue again."""
        settings = self._settings
        username, password = settings.credentials
        return aiomqtt.Client(
            settings.host,
            settings.port,
            username=username,
            password=password,
            identifier=f"{settings.client_id}-{self._lane}",
            clean_session=False,
            keepalive=max(1, round(settings.keepalive.total_seconds())),
            tls_context=self._tls,
        )

    def _on_message(self, topic: str, payload: bytes, retained: bool) -> None:
        self._buffer.append(_Arrived(topic, payload, self._clock.now_ms(), retained))
        self._buffered_bytes += len(payload)
        self.stats.messages += 1
        self._arrived.set()
        if self._room.is_set() and self._full():
            self._room.clear()
            self.stats.pauses += 1
            if self._fast is not None:
                self._fast.pause()

    def _on_published(self, message_id: int) -> None:
        if self._receipts is not None:
            self._receipts.acknowledged(message_id)

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

    def _fresh_waits(self) -> backoff.Waits:
        return backoff.waits(self._settings.reconnect_first, self._settings.reconnect_longest, self._jitter)
