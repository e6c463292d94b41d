"""``schedule`` and ``then``: times of day at the facility, and what came after what."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from domain.instant import to_ms
from rules.conditions.schedule import Schedule
from tests.rules.judging import World, channel, directory_of, one_rule, reading, readings, truths

NIGHT = Schedule.model_validate({"from": "22:00", "to": "06:00"})
FRIDAY = Schedule.model_validate({"from": "22:00", "to": "06:00", "days": "fri"})
OFFICE = Schedule.model_validate({"from": "08:00", "to": "17:30", "days": ["mon", "tue"]})


@pytest.mark.parametrize(
    ("schedule", "moment", "expected"),
    [
        (NIGHT, "2023-11-14T22:00", True),
        (NIGHT, "2023-11-14T21:59:59.999", False),
        (NIGHT, "2023-11-15T05:59:59.999", True),
        (NIGHT, "2023-11-15T06:00", False),
        (OFFICE, "2023-11-14T08:00", True),
        (OFFICE, "2023-11-14T17:30", False),
        (OFFICE, "2023-11-15T12:00", False),
        (FRIDAY, "2023-11-17T23:00", True),
        (FRIDAY, "2023-11-18T05:00", True),
        (FRIDAY, "2023-11-18T23:00", False),
        (FRIDAY, "2023-11-17T05:00", False),
    ],
)
def test_a_schedule_includes_its_beginning_and_not_its_end(schedule: Schedule, moment: str, expected: bool) -> None:
    """Past midnight it belongs to the day on which it began."""
    assert schedule.includes(to_ms(datetime.fromisoformat(moment).replace(tzinfo=UTC)), UTC) is expected


@pytest.mark.parametrize(("day", "hours"), [("2023-10-28", 9), ("2024-03-30", 7), ("2024-01-10", 8)])
def test_a_night_lasts_as_long_as_the_clocks_on_the_wall_say(day: str, hours: int) -> None:
    """Where summer time ends in it, ten at night to six in the morning are nine hours; where it begins, seven."""
    noon = datetime.fromisoformat(f"{day}T12:00").replace(tzinfo=UTC)
    berlin = ZoneInfo("Europe/Berlin")
    minutes = sum(NIGHT.includes(to_ms(noon + timedelta(minutes=at)), berlin) for at in range(24 * 60))
    assert minutes == hours * 60


def test_the_time_is_that_of_the_facility() -> None:
    """At 22:14 UTC it is night in Greenwich and past one in the morning in Kampala."""
    when = '{all: [{above: {limit: 8, comparison: ">"}}, {schedule: {from: 22:00, to: "23:00"}}]}'
    assert truths(one_rule(when)[0], [reading(0, 9.0)]) == [True]
    assert truths(one_rule(when)[0], [reading(0, 9.0)], directory_of(timezone="Africa/Kampala")) == [False]


def test_an_episode_ends_with_the_first_reading_after_the_hours() -> None:
    """A schedule has no readings of its own: it is asked at those of the rule's channel."""
    world = World(one_rule('{all: [{above: {limit: 8, comparison: ">"}}, {schedule: {from: 22:00, to: "22:30"}}]}'))
    world.arrive(*readings([9.0] * 20))
    assert [figure[2:5] for figure in world.outcome()] == [(0, 0, 16)]


THEN = one_rule(
    '{then: {first: {above: {limit: 8, comparison: ">"}}, second: {below: {limit: 2, comparison: "<"}}, within: 6min}}'
)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([9, 1], [False, True]),
        ([1, 9], [False, False]),
        ([9, 5, 5, 5, 5, 5, 1, 1], [False] * 6 + [True, False]),
        ([9, 9, 1, 1], [False, False, True, True]),
        ([1, 9, 1], [False, False, True]),
    ],
)
def test_the_order_counts_and_how_much_time_lies_between(values: list[float], expected: list[bool]) -> None:
    """Within six minutes includes the sixth, and the time begins with the last moment at which the first held."""
    assert truths(THEN[0], readings(values)) == expected


def test_what_comes_at_the_same_moment_did_not_come_before() -> None:
    """Power that goes at the moment at which the fridge turns warm is no cause yet; a minute before, it is."""
    directory = directory_of(channel(), channel("mains", "supply", equipment="mains-1"))
    (rule,) = one_rule(
        "{then: {first: {is: {state: off}, of: {quantity: supply}},"
        ' second: {above: {limit: 8, comparison: ">"}}, within: 6min}}'
    )
    off = [reading(at, 0.0, name="mains") for at in (1, 2)]
    assert truths(rule, [reading(1, 9.0), *off, reading(2, 9.0)], directory) == [False, True]


def test_a_second_that_nobody_knows_is_unknown() -> None:
    """A silent fridge neither begins nor ends what came after."""
    directory = directory_of(channel(), channel("mains", "supply", equipment="mains-1"))
    (rule,) = one_rule(
        "{then: {first: {is: {state: off}, of: {quantity: supply}},"
        ' second: {above: {limit: 8, comparison: ">"}}, within: 30min}}'
    )
    mains = [reading(at, 0.0, name="mains") for at in range(9)]
    said = truths(rule, [*mains, reading(1, 9.0)], directory)
    assert said == [None, True, True, True, True, None, None, None, None]


def test_a_first_that_nobody_knew_leaves_it_unknown() -> None:
    """While the power was not heard of it may have been off; once it was heard for as long as counts, it was not."""
    directory = directory_of(channel(), channel("mains", "supply", equipment="mains-1"))
    (rule,) = one_rule(
        "{then: {first: {is: {state: off}, of: {quantity: supply}},"
        ' second: {above: {limit: 8, comparison: ">"}}, within: 3min}}'
    )
    mains = [reading(at, 1.0, name="mains") for at in (0, *range(8, 14))]
    said = truths(rule, [*mains, *(reading(at, 9.0) for at in range(1, 14))], directory)
    # Heard of at 0 it stands until 3; unknown from 4 to 7, which counts until 10.
    assert said == [None, False, False, False, False, *[None] * 6, False, False, False]
