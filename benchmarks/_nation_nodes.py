"""A process that plays the nodes of a nation: each sends one batch after the other, so many in all a second.

``python -m benchmarks._nation_nodes PORT CENTRES BATCHES_PER_SECOND`` sends until it is killed.
"""

from __future__ import annotations

import struct
import sys
import time
from collections.abc import Iterator

from benchmarks._batch_sender import Connection, packet, text
from benchmarks._nation import Nation, facility_id, is_silent, values
from domain.reading import Batch, Sample
from domain.senml import WireFormat, encode
from domain.topics import UpLane, up

_PUBLISH_QOS1 = 0x32
_TURN_SECONDS = 0.005


def batches(centres: int) -> Iterator[bytes]:
    """Yield PUBLISH packets for ever: each facility's values of now, all of its channels in one batch."""
    nation, number, seq, heard = Nation(centres, 0, 0, 0), 0, 0, 0
    while True:
        if not is_silent(number):
            now_ms, node = time.time_ns() // 1_000_000, facility_id(number)
            samples = tuple(Sample(f"c{n}", now_ms, value) for n, value in enumerate(values(nation, number)))
            payload = encode(Batch(node, "bench", seq, samples), format=WireFormat.JSON)
            heard += 1
            yield packet(_PUBLISH_QOS1, text(up(node, UpLane.LIVE)) + struct.pack("!H", heard % 65_535 + 1) + payload)
        # Neighbours in time are strangers in the registry, as nodes are.
        number += 7919
        if number >= centres:
            number, seq = number % centres, seq + 1


def main() -> None:
    """Send what is due every turn."""
    port, centres, rate = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    connection, endless = Connection(port), batches(centres)
    started, sent = time.monotonic(), 0
    while True:
        due = int((time.monotonic() - started) * rate)
        if due > sent:
            connection.send(b"".join(next(endless) for _ in range(due - sent)))
            sent = due
        connection.receive(wait=False)
        time.sleep(_TURN_SECONDS)


if __name__ == "__main__":
    main()
