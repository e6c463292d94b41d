"""Late and out-of-order data: what they change in history, whom they wake, and how little is read for it."""

from __future__ import annotations

from datetime import timedelta

from domain.episode import ChangeKind, EpisodeChange
from domain.instant import DAY_MS
from domain.reading import Reading
from rules.settings import EngineSettings
from tests.rules.judging import START_MS, World, figures, one_rule, reading, readings

RULE = one_rule('{above: {limit: 8 °C, comparison: ">", for: 5min}}')


def backlog(values: list[float], *, first: float, arrives: float) -> list[Reading]:
    """Return a minute-wise backlog that arrives at one moment."""
    return [reading(first + at, value, delay_min=arrives - first - at) for at, value in enumerate(values)]


def told(changes: list[EpisodeChange]) -> list[tuple[ChangeKind, bool]]:
    """Return what was told, and whether as live."""
    return [(change.kind, change.live) for change in changes]


def test_an_excursion_that_is_over_is_recorded_and_wakes_nobody() -> None:
    """A buffered upload with a whole excursion in it opens and ends it, late."""
    world = World(RULE)
    world.arrive(reading(600, 5.0))
    changes = world.arrive(*backlog([5.0, *[9.0] * 10, 5.0], first=0, arrives=601))
    assert told(changes) == [(ChangeKind.OPENED, False), (ChangeKind.ENDED, False)]
    assert world.outcome() == [("warm", "probe", 1, 6, 11, 9.0, 1)]


def test_half_a_backlog_that_ends_warm_wakes_nobody() -> None:
    """The newest reading is fine and comes first; what follows of the backlog may be hours before its end."""
    world = World(RULE)
    world.arrive(reading(600, 5.0))
    changes = world.arrive(*backlog([5.0, *[9.0] * 10], first=0, arrives=601))
    changes += world.arrive(*backlog([9.0, 5.0], first=11, arrives=602))
    assert not any(change.live for change in changes)
    assert world.outcome() == [("warm", "probe", 1, 6, 12, 9.0, 1)]


def test_an_excursion_of_the_last_minutes_is_live_in_whatever_order_it_comes() -> None:
    """It began and ended within the live horizon: told as it would have been in order."""
    world = World(RULE)
    world.arrive(reading(20, 5.0))
    changes = world.arrive(*backlog([9.0] * 8, first=10, arrives=21))
    assert told(changes) == [(ChangeKind.OPENED, True), (ChangeKind.ENDED, False)]


def test_live_data_that_go_on_in_a_backlog_are_live() -> None:
    """The newest reading comes first after an outage; the backlog then shows for how long it has been warm."""
    world = World(RULE)
    assert world.arrive(reading(60, 9.5)) == []
    (opened,) = world.arrive(*backlog([5.0, *[9.0] * 59], first=0, arrives=61))
    assert (opened.kind, opened.live) == (ChangeKind.OPENED, True)
    assert figures(opened.episode) == ("warm", "probe", 1, 6, None, 9.5, 60)


def test_an_earlier_start_keeps_the_alert() -> None:
    """An open episode that turns out to be older is amended under its id."""
    world = World(RULE)
    (opened,) = world.arrive(*readings([9.0] * 6, first=60))
    (amended,) = world.arrive(*backlog([5.0, *[9.0] * 59], first=0, arrives=66))
    assert (amended.kind, amended.live) == (ChangeKind.AMENDED, True)
    assert amended.episode.id == opened.episode.id
    assert figures(amended.episode)[2:5] == (1, 6, None)


def test_a_late_reading_in_range_splits_an_episode() -> None:
    """What looked like one excursion was two, or one and a short warming that is none."""
    world = World(one_rule('{above: {limit: 8 °C, comparison: ">", for: 3min}}'))
    world.arrive(*readings([9.0] * 6), *readings([9.0] * 6, first=7), reading(13, 5.0))
    changes = world.arrive(reading(6, 7.0, delay_min=30))
    assert told(changes) == [(ChangeKind.AMENDED, False), (ChangeKind.OPENED, False), (ChangeKind.ENDED, False)]
    assert [figure[2:5] for figure in world.outcome()] == [(0, 3, 6), (7, 10, 13)]


