"""Rosters as calendars: what is written is read back, and what other programs write becomes overrides."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import icalendar
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from alerts.oncall.ical import calendar_of, overrides_of, renewed
from alerts.oncall.roster import Span, on_call
from domain.directory import Directory
from domain.errors import DocumentError
from domain.people import Contact, Override, Roster
from tests.alerts.test_roster import MOMENTS, WEEKLY, ZONES, rotations, wall

NOW = datetime(2026, 3, 1, tzinfo=UTC)
WINDOW = Span(NOW, NOW + timedelta(days=60))
PEOPLE = Directory(
    contacts=(
        Contact("amina", "Amina K.", email="amina@example.org"),
        Contact("joseph", "Joseph O.", email="office@example.org"),
        Contact("grace", "Grace", email="office@example.org"),
        Contact("peter-1", "Peter"),
        Contact("peter-2", "Peter"),
        *(Contact(letter, f"Person {letter}") for letter in "abcdexyz"),
    )
)
DUTY = Roster("duty", "Duty", "Europe/Berlin", (WEEKLY,))


def event(*lines: str, uid: str = "1") -> str:
    """Return the text of an event."""
    return "\r\n".join(["BEGIN:VEVENT", f"UID:{uid}", "DTSTAMP:20260301T000000Z", *lines, "END:VEVENT"])


def calendar(*events: str) -> bytes:
    """Return a file with these events."""
    head = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Somebody//EN"]
    return "\r\n".join([*head, *events, "END:VCALENDAR", ""]).encode()


def read(*events: str, window: Span = WINDOW) -> tuple[Override, ...]:
    """Return what the events say of the duty."""
    return overrides_of(calendar(*events), "duty.ics", DUTY, PEOPLE, window)


def events_of(content: bytes) -> list[Any]:
    """Return the events of a file."""
    return list(icalendar.Calendar.from_ical(content).walk("VEVENT"))


def mistake(*events: str) -> str:
    """Return the one thing that is wrong."""
    with pytest.raises(DocumentError) as caught:
        read(*events)
    (problem,) = caught.value.problems
    return str(problem)


@given(rotations(), st.sampled_from(ZONES), MOMENTS, st.lists(st.integers(0, 24 * 30), max_size=20))
def test_what_is_written_is_read_back(rotation: object, zone: str, start: datetime, later: list[int]) -> None:
    """A roster of a calendar's overrides alone has the same person on call at every moment of the window."""
    assert isinstance(rotation, type(WEEKLY))
    first = start.replace(microsecond=0)
    swap = Override("x", first + timedelta(days=3), first + timedelta(days=5), "leave")
    duty = Roster("duty", "Duty", zone, (rotation,), (swap,))
    window = Span(first, first + timedelta(days=30))
    written = calendar_of(duty, PEOPLE, window, NOW)
    again = replace(duty, rotations=(), overrides=overrides_of(written, "f", duty, PEOPLE, window))
    for hours in later:
        at = first + timedelta(hours=hours)
        if at < window.end:
            assert on_call(again, at) == on_call(duty, at)


def test_an_event_keeps_its_uid() -> None:
    """Whenever it is written, and whatever window it is written for."""
    shifted = Span(WINDOW.start + timedelta(days=10), WINDOW.end)
    early, late = events_of(calendar_of(DUTY, PEOPLE, WINDOW, NOW)), events_of(calendar_of(DUTY, PEOPLE, shifted, NOW))
    starts = [{(str(each["UID"]), each["DTSTART"].dt) for each in found} for found in (early, late)]
    assert starts[1] < starts[0]
    first = next(each for each in early if each["DTSTART"].dt == WEEKLY.first_day)
    assert (first["SUMMARY"], str(first["ATTENDEE"])) == ("Amina K.", "mailto:amina@example.org")


def test_days_without_times_are_by_the_rosters_clock() -> None:
    """So are times without a zone; the end of a day is the beginning of the next."""
    whole = event("SUMMARY:grace", "DTSTART;VALUE=DATE:20260328", "DTEND;VALUE=DATE:20260330")
    assert read(whole) == (Override("grace", wall("2026-03-28T00:00"), wall("2026-03-30T00:00")),)
    one = event("SUMMARY:grace", "DTSTART;VALUE=DATE:20260329")
    assert read(one) == (Override("grace", wall("2026-03-29T00:00"), wall("2026-03-30T00:00")),)
    floating = event("SUMMARY:Grace", "DTSTART:20260329T080000", "DURATION:PT2H", "DESCRIPTION:swap")
    assert read(floating) == (Override("grace", wall("2026-03-29T08:00"), wall("2026-03-29T10:00"), "swap"),)


def test_repetitions_are_unfolded_by_the_clock_of_their_zone() -> None:
    """Within the window alone, without what is taken out, across a change of the clocks."""
    series = event(
        "SUMMARY:joseph",
        "DTSTART;TZID=Europe/Berlin:20250103T180000",
        "DTEND;TZID=Europe/Berlin:20250104T060000",
        "RRULE:FREQ=WEEKLY",
        "EXDATE;TZID=Europe/Berlin:20260327T180000",
    )
    window = Span(wall("2026-03-20T00:00"), wall("2026-04-04T00:00"))
    found = read(series, window=window)
    assert [(each.start, each.end) for each in found] == [
        (wall("2026-03-20T18:00"), wall("2026-03-21T06:00")),
        (wall("2026-04-03T18:00"), wall("2026-04-04T06:00")),
    ]


