"""What was measured while other limits were in force is judged by those, whenever it arrives."""

from __future__ import annotations

from dataclasses import replace

from domain.instant import HOUR_MS
from domain.places import PastLimits
from tests.rules.judging import START_MS, World, channel, directory_of, minute, one_rule, reading, readings

CHANGED_AT = 60
"""Minutes after the start at which the high limit went from 8 to 12 °C."""
PROBE = replace(channel(limits={"high": 12.0}), past_limits=(PastLimits(START_MS + HOUR_MS, {"high": 8.0}),))
ABOVE = '{above: {limit: $limits.high, comparison: ">", for: 5min}}'


def spans(world: World) -> list[tuple[float | None, float | None]]:
    """Return start and end of every episode in minutes."""
    return [(minute(each.started_at), minute(each.ended_at)) for each in world.in_order()]


def test_a_value_is_judged_by_the_limit_of_its_time() -> None:
    """10 °C is above the limit before the change, and from the change on it is not."""
    world = World(one_rule(ABOVE), directory_of(PROBE))
    world.arrive(*readings([10.0] * 120))
    assert spans(world) == [(0, CHANGED_AT)]


def test_late_readings_are_judged_by_the_limit_of_their_time() -> None:
    """A backlog from before the change, arriving after it, has the episodes that it would have had then."""
    world = World(one_rule(ABOVE), directory_of(PROBE))
    world.arrive(*readings([10.0] * 20, first=100))
    world.arrive(*(reading(at, 10.0 if 10 <= at < 30 else 4.0, delay_min=200) for at in range(50)))
    assert spans(world) == [(10, 30)]


def test_a_change_of_limits_goes_on_from_what_is_remembered() -> None:
    """An open episode ends with the first reading that the new limit clears; the timer of another one starts anew."""
    before = directory_of(channel(limits={"high": 8.0}))
    world = World(one_rule(ABOVE), before)
    world.arrive(*readings([10.0] * 60))
    for change in world.engine.replace_rules(world.rules, directory_of(PROBE)):
        world._apply(change)
    world.arrive(*readings([10.0] * 10, first=60))
    assert spans(world) == [(0, CHANGED_AT)]


def test_nobody_knows_whether_a_value_was_allowed_where_no_limit_was_in_force() -> None:
    """Before the first limit nothing is judged, and nothing begins there."""
    probe = replace(channel(limits={"high": 8.0}), past_limits=(PastLimits(START_MS + HOUR_MS, {}),))
    world = World(one_rule(ABOVE), directory_of(probe))
    world.arrive(*readings([10.0] * 120))
    assert spans(world) == [(CHANGED_AT, None)]


def test_exposure_counts_by_the_limit_of_each_moment() -> None:
    """Ten minutes above the old limit and ten minutes below the new one are ten minutes in all."""
    rule = one_rule('{exposure: {above: {limit: $limits.high, comparison: ">"}, total: 10min, within: 2h}}')
    world = World(rule, directory_of(PROBE))
    world.arrive(*readings([4.0] * 49 + [10.0] * 22))
    assert spans(world) == [(59, None)]
