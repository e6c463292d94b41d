"""Promise: two values for one moment give the episodes of the one that the journal keeps, whichever came first."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collector.journal.precedence import rank
from domain.reading import Quality, Reading
from tests.rules.judging import World, reading, rules_of

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
      - id: freezing
        title: Below 2 for a while
        severity: critical
        applies_to: {quantity: temperature}
        when: {below: {limit: 2 °C, comparison: "<=", for: 2min}}
      - id: either-side
        title: Outside the range
        severity: warning
        applies_to: {quantity: temperature}
        when:
          outside:
            low: {limit: 2 °C, comparison: "<", clear: 3 °C}
            high: {limit: 8 °C, comparison: ">"}
            for: 2min
    """
)
VALUES = st.sampled_from([4.0, 0.5, 1.5, 2.0, 2.5, 7.0, 8.0, 8.5, 8.5, 9.5])
QUALITIES = st.sampled_from([Quality.GOOD, Quality.GOOD, Quality.UNCERTAIN, Quality.BAD_VALUE])


class JournalWorld(World):
    """A world that keeps of two readings for one moment the one that the journal keeps."""

    def store(self, reading: Reading) -> None:
        """Keep a reading, unless a better one is kept for its moment."""
        super().store(reading)
        moments = self._stored[reading.channel]
        moments[reading.measured_at_ms] = min(moments[reading.measured_at_ms], reading, key=precedence)


def precedence(reading: Reading) -> tuple[Any, ...]:
    """Return what the journal compares."""
    return rank(reading.value, reading.quality, reading.received_at_ms)


@st.composite
def conflicts(draw: st.DrawFn) -> list[list[Reading]]:
    """Draw readings of half an hour, some moments with several values, in batches that arrive in any order."""
    said = draw(st.lists(st.tuples(VALUES, st.integers(1, 4)), min_size=1, max_size=8))
    values = [value for value, run in said for _ in range(run)]
    minutes = st.integers(0, len(values) - 1)
    pairs = [(minute, value, Quality.GOOD) for minute, value in enumerate(values)]
    pairs += draw(st.lists(st.tuples(minutes, VALUES, QUALITIES), min_size=1, max_size=4))
    if draw(st.booleans()):
        pairs = draw(st.permutations(pairs))
    bounds = [0, *sorted(draw(st.sets(st.integers(0, len(pairs)), max_size=6))), len(pairs)]
    arriving = [
        reading(minute, None if quality is Quality.BAD_VALUE else value, quality=quality, delay_min=30_000)
        for minute, value, quality in pairs
    ]
    return [arriving[a:b] for a, b in pairwise(bounds)]


def kept_in_order(batches: list[list[Reading]]) -> World:
    """Return the world to which only what the journal keeps came, as it was measured."""
    best: dict[int, Reading] = {}
    for each in (each for batch in batches for each in batch):
        best[each.measured_at_ms] = min(best.get(each.measured_at_ms, each), each, key=precedence)
    world = JournalWorld(RULES)
    for moment_ms in sorted(best):
        world.arrive(best[moment_ms])
    return world


def times(world: World) -> list[tuple[object, ...]]:
    """Return rule, subject, start, confirmation and end of every episode."""
    return [figure[:5] for figure in world.outcome()]


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(conflicts(), st.data())
def test_episodes_are_those_of_what_the_journal_keeps(batches: list[list[Reading]], data: st.DataObject) -> None:
    """Start, confirmation and end, in any order of arrival and with restarts in between."""
    world = JournalWorld(RULES)
    for batch in batches:
        if data.draw(st.booleans()):
            world.restart()
        world.arrive(*batch)
    assert times(world) == times(kept_in_order(batches))


EXTREME_REPLACED = [
    pytest.param([(0, 0.5), (1, 1.5), (2, 1.5), (0, 1.5), (3, 4.0)], Quality.GOOD, 1.5, id="the greater is kept"),
    pytest.param([(0, 9.5), (1, 8.5), (2, 8.5), (0, 8.5), (3, 4.0)], Quality.UNCERTAIN, 8.5, id="the better is kept"),
]


@pytest.mark.parametrize(("pairs", "first", "extreme"), EXTREME_REPLACED)
def test_an_extreme_whose_reading_is_replaced_is_not_the_extreme(
    pairs: list[tuple[int, float]], first: Quality, extreme: float
) -> None:
    """The worst value is one that is stored; the first reading is replaced by a later one of its moment."""
    qualities = [first] + [Quality.GOOD] * (len(pairs) - 1)
    world = JournalWorld(RULES)
    for (minute, value), quality in zip(pairs, qualities, strict=True):
        world.arrive(reading(minute, value, quality=quality, delay_min=30_000))
    assert {episode.extreme for episode in world.episodes.values()} == {extreme}
