"""Where MQTT 3.1.1 packets begin and end in a stream of bytes; knows no socket."""

from __future__ import annotations

from typing import NamedTuple

PUBLISH = 0x30
PUBACK = b"\x40\x02"
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
    if first & 0xF0 != PUBLISH or first & 0x04:
        return None
    topic_end = body + 2 + (data[body] << 8 | data[body + 1]) if body + 2 <= end else end + 1
    payload = topic_end + 2 if first & 0x02 else topic_end
    if payload > end:
        raise MalformedPacketError("a PUBLISH packet that is shorter than its parts")
    return Publish(data[body + 2 : topic_end], data[payload:end], bool(first & 0x01), data[topic_end:payload])
