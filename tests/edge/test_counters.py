"""Counters: totals only grow, never faster than a meter can, over glitches, resets, rounding, clock steps, restarts."""

from __future__ import annotations

from itertools import accumulate, pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from domain.instant import HOUR_MS, MINUTE_MS
from domain.reading import Quality
from edge.counters import ALLOWANCE_MS, Counter, CounterLimits, Counters
from edge.findings import measured, sensor_gone

LIMITS = CounterLimits("energy", most_per_hour=20_000.0, rounding=10.0)


def play(*shown: float, counter: Counter | None = None) -> list[float | None]:
    """Return the totals of a counter that shows these values a minute apart."""
    counter = counter or Counter(LIMITS)
    return [counter.step(value, minute * MINUTE_MS).value for minute, value in enumerate(shown)]


def test_an_honest_counter_is_passed_on() -> None:
    """What grows as a meter does comes out as the meter shows it."""
    assert play(1000.0, 1000.0, 1150.5, 1301.25) == [1000.0, 1000.0, 1150.5, 1301.25]


def test_a_step_back_by_rounding_holds_the_total() -> None:
    """A meter that shows a little less than before has counted nothing, and no later growth counts twice."""
    assert play(1000.0, 995.0, 1000.0, 1004.0) == [1000.0, 1000.0, 1000.0, 1004.0]


def test_a_reset_is_believed_when_confirmed_and_costs_nothing() -> None:
    """A meter that begins anew goes on where it was, after it has said so three times."""
    assert play(9000.0, 0.0, 40.0, 80.0, 120.0) == [9000.0, None, None, 9080.0, 9120.0]


def test_a_new_meter_with_a_past_adds_nothing_of_it() -> None:
    """A meter exchanged for one that has counted before, or that forgot an hour, goes on from where it was."""
    assert play(90_000.0, 50_000.0, 50_001.0, 50_002.0, 50_003.0) == [90_000.0, None, None, 90_002.0, 90_003.0]
    assert play(900.0, 600.0, 601.0, 602.0, 603.0) == [900.0, None, None, 902.0, 903.0]


def test_one_glitch_is_a_bad_value_and_forgotten() -> None:
    """A single zero or leap leaves no trace in the totals."""
    assert play(5000.0, 0.0, 5001.0, 9e9, 5002.0) == [5000.0, None, 5001.0, None, 5002.0]


def test_a_believed_leap_adds_nothing() -> None:
    """What a meter leapt over is not known, so it is not counted."""
    assert play(5000.0, 9e8, 9e8, 9e8, 9e8 + 5) == [5000.0, None, None, 5000.0, 5005.0]


@pytest.mark.parametrize("shown", [float("nan"), float("inf"), -1.0])
def test_what_is_no_count_is_a_bad_value(shown: float) -> None:
    """NaN, infinity and less than nothing are never a count, nor a zero."""
    counter = Counter(LIMITS)
    assert counter.step(shown, 0).quality is Quality.BAD_VALUE
    assert play(7.0, shown, 8.0) == [7.0, None, 8.0]


def test_a_long_silence_may_have_used_much() -> None:
    """After two days without the meter, two days' consumption is believed at once."""
    counter = Counter(LIMITS)
    counter.step(1000.0, 0)
    assert counter.step(300_000.0, 48 * HOUR_MS).value == 300_000.0


answers = st.one_of(st.floats(0, 1e6), st.sampled_from([0.0, float("nan"), -5.0, 1e12, 65_535.0]))
steps_ms = st.integers(-2 * HOUR_MS, 2 * HOUR_MS)


@given(st.lists(st.tuples(answers, steps_ms), max_size=40))
@example([(0.0, 0), (50_515.0, 0), (50_535.0, -1), (55_536.0, 900_180)])  # a clock that steps while a leap is confirmed
def test_totals_never_fall_nor_leap(story: list[tuple[float, int]]) -> None:
    """Whatever a meter shows and however the clock steps, no interval is negative or more than a meter can count."""
    counter, at_ms, totals = Counter(LIMITS), 0, []
    for shown, step_ms in story:
        at_ms += step_ms
        total = counter.step(shown, at_ms).value
        totals += [] if total is None else [(total, at_ms)]
    for (before, before_ms), (after, after_ms) in pairwise(totals):
        longest_ms = max(ALLOWANCE_MS, after_ms - before_ms)
        assert 0 <= after - before <= LIMITS.most_per_hour * longest_ms / HOUR_MS * (1 + 1e-9) + 1e-6


@given(st.lists(st.floats(0, 300), min_size=1, max_size=20), st.integers(0, 20))
async def test_a_restart_is_not_noticed(amounts: list[float], restart_at: int) -> None:
    """Counters of an honest meter that are loaded from their file go on as if nothing had been."""
    shown = list(accumulate(amounts))
    with TemporaryDirectory() as folder:
        totals = []
        counters = Counters({"meter": LIMITS}, Path(folder) / "counters.json")
        for minute, value in enumerate(shown):
            if minute == restart_at:
                counters = Counters({"meter": LIMITS}, Path(folder) / "counters.json")
            settled = await counters.settle({"meter": measured("energy", value)}, minute * MINUTE_MS)
            totals.append(settled["meter"].value)
    assert totals == shown


async def test_the_file_carries_the_total_over_a_restart(tmp_path: Path) -> None:
    """After a reset and a restart the total is still the one that was counted."""
    path = tmp_path / "state" / "counters.json"
    totals = []
    for life in ((100.0, 150.0), (0.0, 0.0, 0.0), (20.0, 30.0)):
        counters = Counters({"meter": LIMITS}, path)
        for shown in life:
            settled = await counters.settle({"meter": measured("energy", shown), "other": sensor_gone("away")}, 0)
            totals.append(settled["meter"].value)
            assert settled["other"] == sensor_gone("away")
    assert totals == [100.0, 150.0, None, None, 150.0, 170.0, 180.0]


async def test_a_disk_that_takes_nothing_costs_no_reading(tmp_path: Path) -> None:
    """Where the state cannot be written the value is passed on all the same."""
    (tmp_path / "counters.json.new").mkdir()
    counters = Counters({"meter": LIMITS}, tmp_path / "counters.json")
    settled = await counters.settle({"meter": measured("energy", 5.0)}, 0)
    assert settled["meter"].value == 5.0


async def test_a_state_that_cannot_be_read_is_not_overwritten(tmp_path: Path) -> None:
    """Where the disk does not give the state back, counters say so, and the rest is measured."""
    (tmp_path / "counters.json").mkdir()
    counters = Counters({"meter": LIMITS}, tmp_path / "counters.json")
    settled = await counters.settle({"meter": measured("energy", 5.0), "volts": measured("voltage", 230.0)}, 0)
    assert (settled["meter"].quality, settled["volts"].value) == (Quality.BAD_VALUE, 230.0)
