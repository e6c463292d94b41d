"""Measures for managers: small cases computed by hand, laws, and the contract on SQLite."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.measures.bands import Band, rate_band, top_ten_band
from alerts.measures.compute import Rows, measures_of, spread
from alerts.measures.load import load_of
from alerts.measures.rows import AlertRow, ClosingRow, MessageRow, Period
from domain.episode import Severity
from domain.errors import OperatorError
from domain.places import Place
from tests.alerts.given import DIRECTORY, MINUTE, NOON
from tests.alerts.measures_contract import MeasuresContract

DAY = Period(NOON, NOON + timedelta(days=1))
KASESE = ("Uganda", "Western", "Kasese")
ALERT = AlertRow(
    id=1,
    rule="heat",
    subject="kasese-3.fridge-2.temperature",
    facility="kasese-3",
    severity=Severity.WARNING,
    past=False,
    retracted=False,
    raised_at=NOON,
    started_at=NOON - 30 * MINUTE,
    ended_at=NOON + 30 * MINUTE,
    told_at=NOON,
    answered_at=NOON + 5 * MINUTE,
    escalated=False,
)


def raised(*minutes: int) -> list[AlertRow]:
    """Return alerts raised so many minutes after noon, each of a subject of its own."""
    return [replace(ALERT, id=n, subject=f"s{n}", raised_at=NOON + at * MINUTE) for n, at in enumerate(minutes)]


def test_times_to_answer_run_from_the_first_message() -> None:
    """Median and nine of ten are times that occurred; who never answered is counted apart."""
    alerts = [replace(ALERT, id=n, answered_at=NOON + n * MINUTE) for n in range(1, 11)]
    found = measures_of(Rows([*alerts, replace(ALERT, answered_at=None)], [], []), DAY, Place(), DIRECTORY)
    assert (found.acknowledge.number, found.acknowledge.median, found.acknowledge.p90) == (10, 5 * MINUTE, 9 * MINUTE)
    assert found.unanswered == 1


def test_nothing_has_no_median() -> None:
    """A period without alerts has figures all the same."""
    found = measures_of(Rows([], [], []), DAY, Place(), DIRECTORY)
    assert (found.raised, found.acknowledge.median, found.escalated_share, found.districts) == (0, None, 0.0, ())


def test_what_late_data_retracted_is_no_time_to_restore() -> None:
    """Its end is not when anything was restored."""
    found = measures_of(Rows([ALERT, replace(ALERT, retracted=True)], [], []), DAY, Place(), DIRECTORY)
    assert (found.restore.number, found.restore.median) == (1, 60 * MINUTE)


def test_messages_per_person_and_undeliverable_share() -> None:
    """Only what was sent is a load; what waits or failed stands apart; a share is of those that are settled."""
    rows = [
        MessageRow(1, "kasese-3", "amina", "sms", "alarm", "delivered"),
        MessageRow(2, "kasese-3", "amina", "sms", "alarm", "unknown"),
        MessageRow(3, "kasese-3", "amina", "email", "worse", "submitted"),
        MessageRow(4, "kasese-3", "amina", "sms", "all_clear", "failed"),
        MessageRow(5, "kasese-3", "amina", "sms", "all_clear", "cancelled"),
        MessageRow(6, "kasese-3", "joseph", "sms", "alarm", "queued"),
    ]
    found = measures_of(Rows([], rows, []), DAY, Place(), DIRECTORY)
    amina, joseph = found.people
    assert (amina.contact, amina.per_day, amina.per_week, amina.too_many) == ("amina", 3.0, 21.0, True)
    assert (amina.by_kind, amina.waiting, amina.failed) == ({"alarm": 2, "worse": 1}, 0, 1)
    assert (joseph.by_kind, joseph.waiting, joseph.per_week) == ({}, 1, 0.0)
    [sms] = found.channels
    assert (sms.settled, sms.undeliverable) == (3, 1)
    assert sms.share == pytest.approx(1 / 3)


def test_a_message_of_two_facilities_is_one_message() -> None:
    """One that tells of an area counts once for the person, in each of its places and altogether."""
    rows = [MessageRow(1, each, "amina", "sms", "alarm", "delivered") for each in ("kasese-3", "lonely")]
    for place in (Place(), Place(facility="kasese-3"), Place(facility="lonely")):
        [amina] = measures_of(Rows([], rows, []), DAY, place, DIRECTORY).people
        assert amina.by_kind == {"alarm": 1}


def test_a_flood_begins_with_more_than_ten_and_ends_below_five() -> None:
    """Eleven, then five, then four within ten minutes: one flood of twenty minutes in a day."""
    load = load_of(KASESE, raised(*[1] * 11, *[11] * 5, *[21] * 4), [], DAY)
    assert (load.floods, load.most_in_ten_minutes, load.most_in_ten_minutes_band) == (1, 11, Band.ABOVE_TARGET)
    assert load.in_flood == pytest.approx(2 / 144)
    assert load.in_flood_band is Band.ABOVE_TARGET


def test_five_after_ten_are_no_flood() -> None:
    """What keeps a flood going does not begin one, nor do exactly ten."""
    load = load_of(KASESE, raised(*[1] * 10, *[11] * 5), [], DAY)
    assert (load.floods, load.most_in_ten_minutes_band) == (0, Band.ACCEPTABLE)


@pytest.mark.parametrize(("alarms", "share"), [(30, 0.0), (31, 1 / 24)])
def test_an_hour_is_busy_with_more_than_thirty(alarms: int, share: float) -> None:
    """Thirty are not yet more than thirty."""
    assert load_of(KASESE, raised(*[5] * alarms), [], DAY).busy_hours == pytest.approx(share)


@pytest.mark.parametrize(("third", "chattering"), [(59, 1), (60, 0)])
def test_three_within_an_hour_chatter(third: int, chattering: int) -> None:
    """The third counts only while the first is less than an hour ago."""
    rows = [replace(row, subject="same") for row in raised(0, 20, third)]
    assert load_of(KASESE, rows, [], DAY).chattering == chattering


def test_an_alarm_is_stale_after_a_day_also_one_of_before() -> None:
    """What was raised before the period still stands there in it."""
    old = replace(ALERT, raised_at=NOON - timedelta(days=3), ended_at=None)
    fresh = replace(ALERT, raised_at=NOON, ended_at=None)
    found = measures_of(Rows([old, fresh], [], []), DAY, Place(), DIRECTORY)
    assert (found.raised, found.districts[0].stale, found.districts[0].alarms) == (1, 1, 1)


@pytest.mark.parametrize(
    ("rate", "band"),
    [(1.0, Band.ACCEPTABLE), (2.0, Band.MANAGEABLE), (10.0, Band.OVER_DEMANDING)],
)
def test_each_band_includes_its_border(rate: float, band: Band) -> None:
    """A little more falls into the next."""
    assert rate_band(rate) is band
    assert rate_band(rate + 0.01) is not band


def test_the_ten_most_frequent_contribute() -> None:
    """Ten of twenty different alarms are half of them, which is above the target."""
    load = load_of(KASESE, raised(*range(20)), [], DAY)
    assert (load.top_ten, load.top_ten_band) == (0.5, Band.ABOVE_TARGET)
    assert top_ten_band(0.05) is Band.MANAGEABLE


def test_closings_by_reason_with_the_doses() -> None:
    """A closing without a number of doses adds none."""
    rows = [ClosingRow("kasese-3", "door", 20), ClosingRow("kasese-3", "door", None), ClosingRow("lonely", "gas", 5)]
    found = measures_of(Rows([], [], rows), DAY, Place(district="Kasese"), DIRECTORY)
    assert (found.closings, found.doses_affected) == ({"door": 2}, 20)


def test_a_period_has_a_length() -> None:
    """One that ends where it begins is refused."""
    with pytest.raises(OperatorError, match="not after its beginning"):
        Period(NOON, NOON)


@given(st.lists(st.integers(0, 10_000), min_size=1))
def test_the_spread_is_of_times_that_occurred(seconds: list[int]) -> None:
    """At least half are no longer than the median, at least nine of ten no longer than p90."""
    times = [timedelta(seconds=each) for each in seconds]
    found = spread(times)
    assert found.median in times
    assert found.p90 in times
    assert found.median is not None
    assert found.p90 is not None
    assert 2 * sum(each <= found.median for each in times) >= len(times)
    assert 10 * sum(each <= found.p90 for each in times) >= 9 * len(times)


ROWS = st.builds(
    lambda hour, past, told, answered, facility, severity: replace(
        ALERT,
        raised_at=NOON + timedelta(hours=hour),
        past=past,
        told_at=NOON if told else None,
        answered_at=NOON if answered else None,
        facility=facility,
        severity=severity,
    ),
    *(st.integers(-5, 28), st.booleans(), st.booleans(), st.booleans()),
    *(st.sampled_from(["kasese-3", "lonely", "gone"]), st.sampled_from(Severity)),
)


@given(st.lists(ROWS))
def test_the_numbers_add_up(rows: list[AlertRow]) -> None:
    """Told, quiet and past are all; answered and not are the told; so are districts, rules and priorities."""
    found = measures_of(Rows(rows, [], []), DAY, Place(), DIRECTORY)
    assert found.told + found.quiet + found.past == found.raised
    assert found.acknowledge.number + found.unanswered == found.told
    assert sum(each.alarms for each in found.districts) == sum(each.alarms for each in found.rules) == found.told
    assert all(sum(each.priorities.values()) == pytest.approx(1) for each in found.districts if each.alarms)


class TestOutOfSqlite(MeasuresContract):
    """On a file of this test."""
