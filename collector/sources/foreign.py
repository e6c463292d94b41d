"""Messages of foreign devices over MQTT 3.1.1, acknowledged to the broker only after they are durable.

These devices keep nothing themselves, so the broker's session is what holds a message until its commit: one persistent
session under a client id of its own, quality of service 1. Here the broker's window of unacknowledged messages limits
what is read ahead, and so does our own bound, which also holds for brokers without a window and for messages of
quality of service 0.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import NamedTuple, Protocol

import aiomqtt
from paho.mqtt.client import Client as PahoClient
from paho.mqtt.client import MQTTMessage
from paho.mqtt.enums import MQTTErrorCode

from collector import backoff
from collector.lanes import Done, Outcome
from collector.settings import MqttSourceSettings
from collector.sources.acknowledgements import Acknowledgements
from collector.sources.link import new_client, stop_if_cancelled, tls_context
from collector.sources.mqtt import ConnectionStats
from domain.errors import PeerError
from domain.instant import Clock

log = logging.getLogger(__name__)

_NAME = "foreign"


class AcceptAndTell(Protocol):
    """What the source does with a message; it waits while there is no room, and tells the outcome later."""

    async def __call__(
        self, topic: str, payload: bytes, received_at_ms: int, /, *, retained: bool = False, done: Done | None = None
    ) -> None:
        """Take the message."""


class _Arrived(NamedTuple):
    topic: str
    payload: bytes
    received_at_ms: int
    retained: bool
    done: Done


class ForeignSource:
    """Takes messages of foreign devices from a broker until cancelled."""

    def __init__(
        self,
        settings: MqttSourceSettings,
        filters: Sequence[str],
        *,
        wanted: Callable[[str], bool],
        accept: AcceptAndTell,
        clock: Clock,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        """``accept`` is the pipeline's. Raises ``OperatorError`` for certificate files that cannot be used.

        A message whose topic is not ``wanted`` is acknowledged and forgotten: a session remembers filters that the
        configuration has given up.
        """
        self._settings, self._filters, self._wanted = settings, tuple(filters), wanted
        self._accept, self._clock, self._jitter, self._tls = accept, clock, jitter, tls_context(settings)
        self._arrived: deque[_Arrived] = deque()
        self._news, self._room = asyncio.Event(), asyncio.Event()
        self._room.set()
        self._held_messages = self._held_bytes = 0
        self._reader: _Reader | None = None
        self._comes_again: asyncio.TimerHandle | None = None
        self._waits = self._fresh_waits()
        self._stats = ConnectionStats()

    async def run(self) -> None:
        """Keep connected until cancelled; a broker that is away is tried again and again."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._stay_connected(), name="MQTT link")
            tasks.create_task(self._pump(), name="MQTT foreign pump")

    def stats(self) -> ConnectionStats:
        """Return a snapshot of how the connection fares."""
        return replace(self._stats)

    @property
    def held(self) -> int:
        """Return how many messages were read and have no outcome yet."""
        return self._held_messages

    # The connection.

    async def _stay_connected(self) -> None:
        where = f"{self._settings.host}:{self._settings.port}"
        while True:
            await self._room.wait()
            try:
                await self._session()
            except (aiomqtt.MqttError, PeerError, OSError) as error:
                log.warning("MQTT %s: %s: %s", _NAME, where, error)
            stop_if_cancelled()
            await asyncio.sleep(next(self._waits))

    async def _session(self) -> None:
        """Connect and stay until the connection ends, which raises ``MqttError``, or does not come about."""
        client = new_client(self._settings, _NAME, keeps_session=True, tls=self._tls)
        paho = client._client  # noqa: SLF001 - aiomqtt has no way to acknowledge by hand
        paho.manual_ack_set(True)  # before connecting: a persistent session delivers at once
        owed = Acknowledgements(partial(paho.ack, qos=1))
        paho.on_message = lambda _client, _data, message: self._take(message, owed)
        self._reader = _Reader(paho)
        try:
            async with client:
                stop_if_cancelled()
                await self._subscribe(client)
                stop_if_cancelled()
                log.info("MQTT %s: connected to %s:%d", _NAME, self._settings.host, self._settings.port)
                async for _ in client.messages:  # ends with the connection; messages go to _take instead
                    log.error("MQTT %s: a message came past its reader", _NAME)
        finally:
            owed.close()
            self._forget_connection()

    async def _subscribe(self, client: aiomqtt.Client) -> None:
        granted = await client.subscribe([(topic_filter, 1) for topic_filter in self._filters])
        if any(getattr(code, "is_failure", False) for code in granted):
            raise PeerError(f"the broker does not allow this user to subscribe to {', '.join(self._filters)}")
        self._stats.connected = True
        self._stats.connections += 1

    def _forget_connection(self) -> None:
        """Start with short waits again after a connection that stood and did not end for what is not stored."""
        if self._comes_again is not None:
            self._comes_again.cancel()
        elif self._stats.connected:
            self._waits = self._fresh_waits()
        self._reader, self._comes_again, self._stats.connected = None, None, False

    def _fresh_waits(self) -> backoff.Waits:
        return backoff.waits(self._settings.reconnect_first, self._settings.reconnect_longest, self._jitter)

    # Messages in, outcomes back.

    def _take(self, message: MQTTMessage, owed: Acknowledgements) -> None:
        """Hold a message until its outcome is known; stop reading where that makes too many."""
        topic = message._topic.decode("utf-8", "backslashreplace")  # noqa: SLF001 - .topic raises for what is not UTF-8
        settle = owed.expect(message.mid) if message.qos else None
        if not self._wanted(topic):
            if settle is not None:
                settle(True)
            return
        payload = bytes(message.payload)
        self._stats.messages += 1
        self._held_messages += 1
        self._held_bytes += len(payload)
        done = partial(self._told, len(payload), settle)
        self._arrived.append(_Arrived(topic, payload, self._clock.now_ms(), message.retain, done))
        self._news.set()
        if self._room.is_set() and self._full():
            self._room.clear()
            self._stats.pauses += 1
            if self._reader is not None:
                self._reader.pause()

    async def _pump(self) -> None:
        """Hand what was read to the pipeline, in order, as fast as the pipeline takes it."""
        while True:
            while self._arrived:
                topic, payload, received_at_ms, retained, done = self._arrived.popleft()
                await self._accept(topic, payload, received_at_ms, retained=retained, done=done)
            self._news.clear()
            await self._news.wait()

    def _told(self, size: int, settle: Callable[[bool], None] | None, outcome: Outcome) -> None:
        """Acknowledge what is stored; have the broker send again what is not."""
        self._held_messages -= 1
        self._held_bytes -= size
        if settle is not None:
            settle(outcome.stored)
            if not outcome.stored:
                self._ask_again()
        if not self._room.is_set() and self._half_empty():
            self._room.set()
            if self._reader is not None:
                self._reader.resume()

    def _ask_again(self) -> None:
        """Connect anew after a growing pause: a broker repeats what is not acknowledged on a new connection only."""
        if self._comes_again is None and self._reader is not None:
            wait_seconds = next(self._waits)
            log.warning("MQTT %s: something was not stored; asking the broker again in %.1f s", _NAME, wait_seconds)
            self._comes_again = asyncio.get_running_loop().call_later(wait_seconds, self._reader.disconnect)

    def _full(self) -> bool:
        settings = self._settings
        return self._held_messages >= settings.buffered_messages or self._held_bytes >= settings.buffered_bytes

    def _half_empty(self) -> bool:
        settings = self._settings
        few = self._held_messages <= settings.buffered_messages // 2
        return few and self._held_bytes <= settings.buffered_bytes // 2


