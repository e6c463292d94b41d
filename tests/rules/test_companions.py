"""Rules on several channels: companions that are late, silent, absent, or come and go with the registry."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain.directory import Directory
from domain.episode import ChangeKind
from domain.instant import SECOND_MS
from rules.engine import Tick
from rules.watch import WAIT_MS
from tests.rules.judging import START_MS, World, channel, directory_of, one_rule, reading, readings

OFF, ON = 0.0, 1.0
WITHOUT_POWER = one_rule(
    '{all: [{above: {limit: 8, comparison: ">"}}, {is: {state: off}, of: {quantity: supply, equipment: mains}}]}'
)
POWER_OR_WARM = one_rule(
    '{any: [{above: {limit: 8, comparison: ">"}}, {is: {state: off}, of: {quantity: supply, equipment: mains}}]}'
)


def clinic(*more: object, node: str = "pi-2", interval: timedelta = timedelta(minutes=1)) -> Directory:
    """Return a registry with a fridge at one node and the mains at another."""
    mains = channel("mains", "supply", equipment="mains-1", node=node, interval=interval)
    return directory_of(channel(), mains, *more, nodes=("pi-1", "pi-2"))  # type: ignore[arg-type]  # channels


def tick(minute: float) -> Tick:
    """Return a tick so many minutes after the start."""
    return Tick(START_MS + round(minute * 60 * SECOND_MS))


WAIT_MIN = WAIT_MS / SECOND_MS / 60


def test_a_moment_is_judged_once_every_channel_has_told_of_it() -> None:
    """The mains of the same minute come seconds later, from another node, and nobody has judged without them."""
    world = World(WITHOUT_POWER, clinic())
    assert world.arrive(reading(0, 9.0), tick(0.1)) == []
    (opened,) = world.arrive(reading(0, OFF, name="mains", delay_min=0.12))
    assert (opened.kind, opened.live, opened.episode.subject) == (ChangeKind.OPENED, True, "probe")


def test_nobody_waits_longer_than_ten_seconds() -> None:
    """What needs no companion is told then; what needs one stays unknown."""
    either, both = World(POWER_OR_WARM, clinic()), World(WITHOUT_POWER, clinic())
    for world in (either, both):
        assert world.arrive(reading(0, 9.0), tick(WAIT_MIN * 0.99)) == []
    assert [change.kind for change in either.arrive(tick(WAIT_MIN))] == [ChangeKind.OPENED]
    assert both.arrive(tick(WAIT_MIN)) == []


def test_a_companion_that_comes_too_late_changes_history() -> None:
    """The episode is what it would have been in time, and goes on in live data."""
    world = World(WITHOUT_POWER, clinic())
    for at in range(3):
        assert world.arrive(reading(at, 9.0), tick(at + WAIT_MIN)) == []
    world.arrive(*(reading(at, OFF, name="mains", delay_min=3 - at) for at in range(3)))
    assert [figure[:5] for figure in world.outcome()] == [("warm", "probe", 0, 0, None)]


def test_a_companion_that_falls_silent_is_unknown_after_three_intervals() -> None:
    """It begins nothing: warm at 4 min is an alarm only as long as the mains were heard at 1 min or later."""
    for last, expected in ((1, 1), (0, 0)):
        world = World(WITHOUT_POWER, clinic())
        world.arrive(reading(last, OFF, name="mains"), reading(4, 9.0), tick(5))
        assert len(world.outcome()) == expected, last


def test_a_companion_that_falls_silent_ends_nothing() -> None:
    """Silence is no proof of recovery; the fridge that is cool again is."""
    world = World(WITHOUT_POWER, clinic())
    world.arrive(reading(0, 9.0), reading(0, OFF, name="mains"), *readings([9.0] * 30, first=1), tick(40))
    assert [figure[2:5] for figure in world.outcome()] == [(0, 0, None)]
    world.arrive(reading(41, 7.0), tick(42))
    assert [figure[2:5] for figure in world.outcome()] == [(0, 0, 41)]


def test_a_slow_companion_stands_until_its_next_reading_is_due() -> None:
    """Mains read every ten minutes are not waited for by a probe read every minute."""
    world = World(WITHOUT_POWER, clinic(interval=timedelta(minutes=10)))
    world.arrive(reading(0, 7.0), reading(0, OFF, name="mains"))
    assert [change.kind for change in world.arrive(reading(1, 9.0))] == [ChangeKind.OPENED]


def test_a_companion_that_was_never_registered_is_not_guessed() -> None:
    """Every one of several conditions needs its channels; one of several goes by those that are there."""
    alone = directory_of(channel())
    assert World(WITHOUT_POWER, alone).arrive(reading(0, 9.0), tick(1)) == []
    assert [change.kind for change in World(POWER_OR_WARM, alone).arrive(reading(0, 9.0))] == [ChangeKind.OPENED]


def test_a_companion_that_is_registered_later_is_looked_at_from_then_on() -> None:
    """Without a restart, and the history of the fridge is there already."""
    world = World(WITHOUT_POWER, directory_of(channel(), nodes=("pi-1", "pi-2")))
    world.arrive(*readings([9.0] * 5))
    assert world.engine.replace_rules(WITHOUT_POWER, clinic()) == []
    world.arrive(reading(5, 9.0), reading(5, OFF, name="mains"), tick(6))
    assert [figure[2:5] for figure in world.outcome()] == [(5, 5, None)]


QUORUM = (
    '{quorum: {at_least: 2, of: {quantity: temperature, at: equipment}, hold: {above: {limit: 8, comparison: ">"}}}}'
)
THREE_PROBES = directory_of(channel("a"), channel("b"), channel("c"))


@pytest.mark.parametrize(("once", "subjects"), [(", once_per: equipment", ["a"]), ("", ["a", "b", "c"])])
def test_once_per_equipment_is_one_episode_and_not_one_for_each_probe(once: str, subjects: list[str]) -> None:
    """It is about the first of them, by id."""
    world = World(one_rule(QUORUM, applies_to=f"{{quantity: temperature{once}}}"), THREE_PROBES)
    world.arrive(reading(0, 7.0, name="a"), reading(0, 9.0, name="b"), reading(0, 9.0, name="c"))
    assert [figure[1] for figure in world.outcome()] == subjects


def test_two_probes_of_three_are_believed_and_one_is_not() -> None:
    """A probe that is wrong alone alarms nobody, and its silence does not break the agreement of the others."""
    rule = one_rule(QUORUM, applies_to="{quantity: temperature, once_per: equipment}")
    world = World(rule, THREE_PROBES)
    world.arrive(reading(0, 50.0, name="a"), reading(0, 7.0, name="b"), reading(0, 7.0, name="c"))
    assert world.outcome() == []
    for at in range(1, 9):
        world.arrive(reading(at, 9.0, name="b"), reading(at, 9.0, name="c"), tick(at + 0.5))
    assert [figure[1:5] for figure in world.outcome()] == [("a", 1, 1, None)]


def test_a_rule_of_another_kind_ends_its_episode() -> None:
    """From one combination to another, to a condition on one value, and back: nobody is left with an open episode."""
    above = one_rule('{above: {limit: 8, comparison: ">"}}')
    for before, after in ((WITHOUT_POWER, POWER_OR_WARM), (WITHOUT_POWER, above), (above, WITHOUT_POWER)):
        world = World(before, clinic())
        world.arrive(reading(0, 9.0), reading(0, OFF, name="mains"))
        (ended,) = world.engine.replace_rules(after, clinic())
        assert (ended.kind, ended.episode.subject) == (ChangeKind.ENDED, "probe")


def test_an_edited_rule_of_the_same_kind_keeps_its_episode() -> None:
    """It ends by the new definition."""
    world = World(WITHOUT_POWER, clinic())
    world.arrive(reading(0, 9.0), reading(0, OFF, name="mains"))
    edited = one_rule(
        '{all: [{above: {limit: 10, comparison: ">"}}, {is: {state: off}, of: {quantity: supply, equipment: mains}}]}'
    )
    assert world.engine.replace_rules(edited, clinic()) == []
    (ended,) = world.arrive(reading(1, 9.0), reading(1, OFF, name="mains"))
    assert ended.kind is ChangeKind.ENDED


def test_a_restart_does_not_lose_what_was_waiting() -> None:
    """The reading that had come is judged with the one that comes after the restart."""
    world = World(WITHOUT_POWER, clinic())
    world.arrive(reading(0, 7.0), reading(0, ON, name="mains"))
    assert world.arrive(reading(1, 9.0)) == []
    assert world.restart() == []
    (opened,) = world.arrive(reading(1, OFF, name="mains"))
    assert (opened.kind, opened.live) == (ChangeKind.OPENED, True)


def test_a_restart_does_not_make_anybody_wait_for_ever() -> None:
    """The companion never comes: ten seconds after the reading came it is judged all the same."""
    world = World(POWER_OR_WARM, clinic())
    world.arrive(reading(0, 7.0), reading(0, ON, name="mains"))
    world.arrive(reading(1, 9.0))
    world.restart()
    assert [change.kind for change in world.arrive(tick(1 + WAIT_MIN))] == [ChangeKind.OPENED]
