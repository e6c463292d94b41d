"""``changes_faster_than``, ``changes_slower_than`` and ``flat_for``: how a value moves."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.instant import MINUTE_MS
from domain.reading import Reading
from tests.rules.judging import World, one_rule, reading, readings, truths
from tests.rules.test_exposure import SERIES, spaced

GAP_MS = 3 * MINUTE_MS


def faster(by: str, direction: str = "either") -> str:
    """Return the condition, within 5 min."""
    return f"{{changes_faster_than: {{by: {by}, within: 5min, direction: {direction}}}}}"


@pytest.mark.parametrize(
    ("when", "values", "expected"),
    [
        (faster("2 °C"), [5, 7, 7.1], [None, False, True]),
        (faster("3.6 °F"), [5, 7, 7.1], [None, False, True]),
        (faster("2 °C", "rising"), [7.1, 5, 7.1], [None, False, True]),
        (faster("2 °C", "falling"), [7.1, 5, 7.1], [None, True, False]),
        (faster("2 °C"), [5, 5.5, 6, 6.5, 7, 7.5, 8], [None, False, False, False, False, True, True]),
        (faster("2.5 °C"), [5, 5.5, 6, 6.5, 7, 7.5, 8], [None] + [False] * 6),
    ],
)
def test_a_change_is_measured_from_the_newest_value_to_any_of_the_time_before(
    when: str, values: list[float], expected: list[bool | None]
) -> None:
    """More than the difference, not as much; a difference of 3.6 °F is one of 2 °C; one reading alone says nothing."""
    assert truths(one_rule(when)[0], readings(values)) == expected


def test_a_change_across_the_whole_time_counts_and_a_longer_one_does_not() -> None:
    """A reading measured exactly that long ago is still looked at."""
    rule = one_rule(faster("2 °C"))[0]
    assert truths(rule, [reading(0, 5.0), reading(5, 8.0)]) == [None, True]
    assert truths(rule, [reading(0, 5.0), reading(5.1, 8.0)]) == [None, None]


def test_a_fast_rise_settles_once_it_has_left_the_time_before() -> None:
    """With ``clear_for`` the episode of a step ends only after it was calm for so long."""
    rule = one_rule("{changes_faster_than: {by: 2 °C, within: 5min, direction: rising}, clear_for: 4min}")
    world = World(rule)
    world.arrive(*readings([5.0] * 5 + [8.0] * 20))
    # The last 5.0, at 4 min, is seen until 9 min; from 10 min on it is calm.
    assert [figure[2:5] for figure in world.outcome()] == [(5, 5, 10)]


def test_too_slow_is_unknown_until_the_readings_reach_back() -> None:
    """A fridge that does not pull down is told after the time, not at its first reading."""
    rule = one_rule("{changes_slower_than: {by: 2 °C, within: 5min, direction: falling}}")[0]
    assert truths(rule, readings([20.0] * 6)) == [None] * 5 + [True]
    assert truths(rule, readings([20.0, 19.6, 19.2, 18.8, 18.4, 18.0])) == [None] * 5 + [False]
    assert truths(rule, readings([20.0, 21.0, 22.0, 23.0, 24.0, 25.0]))[-1] is True


@pytest.mark.parametrize(
    ("when", "values", "expected"),
    [
        ("{flat_for: 4min}", [5.0] * 6, [None] * 4 + [True, True]),
        ("{flat_for: 4min}", [5.0, 5.1, *[5.0] * 5], [None, None, False, False, False, False, True]),
        ("{flat_for: {for: 4min, band: 0.1 °C}}", [5.0, 5.1, 5.0, 5.1, 5.0], [None] * 4 + [True]),
        ("{flat_for: {for: 4min, band: 0.1 °C}}", [5.0, 5.2, 5.0, 5.1, 5.0], [None, None, False, False, False]),
    ],
)
def test_flat_is_told_after_the_time_and_denied_at_the_first_move(
    when: str, values: list[float], expected: list[bool | None]
) -> None:
    """The width of the band itself is still flat; three readings are the fewest that say anything."""
    assert truths(one_rule(when)[0], readings(values)) == expected


def test_a_gap_is_not_flat() -> None:
    """Nobody knows what the value did meanwhile, so the time begins again."""
    rule = one_rule("{flat_for: 4min}")[0]
    assert truths(rule, readings([5.0] * 3) + readings([5.0] * 5, first=6)) == [None] * 7 + [True]


def window(series: list[Reading], from_ms: int, to_ms: int) -> list[float]:
    """Return the values of a stretch of time, ends included."""
    return [each.value for each in series if from_ms <= each.measured_at_ms <= to_ms and each.value is not None]


@given(SERIES, st.sampled_from([1, 4, 7]))
def test_faster_is_what_its_definition_says(steps: list[tuple[int, float]], within: int) -> None:
    """However the readings lie, it is the newest against highest and lowest of the time before."""
    series, expected = spaced(steps), []
    for each in series:
        seen = window(series, each.measured_at_ms - within * MINUTE_MS, each.measured_at_ms)
        expected.append(max(seen[-1] - min(seen), max(seen) - seen[-1]) > 1 if len(seen) > 1 else None)
    assert truths(one_rule(f"{{changes_faster_than: {{by: 1 °C, within: {within}min}}}}")[0], series) == expected


@given(SERIES)
def test_slower_is_what_its_definition_says(steps: list[tuple[int, float]]) -> None:
    """It is the newest against the value that stood at the beginning, where one did."""
    series, expected = spaced(steps), []
    for each in series:
        begin_ms = each.measured_at_ms - 4 * MINUTE_MS
        stood = window(series, begin_ms - GAP_MS, begin_ms)
        expected.append(abs((each.value or 0.0) - stood[-1]) < 1 if stood else None)
    assert truths(one_rule("{changes_slower_than: {by: 1 °C, within: 4min}}")[0], series) == expected


@given(st.lists(st.tuples(st.sampled_from([1, 1, 1, 1, 2, 3, 4]), st.sampled_from([5.0, 5.0, 5.0, 6.0])), max_size=60))
def test_flat_is_what_its_definition_says(steps: list[tuple[int, float]]) -> None:
    """It is highest against lowest since the value that stood at the beginning, and of one run without a gap."""
    series, expected, run_ms, before_ms = spaced(steps), [], 0, 0
    for each in series:
        now_ms = each.measured_at_ms
        if now_ms - before_ms > GAP_MS:
            run_ms = now_ms
        before_ms, begin_ms = now_ms, now_ms - 6 * MINUTE_MS
        seen = window(series, max(run_ms, begin_ms - GAP_MS), now_ms)
        stood = [
            one.measured_at_ms for one in series if max(run_ms, begin_ms - GAP_MS) <= one.measured_at_ms <= begin_ms
        ]
        moved = window(series, stood[-1], now_ms) if stood else seen
        flat = max(moved) == min(moved)
        expected.append(None if len(seen) < 3 or (not stood and flat) else flat)
    assert truths(one_rule("{flat_for: 6min}")[0], series) == expected