class _Reader:
    """Stops and goes on reading the socket that aiomqtt reads."""

    def __init__(self, paho: PahoClient) -> None:
        self._paho, self._loop, self._paused = paho, asyncio.get_running_loop(), False

    def pause(self) -> None:
        """Leave the socket unread."""
        self._paused = True
        sock = self._paho.socket()
        if sock is not None:
            self._loop.remove_reader(sock.fileno())

    def resume(self) -> None:
        """Read again."""
        self._paused = False
        sock = self._paho.socket()
        if sock is not None:
            self._loop.add_reader(sock.fileno(), self._read)
            self._loop.call_soon(self._read)  # TLS may hold whole packets already

    def disconnect(self) -> None:
        """End the connection; aiomqtt notices."""
        self._paho.disconnect()

    def _read(self) -> None:
        try:
            while not self._paused and (sock := self._paho.socket()) is not None:
                self._paho.loop_read()
                if not (hasattr(sock, "pending") and sock.fileno() >= 0 and sock.pending()):
                    return
        except Exception:  # the outermost boundary of a loop callback: what trips us ends the connection
            log.exception("could not read from the broker; connecting again")
            self._paho._loop_rc_handle(MQTTErrorCode.MQTT_ERR_CONN_LOST)  # noqa: SLF001 - closes, and tells aiomqtt
