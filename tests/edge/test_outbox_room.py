"""What gives way when the outbox may not grow: the oldest raw readings first, told, and never the extremes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.instant import DAY_MS, HOUR_MS, MINUTE_MS
from domain.reading import Sample
from edge.keeping_settings import KeepSettings
from edge.outbox import Outbox
from edge.outbox_room import LEAST_BYTES, allowed_bytes

START_MS = 1_763_640_000_000
LATER_MS = START_MS + 4000 * DAY_MS
SMALL = KeepSettings(max_bytes=4_200_000, leave_free_bytes=0)
CHANNELS = 20


def rounds(count: int, interval_ms: int = MINUTE_MS, first: int = 0) -> Iterator[list[Sample]]:
    """Yield rounds of readings with values that differ."""
    for number in range(first, first + count):
        at_ms = START_MS + number * interval_ms
        yield [Sample(f"c{c}", at_ms, number * 7919 % 10_007 + c / 100) for c in range(CHANNELS)]


def drained(box: Outbox) -> list[Sample]:
    """Return everything that waits, and receipt it."""
    found: list[Sample] = []
    while batches := box.next_batches(LATER_MS, 8):
        for batch in batches:
            found += box.samples(batch.seq)
        box.receipt(box.epoch, [(batch.seq, batch.seq) for batch in batches])
    return found


def extremes(samples: list[Sample]) -> dict[str, tuple[float, float]]:
    """Return the lowest and the highest value of each channel."""
    found: dict[str, list[float]] = {}
    for sample in samples:
        found.setdefault(sample.name, []).append(sample.value or 0.0)
    return {name: (min(each), max(each)) for name, each in found.items()}


def test_the_oldest_raw_readings_are_thinned_and_the_newest_stay(tmp_path: Path) -> None:
    """At the limit nothing is dropped: old hours become extremes, the last ones are whole, and it is counted."""
    box = Outbox.open(tmp_path / "outbox.sqlite", keep=SMALL)
    put: list[Sample] = []
    for samples in rounds(5_000):
        box.put(samples)
        put += samples
    assert box.dropped() == 0
    assert box.thinned() == len(put) - box.depth() > 0
    assert (tmp_path / "outbox.sqlite").stat().st_size <= SMALL.max_bytes
    left = drained(box)
    assert set(left) <= set(put)
    assert extremes(left) == extremes(put)
    newest = [sample for sample in put if sample.measured_at_ms > put[-1].measured_at_ms - 6 * HOUR_MS]
    assert set(newest) <= set(left)
    box.close()


def test_what_cannot_be_thinned_any_more_is_dropped_oldest_first(tmp_path: Path) -> None:
    """Readings a day apart have nothing to give; then the oldest go, and that is counted."""
    box = Outbox.open(tmp_path / "outbox.sqlite", keep=SMALL)
    for samples in rounds(4_000, DAY_MS // 4):
        box.put(samples)
    assert box.dropped() > 0
    assert box.depth() == 4_000 * CHANNELS - box.thinned() - box.dropped()
    left = sorted({sample.measured_at_ms for sample in drained(box)})
    assert left[-1] == START_MS + 3_999 * (DAY_MS // 4)
    assert left[0] > START_MS
    box.close()


def test_a_batch_that_was_thinned_travels_under_a_new_number(tmp_path: Path) -> None:
    """The content of a number never changes: a late receipt for the old one deletes nothing."""
    box = Outbox.open(tmp_path / "outbox.sqlite", keep=SMALL)
    source = rounds(5_000)
    box.put(next(source))
    (first,) = box.next_batches(LATER_MS, 2)
    before = box.samples(first.seq)
    for samples in source:
        box.put(samples)
        assert box.samples(first.seq) in (before, ())
    assert box.samples(first.seq) == ()
    assert box.receipt(box.epoch, [(first.seq, first.seq)]) == 0
    assert {sample for sample in before if sample.name == "c0"} <= set(drained(box))
    box.close()


def test_losses_are_remembered_across_restarts(tmp_path: Path) -> None:
    """The counts belong to the life of the outbox."""
    path = tmp_path / "outbox.sqlite"
    box = Outbox.open(path, keep=SMALL)
    for samples in rounds(5_000):
        box.put(samples)
    box.note_lost(thinned=0, dropped=3)
    thinned, depth = box.thinned(), box.depth()
    box.close()
    box = Outbox.open(path, keep=SMALL)
    assert (box.thinned(), box.dropped(), box.depth()) == (thinned, 3, depth)
    box.close()


def test_a_disk_that_others_fill_stops_growth_and_costs_nothing_that_is_kept() -> None:
    """The limit follows the free space down to what the file has already, and no further."""
    settings = KeepSettings(max_bytes=200_000_000, leave_free_bytes=100_000_000)
    roomy = allowed_bytes(settings, file_bytes=20_000_000, free_bytes=10**10)
    tight = allowed_bytes(settings, file_bytes=20_000_000, free_bytes=101_000_000)
    full = allowed_bytes(settings, file_bytes=20_000_000, free_bytes=0)
    assert roomy > tight > full
    assert full == 20_000_000


@given(
    max_bytes=st.integers(4_000_000, 10**9),
    leave=st.integers(0, 10**9),
    file_bytes=st.integers(0, 10**9),
    free_bytes=st.integers(0, 10**10),
)
def test_the_limit_is_never_above_the_setting_nor_below_the_least(
    max_bytes: int, leave: int, file_bytes: int, free_bytes: int
) -> None:
    """Whatever the disk looks like."""
    settings = KeepSettings(max_bytes=max_bytes, leave_free_bytes=leave)
    allowed = allowed_bytes(settings, file_bytes=file_bytes, free_bytes=free_bytes)
    assert min(LEAST_BYTES, max_bytes - 3 * 2**20) <= allowed <= max_bytes


@pytest.mark.parametrize("leave", [0, 10**15])
def test_the_free_space_to_leave_holds_the_outbox_to_its_least(tmp_path: Path, leave: int) -> None:
    """Where the disk is too full, old readings are thinned from the first megabyte on."""
    box = Outbox.open(tmp_path / "outbox.sqlite", keep=KeepSettings(leave_free_bytes=leave))
    for samples in rounds(5_000):
        box.put(samples)
    assert (box.thinned() > 0) is (leave > 0)
    box.close()
