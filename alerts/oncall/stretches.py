"""A roster as a list of stretches, each of one person on call, as a calendar shows it; pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from alerts.oncall.roster import Span, all_day, hours, turns
from domain.people import Roster, Rotation


class Stretch(NamedTuple):
    """One person is on call from a moment to another, without a break."""

    contact: str
    start: datetime
    end: datetime
    id: str
    """The same for the same stretch whenever the roster is asked, also once an override has cut it."""
    reason: str = ""
    """Why it is not whom the rotations name."""


def stretches_of(roster: Roster, window: Span) -> list[Stretch]:
    """Return who is on call in a window, in order of time; what reaches into the window stands in its whole length.

    A stretch of a rotation is one turn, or where the rotation has hours the hours of one day within a turn. What an
    override takes from a stretch is left out of it.
    """
    found = [*_of_rotations(roster, window), *_of_overrides(roster, window)]
    return sorted(found, key=lambda stretch: (stretch.start, stretch.id))


def _of_rotations(roster: Roster, window: Span) -> Iterator[Stretch]:
    zone = ZoneInfo(roster.timezone)
    taken = [Span(each.start, each.end) for each in roster.overrides]
    for number, rotation in enumerate(roster.rotations):
        for contact, span in _rotation_spans(rotation, zone, window):
            name = f"{roster.id}.{number}.{span.start:%Y%m%dT%H%M%SZ}"
            for part, left in enumerate(_without(span, taken)):
                if left.start < window.end and left.end > window.start:
                    yield Stretch(contact, *left, f"{name}.{part}" if part else name)


def _rotation_spans(rotation: Rotation, zone: ZoneInfo, window: Span) -> Iterator[tuple[str, Span]]:
    for contact, turn in turns(rotation, zone, window):
        if all_day(rotation):
            yield contact, turn
            continue
        for span in _joined(hours(rotation, zone, turn)):
            within = Span(max(span.start, turn.start), min(span.end, turn.end))
            if within.start < window.end and within.end > window.start:
                yield contact, within


def _of_overrides(roster: Roster, window: Span) -> Iterator[Stretch]:
    later: list[Span] = []
    for each in reversed(roster.overrides):
        span = Span(each.start, each.end)
        for left in _without(span, later):
            if left.start < window.end and left.end > window.start:
                name = f"{roster.id}.{each.contact}.{left.start:%Y%m%dT%H%M%SZ}"
                yield Stretch(each.contact, *left, name, each.reason or "override")
        later.append(span)


def _joined(spans: Iterable[Span]) -> Iterator[Span]:
    """Join hours that end where the next begin: a rotation of whole working days is one stretch from day to day."""
    current: Span | None = None
    for span in spans:
        if current is not None and span.start <= current.end:
            current = Span(current.start, max(current.end, span.end))
            continue
        if current is not None:
            yield current
        current = span
    if current is not None:
        yield current


def _without(span: Span, taken: Iterable[Span]) -> list[Span]:
    """Return what is left of a span in order of time."""
    left = [span]
    for hole in taken:
        cut = [Span(each.start, min(each.end, hole.start)) for each in left]
        cut += [Span(max(each.start, hole.end), each.end) for each in left]
        whole = [each for each in left if hole.end <= each.start or hole.start >= each.end]
        left = sorted({*whole, *(each for each in cut if each.start < each.end)})
    return left
