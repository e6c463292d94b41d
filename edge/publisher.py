"""The publisher: keeps a connection to the broker, sends what the outbox has, deletes what the collector receipts.

MQTT 3.1.1 with a persistent session, so that receipts reach a node that was away. A broker's acknowledgement proves
nothing about the collector; only a receipt deletes.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import aiomqtt

from domain.instant import Clock
from domain.reading import Batch
from domain.receipt import Receipt
from domain.rejection import PayloadError
from domain.senml import encode
from domain.senml_labels import ABSOLUTE_FROM_MS
from domain.topics import DownLane, UpLane, down, up
from edge.flight import Flight
from edge.outbox import Outbox, Outgoing
from edge.pacing import TokenBucket, full_jitter
from edge.settings import BrokerSettings, PublishSettings

logger = logging.getLogger(__name__)

FAREWELL_SECONDS = 0.4
STOP_SECONDS = 0.8
MAX_INCOMING_MESSAGES = 1_000
BURST_SECONDS = 2.0
STEADY_SECONDS = 10.0
"""A connection that held this long was a good one; after a shorter one the next wait is longer still."""
_OFFLINE = json.dumps({"online": False})


@dataclass
class Link:
    """How the publisher fares, for status pages and for saying whose fault a silence is."""

    connected: bool = False
    last_error: str | None = None
    """Why the last connection ended or did not come about."""
    last_receipt_ms: int | None = None
    sent_batches: int = 0
    receipted_readings: int = 0
    rejected_records: int = 0
    """What the collector took and refused; see its log for the reasons."""


class Downlink(Protocol):
    """Whoever is told things by the service and replies to them."""

    @property
    def lanes(self) -> Sequence[DownLane]:
        """Return what there is to subscribe to."""

    def take(self, lane: DownLane, payload: bytes) -> None:
        """Take a message; never waits."""

    async def reply(self, publish: Callable[[bytes], Awaitable[None]]) -> None:
        """Publish replies over one connection, until cancelled."""

    def birth(self) -> Mapping[str, Any]:
        """Return what the node's birth says of this."""


class Uplink(Protocol):
    """Whoever sends the service something else than readings."""

    async def send(self, publish: Callable[[bytes], Awaitable[None]]) -> None:
        """Publish events over one connection, until cancelled."""

    async def receipted(self, receipt: Receipt) -> None:
        """Take a receipt, of events or of readings."""