def test_what_never_lasted_long_enough_is_taken_back() -> None:
    """A late reading in range shows that the time was never full."""
    world = World(RULE)
    opened, _ = world.arrive(*readings([9.0] * 3), *readings([9.0, 9.0], first=4), reading(6, 5.0))
    (retracted,) = world.arrive(reading(3, 5.0, delay_min=30))
    assert (retracted.kind, retracted.live) == (ChangeKind.RETRACTED, False)
    assert retracted.episode.id == opened.episode.id
    assert world.outcome() == []


def test_readings_that_fill_a_gap_confirm_an_excursion() -> None:
    """Two short warm stretches with a hole between become one long one."""
    world = World(RULE)
    assert world.arrive(*readings([9.0] * 4), *readings([9.0] * 4, first=10), reading(14, 5.0)) == []
    world.arrive(*backlog([9.0] * 6, first=4, arrives=60))
    assert world.outcome() == [("warm", "probe", 0, 5, 14, 9.0, 0)]


def test_a_repeated_reading_costs_no_look_at_the_past() -> None:
    """Neither the newest reading again nor more of the same within a stretch is looked up."""
    world = World(RULE)
    stream = readings([5.0] * 30 + [9.0] * 30)
    world.arrive(*stream)
    world.arrive(stream[-1], *stream[40:50])
    assert world.asked == []


def test_a_calm_backlog_is_read_up_once() -> None:
    """After the first piece of a calm backlog its other pieces are known to change nothing."""
    world = World(RULE)
    world.arrive(reading(1000, 5.0))
    world.arrive(*backlog([5.0] * 50, first=0, arrives=1001))
    asked = len(world.asked)
    for first in range(50, 950, 50):
        world.arrive(*backlog([5.0] * 50, first=first, arrives=1002))
    assert len(world.asked) == asked


def test_only_the_stretch_between_two_clearing_readings_is_read() -> None:
    """A late reading a day ago does not read the year before it."""
    world = World(RULE)
    stream = readings([5.0] * (3 * 24 * 60))
    missing = stream.pop(2000)
    world.arrive(*stream)
    world.arrive(missing._replace(value=9.0))
    read = sum(ask.to_ms - ask.from_ms for ask in world.asked)
    assert 0 < read < DAY_MS / 4


def test_a_warm_reading_within_a_long_episode_reads_nothing_of_it() -> None:
    """Three weeks of an open episode are not read again because a missing piece of it arrives."""
    world = World(RULE)
    stream = readings([9.0] * (3 * 7 * 24 * 60))
    missing = stream.pop(10_000)
    world.arrive(*stream)
    world.arrive(missing)
    assert world.asked == []
    world.arrive(reading(20_000.5, 11.0, delay_min=60))
    assert sum(ask.to_ms - ask.from_ms for ask in world.asked) < 12 * DAY_MS
    assert [figure[2:] for figure in world.outcome()] == [(0, 5, None, 11.0, 20_000.5)]


def test_what_is_older_than_the_raw_data_is_counted_and_not_judged() -> None:
    """History that the store no longer holds completely is not judged again."""
    world = World(RULE, settings=EngineSettings(amend_within=timedelta(days=1)))
    world.arrive(reading(3000, 5.0))
    assert world.arrive(reading(0, 9.0, delay_min=1441)) == []
    assert world.engine.too_late == 1
    assert world.engine.stale() == []


def test_two_values_for_one_moment_are_decided_by_the_store() -> None:
    """The store keeps the first; the engine reads it up instead of judging both."""
    world = World(one_rule('{above: {limit: 8 °C, comparison: ">"}}'))
    world.arrive(reading(0, 5.0))
    assert world.arrive(reading(0, 9.0)) == []
    assert [ask.from_ms <= START_MS < ask.to_ms for ask in world.asked][:1] == [True]


def test_an_amendment_overtaken_by_new_readings_changes_nothing() -> None:
    """When readings come while the past is being read, the channel stays stale and is amended afterwards."""
    world = World(RULE)
    world.arrive(reading(100, 5.0))
    world.engine.step(reading(0, 9.0, delay_min=101))
    amendment = world.engine.amendment(world.engine.stale()[0])
    while amendment.ask() is not None:
        amendment.take([])
    world.engine.step(reading(101, 9.0))
    world.engine.step(reading(1, 9.0, delay_min=101))
    assert world.engine.amend(amendment, []) == []
    assert [stale.channel for stale in world.engine.stale()] == ["probe"]
