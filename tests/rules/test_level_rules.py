"""Conditions on values: comparisons, durations, gaps, bad quality, clear levels, live and late."""

from __future__ import annotations

import pytest

from domain.episode import ChangeKind, EpisodeChange, Severity
from domain.quantities import QUANTITIES
from domain.reading import Quality
from rules.compile import worse_by
from tests.rules.judging import World, channel, directory_of, figures, minute, one_rule, reading, readings


def kinds(changes: list[EpisodeChange]) -> list[ChangeKind]:
    """Return what happened."""
    return [change.kind for change in changes]


@pytest.mark.parametrize(
    ("when", "alarms", "fine"),
    [
        ('{above: {limit: 8 °C, comparison: ">"}}', [8.1, 50.0], [8.0, -40.0]),
        ('{above: {limit: 8 °C, comparison: ">="}}', [8.0, 8.1], [7.9]),
        ('{below: {limit: -0.5 °C, comparison: "<="}}', [-0.5, -0.6], [-0.4]),
        ('{below: {limit: 2 °C, comparison: "<"}}', [1.9], [2.0, 2.1]),
        (
            '{outside: {low: {limit: 2, comparison: "<"}, high: {limit: 8, comparison: ">="}}}',
            [1.9, 8.0, 8.1],
            [2.0, 5.0, 7.9],
        ),
        ('{above: {limit: 50 °F, comparison: ">"}}', [10.1], [9.9]),
    ],
)
def test_a_comparison_means_exactly_what_it_says(when: str, alarms: list[float], fine: list[float]) -> None:
    """The limit itself alarms under an inclusive comparison and not under a strict one."""
    for value in alarms:
        assert kinds(World(one_rule(when)).arrive(reading(0, value))) == [ChangeKind.OPENED], value
    for value in fine:
        assert World(one_rule(when)).arrive(reading(0, value)) == [], value


def test_n_readings_span_n_minus_one_intervals() -> None:
    """A duration is reached by the reading that lies exactly that far after the first one, not one earlier."""
    world = World(one_rule('{above: {limit: 8 °C, comparison: ">", for: 10min}}'))
    for each in readings([9.0] * 10):
        assert world.arrive(each) == []
    (opened,) = world.arrive(reading(10, 9.0))
    assert figures(opened.episode) == ("warm", "probe", 0, 10, None, 9.0, 0)
    assert opened.episode.severity is Severity.CRITICAL
    assert opened.episode.id == "warm/probe/20231114T221400Z"


def test_a_duration_between_two_readings_is_confirmed_at_its_own_moment() -> None:
    """The episode opens with the next reading and says when the time was full."""
    world = World(one_rule('{above: {limit: 8 °C, comparison: ">", for: 150s}}'))
    world.arrive(*readings([9.0, 9.0, 9.0, 9.0]))
    assert world.outcome() == [("warm", "probe", 0, 2.5, None, 9.0, 0)]


def test_one_reading_in_range_starts_the_timer_again() -> None:
    """Nine minutes, a minute's relief and nine minutes more are no episode of ten."""
    world = World(one_rule('{above: {limit: 8 °C, comparison: ">", for: 10min}}'))
    assert world.arrive(*readings([9.0] * 10 + [8.0] + [9.0] * 10)) == []


def test_a_gap_is_not_time_beyond_the_limit() -> None:
    """A pause of more than three intervals starts the timer again; three intervals do not."""
    rule = one_rule('{above: {limit: 8 °C, comparison: ">", for: 10min}}')
    with_gap = World(rule)
    with_gap.arrive(*readings([9.0] * 6), *readings([9.0] * 7, first=9.5))
    assert with_gap.outcome() == []
    without = World(rule)
    without.arrive(*readings([9.0] * 6), *readings([9.0] * 3, first=8))
    assert [figure[2:4] for figure in without.outcome()] == [(0, 10)]


def test_a_gap_does_not_end_an_open_episode() -> None:
    """Silence is no proof of recovery: the episode ends with the first reading in range, hours later."""
    world = World(one_rule('{above: {limit: 8 °C, comparison: ">", for: 2min}}'))
    world.arrive(*readings([9.0] * 3), reading(300, 12.0), reading(301, 7.0))
    assert world.outcome() == [("warm", "probe", 0, 2, 301, 12.0, 300)]


def test_bad_readings_neither_extend_nor_end_a_timer() -> None:
    """A few bad readings are bridged; so many that the good ones lie a gap apart are not."""
    rule = one_rule('{above: {limit: 8 °C, comparison: ">", for: 5min}}')
    bad = [reading(at, None, quality=Quality.SENSOR_GONE) for at in (2, 3)]
    bridged = World(rule)
    bridged.arrive(reading(0, 9.0), reading(1, 9.0), *bad, *readings([9.0, 9.0], first=4))
    assert [figure[2:4] for figure in bridged.outcome()] == [(0, 5)]
    apart = World(rule)
    more = [reading(at, None, quality=Quality.BAD_VALUE) for at in range(2, 5)]
    apart.arrive(reading(0, 9.0), reading(1, 9.0), *more, *readings([9.0, 9.0], first=5))
    assert apart.outcome() == []


