"""The one place that reaches below aiomqtt: many packets per system call, and reading that can be paused.

aiomqtt makes an asyncio task per message, paho four ``recv`` calls per message and one ``send`` per acknowledgement.
Here the socket is read and written in large pieces, and messages and their acknowledgements are taken out of them and
put into them without a detour; every other packet (connecting, subscribing, keeping alive) goes to paho as before
(docs/ingest.md has the figures). The socket is simply not read while the pipeline has
no room: TCP then holds the broker back, nothing is acknowledged that is not in our hands, and no broker-specific
limit has to be right. Manual acknowledgement would bound memory only where the broker bounds its unacknowledged
messages, which amqtt does not do (and it drops what is not acknowledged within 5 s), while mosquitto's bound of 20
would throttle everybody.

Everything private that is touched is touched here: ``aiomqtt.Client._client``, ``paho.mqtt.client.Client._sock``
(paho puts its own wrapper there for WebSockets) and ``_loop_rc_handle``. Versions are bounded in pyproject.toml.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
import threading
from collections.abc import Callable
from enum import Enum
from typing import Any

import aiomqtt
from paho.mqtt.client import Client as PahoClient
from paho.mqtt.client import MQTTMessage
from paho.mqtt.enums import MQTTErrorCode

from collector.sources.packets import PacketBuffer, Publish, puback, publish, read_puback, read_publish

log = logging.getLogger(__name__)

_PIECE_BYTES = 65_536
_PACKETS_PER_TURN = 64
"""After so many packets the event loop gets its turn: about a millisecond."""
_MOST_UNSENT_BYTES = 1_048_576
"""With more than this waiting to be sent (acknowledgements, receipts) nothing is read that would add to it."""
_WOULD_BLOCK = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)

OnMessage = Callable[[str, bytes, bool], None]
"""Called with topic, payload and the broker's retain flag."""


class Left(Enum):
    """What there is where there is no message."""

    NOTHING = "nothing"
    """No whole packet has come yet."""
    TO_PAHO = "to paho"
    """Something that paho may read now."""


