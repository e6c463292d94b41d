"""Chunks: every reading comes back exactly, and no chunk is too long."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.reading import Quality, Sample
from edge.outbox_chunks import LONGEST_CHUNK_MS, SeriesName, cut, pack, unpack

YEAR_MS = 366 * 86_400_000

names = st.sampled_from([("a", "Cel"), ("a", None), ("b", "V")])
readings = st.builds(
    lambda name, at, value, quality: Sample(name[0], at, value if quality.usable else None, quality, name[1]),
    names,
    st.integers(0, 20 * YEAR_MS),
    st.floats(allow_nan=False),
    st.sampled_from(Quality),
)


@given(samples=st.lists(readings, max_size=60), most=st.integers(1, 40))
def test_readings_come_back_exactly(samples: list[Sample], most: int) -> None:
    """Cut, packed and unpacked, they are what they were, in the order of their times."""
    numbers: dict[SeriesName, int] = {}
    back: list[Sample] = []
    for part in cut(samples, most):
        chunk = pack(part, lambda name: numbers.setdefault(name, len(numbers)))
        assert chunk.readings == len(part) <= most
        assert chunk.newest_ms - chunk.first_ms <= LONGEST_CHUNK_MS
        series = {number: name for name, number in numbers.items()}
        back += unpack(chunk.first_ms, chunk.content, series)
    assert back == sorted(samples, key=lambda sample: sample.measured_at_ms)


@pytest.mark.parametrize("damage", [b"\xff" * 17, b"\x00" * 16])
def test_a_damaged_chunk_says_so(damage: bytes) -> None:
    """Nothing is made up from bytes that mean nothing."""
    with pytest.raises((KeyError, ValueError, struct.error)):
        list(unpack(0, damage, {0: ("a", "")}))
