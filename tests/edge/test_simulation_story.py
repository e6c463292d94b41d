"""The story: rows of what goes wrong where and when, told again every few days."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from domain.instant import HOUR_MS, MINUTE_MS
from edge.simulation.story import PERIOD_MS, STORY, EventKind, Story

START_MS = 1_763_600_400_000
TOLD = Story(START_MS, seed=1)


def times_of(story: Story, where: str, kind: EventKind, telling: int = 0) -> list[int]:
    """Return the minutes from the telling's start at which this is going wrong."""
    begin_ms = START_MS + telling * PERIOD_MS
    minutes = range(PERIOD_MS // MINUTE_MS)
    return [minute for minute in minutes if kind in story.happening(begin_ms + minute * MINUTE_MS, where)]


def test_the_first_trouble_comes_soon() -> None:
    """Mains are lost within twenty minutes of the start."""
    assert 0 < times_of(TOLD, "north", EventKind.GRID_OUTAGE)[0] <= 20


def test_every_kind_of_trouble_is_told_and_ends() -> None:
    """The story holds every kind of event, and is quiet after a day and a half."""
    assert {event.kind for event in STORY} == set(EventKind)
    assert max(event.offset_ms + event.duration_ms for event in STORY) <= 36 * HOUR_MS


def test_nothing_goes_wrong_before_the_start_or_elsewhere() -> None:
    """Before its start, and for places that it does not name, the story is empty."""
    places = {event.where for event in STORY}
    assert not TOLD.happening(START_MS - 1, *places)
    assert not any(TOLD.happening(START_MS + hour * HOUR_MS, "nowhere", "") for hour in range(72))


def test_an_event_lasts_exactly_as_long_as_its_row_says() -> None:
    """It begins at its offset and is over at its end."""
    event = next(event for event in STORY if event.kind is EventKind.NODE_SILENT)
    begin, end = START_MS + event.offset_ms, START_MS + event.offset_ms + event.duration_ms
    silent = [TOLD.silent(event.where, moment) for moment in (begin - 1, begin, end - 1, end)]
    assert silent == [False, True, True, False]


@given(st.integers(0, 1000), st.integers(1, 50))
def test_later_tellings_keep_the_durations_and_vary_the_moments(seed: int, telling: int) -> None:
    """Told again, an event lasts as long as before and comes a little later."""
    story = Story(START_MS, seed)
    first = times_of(story, "outpost", EventKind.COMPRESSOR_FAILURE)
    later = times_of(story, "outpost", EventKind.COMPRESSOR_FAILURE, telling)
    assert abs(len(later) - len(first)) <= 1
    assert 0 <= later[0] - first[0] <= 90


def test_the_seed_decides_how_it_is_told_again() -> None:
    """Two seeds tell the second time differently, one seed always the same."""
    tellings = [times_of(Story(START_MS, seed), "north", EventKind.GRID_OUTAGE, 1) for seed in (1, 1, 2)]
    assert tellings[0] == tellings[1] != tellings[2]
