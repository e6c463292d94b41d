"""Promise: order, repetition and restarts change nothing, also for rules on stretches of time and several channels."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.reading import Reading
from rules.engine import Tick
from tests.rules.judging import START_MS, World, channel, directory_of, reading, rules_of

RULES = rules_of(
    """
    rules:
      - id: in-all
        title: Hot for six minutes in all
        severity: warning
        applies_to: {quantity: temperature}
        when: {exposure: {above: {limit: 8 °C, comparison: ">="}, total: 6min, within: 30min}}
      - id: since
        title: Hot for ten minutes since a day
        severity: warning
        applies_to: {quantity: temperature}
        when: {exposure: {above: {limit: 8 °C, comparison: ">="}, total: 10min, since: 2023-11-01}}
      - id: rising
        title: Rises fast
        severity: warning
        applies_to: {quantity: temperature}
        when: {changes_faster_than: {by: 3 °C, within: 5min, direction: rising}, clear_for: 3min}
      - id: stuck
        title: Stuck
        severity: info
        applies_to: {quantity: temperature}
        when: {flat_for: 4min}
      - id: often
        title: Often hot
        severity: warning
        applies_to: {quantity: temperature}
        when: {count: {at_least: 3, out_of: 5, hold: {above: {limit: 8 °C, comparison: ">="}}}}
      - id: after
        title: Cold after hot
        severity: warning
        applies_to: {quantity: temperature}
        when:
          then:
            first: {above: {limit: 8 °C, comparison: ">="}}
            second: {below: {limit: 2 °C, comparison: "<"}}
            within: 6min
      - id: without-power
        title: Hot without power
        severity: critical
        applies_to: {quantity: temperature}
        when:
          all:
            - above: {limit: 8 °C, comparison: ">="}
            - {is: {state: off, for: 2min}, of: {quantity: supply, equipment: mains}}
          for: 2min
      - id: either
        title: Hot, or power there
        severity: info
        applies_to: {quantity: temperature}
        when:
          any:
            - above: {limit: 8 °C, comparison: ">="}
            - not: {is: {state: off}, of: {quantity: supply}}
          clear_for: 2min
      - id: not-cooling
        title: Does not cool
        severity: info
        applies_to: {quantity: temperature}
        when: {changes_slower_than: {by: 2 °C, within: 4min, direction: falling}}
      - id: kinetic
        title: Mean kinetic temperature
        severity: warning
        applies_to: {quantity: temperature}
        when: {mean_kinetic_temperature: {above: {limit: 7 °C, comparison: ">"}, within: 6min}}
      - id: monitor
        title: A millionth of a monitor
        severity: info
        applies_to: {quantity: temperature}
        when: {vvm_used: {type: VVM2, limit: 0.0001 %, comparison: ">", since: 2023-11-01}}
      - id: soon
        title: Hot soon
        severity: warning
        applies_to: {quantity: temperature}
        when: {time_to_limit: {above: {limit: 9 °C, comparison: ">"}, less_than: 20min, fitted_over: 10min}}
      - id: agreed
        title: Mains off
        severity: warning
        applies_to: {quantity: temperature, once_per: facility}
        when:
          quorum:
            at_least: 1
            of: {quantity: supply}
            hold: {is: {state: off, for: 1min}}
          clear_for: 1min
      - id: by-the-clock
        title: Hot at a time of day
        severity: info
        applies_to: {quantity: temperature}
        when:
          all:
            - above: {limit: 8 °C, comparison: ">="}
            - schedule: {from: "22:16", to: "22:30"}
      - id: went-and-warm
        title: Power went, then hot
        severity: info
        applies_to: {quantity: temperature}
        when:
          then:
            first: {is: {state: off}, of: {quantity: supply}}
            second: {count: {at_least: 2, out_of: 3, hold: {above: {limit: 8 °C, comparison: ">="}}}}
            within: 5min
      - id: settled
        title: Above 5 until well for a while
        severity: info
        applies_to: {quantity: temperature}
        when: {above: {limit: 5 °C, comparison: ">=", for: 2min, clear: 4.5 °C}, clear_for: 4min}
    """
)
DIRECTORY = directory_of(
    channel(),
    channel("mains", "supply", equipment="mains-1", node="pi-2", interval=timedelta(minutes=1)),
    nodes=("pi-1", "pi-2"),
)
PROBE = st.sampled_from([4.0, 4.0, 1.0, 5.0, 7.0, 8.0, 8.5, 8.5, 9.5])
SUPPLY = st.sampled_from([0.0, 0.0, 1.0])
PAUSES = st.sampled_from([1, 1, 1, 1, 2, 3, 4, 60])


@st.composite
def series(draw: st.DrawFn, name: str, values: st.SearchStrategy[float]) -> list[Reading]:
    """Draw one channel's readings in order, with runs and gaps."""
    result: list[Reading] = []
    at = 0
    for value, run, pause in draw(st.lists(st.tuples(values, st.sampled_from([1, 1, 2, 4, 7]), PAUSES), max_size=8)):
        result += [reading(at + step, value, name=name) for step in range(run)]
        at += run - 1 + pause
    return result