class Publisher:
    """One node's way to the broker; ``run`` never returns by itself.

    Without ``presence`` it is a visitor who publishes for the node: it has a session of its own, which the broker
    forgets, and says nothing about whether the node is there. ``outbox_ms`` tells the time on the outbox's timeline,
    where that is not the clock's.
    """

    def __init__(
        self,
        outbox: Outbox,
        *,
        node: str,
        broker: BrokerSettings,
        settings: PublishSettings,
        clock: Clock,
        version: str,
        chance: Callable[[], float] = random.random,
        presence: bool = True,
        on_receipt: Callable[[Receipt], None] | None = None,
        outbox_ms: Callable[[], int] | None = None,
    ) -> None:
        self.link = Link()
        self.downlink: Downlink | None = None
        """Set before ``run``; without it the node listens to receipts alone."""
        self.uplink: Uplink | None = None
        """Set before ``run``; without it the node sends readings alone."""
        self._outbox = outbox
        self._node = node
        self._broker = broker
        self._settings = settings
        self._clock = clock
        self._version = version
        self._chance = chance
        self._presence = presence
        self._on_receipt = on_receipt
        self._outbox_ms = outbox_ms or clock.now_ms
        self._something_new = asyncio.Event()
        rate = settings.backfill_readings_per_second
        burst = max(settings.batch_readings, (rate or 0) * BURST_SECONDS)
        self._backfill = None if rate is None else TokenBucket(rate, burst)

    def wake(self) -> None:
        """Tell the publisher that the outbox has something new."""
        self._something_new.set()

    async def run(self) -> None:
        """Connect, publish, and connect again whenever the connection ends, until cancelled."""
        waits = self._waits()
        while True:
            started_s = time.monotonic()
            try:
                await _bounded_in_its_end(self._use_connection(), name=f"{self._node}: connection")
            except* aiomqtt.MqttError as errors:
                self.link.last_error = str(_first(errors))
            if time.monotonic() - started_s > STEADY_SECONDS:
                waits = self._waits()
            wait_s = next(waits)
            logger.warning(
                "no connection to %s: %s; trying again in %.1f s", self._broker.address(), self.link.last_error, wait_s
            )
            # Sockets live in real time, whatever clock the readings have.
            await asyncio.sleep(wait_s)

    async def _use_connection(self) -> None:
        async with self._connected() as client:
            await self._publish_over(client)

    @contextlib.asynccontextmanager
    async def _connected(self) -> AsyncIterator[aiomqtt.Client]:
        """Hold one connection, with the node's birth and will on its state topic."""
        async with self._new_client() as client:
            for lane in (DownLane.RECEIPT, *(self.downlink.lanes if self.downlink else ())):
                await client.subscribe(down(self._node, lane), qos=1)
            if self._presence:
                await self._tell_state(client, self._birth())
            _stop_if_cancelled()
            self.link.connected = True
            logger.info("connected to %s as %s", self._broker.address(), self._node)
            try:
                yield client
            except asyncio.CancelledError:
                await self._say_farewell(client)
                raise
            finally:
                self.link.connected = False

    async def _say_farewell(self, client: aiomqtt.Client) -> None:
        # A clean disconnect makes the broker forget the will.
        if self._presence:
            with contextlib.suppress(aiomqtt.MqttError, TimeoutError):
                async with asyncio.timeout(FAREWELL_SECONDS):
                    await self._tell_state(client, _OFFLINE)

    async def _publish_over(self, client: aiomqtt.Client) -> None:
        flight = Flight(
            window=self._settings.window,
            receipt_timeout_s=self._settings.receipt_timeout.total_seconds(),
            backfill=self._backfill,
        )
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._listen(client, flight), name=f"{self._node}: messages")
            if self.downlink is not None:
                publish = partial(client.publish, up(self._node, UpLane.REPLY), qos=1)
                tasks.create_task(self.downlink.reply(publish), name=f"{self._node}: replies")
            if self.uplink is not None:
                publish = partial(client.publish, up(self._node, UpLane.EVENT), qos=1)
                tasks.create_task(self.uplink.send(publish), name=f"{self._node}: events")
            tasks.create_task(self._send_batches(client, flight), name=f"{self._node}: batches")

    async def _listen(self, client: aiomqtt.Client, flight: Flight) -> None:
        lanes = {down(self._node, lane): lane for lane in DownLane}
        async for message in client.messages:
            lane = lanes.get(message.topic.value)
            if lane is DownLane.RECEIPT:
                await self._take_receipt(message.payload, flight)
            elif lane is not None and self.downlink is not None:
                self.downlink.take(lane, bytes(message.payload))
            else:
                # amqtt hands retained messages of others to a session that comes back.
                logger.debug("not for us: %s", message.topic)

    async def _take_receipt(self, payload: bytes, flight: Flight) -> None:
        try:
            receipt = Receipt.decode(payload)
        except PayloadError as error:
            logger.warning("ignored on %s: %s", down(self._node, DownLane.RECEIPT), error)
            return
        deleted = await asyncio.to_thread(self._outbox.receipt, receipt.epoch, receipt.received)
        flight.landed(receipt, self._outbox.epoch)
        self._note(receipt, deleted)
        if self.uplink is not None:
            await self.uplink.receipted(receipt)
        self._something_new.set()

    async def _send_batches(self, client: aiomqtt.Client, flight: Flight) -> None:
        while True:
            self._something_new.clear()
            batches = await asyncio.to_thread(self._outbox.next_batches, self._outbox_ms(), self._settings.window)
            send, wait_s = flight.decide(batches, time.monotonic())
            async with asyncio.TaskGroup() as tasks:
                for batch in send:
                    tasks.create_task(self._send(client, batch), name=f"{self._node}: batch {batch.seq}")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._something_new.wait()

    async def _send(self, client: aiomqtt.Client, outgoing: Outgoing) -> None:
        samples = await asyncio.to_thread(self._outbox.samples, outgoing.seq, self._outbox_ms())
        if not samples:
            return  # receipted meanwhile
        batch = Batch(self._node, self._outbox.epoch, outgoing.seq, samples)
        payload = encode(batch, format=self._settings.format, deflate=self._settings.deflate)
        # A broker keeps no message of quality 0 for a collector that is away: times relative to the moment of arrival
        # would come out wrong by as long as it kept them.
        is_relative = samples[0].measured_at_ms < ABSOLUTE_FROM_MS
        await client.publish(up(self._node, outgoing.lane), payload, qos=0 if is_relative else 1)
        self.link.sent_batches += 1

    def _note(self, receipt: Receipt, deleted: int) -> None:
        self.link.last_receipt_ms = self._clock.now_ms()
        self.link.receipted_readings += deleted
        if deleted and receipt.rejected:
            self.link.rejected_records += receipt.rejected
            logger.warning("the collector refused %d records of %s; its log says why", receipt.rejected, self._node)
        if self._on_receipt is not None:
            self._on_receipt(receipt)

    def _birth(self) -> str:
        outbox = self._outbox
        kept = {"epoch": outbox.epoch, "thinned": outbox.thinned(), "dropped": outbox.dropped()}
        told = self.downlink.birth() if self.downlink else {}
        return json.dumps({"online": True, "agent": self._version, **kept, **told})

    async def _tell_state(self, client: aiomqtt.Client, state: str) -> None:
        await client.publish(up(self._node, UpLane.STATE), state, qos=1, retain=True)

    def _waits(self) -> Iterator[float]:
        first, longest = self._settings.reconnect_first, self._settings.reconnect_longest
        return full_jitter(first.total_seconds(), longest.total_seconds(), self._chance)

    def _new_client(self) -> aiomqtt.Client:
        """Return a client for one connection: paho keeps messages of a broken one, which would come out of order."""
        address = self._broker.address()
        will = aiomqtt.Will(up(self._node, UpLane.STATE), _OFFLINE, qos=1, retain=True)
        client = aiomqtt.Client(
            address.host,
            address.port,
            username=address.username,
            password=address.password,
            identifier=f"vitals-edge-{self._node}" if self._presence else f"vitals-visit-{self._outbox.epoch}",
            clean_session=not self._presence,
            keepalive=round(self._broker.keepalive.total_seconds()),
            will=will if self._presence else None,
            tls_params=self._tls_parameters() if address.tls else None,
            timeout=self._settings.receipt_timeout.total_seconds(),
            max_queued_incoming_messages=MAX_INCOMING_MESSAGES,
        )
        client.pending_calls_threshold = self._settings.window + 2
        return client

    def _tls_parameters(self) -> aiomqtt.TLSParameters:
        files = (self._broker.ca_file, self._broker.certificate_file, self._broker.key_file)
        ca_file, certificate_file, key_file = (None if path is None else str(path) for path in files)
        return aiomqtt.TLSParameters(ca_certs=ca_file, certfile=certificate_file, keyfile=key_file)


async def _bounded_in_its_end(connection: Coroutine[Any, Any, None], *, name: str) -> None:
    """Run the connection as a task of its own that cannot outlast our cancellation.

    aiomqtt waits for a broken link's farewell, and may turn a cancellation into an error of the link meanwhile. And in
    Python 3.11 a failed ``TaskGroup`` leaves its task counted as cancelled, so a task serves one connection only.
    """
    task = asyncio.create_task(connection, name=name)
    try:
        await asyncio.wait({task})
    except asyncio.CancelledError:
        task.cancel()
        await asyncio.wait({task}, timeout=STOP_SECONDS)
        task.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
        raise
    task.result()


def _stop_if_cancelled() -> None:
    """Be cancelled now, where ``asyncio.wait_for`` inside aiomqtt has swallowed it (Python 3.11, bpo-37658)."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


def _first(errors: BaseExceptionGroup[BaseException]) -> BaseException:
    error: BaseException = errors
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
