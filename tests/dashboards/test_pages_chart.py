"""Charts: nothing outside of limits is hidden, no gap is bridged, and both drawings show the same."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards.pages.axes import HEIGHT, WIDTH, Scale, time_ticks, value_ticks
from dashboards.pages.chart import Beside, Chart, build_chart
from dashboards.pages.happenings import Happening, HappeningKind, Lettered, letter_of, lettered, marks_of
from dashboards.pages.limit_steps import limits_in_force
from dashboards.pages.plot import plot_columns, plot_frame
from dashboards.pages.series import RANGES, Bucket, Window, from_readings, gap_after_ms, merge_every
from dashboards.pages.state_strip import POWER_STATES, Stretch, power_stretches, shares_of, stretches_of, strip_of
from dashboards.pages.wording import LocalTime
from dashboards.pages.words import ENGLISH
from domain.instant import DAY_MS, HOUR_MS, MINUTE_MS, to_ms
from domain.places import Channel, PastLimits
from domain.quantities import QUANTITIES
from domain.reading import Quality, Reading

DAY = 24 * HOUR_MS
WINDOW = Window(0, DAY, "Africa/Kampala", RANGES["24h"])
LIMITS = {"low": 2.0, "high": 8.0}
SERIES = st.lists(
    st.tuples(st.integers(0, DAY - 1), st.floats(-40, 60, allow_nan=False)),
    min_size=1,
    max_size=400,
    unique_by=lambda pair: pair[0],
).map(sorted)
JOINED = st.sampled_from([0, HOUR_MS, 6 * HOUR_MS])
"""Raw readings, or roll-ups so long."""


def _channel(quantity: str = "temperature", minutes: int = 1, **limits: float) -> Channel:
    return Channel("hc/f/t", "hc", "f", "n", "t", QUANTITIES[quantity], timedelta(minutes=minutes), limits or LIMITS)


def _buckets(pairs: list[tuple[int, float]], joined_ms: int = 0) -> list[Bucket]:
    found = from_readings(Reading("c", at_ms, value, Quality.GOOD, at_ms) for at_ms, value in pairs)
    if not joined_ms:
        return found
    return [
        each._replace(
            start_ms=each.start_ms // joined_ms * joined_ms, end_ms=(each.start_ms // joined_ms + 1) * joined_ms
        )
        for each in merge_every(found, 0, joined_ms)
    ]


def _points(chart: Chart) -> list[tuple[int, int]]:
    texts = " ".join(chart.lines + chart.bands).split()
    return [(int(x), int(y)) for x, y in (text.split(",") for text in texts)]


@given(SERIES, JOINED)
def test_no_reading_outside_of_the_limits_is_hidden(pairs: list[tuple[int, float]], joined_ms: int) -> None:
    """Near its moment the line or the band of the drawing reaches as far out as it, and so do the plot's columns."""
    channel, buckets = _channel(), _buckets(pairs, joined_ms)
    chart, plot = (
        build_chart(channel, buckets, WINDOW, "t", words=ENGLISH),
        plot_columns(channel, buckets, WINDOW, words=ENGLISH),
    )
    scale = Scale.over(channel, buckets, limits_in_force(channel, WINDOW), WINDOW)
    near, near_seconds = WIDTH / 120 + joined_ms / DAY * WIDTH + 2, (DAY / 480 + joined_ms) / 1000 + 2
    drawn = _points(chart)
    highest, lowest = plot["max"] or plot["mean"], plot["min"] or plot["mean"]
    for at_ms, value in pairs:
        if 2.0 <= value <= 8.0:
            continue
        x, y, high = scale.x(at_ms), scale.y(value), value > 8.0
        assert any(abs(x - px) <= near and (py <= y if high else py >= y) for px, py in drawn)
        columns = [
            edge
            for seconds, edge in zip(plot["times"], highest if high else lowest, strict=True)
            if edge is not None and abs(seconds - at_ms / 1000) <= near_seconds
        ]
        assert any(edge >= value - 0.01 if high else edge <= value + 0.01 for edge in columns)


@given(SERIES, JOINED)
def test_no_gap_is_bridged(pairs: list[tuple[int, float]], joined_ms: int) -> None:
    """Between two readings that are too far apart no line and no band goes on, in either drawing."""
    channel, buckets = _channel(), _buckets(pairs, joined_ms)
    chart, plot = (
        build_chart(channel, buckets, WINDOW, "t", words=ENGLISH),
        plot_columns(channel, buckets, WINDOW, words=ENGLISH),
    )
    gap_ms = gap_after_ms(channel.interval, buckets)
    spans = [[int(point.split(",")[0]) for point in text.split()] for text in (*chart.lines, *chart.bands)]
    for before, after in pairwise(buckets):
        if after.start_ms - before.end_ms <= gap_ms:
            continue
        middle = (before.end_ms + after.start_ms) / 2 / DAY * WIDTH
        wide = (after.start_ms - before.end_ms) / DAY * WIDTH > 4
        assert not wide or all(not min(xs) < middle < max(xs) for xs in spans)
        within = [
            value
            for seconds, value in zip(plot["times"], plot["mean"], strict=True)
            if before.end_ms // 1000 <= seconds <= after.start_ms // 1000
        ]
        assert None in within or after.start_ms // 1000 - before.end_ms // 1000 < 3


