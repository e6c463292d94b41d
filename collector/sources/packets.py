"""MQTT 3.1.1 packets in a stream of bytes: where they begin and end, and the two that matter; knows no socket."""

from __future__ import annotations

import struct
from typing import NamedTuple

_PUBLISH, _PUBACK = 0x30, 0x40
_QUALITY_1, _QUALITY_2, _RETAINED = 0x02, 0x04, 0x01
_LONGEST_HEADER = 5


class MalformedPacketError(Exception):
    """The peer does not speak MQTT."""


class Packet(NamedTuple):
    """One whole packet: its first byte, and where it starts, its body starts and it ends in the buffer."""

    first: int
    start: int
    body: int
    end: int


class Publish(NamedTuple):
    """A PUBLISH packet of quality of service 0 or 1."""

    topic: bytes
    payload: bytes
    retained: bool
    message_id: bytes
    """Two bytes to acknowledge with; empty for quality of service 0."""


class PacketBuffer:
    """Bytes in as they come, whole packets out; every byte is copied a bounded number of times."""

    def __init__(self) -> None:
        self.data = b""
        self._at = 0
        self._more: list[bytes] = []
        self._more_bytes = 0
        self._need = 2

    def feed(self, piece: bytes) -> None:
        """Append what was received."""
        self._more.append(piece)
        self._more_bytes += len(piece)

    def next(self) -> Packet | None:
        """Return the next packet (its bytes stand in ``data`` until the next call), or None where it is not whole."""
        if len(self.data) - self._at + self._more_bytes < self._need:
            return None
        if self._more:
            self.data = b"".join((self.data[self._at :], *self._more))
            self._at, self._more_bytes = 0, 0
            self._more.clear()
        data, start = self.data, self._at
        body, length = _read_length(data, start + 1)
        end = body + length
        if length < 0 or end > len(data):
            self._need = len(data) - start + 1 if length < 0 else end - start
            return None
        self._need, self._at = 2, end
        return Packet(data[start], start, body, end)


def _read_length(data: bytes, at: int) -> tuple[int, int]:
    """Return where the body starts and how long it is; -1 where the length itself is not whole yet."""
    length = shift = 0
    for cursor in range(at, min(at + _LONGEST_HEADER - 1, len(data))):
        length |= (data[cursor] & 0x7F) << shift
        if data[cursor] < 0x80:
            return cursor + 1, length
        shift += 7
    if len(data) >= at + _LONGEST_HEADER - 1:
        raise MalformedPacketError("a remaining length of more than four bytes")
    return at, -1


def read_publish(data: bytes, packet: Packet) -> Publish | None:
    """Return what a packet publishes; None where it is no PUBLISH, or one of quality of service 2."""
    first, _, body, end = packet
    if first & 0xF0 != _PUBLISH or first & _QUALITY_2:
        return None
    topic_end = body + 2 + (data[body] << 8 | data[body + 1]) if body + 2 <= end else end + 1
    payload = topic_end + 2 if first & _QUALITY_1 else topic_end
    if payload > end:
        raise MalformedPacketError("a PUBLISH packet that is shorter than its parts")
    return Publish(data[body + 2 : topic_end], data[payload:end], bool(first & _RETAINED), data[topic_end:payload])


def read_puback(data: bytes, packet: Packet) -> int | None:
    """Return the id of the message that a packet acknowledges; None where it is no PUBACK."""
    if packet.first & 0xF0 != _PUBACK:
        return None
    if packet.end - packet.body != 2:
        raise MalformedPacketError("a PUBACK packet without its two bytes")
    return data[packet.body] << 8 | data[packet.body + 1]


def puback(message_id: bytes) -> bytes:
    """Return the packet that acknowledges a message."""
    return bytes((_PUBACK, 2)) + message_id


def publish(topic: str, payload: bytes, message_id: int) -> bytes:
    """Return a PUBLISH packet of quality of service 1, not retained."""
    name = topic.encode()
    body = struct.pack("!H", len(name)) + name + struct.pack("!H", message_id) + payload
    return bytes((_PUBLISH | _QUALITY_1,)) + _length(len(body)) + body


def _length(size: int) -> bytes:
    digits = bytearray()
    while size >= 0x80:
        digits.append(size & 0x7F | 0x80)
        size >>= 7
    digits.append(size)
    return bytes(digits)
