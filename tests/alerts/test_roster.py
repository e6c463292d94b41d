"""Rosters: turns by the wall clock, hours over midnight, overrides; a turn's member alone is on call."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.oncall.roster import Span, hours, next_handover, on_call, turns
from alerts.oncall.stretches import stretches_of
from domain.people import Override, Roster, Rotation

BERLIN = ZoneInfo("Europe/Berlin")
ZONES = ("Africa/Kampala", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "UTC")
DAY = timedelta(days=1)


def wall(text: str, zone: ZoneInfo = BERLIN) -> datetime:
    """Return the moment at which a clock in the zone shows this."""
    return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)


def roster(*rotations: Rotation, overrides: tuple[Override, ...] = (), zone: str = "Europe/Berlin") -> Roster:
    """Return a roster of these rotations."""
    return Roster("duty", "Duty", zone, rotations, overrides)


WEEKLY = Rotation(("amina", "joseph", "grace"), wall("2026-03-02T08:00"))

MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001


@st.composite
def rotations(draw: st.DrawFn) -> Rotation:
    """Return any rotation that begins in 2025."""
    first = draw(st.datetimes(datetime(2025, 1, 1), datetime(2025, 12, 30), timezones=st.just(UTC)))  # noqa: DTZ001
    times = st.none() | st.times().map(lambda each: each.replace(second=0, microsecond=0))
    return Rotation(
        tuple(draw(st.lists(st.sampled_from("abcde"), min_size=1, max_size=4, unique=True))),
        first.replace(second=0, microsecond=0),
        draw(st.integers(1, 21)),
        draw(times),
        draw(times),
        tuple(sorted(draw(st.sets(st.integers(0, 6))))),
    )


@st.composite
def rosters(draw: st.DrawFn) -> Roster:
    """Return any roster with up to two rotations and three overrides."""
    spans = draw(st.lists(st.tuples(st.sampled_from("abxyz"), MOMENTS, st.integers(1, 2000)), max_size=3))
    overrides = tuple(Override(who, start, start + timedelta(hours=length)) for who, start, length in spans)
    return roster(*draw(st.lists(rotations(), max_size=2)), overrides=overrides, zone=draw(st.sampled_from(ZONES)))


@pytest.mark.parametrize(
    ("at", "who"),
    [
        ("2026-03-02T07:59", ()),
        ("2026-03-02T08:00", ("amina",)),
        ("2026-03-09T07:59", ("amina",)),
        ("2026-03-09T08:00", ("joseph",)),
        ("2026-03-23T08:00", ("amina",)),
        # The clocks go forward on the 29th; the turn still ends at eight.
        ("2026-03-30T07:59", ("amina",)),
        ("2026-03-30T08:00", ("joseph",)),
        # They have gone back on 25 October.
        ("2026-10-26T07:59", ("amina",)),
        ("2026-10-26T08:00", ("joseph",)),
    ],
)
def test_turns_begin_at_the_same_hour_of_the_wall_clock(at: str, who: tuple[str, ...]) -> None:
    """Whatever the clocks did in between, and nobody is on call before the first turn."""
    assert on_call(roster(WEEKLY), wall(at)) == who


@pytest.mark.parametrize(
    ("at", "who"),
    [
        ("2026-03-06T17:59", ()),
        ("2026-03-06T18:00", ("amina",)),
        ("2026-03-07T05:59", ("amina",)),
        ("2026-03-07T06:00", ()),
        ("2026-03-07T18:00", ()),
    ],
)
def test_hours_go_over_midnight_and_belong_to_the_day_on_which_they_begin(at: str, who: tuple[str, ...]) -> None:
    """The night that begins on Friday lasts into Saturday, on which none begins."""
    nights = replace(WEEKLY, from_time=time(18), to_time=time(6), weekdays=(0, 1, 2, 3, 4))
    assert on_call(roster(nights), wall(at)) == who


def test_every_rotation_counts_and_nobody_twice() -> None:
    """Two rotations put two people on call, in their order; the same person is told once."""
    second = Rotation(("joseph", "amina"), WEEKLY.first_day)
    assert on_call(roster(WEEKLY, second), wall("2026-03-03T12:00")) == ("amina", "joseph")
    assert on_call(roster(WEEKLY, WEEKLY), wall("2026-03-03T12:00")) == ("amina",)


def test_an_override_stands_for_everybody_and_the_last_one_written_wins() -> None:
    """It begins and ends at its moments, whoever the rotations name."""
    christmas = Override("grace", wall("2026-12-24T12:00"), wall("2026-12-27T12:00"))
    swap = Override("joseph", wall("2026-12-25T00:00"), wall("2026-12-26T00:00"))
    duty = roster(WEEKLY, WEEKLY, overrides=(christmas, swap))
    found = [on_call(duty, wall(f"2026-12-{at}")) for at in ("24T12:00", "25T12:00", "26T00:00")]
    assert found == [("grace",), ("joseph",), ("grace",)]
    assert on_call(duty, wall("2026-12-27T12:00")) == on_call(roster(WEEKLY), wall("2026-12-27T12:00"))


def test_the_next_handover_is_when_somebody_else_is_on_call() -> None:
    """At the end of a turn, of the hours, of an override; never where one person is on call for ever."""
    at = wall("2026-03-25T12:00")
    assert next_handover(roster(WEEKLY), at) == wall("2026-03-30T08:00")
    nights = replace(WEEKLY, from_time=time(18), to_time=time(6))
    assert next_handover(roster(nights), at) == wall("2026-03-25T18:00")
    override = Override("grace", at, at + timedelta(hours=1))
    assert next_handover(roster(WEEKLY, overrides=(override,)), at) == override.end
    assert next_handover(roster(WEEKLY), WEEKLY.first_day - 100 * DAY) == WEEKLY.first_day
    assert next_handover(roster(Rotation(("amina",), WEEKLY.first_day)), at) is None


@given(rotations(), st.sampled_from(ZONES), MOMENTS)
def test_within_its_hours_exactly_one_member_of_a_rotation_is_on_call(
    rotation: Rotation, zone: str, at: datetime
) -> None:
    """And outside of them nobody."""
    moment = Span(at, at + timedelta.resolution)
    open_now = bool(list(hours(rotation, ZoneInfo(zone), moment)))
    found = on_call(roster(rotation, zone=zone), at)
    assert len(found) == int(open_now)
    assert set(found) <= set(rotation.members)


@given(rotations(), st.sampled_from(ZONES), MOMENTS)
def test_turns_tile_time(rotation: Rotation, zone: str, at: datetime) -> None:
    """Each begins where the one before ends, at the same time of day, in the order of the members."""
    window = Span(at, at + 100 * DAY)
    found = list(turns(rotation, ZoneInfo(zone), window))
    assert found[0].span.start <= window.start
    assert found[-1].span.end >= window.end
    for before, after in pairwise(found):
        assert before.span.end == after.span.start
        place = rotation.members.index(before.contact)
        assert after.contact == rotation.members[(place + 1) % len(rotation.members)]


@given(rosters(), MOMENTS, st.integers(1, 1000))
def test_stretches_say_of_every_moment_who_is_on_call(duty: Roster, start: datetime, hours_later: int) -> None:
    """The list that a calendar shows and the question for one moment never differ, and each stretch has its own id."""
    window = Span(start, start + 60 * DAY)
    found = stretches_of(duty, window)
    at = start + timedelta(hours=hours_later)
    assert {each.contact for each in found if each.start <= at < each.end} == set(on_call(duty, at))
    assert len({each.id for each in found}) == len(found)
    assert all(each.start < each.end for each in found)


@given(rosters(), MOMENTS)
def test_until_the_next_handover_nothing_changes(duty: Roster, at: datetime) -> None:
    """And at it something does."""
    handover = next_handover(duty, at)
    if handover is None:
        handover = at + 400 * DAY
    else:
        assert on_call(duty, handover) != on_call(duty, at)
    for part in range(1, 8):
        assert on_call(duty, at + (handover - at) * part / 8) == on_call(duty, at)
