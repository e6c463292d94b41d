"""The few packets of SMPP 3.4 that a sender of short messages needs, as bytes and back. Pure.

Written rather than borrowed: an answer to a received text must wait until somebody has kept it, and the status codes of
operators go beyond those of the standard.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from enum import IntEnum
from typing import NamedTuple

from domain.errors import PeerError

_HEADER = struct.Struct("!IIII")
HEADER_BYTES = _HEADER.size
LONGEST_PACKET = 70_000
RESPONSE = 0x80000000
_UDH_INDICATOR = 0x40
_RECEIPT_BITS, _RECEIPT = 0x3C, 0x04
_VERSION_3_4 = 0x34
_LONGEST_SHORT_MESSAGE = 254
UCS2 = 8


class Command(IntEnum):
    """Kinds of packets (section 5.1.2.1); an answer has the same number with ``RESPONSE`` set."""

    GENERIC_NACK = 0x80000000
    SUBMIT_SM = 0x00000004
    DELIVER_SM = 0x00000005
    UNBIND = 0x00000006
    BIND_TRANSCEIVER = 0x00000009
    ENQUIRE_LINK = 0x00000015


class Status(IntEnum):
    """Some of the answers (section 5.1.3); operators have more."""

    OK = 0x00
    INVALID_COMMAND = 0x03
    QUEUE_FULL = 0x14
    THROTTLED = 0x58
    TEMPORARY_ERROR = 0x64


class Tag(IntEnum):
    """Optional parameters (section 5.3.2) that mean something to us."""

    RECEIPTED_MESSAGE_ID = 0x001E
    MESSAGE_PAYLOAD = 0x0424
    MESSAGE_STATE = 0x0427


class Packet(NamedTuple):
    """Any packet, its body not looked into."""

    command: int
    status: int
    sequence: int
    body: bytes


class Address(NamedTuple):
    """A number or name with its kind (section 5.2.5) and numbering plan (5.2.6)."""

    ton: int
    npi: int
    number: str


class Delivered(NamedTuple):
    """What a ``deliver_sm`` brings: a text, or the receipt for one."""

    source: Address
    is_receipt: bool
    coding: int
    header: bytes
    """The user data header; empty where there is none."""
    message: bytes
    options: Mapping[int, bytes]


def packed(packet: Packet) -> bytes:
    """Return the packet as it goes over the line."""
    header = _HEADER.pack(HEADER_BYTES + len(packet.body), packet.command, packet.status, packet.sequence)
    return header + packet.body


def body_bytes_after(header: bytes) -> int:
    """Return how many bytes of body follow a header; raises ``PeerError`` where that cannot be."""
    length = int.from_bytes(header[:4], "big")
    if not HEADER_BYTES <= length <= LONGEST_PACKET:
        raise PeerError(f"a packet of {length} bytes; allowed: {HEADER_BYTES} to {LONGEST_PACKET}")
    return length - HEADER_BYTES


def unpacked(header: bytes, body: bytes) -> Packet:
    """Return the packet that these bytes are."""
    _, command, status, sequence = _HEADER.unpack(header)
    return Packet(command, status, sequence, body)


def bind_body(system_id: str, password: str, system_type: str) -> bytes:
    """Return the body of a ``bind_transceiver``; it receives for every address of ours."""
    return _text(system_id) + _text(password) + _text(system_type) + bytes([_VERSION_3_4, 0, 0]) + _text("")


class Submission(NamedTuple):
    """A short message, or a part of a long one."""

    source: Address
    destination: Address
    coding: int
    message: bytes
    header: bytes = b""
    registered_delivery: int = 0
    """0 no receipt, 1 one in any case, 2 one where it fails."""


def submit_body(submission: Submission) -> bytes:
    """Return the body of a ``submit_sm``; what does not fit travels as ``message_payload``."""
    message = submission.header + submission.message
    esm_class = _UDH_INDICATOR if submission.header else 0
    fits = len(message) <= _LONGEST_SHORT_MESSAGE
    fixed = bytes([esm_class, 0, 0]) + _text("") + _text("")
    fixed += bytes([submission.registered_delivery, 0, submission.coding, 0, len(message) if fits else 0])
    tail = message if fits else struct.pack("!HH", Tag.MESSAGE_PAYLOAD, len(message)) + message
    return _text("") + _address(submission.source) + _address(submission.destination) + fixed + tail


def delivered(body: bytes) -> Delivered:
    """Return what a ``deliver_sm`` brings; raises ``PeerError`` for a body that ends too early."""
    try:
        return _delivered(_Cursor(body))
    except (IndexError, ValueError) as error:
        raise PeerError("a deliver_sm that cannot be read") from error


def message_id_of(body: bytes) -> str:
    """Return the name that a ``submit_sm_resp`` gives the message."""
    return body.split(b"\0", 1)[0].decode("latin-1")


class _Cursor:
    def __init__(self, body: bytes) -> None:
        self._rest = body

    def byte(self) -> int:
        return self.take(1)[0]

    def take(self, count: int) -> bytes:
        if count > len(self._rest):
            raise IndexError(count)
        taken, self._rest = self._rest[:count], self._rest[count:]
        return taken

    def text(self) -> str:
        found = self.take(self._rest.index(b"\0"))
        self.take(1)
        return found.decode("latin-1")

    def options(self) -> dict[int, bytes]:
        found = {}
        while len(self._rest) >= 4:
            tag, length = struct.unpack("!HH", self.take(4))
            found[tag] = self.take(length)
        return found


def _delivered(cursor: _Cursor) -> Delivered:
    cursor.text()
    source = Address(cursor.byte(), cursor.byte(), cursor.text())
    cursor.take(2)
    cursor.text()
    esm_class = cursor.byte()
    cursor.take(2)
    cursor.text()
    cursor.text()
    cursor.take(2)
    coding = cursor.byte()
    cursor.take(1)
    message = cursor.take(cursor.byte())
    options = cursor.options()
    message = message or options.get(Tag.MESSAGE_PAYLOAD, b"")
    header_bytes = message[0] + 1 if esm_class & _UDH_INDICATOR and message else 0
    return Delivered(
        source=source,
        is_receipt=esm_class & _RECEIPT_BITS == _RECEIPT,
        coding=coding,
        header=message[:header_bytes],
        message=message[header_bytes:],
        options=options,
    )


def _text(text: str) -> bytes:
    return text.encode("latin-1", "replace") + b"\0"


def _address(address: Address) -> bytes:
    return bytes([address.ton, address.npi]) + _text(address.number)
