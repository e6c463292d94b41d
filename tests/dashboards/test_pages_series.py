"""Series made small enough for a screen."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards.pages.axes import HEIGHT, WIDTH
from dashboards.pages.chart import build_chart
from dashboards.pages.plot import plot_columns
from dashboards.pages.series import (
    RANGES,
    Bucket,
    Resolution,
    Window,
    from_readings,
    merge_every,
    resolutions,
    runs,
    split_at_gaps,
)
from dashboards.pages.time_spent import TimeSpent
from dashboards.pages.words import ENGLISH
from domain.instant import HOUR_MS, MINUTE_MS
from domain.kept import Kept
from domain.places import Channel
from domain.quantities import QUANTITIES
from domain.reading import Quality, Reading

DAY = RANGES["24h"]
WINDOW = Window(0, 24 * HOUR_MS, "Africa/Kampala", DAY)
SERIES = st.lists(
    st.tuples(st.integers(0, 24 * HOUR_MS - 1), st.floats(-40, 60, allow_nan=False)),
    min_size=1,
    max_size=400,
    unique_by=lambda pair: pair[0],
).map(sorted)


def _channel(quantity: str = "temperature", **limits: float) -> Channel:
    return Channel("hc/f/t", "hc", "f", "n", "t", QUANTITIES[quantity], timedelta(minutes=1), limits)


def _buckets(pairs: list[tuple[int, float]]) -> list[Bucket]:
    return from_readings(Reading("c", at_ms, value, Quality.GOOD, at_ms) for at_ms, value in pairs)


@given(SERIES, st.integers(1, 24 * HOUR_MS))
def test_joining_keeps_extremes_count_and_bounds(pairs: list[tuple[int, float]], width_ms: int) -> None:
    """However wide a column: the lowest and highest value survive and no reading is lost."""
    merged = merge_every(_buckets(pairs), 0, width_ms)
    assert min(each.minimum for each in merged) == min(value for _, value in pairs)
    assert max(each.maximum for each in merged) == max(value for _, value in pairs)
    assert sum(each.readings for each in merged) == len(pairs)
    assert all(each.minimum - 1e-9 <= each.mean <= each.maximum + 1e-9 for each in merged)


@given(SERIES, st.integers(1, 50))
def test_what_has_no_gap_fits_the_columns(pairs: list[tuple[int, float]], columns: int) -> None:
    """A series that never pauses comes out as one run of no more columns than asked for."""
    (run,) = runs(_buckets(pairs), timedelta(days=1), WINDOW, columns)
    assert len(run) <= columns


@given(
    st.integers(1, 86_400),
    st.integers(0, 10**12),
    st.integers(1, 30 * 365 * 24 * HOUR_MS),
    st.integers(1, 2000),
    st.builds(Kept, st.integers(0, 10**12), st.integers(0, 10**12)),
)
def test_a_resolution_fits_a_screen_and_tells_the_whole_range(
    interval_seconds: int, from_ms: int, span_ms: int, most: int, kept: Kept
) -> None:
    """Never finer than a screen can show, never one of which the beginning was deleted, and always an answer."""
    found = resolutions(timedelta(seconds=interval_seconds), from_ms, from_ms + span_ms, most, kept)
    assert found == tuple(each for each in Resolution if each in found)
    assert found[-1] is Resolution.DAY
    if Resolution.RAW in found:
        assert span_ms / (interval_seconds * 1000) <= most
        assert from_ms >= kept.raw_from_ms
    if Resolution.HOUR in found:
        assert len({from_ms // HOUR_MS, *range(from_ms // HOUR_MS, (from_ms + span_ms - 1) // HOUR_MS + 1)}) <= most
        assert from_ms >= kept.hours_from_ms


def test_a_day_of_minutes_is_raw_and_a_month_is_hours() -> None:
    """The ranges of the page come out as a person expects; what retention took is told by the next coarser one."""
    minute, now_ms = timedelta(minutes=1), 1_795_176_000_000
    assert resolutions(minute, now_ms - 24 * HOUR_MS, now_ms)[0] is Resolution.RAW
    assert resolutions(minute, now_ms - 30 * 24 * HOUR_MS, now_ms)[0] is Resolution.HOUR
    assert resolutions(minute, now_ms - 366 * 24 * HOUR_MS, now_ms)[0] is Resolution.DAY
    assert resolutions(minute, now_ms - 24 * HOUR_MS, now_ms, kept=Kept(now_ms))[0] is Resolution.HOUR
    assert resolutions(minute, now_ms - 24 * HOUR_MS, now_ms, kept=Kept(now_ms, now_ms)) == (Resolution.DAY,)


@pytest.mark.parametrize(
    ("spent", "words"),
    [
        (TimeSpent(3600, 1800, 0, 0, 0), ""),
        (TimeSpent(3600, 3600, 3600, 0, 0), "Within its limits 100 % of the time known; known 100 % of the time."),
        (
            TimeSpent(7200, 3600, 3600, 0.9, 900),
            "Within its limits 75.0 %, above 25.0 %, below under 0.1 % of the time known; known 50.0 % of the time.",
        ),
        (
            TimeSpent(360_000, 360_000, 360_000, 0, 1),
            "Within its limits over 99.9 %, above under 0.1 % of the time known; known 100 % of the time.",
        ),
    ],
)
def test_time_within_limits_is_a_share_of_what_is_known(spent: TimeSpent, words: str) -> None:
    """Shares are of covered time, the coverage stands beside them, and little is never rounded to nothing."""
    assert spent.sentence(words=ENGLISH) == words


def test_unusable_readings_are_gaps() -> None:
    """A sensor that did not answer leaves no value behind."""
    readings = [Reading("c", 0, 5.0, Quality.GOOD, 0), Reading("c", MINUTE_MS, None, Quality.SENSOR_GONE, 0)]
    assert len(from_readings(readings)) == 1


def test_a_pause_splits_the_line() -> None:
    """Where nothing is known no line is drawn."""
    buckets = _buckets([(0, 1.0), (MINUTE_MS, 1.0), (60 * MINUTE_MS, 2.0)])
    assert [len(run) for run in split_at_gaps(buckets, 3 * MINUTE_MS)] == [2, 1]
    chart = build_chart(_channel(), buckets, WINDOW, "t", words=ENGLISH)
    assert len(chart.lines) == 2
    assert None in plot_columns(_channel(), buckets, WINDOW, words=ENGLISH)["mean"]


@given(SERIES)
def test_every_drawn_point_is_inside_the_drawing(pairs: list[tuple[int, float]]) -> None:
    """Whatever the values, the drawing has its size and the plot's columns have one length and rising times."""
    channel = _channel(low=2.0, high=8.0)
    chart = build_chart(channel, _buckets(pairs), WINDOW, "t", words=ENGLISH)
    for text in chart.lines + chart.bands:
        for point in text.split():
            x, y = (int(part) for part in point.split(","))
            assert 0 <= x <= WIDTH
            assert 0 <= y <= HEIGHT
    columns = plot_columns(channel, _buckets(pairs), WINDOW, words=ENGLISH)
    assert len(columns["times"]) == len(columns["mean"])
    assert columns["times"] == sorted(columns["times"])


