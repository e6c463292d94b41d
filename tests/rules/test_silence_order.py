"""Promise: silence runs on arrival alone; when what arrives was measured, and how often it comes, changes nothing."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.instant import MINUTE_MS
from domain.reading import Quality, Reading
from rules.engine import Tick
from tests.rules.judging import START_MS, World, channel, directory_of, rules_of

RULES = rules_of(
    """
    rules:
      - id: node-silent
        title: Node silent
        severity: warning
        applies_to: {node: any}
        when: {silent_for: 30min}
      - id: sensor-silent
        title: Sensor silent
        severity: warning
        applies_to: {quantity: any}
        when: {silent_for: 20min}
    """
)
CHANNELS = ("probe", "other")
Arrival = tuple[str, bool]
"""A channel, and whether the value is usable."""
Minute = tuple[Arrival, ...]
ARRIVAL = st.tuples(st.sampled_from(CHANNELS), st.booleans())


@st.composite
def hours(draw: st.DrawFn) -> list[Minute]:
    """Draw what arrives in every minute of some hours: runs of the same, and of nothing."""
    runs = draw(st.lists(st.tuples(st.lists(ARRIVAL, max_size=2), st.sampled_from([1, 2, 10, 25])), max_size=8))
    return [tuple(each) for each, times in runs for _ in range(times)]


def new_world(interval: timedelta = timedelta(minutes=1)) -> World:
    """Return a world with two channels at one node, which takes back what is there, as each service that starts."""
    world = World(RULES, directory_of(*(channel(name, interval=interval) for name in CHANNELS)))
    world.restart()
    return world


def arriving(minute: int, each: Arrival, *, age_min: int = 0) -> Reading:
    """Return a reading that arrives in this minute and was measured so long before."""
    name, usable = each
    at_ms = START_MS + minute * MINUTE_MS
    quality = Quality.GOOD if usable else Quality.BUS_ERROR
    return Reading(name, at_ms - age_min * MINUTE_MS, 5.0 if usable else None, quality, at_ms)


def tick(minute: int) -> Tick:
    """Return the tick at the end of a minute."""
    return Tick(START_MS + minute * MINUTE_MS + MINUTE_MS // 2)


def steady(minutes: list[Minute]) -> World:
    """Return the world after every reading arrived once, when it was measured, without a restart."""
    world = new_world()
    for minute, arrivals in enumerate(minutes):
        world.arrive(*(arriving(minute, each) for each in arrivals), tick(minute))
    return world


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(hours(), st.data())
def test_silence_does_not_depend_on_when_readings_were_measured_or_repeated(
    minutes: list[Minute], data: st.DataObject
) -> None:
    """A backlog in any order, each minute's readings shuffled and some of them twice, are heard as they arrive."""
    world = new_world()
    for minute, arrivals in enumerate(minutes):
        repeated = data.draw(st.permutations([*arrivals, *arrivals[:1]]))
        ages = st.integers(0, 5000)
        world.arrive(*(arriving(minute, each, age_min=data.draw(ages)) for each in repeated), tick(minute))
    assert world.outcome() == steady(minutes).outcome()


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(hours(), st.data())
def test_short_restarts_change_no_silence(minutes: list[Minute], data: st.DataObject) -> None:
    """Going on from the snapshot within a minute, before readings or before a tick, is never having stopped."""
    moments = st.tuples(st.integers(1, max(len(minutes) - 1, 1)), st.booleans())  # after the first tick
    restarts = data.draw(st.sets(moments, max_size=6))
    assert restarted(minutes, restarts).outcome() == steady(minutes).outcome()


def restarted(minutes: list[Minute], restarts: set[tuple[int, bool]]) -> World:
    """Return the world after restarts in these minutes, True for after the readings."""
    world = new_world()
    for minute, arrivals in enumerate(minutes):
        if (minute, False) in restarts:
            world.restart()
        world.arrive(*(arriving(minute, each) for each in arrivals))
        if (minute, True) in restarts:
            world.restart()
        world.arrive(tick(minute))
    return world


def test_a_node_that_is_quiet_but_not_away_delays_nobodys_silence() -> None:
    """It reports every 15 min, so after 25 it is not away; what it sends then says nothing of its sensor, due at 20."""
    told = []
    for restart in (False, True):
        world = new_world(timedelta(minutes=15))
        world.arrive(arriving(0, ("probe", True)))
        for minute in range(25):
            world.arrive(tick(minute))
        world.arrive(arriving(25, ("probe", False)))
        if restart:
            world.restart()
        changes = [
            (minute, change.episode.subject) for minute in range(25, 60) for change in world.arrive(tick(minute))
        ]
        told.append(next(minute for minute, subject in changes if subject == "probe"))
    assert told == [25, 25]
