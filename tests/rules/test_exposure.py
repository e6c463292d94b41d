"""``exposure``: how long in all, or by how many degree-minutes, a value was beyond a limit."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from domain.instant import MINUTE_MS
from domain.reading import Quality, Reading
from tests.rules.judging import START_MS, World, directory_of, one_rule, reading, readings, says, truths

IN_ALL = one_rule('{exposure: {above: {limit: 8 °C, comparison: ">="}, total: 6min, within: 30min}}')
WEIGHED = one_rule('{exposure: {above: {limit: 8 °C, comparison: ">"}, degree_minutes: 60, within: 12h}}')
GAP_MIN = 3


def test_n_readings_are_n_minus_one_intervals_of_exposure() -> None:
    """Seven readings a minute apart are six minutes, as they are for ``for``."""
    assert truths(IN_ALL[0], readings([8.0] * 7)) == [False] * 6 + [True]


def test_breaks_do_not_start_the_time_again() -> None:
    """Three minutes, relief and three minutes more are six; the way into and out of it counts for nothing."""
    assert truths(IN_ALL[0], readings([9.0] * 4 + [7.9] * 5 + [9.0] * 4)) == [False] * 12 + [True]


def test_the_limit_itself_counts_only_under_an_inclusive_comparison() -> None:
    """As everywhere else."""
    strict = one_rule('{exposure: {above: {limit: 8 °C, comparison: ">"}, total: 6min, within: 30min}}')
    assert not any(truths(strict[0], readings([8.0] * 20)))


def test_what_is_older_than_the_time_counted_expires_minute_by_minute() -> None:
    """Six minutes are six until the first of them has left the half hour, and the episode ends then."""
    world = World(IN_ALL)
    world.arrive(*readings([9.0] * 7 + [5.0] * 40))
    assert [figure[2:5] for figure in world.outcome()] == [(6, 6, 31)]


def test_a_gap_is_not_exposure() -> None:
    """Three intervals between two warm readings count, four do not; silence alone never adds up to an alarm."""
    counted = [reading(at, 9.0) for at in (0, GAP_MIN, 2 * GAP_MIN)]
    assert truths(IN_ALL[0], counted) == [False, False, True]
    apart = [reading(at, 9.0) for at in range(0, 28, GAP_MIN + 1)]
    assert not any(truths(IN_ALL[0], apart))


def test_readings_without_a_usable_value_are_bridged_like_missing_ones() -> None:
    """Two bad readings between two warm ones leave three minutes of exposure."""
    bad = [reading(at, None, quality=Quality.SENSOR_GONE) for at in (1, 2, 4, 5)]
    world = World(IN_ALL)
    world.arrive(*sorted([*bad, *(reading(at, 9.0) for at in (0, 3, 6))], key=lambda each: each.measured_at_ms))
    assert [figure[2:5] for figure in world.outcome()] == [(6, 6, None)]


def test_degree_minutes_are_the_area_beyond_the_limit() -> None:
    """Half an hour at 2 °C above is 60; so is an hour that rises from the limit to 2 °C above, once both ends are."""
    assert truths(WEIGHED[0], readings([10.0] * 31)) == [False] * 30 + [True]
    ramp = [8 + (at + 0.5) / 30 for at in range(61)]
    assert says(WEIGHED[0], readings(ramp), 60)
    assert not says(WEIGHED[0], readings(ramp[:60]), 59)


def test_cold_is_counted_as_well() -> None:
    """Below a limit the area lies on the other side."""
    cold = one_rule('{exposure: {below: {limit: -0.5 °C, comparison: "<="}, degree_minutes: 10, within: 12h}}')
    assert truths(cold[0], readings([-1.5] * 11)) == [False] * 10 + [True]


def test_the_extreme_is_the_worst_value_that_was_counted() -> None:
    """Not the one at the moment when it became too much."""
    world = World(IN_ALL)
    world.arrive(*readings([8.0, 8.5, 9.9, 9.0, 8.0, 8.0, 8.0]))
    assert [figure[5] for figure in world.outcome()] == [9.9]


def test_since_begins_at_midnight_of_the_facility() -> None:
    """At 22:14 UTC the fifteenth has begun in Kampala and not in Greenwich; nothing is ever let go of."""
    since = one_rule('{exposure: {above: {limit: 8 °C, comparison: ">="}, total: 6min, since: 2023-11-15}}')
    series = readings([9.0] * 7 + [5.0] * 100)
    kampala = directory_of(timezone="Africa/Kampala")
    assert truths(since[0], series, kampala) == [False] * 6 + [True] * 101
    assert truths(since[0], series)[:106] == [None] * 106
    assert truths(since[0], series)[106:] == [False]


VALUES = st.sampled_from([7.0, 7.5, 8.0, 8.5, 9.0, 12.0])
SERIES = st.lists(st.tuples(st.sampled_from([1, 1, 1, 2, 3, 4, 9]), VALUES), min_size=1, max_size=60)


def spaced(steps: list[tuple[int, float]]) -> list[Reading]:
    """Return readings, each so many minutes after the one before."""
    at, series = 0, []
    for step, value in steps:
        at += step
        series.append(reading(at, value))
    return series


def exposed(series: list[Reading], at_ms: int, within_min: float, *, weighed: bool) -> float:
    """Return minutes or degree-minutes at or above 8 up to a moment, straight from the definition."""
    total = 0.0
    for one, next_one in pairwise(series):
        begin_ms, end_ms = one.measured_at_ms, next_one.measured_at_ms
        counts = end_ms <= at_ms and end_ms - begin_ms <= GAP_MIN * MINUTE_MS
        if counts and one.value is not None and next_one.value is not None and min(one.value, next_one.value) >= 8:
            inside_ms = max(0, end_ms - max(begin_ms, at_ms - within_min * MINUTE_MS))
            total += inside_ms / MINUTE_MS * ((one.value + next_one.value) / 2 - 8 if weighed else 1)
    return total


@given(SERIES)
def test_exposure_is_what_its_definition_says(steps: list[tuple[int, float]]) -> None:
    """However the readings lie, the running sum is the sum over all pairs of the time that is counted."""
    series = spaced(steps)
    for weighed, much in ((False, "total: 6min"), (True, "degree_minutes: 6")):
        when = f'{{exposure: {{above: {{limit: 8 °C, comparison: ">="}}, {much}, within: 15min}}}}'
        expected = [exposed(series, each.measured_at_ms, 15, weighed=weighed) >= 6 - 1e-9 for each in series]
        assert truths(one_rule(when)[0], series) == expected


def test_the_start_of_the_test_world_is_where_the_day_turns_between_the_zones() -> None:
    """What the test of ``since`` stands on: 22:14 in Greenwich."""
    assert START_MS // MINUTE_MS % 1440 == 22 * 60 + 14
