"""Rosters as calendars: written as iCalendar (RFC 5545) for any calendar program, and read back as overrides; pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import icalendar
import recurring_ical_events

from alerts.oncall.event_people import Refusal, named_by
from alerts.oncall.roster import Span
from alerts.oncall.stretches import stretches_of
from domain.directory import Directory
from domain.errors import DocumentError, Problem
from domain.people import Override, Roster

PRODUCT: Final = "-//Vitals//Roster//EN"
MOST_EVENTS: Final = 10_000
"""What a file may come to in the window, its repetitions counted."""
_TOO_OFTEN: Final = ("SECONDLY", "MINUTELY", "HOURLY")
_ONCE: Final = ("DTSTART", "DTEND", "DURATION", "SUMMARY", "UID", "STATUS", "DESCRIPTION")
_MIDNIGHT: Final = datetime.min.time()


def calendar_of(roster: Roster, directory: Directory, window: Span, now: datetime) -> bytes:
    """Return a calendar with an event for each stretch on call that reaches into a window.

    An event has the same UID whenever it is written, so that a calendar program which imports it again moves what it
    has instead of showing it twice. Times are in UTC; every program shows them in its own zone.
    """
    calendar = icalendar.Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", roster.name)
    for stretch in stretches_of(roster, window):
        event = icalendar.Event()
        event.add("uid", f"{stretch.id}@roster.vitals")
        event.add("dtstamp", now.astimezone(UTC).replace(microsecond=0))
        event.add("dtstart", stretch.start.astimezone(UTC))
        event.add("dtend", stretch.end.astimezone(UTC))
        event.add("summary", _label(stretch.contact, directory))
        if stretch.reason:
            event.add("description", stretch.reason)
        contact = directory.contacts.get(stretch.contact)
        if contact is not None and contact.email:
            attendee = icalendar.vCalAddress(f"mailto:{contact.email}")
            attendee.params["CN"] = icalendar.vText(contact.name)
            event.add("attendee", attendee)
        calendar.add_component(event)
    return bytes(calendar.to_ical())


def overrides_of(
    content: bytes, source: str, roster: Roster, directory: Directory, window: Span
) -> tuple[Override, ...]:
    """Return the events of a calendar that reach into a window as overrides of a roster, in order of time.

    Repetitions are unfolded. Days without times and times without a zone are by the roster's clock. Events that are
    cancelled count for nothing. Raises ``DocumentError`` naming the events that cannot be used.
    """
    calendar, lines = _parsed(content, source)
    _refuse_unusable(calendar, source, lines)
    problems: list[Problem] = []
    found: list[tuple[Override, int, str]] = []
    for event in _unfolded(calendar, source, window):
        line, title = lines.get(str(event.get("UID", "")), 1), _title(event)
        if str(event.get("STATUS", "")).upper() == "CANCELLED":
            continue
        contact, refusal = named_by(event, directory.contacts.values())
        if refusal is not None:
            problems.append(Problem(source, line, 1, title, *refusal))
        else:
            span = _span(event, ZoneInfo(roster.timezone))
            if span.start < span.end and span.end > window.start and span.start < window.end:
                found.append((Override(contact, *span, _reason(event)), line, title))
    found.sort(key=lambda each: (each[0].start, each[0].end, each[0].contact))
    problems += _clashes(found, source)
    if problems:
        raise DocumentError(problems)
    return tuple(dict.fromkeys(override for override, _, _ in found))


def renewed(roster: Roster, said: Iterable[Override], window: Span) -> tuple[Override, ...]:
    """Return the overrides of a roster once a calendar has said all that holds in a window.

    What was registered outside of the window stays, and of what reaches into it the part that was before.
    """
    overrides = tuple(said)
    kept = []
    for each in roster.overrides:
        if each.end <= window.start or each.start >= window.end:
            kept.append(each)
        elif each.start < window.start and each not in overrides:
            kept.append(Override(each.contact, each.start, window.start, each.reason))
    return (*kept, *overrides)


def _label(contact: str, directory: Directory) -> str:
    """Return the name of a contact, or the id where the name alone would not find them again."""
    known = directory.contacts.get(contact)
    if known is None:
        return contact
    event = icalendar.Event()
    event.add("summary", known.name)
    return known.name if named_by(event, directory.contacts.values()) == (contact, None) else contact


def _parsed(content: bytes, source: str) -> tuple[icalendar.Calendar, dict[str, int]]:
    """Return the calendar and the line at which each event, by its UID, begins."""
    allowed = "an iCalendar file (.ics), from BEGIN:VCALENDAR to END:VCALENDAR"
    try:
        calendar = icalendar.Calendar.from_ical(content)
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise DocumentError([Problem(source, 1, 1, "calendar", str(error).partition("\n")[0], allowed)]) from error
    if not isinstance(calendar, icalendar.Calendar):
        raise DocumentError([Problem(source, 1, 1, "calendar", "something else", allowed)])
    texts = content.decode("utf-8", errors="replace").splitlines()
    begins = [number for number, text in enumerate(texts, start=1) if text.strip().upper() == "BEGIN:VEVENT"]
    events = calendar.walk("VEVENT")
    return calendar, {str(event.get("UID", "")): line for event, line in zip(events, begins, strict=False)}


def _refuse_unusable(calendar: icalendar.Calendar, source: str, lines: dict[str, int]) -> None:
    """Refuse events that would be read as something else than was meant, or unfold to millions."""
    problems = []
    for event in calendar.walk("VEVENT"):
        refusal = _malformed(event) or _too_often(event) or _unknown_zone(event)
        if refusal is not None:
            problems.append(Problem(source, lines.get(str(event.get("UID", "")), 1), 1, _title(event), *refusal))
    if problems:
        raise DocumentError(problems)


def _malformed(event: Any) -> Refusal | None:
    for name, error in event.errors:
        return f"{name or 'a line'}: {str(error).partition(chr(10))[0]}", "values as iCalendar (RFC 5545) writes them"
    repeated = [name for name in _ONCE if isinstance(event.get(name), list)]
    if repeated:
        return f"{repeated[0]} more than once", "each of " + ", ".join(_ONCE) + " once"
    if _beginning(event) is None:
        return "no DTSTART", "an event that begins at some time"
    return None


def _too_often(event: Any) -> Refusal | None:
    rules = event.get("RRULE", [])
    for rule in rules if isinstance(rules, list) else [rules]:
        often = [str(each) for each in rule.get("FREQ", []) if str(each).upper() in _TOO_OFTEN]
        if often:
            return f"a repetition {often[0]}", "DAILY, WEEKLY, MONTHLY or YEARLY"
        if any(int(each) < 1 for each in rule.get("INTERVAL", [])):
            # The libraries would unfold it for ever.
            return "an INTERVAL of 0", "1 or more"
    return None


def _unknown_zone(event: Any) -> Refusal | None:
    for name in ("DTSTART", "DTEND"):
        said = event.get(name)
        zone = "" if said is None else str(said.params.get("TZID", ""))
        if zone and isinstance(said.dt, datetime) and said.dt.tzinfo is None:
            return f"TZID {zone!r}", "an IANA time zone such as Africa/Kampala"
    return None


def _unfolded(calendar: icalendar.Calendar, source: str, window: Span) -> list[Any]:
    try:
        # A day more on either side: days without times are compared in UTC there, by the roster's clock here.
        day = timedelta(days=1)
        events = recurring_ical_events.of(calendar).between(window.start - day, window.end + day)
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
        found = str(error).partition("\n")[0]
        raise DocumentError(
            [Problem(source, 1, 1, "calendar", found, "events with DTSTART and valid rules")]
        ) from error
    if len(events) > MOST_EVENTS:
        raise DocumentError([Problem(source, 1, 1, "calendar", f"{len(events)} events", f"up to {MOST_EVENTS}")])
    return list(events)


def _span(event: Any, zone: ZoneInfo) -> Span:
    start = event["DTSTART"].dt
    end = event["DTEND"].dt if "DTEND" in event else start
    return Span(_moment(start, zone), _moment(end, zone))


def _moment(said: date, zone: ZoneInfo) -> datetime:
    moment = said if isinstance(said, datetime) else datetime.combine(said, _MIDNIGHT)
    return (moment if moment.tzinfo is not None else moment.replace(tzinfo=zone)).astimezone(UTC)


def _clashes(found: list[tuple[Override, int, str]], source: str) -> list[Problem]:
    """Find events of two people at once: an override puts one person on call."""
    problems = []
    longest: tuple[Override, int, str] | None = None
    for each in found:
        if longest is not None and each[0].start < longest[0].end and each[0].contact != longest[0].contact:
            overlap = f"an overlap with {longest[2]} (line {longest[1]})"
            problems.append(Problem(source, each[1], 1, each[2], overlap, "one person at a time"))
        if longest is None or each[0].end > longest[0].end:
            longest = each
    return problems


def _reason(event: Any) -> str:
    return str(event.get("DESCRIPTION", "")).strip().partition("\n")[0][:200]


def _title(event: Any) -> str:
    summary = str(event.get("SUMMARY", "")).strip() or "without a summary"
    start = _beginning(event)
    return f"event {summary!r}" + (f" of {start.isoformat()[:10]}" if start is not None else "")


def _beginning(event: Any) -> date | None:
    """Return the beginning as it is written; None where there is none that can be read."""
    try:
        said = event["DTSTART"].dt
    except (AttributeError, KeyError, ValueError):
        return None
    return said if isinstance(said, date) else None
