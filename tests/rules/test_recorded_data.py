"""Recorded data: the engine agrees with what can be read off the files themselves, in any order of arrival."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import timedelta

import pytest

from domain.instant import to_ms
from domain.reading import Quality, Reading
from tests.recordings import ESMI, QTAG, Row, Run, needs_recordings, rows, runs
from tests.rules.judging import World, channel, directory_of, one_rule

pytestmark = needs_recordings


def as_readings(table: Sequence[Row]) -> list[Reading]:
    """Return the rows as readings that arrived when they were measured."""
    return [Reading("probe", to_ms(at), value, Quality.GOOD, to_ms(at)) for at, value in table]


def judged(world: World) -> list[Run]:
    """Return the episodes in the shape of the oracle."""
    episodes = sorted(world.episodes.values(), key=lambda episode: episode.started_at)
    return [(each.started_at, each.ended_at, each.extreme or 0.0) for each in episodes]


def qtag_world() -> World:
    """Return a world with the Q-tag's range, 2 to 8 °C, both ends fine."""
    rule = one_rule('{outside: {low: {limit: 2.0 °C, comparison: "<"}, high: {limit: 8.0 °C, comparison: ">"}}}')
    return World(rule, directory_of(channel(interval=timedelta(minutes=10))))


def test_the_q_tag_log_gives_its_own_excursions() -> None:
    """Every row that the device marked lies in an episode, no other does, and the runs are the oracle's."""
    table = rows(QTAG, "time_local", "temp_c")
    marked = {at for at, _ in rows(QTAG, "time_local", "temp_c", lambda row: row["out_of_limits"] == "1")}
    world = qtag_world()
    world.arrive(*as_readings(table))
    expected = runs(table, lambda value: max(2.0 - value, value - 8.0))
    assert len(expected) > 1
    ongoing = [run for run in expected if run[1] is None]
    finished = [run for run in judged(world) if run[1] is not None]
    assert finished == [run for run in expected if run[1] is not None]
    assert [run[0] for run in judged(world) if run[1] is None] == [run[0] for run in ongoing]
    covered = {at for at, _ in table for start, end, _ in judged(world) if start <= at and (end is None or at < end)}
    assert covered == marked


def test_the_q_tag_log_shuffled_and_twice_gives_the_same() -> None:
    """Any order of arrival, then the whole file again."""
    stream = as_readings(rows(QTAG, "time_local", "temp_c"))
    ordered, shuffled = qtag_world(), qtag_world()
    ordered.arrive(*stream)
    mixed = random.Random(18).sample(stream, len(stream))
    for first in range(0, len(mixed), 20):
        shuffled.arrive(*mixed[first : first + 20])
    before = judged(shuffled)
    assert shuffled.arrive(*stream) == []
    assert judged(shuffled) == before
    assert [run[:2] for run in before] == [run[:2] for run in judged(ordered)]


@pytest.mark.parametrize("station", ["APU001", "APU002", "APU003"])
def test_minutes_of_high_voltage_are_those_of_the_file(station: str) -> None:
    """The time above 253 V (110 % of 230 V) is the number of minutes with such an average; two stations have none."""
    table = rows(ESMI, "time_local", "v_avg", lambda row: row["station"] == station)
    rule = one_rule('{above: {limit: 253 V, comparison: ">"}}', applies_to="{quantity: voltage}")
    world = World(rule, directory_of(channel(quantity="voltage", equipment="mains-1")))
    world.arrive(*as_readings(table))
    minute = timedelta(minutes=1)
    after = table[-1][0] + minute
    above = sum(value > 253.0 for _, value in table)
    assert sum(((end or after) - start) / minute for start, end, _ in judged(world)) == above
    assert [run[:2] for run in judged(world)] == [run[:2] for run in runs(table, lambda value: value - 253.0)]
    assert bool(above) == (station == "APU002")
