"""The one place that reaches below aiomqtt: many packets per system call, and reading that can be paused.

aiomqtt makes an asyncio task per message, paho makes four ``recv`` calls per message and one ``send`` per
acknowledgement. Here the socket is read and written in large pieces, which takes a third of the time per message
(docs/ingest.md has the figures), and the socket is simply not read while the pipeline has no room: TCP then holds the
broker back, nothing is acknowledged that is not in our hands, and no broker-specific limit has to be right. Manual
acknowledgement would bound memory only where the broker bounds its unacknowledged messages, which amqtt does not do
(and it drops what is not acknowledged within 5 s), while mosquitto's bound of 20 would throttle everybody.

Everything private that is touched is touched here: ``aiomqtt.Client._client``, ``paho.mqtt.client.Client._sock``
(paho puts its own wrapper there for WebSockets) and ``_loop_rc_handle``. Versions are bounded in pyproject.toml.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Callable
from typing import Any

import aiomqtt
from paho.mqtt.client import Client as PahoClient
from paho.mqtt.client import MQTTMessage
from paho.mqtt.enums import MQTTErrorCode

log = logging.getLogger(__name__)

_PIECE_BYTES = 65_536
_PACKETS_PER_TURN = 64
"""After so many packets the event loop gets its turn: about a millisecond."""
_MOST_UNSENT_BYTES = 1_048_576
"""With more than this waiting to be sent (acknowledgements, receipts) nothing is read that would add to it."""
_WOULD_BLOCK = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)

OnMessage = Callable[[str, bytes, bool], None]
"""Called with topic, payload and the broker's retain flag."""


class BufferedSocket:
    """A non-blocking socket that is read and written in large pieces; has what paho asks of a socket."""

    def __init__(self, sock: Any) -> None:
        self._sock = sock
        self._piece, self._at = b"", 0
        self._unsent = bytearray()

    @property
    def readable_now(self) -> bool:
        """Whether bytes are here that the operating system no longer tells of."""
        return self._at < len(self._piece) or bool(isinstance(self._sock, ssl.SSLSocket) and self._sock.pending())

    @property
    def unsent_bytes(self) -> int:
        """How many bytes wait for ``flush``."""
        return len(self._unsent)

    def recv(self, most_bytes: int) -> bytes:
        """Return up to so many bytes; raises as the socket does where none are there."""
        if self._at >= len(self._piece):
            self._piece, self._at = self._sock.recv(_PIECE_BYTES), 0
        start, self._at = self._at, min(self._at + most_bytes, len(self._piece))
        return self._piece[start : self._at]

    def send(self, data: bytes | bytearray) -> int:
        """Take all bytes; ``flush`` sends them."""
        self._unsent += data
        return len(data)

    def flush(self) -> bool:
        """Send what waits; return whether all of it went out. Raises ``OSError`` where the connection is broken."""
        try:
            while self._unsent:
                del self._unsent[: self._sock.send(self._unsent)]
        except _WOULD_BLOCK:
            return False
        return True

    def close(self) -> None:
        """Close, after one attempt to send what waits (the DISCONNECT packet)."""
        try:
            self.flush()
        except OSError:
            log.debug("the connection broke before its last bytes were sent")
        self._sock.close()

    def fileno(self) -> int:
        """Return the file descriptor."""
        return int(self._sock.fileno())

    def setblocking(self, flag: bool) -> None:
        """Pass on to the socket."""
        self._sock.setblocking(flag)


