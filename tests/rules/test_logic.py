"""``all``, ``any``, ``not``, ``quorum``, ``count``: three-valued logic as whole tables, and readings as its inputs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.instant import MINUTE_MS
from domain.kinetic import mean_kinetic_celsius
from domain.reading import Quality, Reading
from rules.engine import Tick
from tests.rules.judging import START_MS, World, channel, directory_of, one_rule, reading, readings, says, truths
from tests.rules.test_exposure import spaced

ABOVE = 'above: {limit: 8, comparison: ">"}'
TRUTHS = (True, False, None)
THREE = directory_of(channel("a"), channel("b"), channel("c", "voltage"))


def told(truths: dict[str, bool | None]) -> list[Reading]:
    """Return readings of channels that are above, below, or were last heard of too long ago to know."""
    values = {True: (60, 9.0), False: (60, 7.0), None: (0, 9.0)}
    return [reading(*values[truth], name=name) for name, truth in truths.items()]


@pytest.mark.parametrize(
    ("kind", "table"),
    [
        (
            "all",
            {
                (True, True): True,
                (True, False): False,
                (True, None): None,
                (False, True): False,
                (False, False): False,
                (False, None): False,
                (None, True): None,
                (None, False): False,
                (None, None): None,
            },
        ),
        (
            "any",
            {
                (True, True): True,
                (True, False): True,
                (True, None): True,
                (False, True): True,
                (False, False): False,
                (False, None): None,
                (None, True): True,
                (None, False): None,
                (None, None): None,
            },
        ),
    ],
)
def test_and_and_or_are_those_of_kleene(kind: str, table: dict[tuple[bool | None, ...], bool | None]) -> None:
    """Unknown wins only where knowing could change the answer."""
    (rule,) = one_rule(f"{{{kind}: [{{{ABOVE}}}, {{{ABOVE}, of: {{quantity: voltage}}}}]}}")
    said = {(one, two): says(rule, told({"a": one, "c": two}), 60, THREE) for one, two in product(TRUTHS, TRUTHS)}
    assert said == table


@pytest.mark.parametrize(("truth", "opposite"), [(True, False), (False, True), (None, None)])
def test_not_of_unknown_is_unknown(truth: bool | None, opposite: bool | None) -> None:
    """A silent sensor is no proof of the opposite."""
    assert says(one_rule(f"{{not: {{{ABOVE}}}}}")[0], told({"a": truth}), 60, THREE) is opposite


def fillings(truths: Sequence[bool | None]) -> Iterable[tuple[bool, ...]]:
    """Return every way in which what is unknown could turn out."""
    return product(*[(True, False) if truth is None else (truth,) for truth in truths])


@pytest.mark.parametrize("at_least", [1, 2, 3])
def test_a_quorum_is_known_as_soon_as_nobody_who_is_silent_could_change_it(at_least: int) -> None:
    """All 27 rows for three probes: the answer is what every way to fill the blanks has in common."""
    directory = directory_of(channel("a"), channel("b"), channel("c"))
    (rule,) = one_rule(f"{{quorum: {{at_least: {at_least}, of: {{quantity: temperature}}, hold: {{{ABOVE}}}}}}}")
    for row in product(TRUTHS, repeat=3):
        answers = {sum(filled) >= at_least for filled in fillings(row)}
        expected = answers.pop() if len(answers) == 1 else None
        assert says(rule, told(dict(zip("abc", row, strict=True))), 60, directory) is expected, row


def test_a_condition_on_many_others_holds_where_it_holds_at_one() -> None:
    """``of`` looks at every channel of that quantity: one is enough, and none but unknown ones is unknown."""
    (rule,) = one_rule(f"{{all: [{{{ABOVE}, of: {{quantity: temperature}}}}]}}")
    for row in product(TRUTHS, repeat=2):
        expected = True if True in row else None if None in row else False
        assert says(rule, told(dict(zip("ab", row, strict=True))), 60, THREE) is expected, row


def test_combinations_may_stand_inside_each_other() -> None:
    """De Morgan: not all is any not, row by row."""
    two = f"{{{ABOVE}}}", f"{{{ABOVE}, of: {{quantity: voltage}}}}"
    (one_way,) = one_rule(f"{{not: {{all: [{two[0]}, {two[1]}]}}}}")
    (other_way,) = one_rule(f"{{any: [{{not: {two[0]}}}, {{not: {two[1]}}}]}}")
    for one, two_truth in product(TRUTHS, TRUTHS):
        series = told({"a": one, "c": two_truth})
        assert says(one_way, series, 60, THREE) is says(other_way, series, 60, THREE), (one, two_truth)


def test_the_end_beyond_which_a_range_was_left_is_not_the_worse_one() -> None:
    """A range inside a combination names no extreme, because neither side is the worse one."""
    ends = 'outside: {low: {limit: 2, comparison: "<"}, high: {limit: 8, comparison: ">"}}'
    world = World(one_rule(f"{{all: [{{{ends}}}]}}"))
    world.arrive(*readings([1.0, 9.0, 5.0]))
    assert world.outcome() == [("warm", "probe", 0, 0, 2, None, None)]


def test_too_warm_or_too_cold_names_no_extreme() -> None:
    """Nobody is told that a fridge at 0 °C got worse because it rose to 1."""
    world = World(one_rule(f'{{any: [{{{ABOVE}}}, {{below: {{limit: 2, comparison: "<"}}}}]}}'))
    world.arrive(*readings([0.0, 1.0, 5.0]))
    assert world.outcome() == [("warm", "probe", 0, 0, 2, None, None)]


def test_the_extreme_is_the_worst_of_those_that_hold() -> None:
    """A probe that fell silent at 50 °C lends its value to no agreement of the two others."""
    directory = directory_of(channel("a"), channel("b"), channel("c"))
    agree = f"{{quorum: {{at_least: 2, of: {{quantity: temperature}}, hold: {{{ABOVE}}}}}}}"
    world = World(one_rule(agree, applies_to="{quantity: temperature, once_per: facility}"), directory)
    world.arrive(reading(0, 50.0, name="a"), reading(0, 7.0, name="b"), reading(0, 7.0, name="c"))
    for at in range(4, 8):
        world.arrive(reading(at, 9.0, name="b"), reading(at, 9.5, name="c"))
    world.arrive(Tick(START_MS + 10 * MINUTE_MS))
    assert [figure[1:] for figure in world.outcome()] == [("a", 4, 4, None, 9.5, 4)]


def test_a_mean_is_told_as_a_mean_also_while_something_else_holds() -> None:
    """The power is off: what is told of the fridge is its mean kinetic temperature and not its highest reading."""
    directory = directory_of(channel(), channel("c", "supply"))
    mean = 'mean_kinetic_temperature: {above: {limit: 8 °C, comparison: ">"}, within: 3min}'
    world = World(one_rule(f"{{any: [{{{mean}}}, {{is: {{state: off}}, of: {{quantity: supply}}}}]}}"), directory)
    for at, value in enumerate([2.0, 7.0, 2.0]):
        world.arrive(reading(at, value), reading(at, 0.0 if at == 2 else 1.0, name="c"))
    ((*_, extreme, _),) = world.outcome()
    assert extreme == pytest.approx(mean_kinetic_celsius([2.0, 7.0, 2.0]))


def test_a_duration_inside_and_one_beside_a_combination_add_up() -> None:
    """Two minutes for the probe, and then three for all of it, without a break."""
    inside = 'above: {limit: 8, comparison: ">", for: 2min}'
    world = World(one_rule(f"{{all: [{{{inside}}}], for: 3min}}"))
    world.arrive(*readings([9.0] * 5))
    assert world.outcome() == []
    world.arrive(reading(5, 9.0))
    assert [figure[2:5] for figure in world.outcome()] == [(2, 5, None)]


def test_an_episode_of_a_combination_ends_after_it_was_well_for_so_long() -> None:
    """A relapse within ``clear_for`` goes on, and the end is where the calm began."""
    world = World(one_rule(f"{{all: [{{{ABOVE}}}], clear_for: 3min}}"))
    world.arrive(*readings([9.0, 7.0, 7.0, 9.0, 7.0, 7.0, 7.0]))
    assert [figure[2:5] for figure in world.outcome()] == [(0, 0, None)]
    world.arrive(reading(7, 7.0))
    assert [figure[2:5] for figure in world.outcome()] == [(0, 0, 4)]


def test_a_gap_in_the_calm_starts_the_calm_again() -> None:
    """Nobody knows what happened in it."""
    world = World(one_rule(f"{{{ABOVE}, clear_for: 5min}}"))
    world.arrive(*readings([9.0, 7.0, 7.0]), *readings([7.0] * 6, first=10))
    assert [figure[2:5] for figure in world.outcome()] == [(0, 0, 10)]


def count(at_least: int, out_of: int) -> str:
    """Return the condition."""
    return f"{{count: {{at_least: {at_least}, out_of: {out_of}, hold: {{{ABOVE}}}}}}}"


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([9, 9, 9], [None, None, True]),
        ([9, 7, 9, 7, 9], [None, None, None, None, True]),
        ([7, 7, 7], [None, None, False]),
        ([9, 9, 7, 7, 7, 9], [None, None, None, None, False, False]),
    ],
)
def test_readings_are_counted_with_breaks(values: list[float], expected: list[bool | None]) -> None:
    """Three of the last five; it is denied as soon as those still missing could not make it."""
    assert truths(one_rule(count(3, 5))[0], readings(values)) == expected


def test_readings_without_a_usable_value_are_not_counted() -> None:
    """They are none of the last three, which reach further back instead."""
    world = World(one_rule(count(3, 3)))
    bad = reading(2, None, quality=Quality.BAD_VALUE)
    world.arrive(reading(0, 9.0), reading(1, 9.0), bad, reading(3, 9.0))
    assert [figure[2] for figure in world.outcome()] == [3]


@given(st.lists(st.tuples(st.sampled_from([1, 1, 2, 3, 4, 20]), st.sampled_from([7.0, 9.0])), max_size=40))
def test_a_count_is_what_its_definition_says(steps: list[tuple[int, float]]) -> None:
    """Of the last five readings, those within five gaps count, and the rest is unknown."""
    series, expected = spaced(steps), []
    for at, each in enumerate(series):
        last = [
            one for one in series[max(at - 4, 0) : at + 1] if each.measured_at_ms - one.measured_at_ms < 15 * MINUTE_MS
        ]
        hits = sum((one.value or 0.0) > 8 for one in last)
        missing = 5 - len(last)
        expected.append(True if hits >= 3 else None if hits + missing >= 3 else False)
    assert truths(one_rule(count(3, 5))[0], series) == expected
