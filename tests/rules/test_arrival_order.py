"""Promise: permuting, duplicating and batching arrivals, and restarting in between, changes no episode."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.reading import Quality, Reading
from rules.model import Rule
from tests.rules.judging import World, channel, directory_of, reading, rules_of

RULES = rules_of(
    """
    rules:
      - id: at-once
        title: Any reading above 8
        severity: warning
        applies_to: {quantity: temperature}
        when: {above: {limit: 8 °C, comparison: ">"}}
      - id: lasting
        title: Above 8 for a while
        severity: critical
        applies_to: {quantity: temperature}
        when: {above: {limit: 8 °C, comparison: ">=", for: 4min, clear: 6 °C}}
      - id: either-side
        title: Outside the range
        severity: warning
        applies_to: {quantity: temperature}
        when:
          outside:
            low: {limit: 2 °C, comparison: "<", clear: 3 °C}
            high: {limit: 8 °C, comparison: ">"}
            for: 2min
      - id: warm-side
        title: Never at rest together with the one below
        severity: info
        applies_to: {quantity: temperature}
        when: {above: {limit: 5 °C, comparison: ">=", for: 3min}}
      - id: cold-side
        title: Never at rest together with the one above
        severity: info
        applies_to: {quantity: temperature}
        when: {below: {limit: 5 °C, comparison: "<", for: 3min}}
    """
)

STATES = rules_of(
    """
    rules:
      - id: off
        title: Off at any reading
        severity: info
        applies_to: {quantity: supply}
        when: {is: {state: off}}
      - id: off-for-long
        title: Off for a while
        severity: critical
        applies_to: {quantity: supply}
        when: {is: {state: off, for: 4min}}
      - id: on-for-long
        title: Never at rest together with the one above
        severity: info
        applies_to: {quantity: supply}
        when: {is: {state: on, for: 3min}}
    """
)

# None stands for a reading without a usable value.
VALUES = st.sampled_from([4.0, 8.5, 0.5, 1.9, 2.5, 5.0, 7.0, 8.0, 8.5, 8.5, 9.5, None])
ON_OR_OFF = st.sampled_from([0.0, 0.0, 1.0, 1.0, None])
PAUSES = st.sampled_from([1, 1, 1, 1, 1, 2, 3, 4, 90, 2000])

Series = list[tuple[int, float | None]]
"""Minutes and values."""


@st.composite
def series(draw: st.DrawFn, values: st.SearchStrategy[float | None] = VALUES) -> Series:
    """Draw one channel's readings in order, with runs, gaps and bad ones."""
    result: Series = []
    at = 0
    for value, run, pause in draw(
        st.lists(st.tuples(values, st.sampled_from([1, 1, 2, 3, 5, 9]), PAUSES), max_size=12)
    ):
        result += [(at + step, value) for step in range(run)]
        at += run - 1 + pause
    return result


@st.composite
def arrivals(draw: st.DrawFn, values: st.SearchStrategy[float | None] = VALUES) -> tuple[Series, list[Series]]:
    """Draw a series, and the same readings shuffled, repeated and cut into batches."""
    ordered = draw(series(values))
    repeated = draw(st.lists(st.sampled_from(ordered), max_size=8)) if ordered else []
    manner = draw(st.sampled_from(["some held back", "two lanes", "anyhow"]))
    if manner == "anyhow":
        shuffled = draw(st.permutations(ordered + repeated))
    elif manner == "two lanes":  # the newest first, then the past in order
        cut = draw(st.integers(0, len(ordered)))
        shuffled = ordered[cut:] + repeated + ordered[:cut]
    else:
        held = draw(st.sets(st.sampled_from(ordered), max_size=6)) if ordered else set()
        shuffled = [each for each in ordered if each not in held] + draw(st.permutations(sorted(held, key=repr)))
        shuffled += repeated
    bounds = [0, *sorted(draw(st.sets(st.integers(0, len(shuffled)), max_size=6))), len(shuffled)]
    return ordered, [list(shuffled[a:b]) for a, b in pairwise(bounds)]


def late(pairs: Series) -> list[Reading]:
    """Return readings that all arrive three weeks after they were measured."""
    return [
        reading(at, value, quality=Quality.BAD_VALUE if value is None else Quality.GOOD, delay_min=30_000)
        for at, value in pairs
    ]


def world_of(rules: list[Rule]) -> World:
    """Return a world with these rules and one channel, of the quantity that they judge."""
    return World(rules, directory_of(channel(quantity="supply" if rules is STATES else "temperature")))