def test_a_doubtful_reading_is_judged() -> None:
    """Uncertain is a value with a reason to doubt it, and still a value."""
    world = World(one_rule('{above: {limit: 8 °C, comparison: ">"}}'))
    assert kinds(world.arrive(reading(0, 9.0, quality=Quality.UNCERTAIN))) == [ChangeKind.OPENED]


def test_between_limit_and_clear_level_nothing_begins_and_nothing_ends() -> None:
    """An open episode ends at its clear level; a timer that has not run out is reset at the limit."""
    rule = one_rule('{above: {limit: 8 °C, comparison: ">", for: 2min, clear: 7 °C}}')
    world = World(rule)
    world.arrive(*readings([7.5, 9.0, 9.0, 9.0, 7.5, 7.1, 8.5, 7.0]))
    assert world.outcome() == [("warm", "probe", 1, 3, 7, 9.0, 1)]
    reset = World(rule)
    reset.arrive(*readings([9.0, 9.0, 7.5, 9.0, 9.0, 7.5]))
    assert reset.outcome() == []


def test_swinging_from_one_side_to_the_other_is_one_excursion() -> None:
    """The extreme is the value that lies farthest beyond its own limit."""
    rule = one_rule('{outside: {low: {limit: 2, comparison: "<"}, high: {limit: 8, comparison: ">"}, for: 3min}}')
    world = World(rule)
    world.arrive(*readings([9.0, 1.0, 0.5, 9.4, 5.0]))
    assert world.outcome() == [("warm", "probe", 0, 3, 4, 0.5, 2)]


def test_a_state_has_no_extreme() -> None:
    """Mains that are off are off: 0 V is not worse than 0 V."""
    world = World(
        one_rule("{is: {state: off, for: 5min}}", applies_to="{quantity: supply, equipment: mains}"),
        directory_of(channel("mains", "supply", equipment="mains-1")),
    )
    world.arrive(*[reading(at, value, name="mains") for at, value in enumerate([1.0, *[0.0] * 7, 1.0])])
    assert world.outcome() == [("warm", "mains", 1, 6, 8, None, None)]


def test_worsening_is_told_in_steps_and_the_end_names_the_exact_extreme() -> None:
    """A full step beyond what was told last is news; less is not, and still is not lost."""
    step = worse_by(QUANTITIES["temperature"])
    world = World(one_rule('{above: {limit: 8 °C, comparison: ">"}}'))
    values = [9.0, 9.0 + 0.4 * step, 9.0 + step, 9.0 + 1.9 * step, 9.0 + 2.0 * step, 9.0 + 2.7 * step, 8.5, 7.0]
    told = [world.arrive(each) for each in readings(values)]
    assert [kinds(changes) for changes in told] == [
        [ChangeKind.OPENED],
        [],
        [ChangeKind.WORSENED],
        [],
        [ChangeKind.WORSENED],
        [],
        [],
        [ChangeKind.ENDED],
    ]
    assert told[-1][0].episode.extreme == values[5]
    assert minute(told[-1][0].episode.extreme_at) == 5


def test_limits_come_from_the_channel() -> None:
    """A channel without the limit is not judged; the others are judged by their own."""
    directory = directory_of(channel("a", limits={"high": 8.0}), channel("b", limits={"high": 25.0}), channel("c"))
    world = World(one_rule('{above: {limit: $limits.high, comparison: ">"}}'), directory)
    assert [name for name in "abc" if world.arrive(reading(0, 9.0, name=name))] == ["a"]


def test_equipment_selects_channels() -> None:
    """A rule on fridges leaves the mains alone."""
    directory = directory_of(channel("fridge"), channel("room", equipment="mains-1"))
    rule = one_rule('{above: {limit: 8, comparison: ">"}}', applies_to="{quantity: temperature, equipment: [fridge]}")
    world = World(rule, directory)
    assert [name for name in ("fridge", "room") if world.arrive(reading(0, 9.0, name=name))] == ["fridge"]


def test_late_data_open_an_episode_quietly_and_live_data_wake_people() -> None:
    """What goes on is told again as live by the first live reading that shows it, once."""
    world = World(one_rule('{above: {limit: 8 °C, comparison: ">"}}'))
    (past,) = world.arrive(reading(0, 9.0, delay_min=120))
    assert (past.kind, past.live) == (ChangeKind.OPENED, False)
    assert world.arrive(reading(1, 9.0, delay_min=120)) == []
    (now,) = world.arrive(reading(2, 9.0))
    assert (now.kind, now.live, now.episode.id) == (ChangeKind.OPENED, True, past.episode.id)
    assert world.arrive(reading(3, 9.0)) == []


def test_the_horizon_of_live_is_fifteen_minutes_or_three_intervals() -> None:
    """A reading that took exactly as long is live; one that took longer is late."""
    rule = one_rule('{above: {limit: 8 °C, comparison: ">"}}')
    for delay, live in ((15, True), (15.1, False)):
        assert World(rule).arrive(reading(0, 9.0, delay_min=delay))[0].live is live