def test_a_coarse_chart_has_a_band() -> None:
    """Where points stand for many readings the band from lowest to highest is drawn."""
    pairs = [(number * MINUTE_MS, float(number % 7)) for number in range(1440)]
    columns = plot_columns(_channel(), _buckets(pairs), WINDOW, words=ENGLISH)
    assert min(columns["min"]) == 0.0
    assert max(columns["max"]) == 6.0
    assert build_chart(_channel(), _buckets(pairs), WINDOW, "t", words=ENGLISH).bands


def test_values_are_plotted_in_the_unit_a_person_reads() -> None:
    """A tank level of one half is drawn at 50 %."""
    assert plot_columns(_channel("tank_level"), _buckets([(0, 0.5)]), WINDOW, words=ENGLISH)["mean"] == [50.0]


@pytest.mark.parametrize("minutes_off", [0, 180, 1440])
def test_a_strip_adds_up_the_time_a_state_held(minutes_off: int) -> None:
    """On and off times come from how long each value held."""
    pairs = [(number * MINUTE_MS, 0.0 if number < minutes_off else 1.0) for number in range(1440)]
    chart = build_chart(_channel("supply"), _buckets(pairs), WINDOW, "t", words=ENGLISH)
    assert ("off 3 h" in chart.summary) == (minutes_off == 180)
    assert ("off 24 h" in chart.summary) == (minutes_off == 1440)
    assert "unknown" not in chart.summary
    assert sum(part.width for part in chart.strip) == pytest.approx(WIDTH, abs=2)
    assert all(part.on + part.off == 100 for part in chart.strip)


def test_time_without_readings_is_unknown_in_a_strip() -> None:
    """A state does not hold beyond a gap."""
    chart = build_chart(_channel("supply"), _buckets([(0, 1.0), (12 * HOUR_MS, 1.0)]), WINDOW, "t", words=ENGLISH)
    assert "unknown 23 h" in chart.summary


def test_an_empty_series_says_so() -> None:
    """No readings is a sentence, not an empty drawing."""
    chart = build_chart(_channel(), [], WINDOW, "t", words=ENGLISH)
    assert chart.empty
    assert chart.summary == "Temperature, last 24 hours: no readings."