def in_order(ordered: Series, rules: list[Rule] = RULES) -> World:
    """Return the world after the readings arrived one by one as they were measured."""
    world = world_of(rules)
    for each in late(ordered):
        world.arrive(each)
    assert not world.asked, "readings in order need nothing of the past"
    return world


def outcome(world: World) -> list[tuple[Any, ...]]:
    """Return the figures of all episodes; while one goes on its extreme is told in steps, so it is left out."""
    return [figure if figure[4] is not None else figure[:5] for figure in world.outcome()]


@settings(max_examples=600, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(arrivals())
def test_any_order_of_arrival_gives_the_episodes_of_the_measured_order(
    drawn: tuple[Series, list[Series]],
) -> None:
    """Start, confirmation, end and extreme are those of the fold in measured order, whatever came when."""
    ordered, batches = drawn
    world = World(RULES)
    for batch in batches:
        world.arrive(*late(batch))
    assert outcome(world) == outcome(in_order(ordered))


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(arrivals(ON_OR_OFF), st.data())
def test_states_in_any_order_of_arrival_give_the_same_too(
    drawn: tuple[Series, list[Series]], data: st.DataObject
) -> None:
    """A supply that is on or off, with restarts in between; a state has no extreme."""
    ordered, batches = drawn
    world = world_of(STATES)
    for batch in batches:
        if data.draw(st.booleans()):
            world.restart()
        world.arrive(*late(batch))
    assert world.outcome() == in_order(ordered, STATES).outcome()


@settings(max_examples=1000, deadline=None)
@given(st.lists(st.sampled_from([9.0, 8.5, 8.5, 7.0, 4.0]), min_size=4, max_size=24), st.data())
def test_readings_held_back_give_the_same_when_they_come_one_by_one(values: list[float], data: st.DataObject) -> None:
    """Most of an hour comes live; a few minutes of it stay behind and arrive in any order, each alone."""
    ordered: Series = list(enumerate(values))
    held = data.draw(st.lists(st.sampled_from(ordered), unique_by=lambda each: each[0], max_size=5))
    world = World(RULES)
    world.arrive(*late([each for each in ordered if each not in held]))
    for each in held:
        world.arrive(*late([each]))
    assert outcome(world) == outcome(in_order(ordered))


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(arrivals(), st.data())
def test_going_on_from_the_snapshot_equals_never_stopping(
    drawn: tuple[Series, list[Series]], data: st.DataObject
) -> None:
    """A restart after any batch changes no episode and not one later change."""
    _, batches = drawn
    steady, restarted = World(RULES), World(RULES)
    for batch in batches:
        if data.draw(st.booleans()):
            restarted.restart()
        assert restarted.arrive(*late(batch)) == steady.arrive(*late(batch))
    assert restarted.outcome() == steady.outcome()


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(arrivals(), st.data())
def test_a_restart_before_history_is_judged_again_forgets_no_late_reading(
    drawn: tuple[Series, list[Series]], data: st.DataObject
) -> None:
    """Late readings were taken, and the past that they change was not read yet: it is after the restart."""
    ordered, batches = drawn
    world = World(RULES)
    for batch in batches:
        if data.draw(st.booleans()):
            world.step_only(*late(batch))
            world.restart()
        else:
            world.arrive(*late(batch))
    world.arrive()
    assert outcome(world) == outcome(in_order(ordered))


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(arrivals())
def test_everything_once_more_changes_nothing(drawn: tuple[Series, list[Series]]) -> None:
    """Replaying the whole file again, in order, tells nobody anything."""
    ordered, batches = drawn
    world = World(RULES)
    for batch in batches:
        world.arrive(*late(batch))
    assert [change for each in late(ordered) for change in world.arrive(each)] == []


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(arrivals())
def test_ids_stay_unique_and_name_a_moment_within_their_episode(
    drawn: tuple[Series, list[Series]],
) -> None:
    """Episodes of one rule never overlap, and late data never give one id to two of them."""
    _, batches = drawn
    world = World(RULES)
    for batch in batches:
        world.arrive(*late(batch))
    by_rule: dict[str, list[Any]] = {}
    for episode in sorted(world.episodes.values(), key=lambda each: each.started_at):
        by_rule.setdefault(episode.rule, []).append(episode)
    for episodes in by_rule.values():
        for earlier, later in pairwise(episodes):
            assert earlier.ended_at is not None
            assert earlier.ended_at <= later.started_at