def test_an_attendee_or_the_summary_names_the_person() -> None:
    """An address that two share is decided by the summary; cancelled events count for nothing."""
    day = "DTSTART;VALUE=DATE:20260310"
    assert read(event("SUMMARY:On call", "ATTENDEE:mailto:AMINA@example.org", day))[0].contact == "amina"
    assert read(event("SUMMARY:Grace", "ATTENDEE:mailto:office@example.org", day))[0].contact == "grace"
    assert read(event("SUMMARY:peter-2", day))[0].contact == "peter-2"
    assert read(event("SUMMARY:Nobody", "STATUS:CANCELLED", day)) == ()


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["SUMMARY:Amina", "DTSTART;VALUE=DATE:20260310"], "did you mean"),
        (["SUMMARY:Peter", "DTSTART;VALUE=DATE:20260310"], "2 people: peter-1, peter-2"),
        (["ATTENDEE:mailto:who@example.org", "DTSTART;VALUE=DATE:20260310"], "who@example.org"),
        (["SUMMARY:Grace", "ATTENDEE:mailto:amina@example.org", "DTSTART;VALUE=DATE:20260310"], "attendee amina"),
        (["SUMMARY:grace", "DTSTART;TZID=Mars/Base:20260310T080000", "DURATION:PT1H"], "Mars/Base"),
        (["SUMMARY:grace", "DTSTART:20260310T080000Z", "DURATION:PT1H", "RRULE:FREQ=SECONDLY"], "WEEKLY"),
        (["SUMMARY:grace", "DTSTART:20260310T080000Z", "RRULE:FREQ=DAILY;INTERVAL=0"], "1 or more"),
        (["SUMMARY:grace"], "begins at some time"),
        (["SUMMARY:grace", "DTSTART:20260310T080000Z", "DTSTART:20260311T080000Z"], "once"),
    ],
)
def test_what_cannot_be_used_is_named_with_its_event(lines: list[str], said: str) -> None:
    """File, line of the event, its summary, and what is allowed."""
    found = mistake(event(*lines))
    assert found.startswith("duty.ics:4:1: event ")
    assert said in found


STRAY = (
    "DTSTART:20260310",
    "DTSTART;VALUE=DATE:20260310T080000",
    "DTSTART:99991231T235959Z",
    "DTEND:20200101T000000Z",
    "DURATION:-P1D",
    "RRULE:FREQ=DAILY;UNTIL=x",
    "RRULE:INTERVAL=0;FREQ=DAILY",
    "RECURRENCE-ID:20260310T000000Z",
    "EXDATE:garbage",
    "RDATE;VALUE=PERIOD:20260310T000000Z/PT5H",
    "ATTENDEE:",
    "BEGIN:VTIMEZONE",
    "TZID:Mars",
    "END:VEVENT",
    "BEGIN:VALARM",
    "\x00",
)


@settings(max_examples=25, phases=(Phase.generate,))
@given(st.lists(st.tuples(st.integers(0, 20), st.sampled_from(STRAY), st.booleans()), min_size=1, max_size=3))
def test_any_file_is_overrides_or_a_document_error(strays: list[tuple[int, str, bool]]) -> None:
    """Lines that are missing, repeated or garbled never make the reader fail in another way."""
    day = event("SUMMARY:joseph", "DTSTART;VALUE=DATE:20260310", "RDATE;VALUE=DATE:20260312", uid="2")
    week = event("SUMMARY:grace", "DTSTART:20260102T080000Z", "DTEND:20260102T090000Z", "RRULE:FREQ=WEEKLY")
    lines = calendar(week, day).decode().split("\r\n")
    for place, stray, replacing in strays:
        lines[place : place + int(replacing)] = [stray]
    with suppress(DocumentError):
        overrides_of("\r\n".join(lines).encode(), "duty.ics", DUTY, PEOPLE, WINDOW)


def test_two_people_at_once_are_refused() -> None:
    """An override puts one person on call, and nobody should vanish without a word."""
    first = event("SUMMARY:grace", "DTSTART:20260310T080000Z", "DTEND:20260312T080000Z")
    second = event("SUMMARY:amina", "DTSTART:20260311T080000Z", "DTEND:20260311T090000Z", uid="2")
    assert "an overlap with event 'grace'" in mistake(first, second)


@pytest.mark.parametrize("content", [b"", b"no calendar", b"\xff\xfe\x00", b"BEGIN:VEVENT\r\nEND:VEVENT\r\n"])
def test_what_is_no_calendar_is_refused(content: bytes) -> None:
    """With one sentence."""
    with pytest.raises(DocumentError, match="iCalendar"):
        overrides_of(content, "duty.ics", DUTY, PEOPLE, WINDOW)


def test_a_calendar_says_all_that_holds_in_its_window() -> None:
    """What an earlier import said of the window and this one does not is over; before and after it all stays."""
    hour = timedelta(hours=1)
    before = Override("grace", NOW - 9 * hour, NOW - 8 * hour)
    into = Override("grace", NOW - hour, NOW + hour, "leave")
    after = Override("amina", WINDOW.end, WINDOW.end + hour)
    said = (Override("joseph", NOW + 2 * hour, NOW + 3 * hour),)
    duty = replace(DUTY, overrides=(before, into, replace(said[0], contact="amina"), after))
    found = renewed(duty, said, WINDOW)
    assert found == (before, replace(into, end=NOW), after, *said)
    assert renewed(replace(duty, overrides=found), said, WINDOW) == found