@st.composite
def arrivals(draw: st.DrawFn) -> tuple[list[Reading], list[list[Reading]]]:
    """Draw two channels' readings in order of time, and the same shuffled, repeated and cut into batches."""
    ordered = sorted(
        draw(series("probe", PROBE)) + draw(series("mains", SUPPLY)),
        key=lambda each: (each.measured_at_ms, each.channel),
    )
    repeated = draw(st.lists(st.sampled_from(ordered), max_size=6)) if ordered else []
    manner = draw(st.sampled_from(["one channel late", "some held back", "anyhow"]))
    if manner == "anyhow":
        shuffled = list(draw(st.permutations(ordered + repeated)))
    elif manner == "one channel late":
        shuffled = sorted(ordered, key=lambda each: each.channel) + repeated
    else:
        late = [bool(draw(st.integers(0, 3)) == 0) for _ in ordered]
        shuffled = [each for each, is_late in zip(ordered, late, strict=True) if not is_late] + repeated
        shuffled += [each for each, is_late in zip(ordered, late, strict=True) if is_late]
    cuts = sorted(draw(st.lists(st.integers(0, len(shuffled)), max_size=5)))
    bounds = [0, *cuts, len(shuffled)]
    return ordered, [shuffled[first:last] for first, last in pairwise(bounds)]


def outcome(world: World) -> list[tuple[object, ...]]:
    """Return the figures of all episodes; while one goes on its extreme is told in steps, so it is left out."""
    return [figure if figure[4] is not None else figure[:5] for figure in world.outcome()]


END = Tick(START_MS + 3 * 86_400_000)


def in_order(readings: list[Reading]) -> list[tuple[object, ...]]:
    """Return the episodes of readings that arrive one by one, in order."""
    world = World(RULES, DIRECTORY)
    for each in readings:
        world.arrive(each)
    world.arrive(END)
    return outcome(world)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(arrivals())
def test_the_order_of_arrival_changes_no_episode(drawn: tuple[list[Reading], list[list[Reading]]]) -> None:
    """However the readings of two nodes arrive, the episodes are those of readings that came one by one, in order."""
    ordered, batches = drawn
    world = World(RULES, DIRECTORY)
    for batch in batches:
        world.arrive(*batch)
    world.arrive(END)
    world.arrive()
    assert outcome(world) == in_order(ordered)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(arrivals(), st.data())
def test_a_restart_changes_no_episode(drawn: tuple[list[Reading], list[list[Reading]]], data: Any) -> None:
    """An engine that goes on from what was remembered finds what one finds that never stopped."""
    ordered, batches = drawn
    world = World(RULES, DIRECTORY)
    for batch in batches:
        world.arrive(*batch)
        if data.draw(st.booleans(), label="restart"):
            world.restart()
    world.arrive(END)
    world.arrive()
    assert outcome(world) == in_order(ordered)


FORECASTS = rules_of(
    """
    rules:
      - id: asked-last
        title: Will be hot without power
        severity: warning
        applies_to: {quantity: temperature}
        when:
          all:
            - time_to_limit: {above: {limit: 8 °C, comparison: ">="}, less_than: 30min, fitted_over: 8min}
            - {is: {state: off}, of: {quantity: supply}}
      - id: always-asked
        title: The same, asked at every moment
        severity: warning
        applies_to: {quantity: temperature}
        when:
          all:
            - any: [{time_to_limit: {above: {limit: 8 °C, comparison: ">="}, less_than: 30min, fitted_over: 8min}}]
            - {is: {state: off}, of: {quantity: supply}}
    """
)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(arrivals())
def test_a_forecast_that_is_not_asked_changes_no_episode(drawn: tuple[list[Reading], list[list[Reading]]]) -> None:
    """They cost most of all conditions, so they are asked only where nothing else says no; the answer is the same."""
    _, batches = drawn
    world = World(FORECASTS, DIRECTORY)
    for batch in batches:
        world.arrive(*batch)
    world.arrive(END)
    world.arrive()
    by_rule = [[each[1:] for each in outcome(world) if each[0] == rule.id] for rule in FORECASTS]
    assert by_rule[0] == by_rule[1]


def test_an_edit_elsewhere_reads_nothing_again() -> None:
    """Where a rule and its channels stay as they were, the readings that it has at hand serve it after an edit, too."""
    world, undisturbed = World(RULES, DIRECTORY), World(RULES, DIRECTORY)
    readings = [reading(at, 9.0 if at % 7 else 4.0) for at in range(60)]
    for each in readings:
        undisturbed.arrive(each)
    for each in readings[:30]:
        world.arrive(each)
    world.asked.clear()
    world.engine.replace_rules(RULES[:-1], DIRECTORY)
    world.engine.replace_rules(RULES, DIRECTORY)
    for each in readings[30:]:
        world.arrive(each)
    assert world.asked == []
    kept = {rule.id for rule in RULES[:-1]}
    assert [each for each in outcome(world) if each[0] in kept] == [
        each for each in outcome(undisturbed) if each[0] in kept
    ]