class BufferedSocket:
    """A non-blocking socket, plain or TLS, that is read and written in large pieces; has what paho asks of a socket.

    Paho reads only what it was granted, packet by packet, so that it is never left in the middle of one.
    """

    def __init__(self, sock: Any) -> None:
        self._sock = sock
        self._packets = PacketBuffer()
        self._granted, self._ended = b"", False
        self._unsent = bytearray()

    @property
    def unsent_bytes(self) -> int:
        """How many bytes wait for ``flush``."""
        return len(self._unsent)

    def fill(self) -> bool:
        """Take what is there, a piece at most; return whether anything was. Raises ``OSError`` as the socket does."""
        try:
            piece = self._sock.recv(_PIECE_BYTES)
        except _WOULD_BLOCK:
            return False
        self._ended = not piece
        self._packets.feed(piece)
        return True

    def next(self) -> Publish | int | Left:
        """Return the next message, or the id of a message of ours that is acknowledged, or what is left."""
        packet = self._packets.next()
        if packet is None:
            return Left.TO_PAHO if self._ended else Left.NOTHING
        data = self._packets.data
        message = read_publish(data, packet)
        if message is not None:
            return message
        acknowledged = read_puback(data, packet)
        if acknowledged is not None:
            return acknowledged
        self._granted += data[packet.start : packet.end]
        return Left.TO_PAHO

    def recv(self, most_bytes: int) -> bytes:
        """Return up to so many of the granted bytes; at the end of the stream none, else ``BlockingIOError``."""
        if not self._granted and not self._ended:
            raise BlockingIOError
        piece, self._granted = self._granted[:most_bytes], self._granted[most_bytes:]
        return piece

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

    Construct it **before** the client connects: a persistent session delivers at once. MQTT 3.1.1 only, which is what
    aiomqtt speaks unless told otherwise.
    """

    def __init__(self, client: aiomqtt.Client, on_message: OnMessage, on_published: Callable[[int], None]) -> None:
        paho = self._paho = client._client  # noqa: SLF001 - see the module's docstring
        self._on_message, self._on_published = on_message, on_published
        self._loop, self._loop_thread = asyncio.get_running_loop(), threading.get_ident()
        self._sock: BufferedSocket | None = None
        self._paused = self._choked = False
        self._message_id = 0
        self._read_planned = self._flush_planned = False
        self._aiomqtt_opened, paho.on_socket_open = paho.on_socket_open, self._opened
        self._aiomqtt_closing, paho.on_socket_close = paho.on_socket_close, self._closing
        paho.on_socket_register_write = lambda *_: self._plan_flush()
        paho.on_socket_unregister_write = lambda *_: None
        paho.on_message = self._take_from_paho

    def publish(self, topic: str, payload: bytes) -> int | None:
        """Send a QoS 1 message as soon as possible and return its id at once; None when not connected.

        ``on_published`` is called with the id when the broker has it. No more than 65,535 may be under way.
        """
        sock = self._current()
        if sock is None:
            return None
        self._message_id = self._message_id % 65_535 + 1
        sock.send(publish(topic, payload, self._message_id))
        self._plan_flush()
        return self._message_id

    def pause(self) -> None:
        """Read nothing more, and so acknowledge nothing more, until ``resume``."""
        self._paused = True
        sock = self._current()
        if sock is not None:
            self._loop.remove_reader(sock.fileno())

    def resume(self) -> None:
        """Read again."""
        self._paused = False
        self._listen()

    def _opened(self, client: PahoClient, data: Any, sock: Any) -> None:
        """Take the socket over before a byte was sent; called by paho in the thread that connects."""
        if self._aiomqtt_opened is not None:
            self._aiomqtt_opened(client, data, sock)  # plans its own reader, which _listen replaces
        self._sock = client._sock = BufferedSocket(sock)  # noqa: SLF001 - see the module's docstring
        self._loop.call_soon_threadsafe(self._listen)

    def _closing(self, client: PahoClient, data: Any, sock: Any) -> None:
        self._loop.remove_writer(sock.fileno())
        if self._aiomqtt_closing is not None:
            self._aiomqtt_closing(client, data, sock)

    def _current(self) -> BufferedSocket | None:
        """Return our socket while paho still uses it."""
        return self._sock if self._sock is not None and self._paho.socket() is self._sock else None

    def _listen(self) -> None:
        sock = self._current()
        if sock is not None and not self._paused and not self._choked:
            self._loop.add_reader(sock.fileno(), self._read)
            self._plan_read()  # whole packets may be here already

    def _plan_read(self) -> None:
        if not self._read_planned:
            self._read_planned = True
            self._loop.call_soon(self._read_on)

    def _read_on(self) -> None:
        self._read_planned = False
        self._read()

    def _read(self) -> None:
        sock = self._current()
        if sock is None or self._paused or self._choked:
            return
        try:
            self._read_packets(sock)
        except OSError as error:
            log.info("the connection to the broker broke: %s", error)
            self._break_off(MQTTErrorCode.MQTT_ERR_CONN_LOST)
        except Exception:  # the outermost boundary of a loop callback: a packet that trips us ends the connection
            log.exception("could not read from the broker; connecting again")
            self._break_off(MQTTErrorCode.MQTT_ERR_PROTOCOL)

    def _read_packets(self, sock: BufferedSocket) -> None:
        for _ in range(_PACKETS_PER_TURN):
            found = sock.next()
            if isinstance(found, Publish):
                self._take(sock, found)
                if self._paused:
                    return
            elif isinstance(found, int):
                self._on_published(found)
            elif found is Left.TO_PAHO:
                self._paho.loop_read()
                if self._current() is None:
                    return
            elif not sock.fill():
                return
        self._plan_read()

    def _take(self, sock: BufferedSocket, message: Publish) -> None:
        self._on_message(_text(message.topic), message.payload, message.retained)
        if message.message_id:
            sock.send(puback(message.message_id))
            self._plan_flush()

    def _take_from_paho(self, _client: PahoClient, _data: object, message: MQTTMessage) -> None:
        """Take a message that has to go through paho: quality of service 2."""
        self._on_message(_text(message._topic), bytes(message.payload), message.retain)  # noqa: SLF001 - .topic raises

    def _plan_flush(self) -> None:
        if threading.get_ident() != self._loop_thread:
            self._loop.call_soon_threadsafe(self._plan_flush)
        elif not self._flush_planned:
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
            sent = sock.flush()
        except OSError:
            self._break_off(MQTTErrorCode.MQTT_ERR_CONN_LOST)
            return
        if sent:
            self._loop.remove_writer(sock.fileno())
        else:
            self._loop.add_writer(sock.fileno(), self._flush)
        self._unchoke(sock)

    def _unchoke(self, sock: BufferedSocket) -> None:
        """Read only while the broker takes what reading makes us say."""
        was, self._choked = self._choked, sock.unsent_bytes > _MOST_UNSENT_BYTES
        if self._choked:
            self._loop.remove_reader(sock.fileno())
        elif was:
            self._listen()

    def _break_off(self, code: MQTTErrorCode) -> None:
        self._paho._loop_rc_handle(code)  # noqa: SLF001 - closes, and tells aiomqtt through on_disconnect


def _text(topic: bytes) -> str:
    """Return a topic as text; one that is not UTF-8, which MQTT forbids, stays recognisably wrong."""
    return topic.decode("utf-8", "backslashreplace")
