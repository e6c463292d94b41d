"""The history of measured readings: what was added comes back, within its bounds, whatever tore the files."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.instant import DAY_MS, HOUR_MS, MINUTE_MS
from domain.reading import Quality, Sample
from edge.commands.history import BLOCK_READINGS, History
from tests.edge.clocks import START_MS

DAY = START_MS - START_MS % DAY_MS


def history_in(folder: Path, *, days: int = 7, max_bytes: int = 10**7) -> History:
    """Return the history of a node."""
    return History(folder, "n1", keep=timedelta(days=days), max_bytes=max_bytes)


def minutes(count: int, *, start_ms: int = DAY, step_ms: int = MINUTE_MS) -> list[Sample]:
    """Return a reading a minute."""
    return [Sample("fridge", start_ms + number * step_ms, number / 8, unit="Cel") for number in range(count)]


def found(history: History, from_ms: int = 0, to_ms: int = 2 * START_MS) -> list[Sample]:
    """Return what there is in a range."""
    return [sample for samples in history.between(from_ms, to_ms) for sample in samples]


@settings(max_examples=20)
@given(st.integers(0, 3000), st.integers(0, 3000), st.integers(1, 500))
def test_a_range_comes_back(tmp_path_factory: pytest.TempPathFactory, first: int, last: int, at_once: int) -> None:
    """Exactly the readings from the first moment up to, and without, the second, over the ends of days."""
    history = history_in(tmp_path_factory.mktemp("history"))
    samples = minutes(3000)
    for start in range(0, len(samples), at_once):
        history.add(samples[start : start + at_once])
    from_ms, to_ms = DAY + first * MINUTE_MS, DAY + last * MINUTE_MS
    assert found(history, from_ms, to_ms) == samples[first:last]


def test_a_reading_without_a_value_keeps_its_reason(tmp_path: Path) -> None:
    """Qualities and units come back, too; the next process sees what this one wrote when it ended."""
    samples = [Sample("a", DAY, None, Quality.BUS_ERROR, "V"), Sample("a", DAY + 1000, 3.0, Quality.UNCERTAIN, "V")]
    history = history_in(tmp_path)
    history.add(samples)
    history.close()
    again = found(history_in(tmp_path))
    assert [(each.value, each.quality) for each in again] == [(None, Quality.BUS_ERROR), (3.0, Quality.UNCERTAIN)]


@pytest.mark.parametrize("cut", [1, 5, 60])
def test_a_torn_end_costs_one_block(tmp_path: Path, cut: int) -> None:
    """A power cut tears the last block; it is cut off, and what comes later is found."""
    history = history_in(tmp_path)
    first, torn, later = (minutes(BLOCK_READINGS, start_ms=DAY + hour * HOUR_MS, step_ms=1000) for hour in (0, 1, 2))
    for samples in (first, torn):
        history.add(samples)
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes()[:-cut])
    after = history_in(tmp_path)
    assert found(after) == first
    after.add(later)
    assert found(after) == first + later


def test_damage_ends_a_day_and_no_other(tmp_path: Path) -> None:
    """Bytes that changed on the flash are never taken for readings."""
    history = history_in(tmp_path)
    history.add(minutes(4 * 1440))
    history.close()
    second = sorted(tmp_path.iterdir())[1]
    content = bytearray(second.read_bytes())
    content[len(content) // 2] ^= 0xFF
    second.write_bytes(content)
    days = {sample.measured_at_ms // DAY_MS for sample in found(history_in(tmp_path))}
    assert days >= {DAY // DAY_MS, DAY // DAY_MS + 2, DAY // DAY_MS + 3}


def test_old_days_go_first(tmp_path: Path) -> None:
    """No more days than asked for, and no more bytes."""
    by_days = history_in(tmp_path / "days", days=2)
    by_bytes = history_in(tmp_path / "bytes", max_bytes=20_000)
    for day in range(6):
        for history in (by_days, by_bytes):
            history.add(minutes(1440, start_ms=DAY + day * DAY_MS))
    assert {sample.measured_at_ms // DAY_MS for sample in found(by_days)} == {DAY // DAY_MS + day for day in (3, 4, 5)}
    assert sum(path.stat().st_size for path in (tmp_path / "bytes").iterdir()) <= 25_000
    assert found(by_bytes)[-1].measured_at_ms == DAY + 6 * DAY_MS - MINUTE_MS
