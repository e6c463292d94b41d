"""How a fridge did in a period: mean kinetic temperature, time in range, excursions; and months by local clocks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from dashboards.report.appliance import Appliance, Side, appliance
from dashboards.report.kinetic import kinetic_celsius, worst_day
from dashboards.report.month import Month, month_at, month_of, month_within
from dashboards.sla.facility import Recorded
from dashboards.sla.spans import Span, Spans
from domain.errors import OperatorError
from domain.instant import DAY_MS, HOUR_MS, MINUTE_MS
from domain.limits import LimitHistory, LimitsSince
from domain.places import Channel, Equipment, EquipmentKind
from domain.quantities import QUANTITIES
from domain.reading import Quality, Reading

FRIDGE = Equipment("clinic/fridge", "clinic", EquipmentKind.FRIDGE, "Fridge")
TOP, BOTTOM = (
    Channel(name, "clinic", "clinic/fridge", "pi", name, QUANTITIES["temperature"], timedelta(minutes=10))
    for name in ("top", "bottom")
)
PERIOD = Span(DAY_MS, 2 * DAY_MS)
USUAL: LimitHistory = (LimitsSince(0, 2.0, 8.0),)


def hours(*values: float) -> list[tuple[Span, float]]:
    """Return values that each stand for an hour."""
    return [(Span(number * HOUR_MS, (number + 1) * HOUR_MS), value) for number, value in enumerate(values)]


def series(channel: Channel, *values: tuple[float, float | None]) -> list[Reading]:
    """Return readings at minutes of the period; None is a sensor that is gone."""
    return [
        Reading(
            channel.id, PERIOD.from_ms + round(minute * MINUTE_MS), value,
            Quality.SENSOR_GONE if value is None else Quality.GOOD, 0,
        )
        for minute, value in values
    ]  # fmt: skip


def judged(
    *probes: Sequence[Reading], away: Spans = (), limits: LimitHistory = USUAL, cover_minutes: int = 20
) -> Appliance:
    """Return how the fridge did by one or two probes."""
    channels = (TOP, BOTTOM)[: len(probes)]
    recorded = Recorded(
        period=PERIOD,
        readings={channel.id: each for channel, each in zip(channels, probes, strict=True)},
        cover_ms={each.id: cover_minutes * MINUTE_MS for each in channels},
        limits={each.id: limits for each in channels},
        away={FRIDGE.id: away} if away else {},
    )
    found = appliance(FRIDGE, channels, recorded)
    assert found.within_ms + found.cold_ms + found.hot_ms + found.unknown_ms + found.away_ms == PERIOD.length_ms
    return found


@pytest.mark.parametrize(
    ("values", "mean"),
    [
        ([5.0] * 24, 5.0),
        ([5.0] * 23 + [25.0], 7.7564),
        ([2.0, 8.0], 5.5364),
        ([4.0] * 90 + [12.0] * 6, 4.8004),
    ],
)
def test_the_mean_kinetic_temperature_of_known_vectors(values: list[float], mean: float) -> None:
    """As computed by hand with 83.144 kJ/mol; a value that stands for twice the time weighs twice."""
    assert kinetic_celsius(hours(*values)) == pytest.approx(mean, abs=5e-5)
    assert kinetic_celsius([(Span(0, 2), 2.0), (Span(2, 4), 8.0)]) == pytest.approx(5.5364, abs=5e-5)
    assert kinetic_celsius([]) is None


def test_the_worst_day_of_a_long_time() -> None:
    """An hour at 25 °C in a month is hidden by the month and told by its 24 hours; half of them have to be known."""
    values = [5.0] * 24 * 30
    values[300] = 25.0
    peak = worst_day(hours(*values))
    assert peak is not None
    assert peak.celsius == pytest.approx(7.7564, abs=5e-5)
    assert 301 <= peak.until_ms / HOUR_MS <= 324
    assert worst_day(hours(*([9.0] * 11))) is None
    assert worst_day([*hours(*([9.0] * 11)), (Span(40 * HOUR_MS, 52 * HOUR_MS), 6.0)]) == pytest.approx(
        (6.0, 52 * HOUR_MS)
    )


def test_a_window_that_begins_within_a_reading_counts_the_part_inside() -> None:
    """Of twelve hours at 20 °C the window holds six, and then eighteen at 5 °C."""
    peak = worst_day([(Span(0, 12 * HOUR_MS), 5.0), (Span(12 * HOUR_MS, 36 * HOUR_MS), 20.0)])
    assert peak is not None
    assert peak.celsius == pytest.approx(20.0)
    found = worst_day([(Span(0, 12 * HOUR_MS), 20.0), (Span(12 * HOUR_MS, 30 * HOUR_MS), 5.0)])
    assert found is not None
    first = kinetic_celsius([(Span(0, 12), 20.0)])
    assert found.celsius == pytest.approx(first)  # the first window is the twelve hours that were known until then
    assert found.until_ms == 12 * HOUR_MS


def test_time_in_range_and_excursions_with_the_limits_of_their_time() -> None:
    """8.0 is fine and 8.1 is not; the limits were wider until noon."""
    noon_ms = PERIOD.from_ms + 12 * HOUR_MS
    limits = (LimitsSince(0, 0.0, 10.0), LimitsSince(noon_ms, 2.0, 8.0))
    found = judged(
        series(TOP, (0, 8.1), (20, 8.0), (40, 10.4), (50, 11.2), (60, 5.0), (710, 9.0), (730, 8.0), (750, 1.5)),
        limits=limits,
    )
    # 9.0 stands from 11:50 to 12:10: too hot from noon on.
    times = [
        (each.side, (each.span.from_ms - PERIOD.from_ms) / MINUTE_MS, each.span.length_ms / MINUTE_MS)
        for each in found.excursions
    ]
    assert times == [(Side.HOT, 40, 20), (Side.HOT, 720, 10), (Side.COLD, 750, 20)]
    assert [(each.extreme, each.low, each.high) for each in found.excursions] == [
        (11.2, 0.0, 10.0), (9.0, 2.0, 8.0), (1.5, 2.0, 8.0),
    ]  # fmt: skip
    assert (found.hot_ms, found.cold_ms) == (30 * MINUTE_MS, 20 * MINUTE_MS)
    assert found.within_ms == (40 + 20 + 10 + 20) * MINUTE_MS
    assert (found.lowest, found.highest) == (1.5, 11.2)


def test_any_probe_outside_is_outside_and_all_have_to_be_known_within() -> None:
    """The warm corner counts; where only one probe is known to be well nothing is known; freezing goes before heat."""
    found = judged(
        series(TOP, (0, 5.0), (20, 9.0), (40, 5.0), (60, 9.0)),
        series(BOTTOM, (0, 5.0), (20, 5.0), (40, None), (60, 1.0)),
    )
    assert found.within_ms == 20 * MINUTE_MS
    assert found.hot_ms == 20 * MINUTE_MS
    assert found.cold_ms == 20 * MINUTE_MS
    assert [each.channel for each in found.excursions] == ["top", "top", "bottom"]


def test_what_is_out_of_service_counts_for_nothing() -> None:
    """An excursion ends where the fridge went out of service, and it is said that it went on."""
    away = (Span(PERIOD.from_ms + 30 * MINUTE_MS, PERIOD.from_ms + 50 * MINUTE_MS),)
    found = judged(series(TOP, (0, 5.0), (20, 9.0), (40, 12.0), (60, 5.0)), away=away)
    assert found.away_ms == 20 * MINUTE_MS
    assert [(each.extreme, each.begun_before, each.goes_on) for each in found.excursions] == [
        (9.0, False, True),
        (12.0, True, False),
    ]
    assert found.highest == 12.0


def test_an_excursion_that_reaches_beyond_the_period_says_so() -> None:
    """It began before midnight, or goes on at the end."""
    found = judged(series(TOP, (-10, 9.0), (10, 5.0), (1430, 9.0)))
    assert [(each.begun_before, each.goes_on) for each in found.excursions] == [(True, False), (False, True)]
    assert found.hot_ms == 20 * MINUTE_MS


def test_a_month_goes_by_the_clocks_of_its_place() -> None:
    """Kampala is three hours ahead, the whole year; a month of Paris is an hour short in March."""
    november = month_of("2026-11")
    assert november.begins("Africa/Kampala") == datetime(2026, 10, 31, 21, tzinfo=UTC)
    start, end = Month(2026, 3).period("Europe/Paris")
    assert end - start == timedelta(days=31) - timedelta(hours=1)
    assert november.moved(2) == Month(2027, 1)
    assert november.moved(-11) == Month(2025, 12)
    assert november.due("Africa/Kampala", timedelta(days=1, hours=7)) == datetime(2026, 12, 2, 4, tzinfo=UTC)
    assert month_at(datetime(2026, 10, 31, 21, tzinfo=UTC), "Africa/Kampala") == november
    assert month_within(november.period("Africa/Kampala"), "Africa/Kampala") == november
    assert month_within(november.period("UTC"), "Africa/Kampala") is None


@pytest.mark.parametrize("text", ["2026-13", "2026-00", "november", "2026-1", "1800-01", "2026-11-01"])
def test_what_is_no_month_is_said(text: str) -> None:
    """With an example of what is one."""
    with pytest.raises(OperatorError, match="such as 2026-11"):
        month_of(text)
