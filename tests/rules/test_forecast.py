"""``time_to_limit``: what a curve says, when it says nothing, and that the truth lies in its interval."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.instant import HOUR_MS, MINUTE_MS
from rules.conditions.forecast import FEWEST, forecast
from tests.rules.judging import World, one_rule, reading, readings, says, truths

MINUTES = 61
MOMENTS = [at * MINUTE_MS for at in range(MINUTES)]


def newton(around: float, begin: float, tau_h: float, minutes: int = MINUTES) -> list[float]:
    """Return the temperatures of a box whose cooling is off, one a minute."""
    return [around + (begin - around) * math.exp(-at / 60 / tau_h) for at in range(minutes)]


def true_ms(around: float, begin: float, tau_h: float, limit: float) -> float:
    """Return when the true curve reaches the limit, from the last of the readings on."""
    now = newton(around, begin, tau_h)[-1]
    return tau_h * HOUR_MS * math.log((around - now) / (around - limit))


@given(st.floats(12, 45), st.floats(-5, 5), st.floats(0.5, 100))
def test_a_true_curve_reaches_the_limit_within_its_interval(around: float, begin: float, tau_h: float) -> None:
    """For every time constant from half the stretch fitted to a hundred times as long, without noise."""
    found = forecast(MOMENTS, newton(around, begin, tau_h), 8.0, 1)
    assert found is not None
    expected = max(true_ms(around, begin, tau_h, 8.0), 0.0)
    assert found.earliest_ms - 1 <= expected <= found.latest_ms + 1
    assert found.earliest_ms <= found.best_ms <= found.latest_ms


@pytest.mark.parametrize("noise", [0.02, 0.05, 0.1])
def test_noise_widens_the_interval_and_the_truth_stays_in_it(noise: float) -> None:
    """The interval is one of two sigma: 95 of 100. Of 200 curves fewer than 180 inside it come once in a thousand."""
    rng = random.Random(20260301)
    inside = told = 0
    while told < 200:
        around, begin, tau_h = rng.uniform(20, 40), rng.uniform(2, 5), rng.uniform(3, 12)
        values = [value + rng.gauss(0, noise) for value in newton(around, begin, tau_h)]
        found = forecast(MOMENTS, values, 8.0, 1)
        expected = true_ms(around, begin, tau_h, 8.0)
        if found is not None and expected > 0:
            told += 1
            inside += found.earliest_ms <= expected <= found.latest_ms
    assert inside >= 180


@given(st.floats(0.02, 0.2), st.floats(-3, 3))
def test_a_steady_drift_is_a_curve_with_a_long_time_constant(per_minute: float, begin: float) -> None:
    """Straight lines are met within a twentieth: what is left of the way by how fast it goes."""
    values = [begin + at * per_minute for at in range(MINUTES)]
    limit = values[-1] + 3.0
    found = forecast(MOMENTS, values, limit, 1)
    assert found is not None
    assert found.best_ms == pytest.approx(3.0 / per_minute * MINUTE_MS, rel=0.05)


@given(st.floats(6, 7.5), st.floats(0.3, 2))
def test_a_curve_that_levels_off_below_the_limit_never_reaches_it(around: float, tau_h: float) -> None:
    """A room of 7 °C warms no fridge to 8."""
    found = forecast(MOMENTS, newton(around, 3.0, tau_h), 8.0, 1)
    assert found is not None
    assert found.best_ms == math.inf


def test_downwards_is_the_same_turned_round() -> None:
    """A tank that runs empty, a fridge that freezes."""
    values = newton(25, 3, 5)
    up = forecast(MOMENTS, values, 8.0, 1)
    assert up is not None
    assert forecast(MOMENTS, [-value for value in values], -8.0, -1) == pytest.approx(up)


def test_what_no_curve_explains_is_refused() -> None:
    """A flat series, one of noise alone, a compressor that cycles, and one that is too short say nothing."""
    rng = random.Random(7)
    assert forecast(MOMENTS, [5.0] * MINUTES, 8.0, 1) is None
    assert forecast(MOMENTS, [5 + rng.gauss(0, 0.3) for _ in MOMENTS], 8.0, 1) is None
    assert forecast(MOMENTS, [5 + math.sin(at / 5) for at in range(MINUTES)], 8.0, 1) is None
    assert forecast(MOMENTS[: FEWEST - 1], newton(30, 4, 3)[: FEWEST - 1], 8.0, 1) is None


RULE = one_rule('{time_to_limit: {above: {limit: 8 °C, comparison: ">"}, less_than: 2h}}')


def test_a_rule_tells_while_there_is_time_left_and_ends_when_it_cools_again() -> None:
    """Told more than an hour before the limit, once; still open beyond the limit; over soon after it is cool again."""
    warming = newton(30, 4, 12, 150)
    limit_at = next(at for at, value in enumerate(warming) if value > 8)
    world = World(RULE)
    world.arrive(*readings(warming))
    (figure,) = world.outcome()
    assert isinstance(figure[2], float)
    assert figure[2] < limit_at - 60
    assert figure[4] is None
    cooling = [warming[-1] - at * 0.2 for at in range(1, 60)]
    world.arrive(*readings(cooling, first=150))
    cool_at = 150 + next(at for at, value in enumerate(cooling) if value <= 8)
    (ended_at,) = [figure[4] for figure in world.outcome()]
    # A turn is no curve: for some minutes nothing is known, and what is unknown ends nothing.
    assert isinstance(ended_at, float)
    assert cool_at <= ended_at <= cool_at + 10


def test_beyond_the_limit_no_time_is_left() -> None:
    """However it moves there: steady, falling, or with a single reading."""
    assert truths(RULE[0], readings([9.0, 9.0, 8.9, 8.8])) == [True] * 4
    assert truths(RULE[0], [reading(0, 8.0)]) == [None]


def test_a_steady_value_is_no_danger_and_a_gap_is_no_curve() -> None:
    """A value that does not move that way is fine; after a gap nothing is known until there are enough readings."""
    assert set(truths(RULE[0], readings([5.0] * 20))[FEWEST:]) == {False}
    warming = readings(newton(30, 4, 6, 20))
    assert truths(RULE[0], [*warming, *readings(newton(30, 6, 6, 10), first=30)])[20 : 20 + FEWEST - 1] == [None] * 5
    assert says(RULE[0], warming, 60) is None


def test_an_interval_too_wide_to_act_on_is_unknown() -> None:
    """A quarter of an hour of tenths of a degree leaves open whether it is less than two hours or never."""
    values = [4.0, 4.0, 4.0, 4.0, 4.2, 4.1, 4.2, 4.2, 4.3, 4.3, 4.3, 4.4, 4.3, 4.4, 4.4, 4.5]
    found = forecast(MOMENTS[: len(values)], values, 8.0, 1)
    assert found is not None
    assert found.earliest_ms < 2 * HOUR_MS < found.latest_ms
    assert says(RULE[0], readings(values), len(values) - 1) is None