def test_a_lone_roll_up_between_gaps_has_an_area() -> None:
    """An hour by itself is as wide as it lasted, from its lowest to its highest value."""
    hour = Bucket(6 * HOUR_MS, 7 * HOUR_MS, 3.0, 5.0, 12.0, 60, HOUR_MS)
    (band,) = build_chart(_channel(), [hour], WINDOW, "t", words=ENGLISH).bands
    xs, ys = zip(*((int(x), int(y)) for x, y in (point.split(",") for point in band.split())), strict=True)
    assert max(xs) - min(xs) == WIDTH // 24 + 1
    assert max(ys) > min(ys)


def test_limits_are_shaded_as_they_were_in_force() -> None:
    """Yesterday's narrower limits shade yesterday; the plot is told the same steps."""
    noon = DAY // 2
    channel = Channel(
        "c", "hc", "f", "n", "c", QUANTITIES["temperature"], timedelta(minutes=1), {"high": 8.0, "low": 2.0},
        past_limits=(PastLimits(noon // 2, {}), PastLimits(noon, {"high": 6.0})),
    )  # fmt: skip
    buckets = _buckets([(0, 0.0), (MINUTE_MS, 10.0)])
    first, second = build_chart(channel, buckets, WINDOW, "t", words=ENGLISH).safe
    assert (first.x, first.width, second.x, second.width) == (250, 250, 500, 500)
    assert first.top > second.top
    assert first.top + first.height == HEIGHT
    assert plot_columns(channel, buckets, WINDOW, words=ENGLISH)["limits"] == [
        [noon // 2000, noon // 1000, None, 6.0],
        [noon // 1000, DAY // 1000, 2.0, 8.0],
    ]


def test_both_drawings_have_one_scale_and_one_axis() -> None:
    """What uPlot is given are the ticks and the bounds of the drawing that it replaces."""
    channel, buckets = _channel("tank_level"), _buckets([(0, 0.2), (MINUTE_MS, 0.9)])
    channel = Channel("c", "hc", "f", "n", "c", QUANTITIES["tank_level"], timedelta(minutes=1), {"low": 0.25})
    chart, plot, frame = (
        build_chart(channel, buckets, WINDOW, "t", words=ENGLISH),
        plot_columns(channel, buckets, WINDOW, words=ENGLISH),
        plot_frame(WINDOW, words=ENGLISH),
    )
    low, high = plot["scale"]
    assert [label for _, label in plot["ticks"]] == [tick.label for tick in chart.value_ticks]
    for value, tick in zip((value for value, _ in plot["ticks"]), chart.value_ticks, strict=True):
        assert (high - value) / (high - low) * HEIGHT == pytest.approx(tick.y, abs=1)
    assert [seconds * 1000 for seconds, *_ in frame["ticks"]] == [tick.moment_ms for tick in chart.time_ticks]
    assert chart.value_ticks[-1].label.endswith(" %")


@given(
    st.sampled_from(["temperature", "tank_level", "pressure", "energy", "voltage", "free_space", "runtime"]),
    st.floats(0, 1, allow_nan=False),
    st.floats(1e-6, 1, allow_nan=False),
)
def test_value_ticks_are_round_few_and_in_the_drawing(name: str, start: float, span: float) -> None:
    """Up to six, rising, and every one within the scale, whatever the quantity's size."""
    quantity = QUANTITIES[name]
    lowest = quantity.lowest + start * (quantity.highest - quantity.lowest) / 2
    scale = Scale(WINDOW, lowest, lowest + span * (quantity.highest - quantity.lowest) / 2)
    ticks = value_ticks(quantity, scale, words=ENGLISH)
    assert 1 <= len(ticks) <= 6
    assert all(0 <= tick.y <= HEIGHT for tick in ticks)
    assert [tick.value for tick in ticks] == sorted({tick.value for tick in ticks})
    assert len({tick.label for tick in ticks}) == len(ticks) or span < 1e-3


def _local(zone: str, year: int, month: int, day: int, hours: float, span: timedelta, key: str = "24h") -> Window:
    end = datetime(year, month, day, tzinfo=UTC) + timedelta(hours=hours)
    return Window(to_ms(end - span), to_ms(end), zone, RANGES[key])


@pytest.mark.parametrize(
    ("window", "labels"),
    [
        (  # half an hour beside UTC
            _local("Asia/Kolkata", 2026, 11, 20, 12, timedelta(hours=24)),
            ["18:00", "21:00", "20 Nov", "03:00", "06:00", "09:00", "12:00", "15:00"],
        ),
        (  # the clock goes forward at 02:00, which is left out
            _local("Europe/Berlin", 2026, 3, 29, 10, timedelta(hours=12)),
            ["29 Mar", "04:00", "06:00", "08:00", "10:00", "12:00"],
        ),
        (  # the clock goes back at 03:00, which is struck twice
            _local("Europe/Berlin", 2026, 10, 25, 9, timedelta(hours=24)),
            ["12:00", "15:00", "18:00", "21:00", "25 Oct", "03:00", "06:00", "09:00"],
        ),
        (
            _local("Asia/Kathmandu", 2026, 11, 20, 12, timedelta(days=7), "7d"),
            ["Sat 14", "Sun 15", "Mon 16", "Tue 17", "Wed 18", "Thu 19", "Fri 20"],
        ),
        (
            _local("Africa/Kampala", 2026, 11, 20, 12, timedelta(days=30), "30d"),
            ["26 Oct", "2 Nov", "9 Nov", "16 Nov"],
        ),
        (
            _local("Africa/Kampala", 2026, 11, 20, 12, timedelta(days=365), "year"),
            ["Dec", "2026", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov"],
        ),
    ],
    ids=["half-hour zone", "spring", "autumn", "week", "month", "year"],
)
def test_the_time_axis_is_the_wall_clock_of_the_place(window: Window, labels: list[str]) -> None:
    """Round local times, through changes of the clock and in zones that are not whole hours from UTC."""
    ticks = time_ticks(window, ENGLISH)
    assert [tick.label for tick in ticks] == labels
    assert [tick.x for tick in ticks] == sorted({tick.x for tick in ticks})
    assert sum(tick.major for tick in ticks) <= 6


def test_after_the_clock_went_back_ticks_are_where_it_shows_them() -> None:
    """Nine in the morning by the new time is ten hours after midnight."""
    ticks = time_ticks(_local("Europe/Berlin", 2026, 10, 25, 9, timedelta(hours=24)), ENGLISH)
    by_label = {tick.label: tick.moment_ms for tick in ticks}
    assert by_label["09:00"] - by_label["25 Oct"] == 10 * HOUR_MS


STATES = st.lists(st.sampled_from([0.0, 1.0, None]), min_size=1, max_size=60)


@given(st.lists(STATES, min_size=1, max_size=3))
def test_power_is_on_where_any_supply_is(minutes: list[list[float | None]]) -> None:
    """On where one is on; off where all that tell anything are off; otherwise unknown."""
    channel = _channel("supply")
    own = [
        stretches_of(channel, _buckets([(n * MINUTE_MS, v) for n, v in enumerate(each) if v is not None]), WINDOW)
        for each in minutes
    ]
    joined, telling = power_stretches(own), [each for each in own if each]

    def at(stretches: list[Stretch], moment_ms: int) -> float | None:
        return next((each.share for each in stretches if each.start_ms <= moment_ms < each.end_ms), None)

    for moment_ms in range(MINUTE_MS // 2, 70 * MINUTE_MS, MINUTE_MS):
        known = [at(each, moment_ms) for each in telling]
        wanted = 1.0 if 1.0 in known else (None if None in known or not known else 0.0)
        assert at(joined, moment_ms) == wanted


def test_what_a_roll_up_does_not_cover_is_unknown() -> None:
    """An hour in which the supply was heard for ten minutes says nothing of the other fifty."""
    hour = Bucket(0, HOUR_MS, 1.0, 1.0, 1.0, 10, 10 * MINUTE_MS)
    strip = strip_of(stretches_of(_channel("supply"), [hour], WINDOW), POWER_STATES, WINDOW, ENGLISH)
    assert strip.totals == "on 10 min, unknown 23 h 50 min"
    assert [(part.on, part.off) for part in strip.parts] == [(17, 0)]


def test_a_short_outage_is_seen_in_a_coarse_strip() -> None:
    """A minute without power in a day of good supply has its height; many changes come out as shares."""
    almost = [Bucket(0, DAY, 0.0, 1439 / 1440, 1.0, 1440, DAY)]
    (part,) = strip_of(stretches_of(_channel("supply"), almost, WINDOW), POWER_STATES, WINDOW, ENGLISH).parts
    assert part.off >= 5
    flapping = _buckets([(n * MINUTE_MS, float(n % 2)) for n in range(1440)])
    strip = strip_of(stretches_of(_channel("supply"), flapping, WINDOW), POWER_STATES, WINDOW, ENGLISH)
    assert len(strip.parts) <= 241
    assert strip.totals == "on 12 h, off 12 h"


@given(
    st.lists(st.tuples(st.integers(0, 1439), st.integers(1, 200), st.floats(0, 1)), max_size=30), st.integers(1, DAY)
)
def test_shares_add_up(parts: list[tuple[int, int, float]], width_ms: int) -> None:
    """However a strip is cut, the time on and off is the same."""
    width_ms = max(width_ms, MINUTE_MS)
    stretches = [Stretch(m * MINUTE_MS, (m + n) * MINUTE_MS, share, n * MINUTE_MS) for m, n, share in parts]
    shares = shares_of(stretches, 0, width_ms)
    assert sum(on for on, _ in shares.values()) == pytest.approx(sum(each.on_ms for each in stretches))
    assert sum(off for _, off in shares.values()) == pytest.approx(sum(each.off_ms for each in stretches))


def _happening(at_ms: int, kind: HappeningKind = HappeningKind.EXCURSION, lasted_ms: int = HOUR_MS) -> Happening:
    return Happening(
        kind=kind, start_ms=at_ms, end_ms=at_ms + lasted_ms, what="too warm", started=LocalTime("", "", "")
    )


def test_letters_follow_time_and_stand_for_several_where_there_is_no_room() -> None:
    """The oldest is A; those that would stand upon each other are written as a span."""
    moments = [0, 10 * HOUR_MS, 10 * HOUR_MS + MINUTE_MS, 20 * HOUR_MS]
    found = lettered([_happening(at_ms) for at_ms in reversed(moments)])
    assert [(each.letter, each.happening.start_ms) for each in found] == list(zip("ABCD", moments, strict=True))
    assert [each.text for each in marks_of(found, WINDOW).letters] == ["A", "B–C", "D"]
    late = lettered([_happening(at_ms) for at_ms in (23 * HOUR_MS, DAY - HOUR_MS // 2, DAY - MINUTE_MS)])
    assert [each.text for each in marks_of(late, WINDOW).letters] == ["A–C"]
    assert [letter_of(number) for number in (25, 26, 27, 702)] == ["Z", "AA", "AB", "AAA"]


def test_an_excursion_is_shaded_and_a_visit_is_not() -> None:
    """Both drawings shade the same stretch, cut off where the window ends; the table lists both."""
    happenings = (
        Lettered("A", _happening(-HOUR_MS, lasted_ms=3 * HOUR_MS)),
        Lettered("B", _happening(12 * HOUR_MS, HappeningKind.VISIT, 0)),
    )
    buckets = _buckets([(0, 9.0)])
    chart = build_chart(_channel(), buckets, WINDOW, "t", Beside(happenings=happenings), words=ENGLISH)
    assert [(bar.x, bar.width) for bar in chart.excursions] == [(0, round(WIDTH / 12))]
    assert plot_columns(_channel(), buckets, WINDOW, happenings, words=ENGLISH)["excursions"] == [
        [0, 2 * HOUR_MS // 1000]
    ]
    assert [each.letter for each in chart.marks.listed] == ["A", "B"]


def test_the_table_says_for_how_much_of_the_time_there_was_power() -> None:
    """Beside lowest, mean and highest of each row; nothing where nothing is known."""
    power = [Stretch(0, HOUR_MS, 0.25, HOUR_MS), Stretch(HOUR_MS, 2 * HOUR_MS, 1.0, HOUR_MS)]
    buckets = _buckets([(at_ms, 5.0) for at_ms in range(0, 3 * HOUR_MS, MINUTE_MS)])
    chart = build_chart(_channel(), buckets, WINDOW, "t", Beside(power=power), words=ENGLISH)
    assert [row.power for row in reversed(chart.table)] == ["25 %", "100 %", ""]
    assert chart.power is not None
    assert chart.power.totals == "on 1 h 15 min, off 45 min, unknown 22 h"


def test_a_year_of_days_keeps_every_breach() -> None:
    """One warm minute of one day still reaches above the limit in a chart of a year."""
    window = Window(0, 365 * DAY_MS, "Africa/Kampala", RANGES["year"])
    days = [Bucket(n * DAY_MS, (n + 1) * DAY_MS, 4.0, 5.0, 6.0, 1440, DAY_MS) for n in range(365)]
    days[200] = days[200]._replace(maximum=12.0)
    chart, plot = (
        build_chart(_channel(), days, window, "t", words=ENGLISH),
        plot_columns(_channel(), days, window, words=ENGLISH),
    )
    top = min(y for _, y in _points(chart))
    assert top < chart.safe[0].top
    assert max(plot["max"]) == 12.0
    assert len(chart.lines) == 1
