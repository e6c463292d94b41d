"""``mean_kinetic_temperature``: USP <1079> with an activation energy of 83.144 kJ/mol."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.kinetic import mean_kinetic_celsius
from tests.rules.judging import World, one_rule, readings, truths

RULE = one_rule('{mean_kinetic_temperature: {above: {limit: 8 °C, comparison: ">"}, within: 10min}}')


@pytest.mark.parametrize(
    ("celsius", "mean"),
    [
        ([5.0] * 24, 5.0000),
        ([5.0] * 23 + [25.0], 7.7564),
        ([2.0, 8.0], 5.5364),
        ([4.0] * 90 + [12.0] * 6, 4.8004),
    ],
)
def test_the_mean_is_that_of_the_published_formula(celsius: list[float], mean: float) -> None:
    """To the four decimals that the vectors give."""
    assert mean_kinetic_celsius(celsius) == pytest.approx(mean, abs=5e-5)


@given(st.lists(st.floats(-30, 60), min_size=1, max_size=50))
def test_the_mean_lies_between_the_plain_mean_and_the_highest(celsius: list[float]) -> None:
    """Warm hours weigh more than cold ones, and none weighs more than all. The curve is convex below 4700 °C."""
    mean = mean_kinetic_celsius(celsius)
    assert sum(celsius) / len(celsius) - 1e-6 <= mean <= max(celsius) + 1e-6


def test_a_short_excursion_counts_by_the_harm_it_does() -> None:
    """The plain mean of these ten minutes is 7.4 °C; the kinetic one is above 8, and the episode names that mean."""
    values = [5.0] * 8 + [17.0, 17.0]
    assert truths(RULE[0], readings(values))[-1] is True
    world = World(RULE)
    world.arrive(*readings([*values, *[5.0] * 12]))
    (figure,) = world.outcome()
    assert figure[2:5] == (9, 9, 18)
    assert figure[5] == pytest.approx(mean_kinetic_celsius(values))


def test_half_of_the_readings_have_to_be_there() -> None:
    """Five of ten are enough, four are not: unknown, and no alarm."""
    assert truths(RULE[0], readings([9.0] * 5)) == [None] * 4 + [True]
    assert truths(RULE[0], readings([9.0] * 20, every=2))[3:6] == [None, True, True]
    assert set(truths(RULE[0], readings([9.0] * 20, every=3))) == {None}


def test_the_limit_itself_is_fine_under_a_strict_comparison() -> None:
    """The mean of equal temperatures is that temperature."""
    at_limit = one_rule('{mean_kinetic_temperature: {above: {limit: 8 °C, comparison: ">"}, within: 10min}}')
    assert truths(at_limit[0], readings([8.0] * 10))[-1] is False