class FastClient:
    """Drives one ``aiomqtt.Client`` through one connection: hands over messages, publishes, pauses reading.

    Use: construct **before** the client connects (a persistent session delivers at once), call ``start`` when it has.
    """

    def __init__(self, client: aiomqtt.Client, on_message: OnMessage, on_published: Callable[[int], None]) -> None:
        self._paho: PahoClient = client._client  # noqa: SLF001 - see the module's docstring
        self._on_message, self._on_published = on_message, on_published
        self._loop = asyncio.get_running_loop()
        self._sock: BufferedSocket | None = None
        self._aiomqtt_closing: Callable[[PahoClient, Any, Any], None] | None = None
        self._paused = False
        self._read_planned = self._flush_planned = False
        self._paho.on_message = self._take_message
        self._paho.on_publish = lambda _client, _data, mid, _reason, _properties: self._on_published(mid)

    def start(self) -> None:
        """Take the connected socket over from aiomqtt's one-packet-at-a-time callbacks."""
        plain = self._paho.socket()
        if plain is None:
            return
        self._loop.remove_reader(plain.fileno())
        self._loop.remove_writer(plain.fileno())
        self._sock = self._paho._sock = BufferedSocket(plain)  # noqa: SLF001 - see the module's docstring
        self._paho.on_socket_register_write = lambda *_: self._plan_flush()
        self._paho.on_socket_unregister_write = lambda *_: None
        self._aiomqtt_closing, self._paho.on_socket_close = self._paho.on_socket_close, self._closing
        self._plan_flush()
        if not self._paused:
            self._listen()

    def publish(self, topic: str, payload: bytes) -> int | None:
        """Hand a QoS 1 message to paho and return its id at once; None when not connected."""
        if self._current() is None:
            return None
        info = self._paho.publish(topic, payload, qos=1)
        return info.mid if info.rc == MQTTErrorCode.MQTT_ERR_SUCCESS else None

    def pause(self) -> None:
        """Read nothing more, and so acknowledge nothing more, until ``resume``."""
        self._paused = True
        sock = self._current()
        if sock is not None:
            self._loop.remove_reader(sock.fileno())

    def resume(self) -> None:
        """Read again."""
        self._paused = False
        if self._current() is not None:
            self._listen()

    def _current(self) -> BufferedSocket | None:
        """Return our socket while paho still uses it."""
        return self._sock if self._sock is not None and self._paho.socket() is self._sock else None

    def _listen(self) -> None:
        sock = self._current()
        if sock is None:
            return
        self._loop.add_reader(sock.fileno(), self._read)
        if sock.readable_now:
            self._plan_read()

    def _plan_read(self) -> None:
        if not self._read_planned:
            self._read_planned = True
            self._loop.call_soon(self._read_on)

    def _read_on(self) -> None:
        self._read_planned = False
        self._read()

    def _read(self) -> None:
        sock = self._current()
        if sock is None or self._paused or self._choked(sock):
            return
        try:
            self._read_packets(sock)
        except Exception:  # the outermost boundary of a loop callback: a packet that trips paho ends the connection
            log.exception("could not read from the broker; reconnecting")
            self._break_off(MQTTErrorCode.MQTT_ERR_PROTOCOL)

    def _read_packets(self, sock: BufferedSocket) -> None:
        for _ in range(_PACKETS_PER_TURN):
            self._paho.loop_read()
            if self._current() is None or self._paused or not sock.readable_now:
                break
        else:
            self._plan_read()

    def _choked(self, sock: BufferedSocket) -> bool:
        if sock.unsent_bytes <= _MOST_UNSENT_BYTES:
            return False
        self._loop.remove_reader(sock.fileno())
        return True

    def _plan_flush(self) -> None:
        if not self._flush_planned:
            self._flush_planned = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._flush_planned = False
        sock = self._current()
        if sock is None:
            return
        self._paho.loop_write()
        if self._current() is None:  # it was the DISCONNECT packet
            return
        try:
            done = sock.flush()
        except OSError:
            self._break_off(MQTTErrorCode.MQTT_ERR_CONN_LOST)
            return
        if not done:
            self._loop.add_writer(sock.fileno(), self._flush)
            return
        self._loop.remove_writer(sock.fileno())
        if not self._paused:
            self._listen()

    def _closing(self, client: PahoClient, data: Any, sock: Any) -> None:
        self._loop.remove_writer(sock.fileno())
        if self._aiomqtt_closing is not None:
            self._aiomqtt_closing(client, data, sock)

    def _break_off(self, code: MQTTErrorCode) -> None:
        self._paho._loop_rc_handle(code)  # noqa: SLF001 - closes, and tells aiomqtt through on_disconnect

    def _take_message(self, _client: PahoClient, _data: object, message: MQTTMessage) -> None:
        try:
            topic = message.topic
        except UnicodeDecodeError:
            topic = "(not UTF-8)"
        self._on_message(topic, bytes(message.payload), message.retain)
