"""A process that plays many nodes: publishes batches as fast as a window allows, on a bare socket.

``python -m benchmarks._batch_sender PORT NODES BATCHES WINDOW puback|receipt [BATCHES_PER_SECOND]``: at most WINDOW
batches are without a PUBACK, or without the collector's receipt. Everything is encoded before the first byte is sent,
unless it is sent at a given rate, and the protocol is written by hand, so that the sender takes as little of the two
cores as it can.
"""

from __future__ import annotations

import json
import socket
import struct
import sys
import time
from collections.abc import Iterator
from itertools import islice

from domain.instant import MINUTE_MS
from domain.reading import Batch, Sample
from domain.receipt import Receipt
from domain.senml import WireFormat, encode
from domain.topics import DownLane, UpLane, down, up

EPOCH = "bench"
FIRST_MS = 1_700_000_000_000
READINGS_PER_BATCH = 20
_PUBLISH_QOS1, _PUBLISH, _PUBACK = 0x32, 0x30, 0x40


def node_name(index: int) -> str:
    """Return the name of a node."""
    return f"node-{index:03d}"


def channel_name(index: int) -> str:
    """Return a node's own name for one of its channels."""
    return f"t{index}"


def packet(command: int, body: bytes) -> bytes:
    """Return an MQTT packet."""
    length, rest = bytearray(), len(body)
    while True:
        rest, digit = divmod(rest, 128) if rest >= 128 else (0, rest)
        length.append(digit | (0x80 if rest else 0))
        if not rest:
            return bytes((command,)) + bytes(length) + body


def text(content: str) -> bytes:
    """Return an MQTT string."""
    encoded = content.encode()
    return struct.pack("!H", len(encoded)) + encoded


def batches(nodes: int, count: int) -> Iterator[bytes]:
    """Yield PUBLISH packets: each batch has one reading of each of a node's 20 channels."""
    for index in range(count):
        node, seq = node_name(index % nodes), index // nodes
        samples = tuple(
            Sample(channel_name(n), FIRST_MS + seq * MINUTE_MS + n, 4.0 + (seq * 7 + n) % 40 / 10)
            for n in range(READINGS_PER_BATCH)
        )
        payload = encode(Batch(node, EPOCH, seq, samples), format=WireFormat.JSON)
        body = text(up(node, UpLane.LIVE)) + struct.pack("!H", index % 65_535 + 1) + payload
        yield packet(_PUBLISH_QOS1, body)


class Connection:
    """A connection that counts what is acknowledged."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._incoming = bytearray()
        self.pubacks = 0
        self.receipted = 0
        self._socket.sendall(packet(0x10, text("MQTT") + b"\x04\x02\x00\x00" + text("batch-sender")))
        self._socket.sendall(packet(0x82, b"\x00\x01" + text(down("+", DownLane.RECEIPT)) + b"\x00"))

    def send(self, data: bytes) -> None:
        """Send all of it."""
        self._socket.sendall(data)

    def receive(self, *, wait: bool) -> None:
        """Take what came; with ``wait`` at least something."""
        try:
            self._incoming += self._socket.recv(262_144, 0 if wait else socket.MSG_DONTWAIT)
        except BlockingIOError:
            return
        self._parse()

    def _parse(self) -> None:
        at, data = 0, self._incoming
        while (end := packet_end(data, at)) is not None:
            if data[at] & 0xF0 == _PUBACK:
                self.pubacks += 1
            elif data[at] & 0xF0 == _PUBLISH:
                payload = bytes(data[data.index(b"{", at) : end])
                self.receipted += sum(last - first + 1 for first, last in Receipt.decode(payload).received)
            at = end
        del data[:at]


def packet_end(data: bytearray, at: int) -> int | None:
    """Return where the packet that starts at ``at`` ends, or None where it is not complete."""
    length, shift, cursor = 0, 0, at + 1
    while cursor < len(data):
        length |= (data[cursor] & 0x7F) << shift
        shift += 7
        cursor += 1
        if data[cursor - 1] < 0x80:
            return cursor + length if cursor + length <= len(data) else None
    return None


def main() -> None:
    """Encode, wait for a line on standard input, send everything, and say when the last is acknowledged."""
    port, nodes, count, window = (int(argument) for argument in sys.argv[1:5])
    by_receipt = sys.argv[5] == "receipt"
    rate = float(sys.argv[6]) if len(sys.argv) > 6 else None
    packets = batches(nodes, count) if rate else iter(list(batches(nodes, count)))
    connection = Connection(port)
    print(json.dumps({"ready": True}), flush=True)
    sys.stdin.readline()
    sent, started = 0, time.monotonic()
    while (done := connection.receipted if by_receipt else connection.pubacks) < count:
        more = min(window - (sent - done), count - sent, 50)
        if rate is not None:
            time.sleep(0.002)
            more = min(more, int((time.monotonic() - started) * rate) - sent)
        if more > 0:
            connection.send(b"".join(islice(packets, more)))
            sent += more
        connection.receive(wait=more <= 0 and rate is None)
    print(json.dumps({"sent": sent}), flush=True)


if __name__ == "__main__":
    main()
