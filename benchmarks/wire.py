"""What a reading costs on the wire: the payloads that a node sends, a minute and a backlog at a time.

The bare counterpart is a JSON object per reading with its channel, time and value, as simple devices send it.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator

from benchmarks.figure import Better, Figure
from domain.instant import MINUTE_MS
from domain.reading import Batch, Sample
from domain.senml import WireFormat, encode

START_MS = 1_763_640_000_000
FORMS = (
    (WireFormat.JSON, True, "as a node sends unless told otherwise"),
    (WireFormat.JSON, False, ""),
    (WireFormat.CBOR, True, "for metered links"),
    (WireFormat.CBOR, False, ""),
)


def measure(quick: bool) -> Iterator[Figure]:
    """Yield bytes a reading of each form of the same batches; ``quick`` changes nothing."""
    del quick
    for channels, readings in ((20, 100), (20, 20), (4, 4)):
        batch = _batch(channels, readings)
        bare = sum(len(_bare(sample)) for sample in batch.samples) / readings
        for form, deflate, note in FORMS:
            size = len(encode(batch, format=form, deflate=deflate)) / readings
            name = f"{form.value}{' deflated' if deflate else ''}, {readings} readings of {channels} channels"
            target = 15.0 if readings == 100 and deflate else None
            yield Figure(name, "bytes", size, bare, target=target, better=Better.LOWER, note=note)


def _batch(channels: int, readings: int) -> Batch:
    chance = random.Random(1)
    samples = (
        Sample(
            f"fridge-{n % channels + 1}/temperature",
            START_MS + n // channels * MINUTE_MS + 37 * (n % channels),
            round(chance.uniform(2, 8), 1),
            unit="Cel",
        )
        for n in range(readings)
    )
    return Batch("kasese-hc3-1", "1f0c9a77", 12_345, tuple(samples))


def _bare(sample: Sample) -> bytes:
    return json.dumps({"channel": sample.name, "time": sample.measured_at_ms, "value": sample.value}).encode()
