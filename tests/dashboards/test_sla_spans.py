"""Sets of moments obey the laws of sets, and timelines those of three values."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from dashboards.sla.figures import figures, indices
from dashboards.sla.spans import Span, Spans, difference, intersection, spans_of, total_ms, union
from dashboards.sla.timeline import Timeline, all_of, any_of, covered, in_limits, observed
from domain.instant import HOUR_MS, MINUTE_MS
from domain.limits import ALWAYS_MS, LimitsSince
from domain.reading import Quality, Reading

LAST = 40
MOMENTS = st.integers(0, LAST)
SPANS = st.lists(st.tuples(MOMENTS, MOMENTS), max_size=6).map(spans_of)


def moments(spans: Spans) -> set[int]:
    """Return the same set, moment by moment."""
    return {moment for span in spans for moment in range(*span)}


@st.composite
def timelines(draw: st.DrawFn) -> Timeline:
    """Return any timeline."""
    up = draw(SPANS)
    return Timeline(up, difference(draw(SPANS), up))


def value(timeline: Timeline, moment: int) -> bool | None:
    """Return what a timeline says of a moment."""
    if moment in moments(timeline.up):
        return True
    return False if moment in moments(timeline.down) else None


@given(SPANS, SPANS)
def test_spans_are_sets(one: Spans, other: Spans) -> None:
    """What comes of two sets is what comes of their moments, and stays in order without touching."""
    for found, wanted in (
        (union(one, other), moments(one) | moments(other)),
        (intersection(one, other), moments(one) & moments(other)),
        (difference(one, other), moments(one) - moments(other)),
    ):
        assert moments(found) == wanted
        assert total_ms(found) == len(wanted)
        assert all(before.to_ms < after.from_ms for before, after in pairwise(found))


@given(st.lists(timelines(), min_size=1, max_size=3))
def test_what_is_not_known_decides_nothing_and_hides_nothing(parts: list[Timeline]) -> None:
    """Any: up where one is up, down where all are down. All: the other way round. Nothing is both."""
    either, every = any_of(parts), all_of(parts)
    for moment in range(LAST):
        values = [value(part, moment) for part in parts]
        wanted = True if True in values else (None if None in values else False)
        assert value(either, moment) is wanted
        wanted = False if False in values else (None if None in values else True)
        assert value(every, moment) is wanted
    assert not moments(either.up) & moments(either.down)


@given(timelines(), SPANS, MOMENTS, st.integers(1, LAST))
def test_the_four_figures_add_up_to_the_period(timeline: Timeline, planned: Spans, begin: int, length: int) -> None:
    """Up, down, unknown and planned are the whole period, and the outages are what was down."""
    period = Span(begin, begin + length)
    found = figures(timeline, period, planned)
    assert found.up_ms + found.down_ms + found.unknown_ms + found.planned_ms == length
    assert found.down_ms == sum(outage.span.length_ms for outage in found.outages)
    assert all(outage.span.from_ms >= period.from_ms and outage.span.to_ms <= period.to_ms for outage in found.outages)


def a_reading(minute: int, celsius: float | None, quality: Quality = Quality.GOOD) -> Reading:
    """Return a reading of a minute."""
    return Reading("c", minute * MINUTE_MS, celsius, quality, minute * MINUTE_MS)


def test_a_reading_covers_until_the_next_one_or_for_so_long() -> None:
    """A gap is not time with power, and a reading without a value ends what the one before covered."""
    readings = [a_reading(0, 1), a_reading(10, 0), a_reading(60, 1), a_reading(65, None, Quality.SENSOR_GONE)]
    found = observed(readings, 20 * MINUTE_MS, lambda value: value >= 0.5)
    minute = MINUTE_MS
    assert found.up == ((0, 10 * minute), (60 * minute, 65 * minute))
    assert found.down == ((10 * minute, 30 * minute),)
    assert [span.length_ms // minute for span, _ in covered(readings, 20 * minute)] == [10, 20, 5]


def test_limits_of_the_time_count_and_the_limit_itself_is_within() -> None:
    """8.0 °C is up, 8.1 is down; where the limit becomes another one in between, so does the judgement."""
    history = (LimitsSince(ALWAYS_MS, 2.0, 8.0), LimitsSince(15 * MINUTE_MS, 2.0, 10.0))
    readings = [a_reading(0, 8.0), a_reading(5, 8.1), a_reading(25, 10.5)]
    found = in_limits(readings, HOUR_MS, history)
    minute = MINUTE_MS
    assert found.up == ((0, 5 * minute), (15 * minute, 25 * minute))
    assert found.down == ((5 * minute, 15 * minute), (25 * minute, 85 * minute))


def test_interruptions_of_five_minutes_are_momentary_and_counted_apart() -> None:
    """A day of two facilities: hand-computed indices."""
    minute, day = MINUTE_MS, Span(0, 24 * HOUR_MS)
    down = spans_of([(10 * minute, 15 * minute), (100 * minute, 160 * minute), (23 * HOUR_MS, 30 * HOUR_MS)])
    bad = figures(Timeline(difference((day,), down), down), day, ())
    good = figures(Timeline((day,), ()), day, ())
    found = indices([bad, good])
    assert [outage.momentary for outage in bad.outages] == [True, False, False]
    assert [outage.goes_on for outage in bad.outages] == [False, False, True]
    assert (found.sustained, found.momentary, found.sustained_ms) == (2, 1, 120 * minute)
    assert (found.saifi, found.saidi_minutes, found.caidi_minutes, found.maifi) == (1.0, 60.0, 60.0, 0.5)
    assert bad.availability == (24 * 60 - 125) / (24 * 60)


def test_what_reaches_beyond_the_period_is_never_called_short() -> None:
    """Its whole length is not known; planned maintenance that cuts an outage makes no short one of it either."""
    period = Span(100, 200)
    down = (Span(50, 103), Span(120, 160), Span(198, 260))
    found = figures(Timeline((), down), period, (Span(122, 150),))
    assert [(outage.begun_before, outage.goes_on, outage.momentary) for outage in found.outages] == [
        (True, False, False),
        (False, True, False),
        (True, False, False),
        (False, True, False),
    ]
