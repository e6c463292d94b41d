"""Chunks: neighbouring readings of one timeline, packed into one row of the outbox, 17 bytes each."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from math import isnan, nan
from typing import NamedTuple

from domain.reading import Quality, Sample

SeriesName = tuple[str, str]
"""A channel's name and its SenML unit; an empty unit means none."""

_READING = struct.Struct("<IIBd")
"""Milliseconds after the chunk's first reading, series, quality, value (not a number where there is none)."""
LONGEST_CHUNK_MS = 2**32 - 1


class Chunk(NamedTuple):
    """One row: times are milliseconds on the timeline that the row belongs to."""

    first_ms: int
    newest_ms: int
    readings: int
    content: bytes


def cut(samples: Sequence[Sample], most: int) -> Iterator[Sequence[Sample]]:
    """Yield the samples in the order of their times, at most so many at once, and no more than 49 days apart."""
    ordered = sorted(samples, key=lambda sample: sample.measured_at_ms)
    start = 0
    for end, sample in enumerate(ordered):
        too_long = sample.measured_at_ms - ordered[start].measured_at_ms > LONGEST_CHUNK_MS
        if end - start == most or too_long:
            yield ordered[start:end]
            start = end
    if ordered:
        yield ordered[start:]


def pack(samples: Sequence[Sample], series_of: Callable[[SeriesName], int]) -> Chunk:
    """Return the chunk of these samples, which are in the order of their times and not empty."""
    first_ms = samples[0].measured_at_ms
    content = b"".join(
        _READING.pack(
            sample.measured_at_ms - first_ms,
            series_of((sample.name, sample.unit or "")),
            sample.quality,
            nan if sample.value is None else sample.value,
        )
        for sample in samples
    )
    return Chunk(first_ms, samples[-1].measured_at_ms, len(samples), content)


def unpack(first_ms: int, content: bytes, series: Mapping[int, SeriesName]) -> Iterator[Sample]:
    """Yield the samples of a chunk; raises ``KeyError``, ``ValueError`` or ``struct.error`` where it is damaged."""
    for after_ms, number, quality, value in _READING.iter_unpack(content):
        name, unit = series[number]
        yield Sample(name, first_ms + after_ms, None if isnan(value) else value, Quality(quality), unit or None)
