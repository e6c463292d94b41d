"""Who is on call by a roster at a moment; pure.

A turn and the hours of a day begin and end by the wall clock of the roster's zone. Where the clocks go back, the first
of the two moments counts; where they go forward over it, the moment that a clock which was not changed would show.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from itertools import count
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from domain.people import Override, Roster, Rotation

_DAY: Final = timedelta(days=1)
_MIDNIGHT: Final = time(0)
_MOST_LOOKS: Final = 5_000
"""How many ends of hours and turns are looked at for a handover: more than six years of two a day."""


class Span(NamedTuple):
    """A stretch of time; ``end`` is not part of it."""

    start: datetime
    end: datetime


class Turn(NamedTuple):
    """The turn of one member of a rotation, at whatever hours."""

    contact: str
    span: Span


def on_call(roster: Roster, at: datetime) -> tuple[str, ...]:
    """Return the ids of the contacts who are on call, in the order of the rotations, each once.

    While an override lasts, nobody else is on call; of two overrides that overlap the one written last counts.
    """
    override = override_at(roster, at)
    if override is not None:
        return (override.contact,)
    zone = ZoneInfo(roster.timezone)
    named = (_member_at(rotation, zone, at) for rotation in roster.rotations if _within_hours(rotation, zone, at))
    return tuple(dict.fromkeys(contact for contact in named if contact))


def override_at(roster: Roster, at: datetime) -> Override | None:
    """Return the override that counts at a moment."""
    lasting = (each for each in reversed(roster.overrides) if each.start <= at < each.end)
    return next(lasting, None)


def next_handover(roster: Roster, at: datetime) -> datetime | None:
    """Return when somebody else than at this moment is on call, or nobody, or somebody again; None: not in sight."""
    now, moment = on_call(roster, at), at
    for _ in range(_MOST_LOOKS):
        following = _next_edge(roster, moment)
        if following is None or on_call(roster, following) != now:
            return following
        moment = following
    return None


def turns(rotation: Rotation, zone: ZoneInfo, window: Span) -> Iterator[Turn]:
    """Yield, each in its whole length, the turns that reach into a window; one begins where the one before ends."""
    for number in count(max(0, _number_at(rotation, zone, window.start))):
        span = Span(_turn_start(rotation, zone, number), _turn_start(rotation, zone, number + 1))
        if span.start >= window.end:
            return
        yield Turn(rotation.members[number % len(rotation.members)], span)


def hours(rotation: Rotation, zone: ZoneInfo, window: Span) -> Iterator[Span]:
    """Yield, each in its whole length, the hours of the rotation that reach into a window, in order."""
    day, last = (window.start.astimezone(zone) - _DAY).date(), window.end.astimezone(zone).date()
    begin, end = rotation.from_time or _MIDNIGHT, rotation.to_time or _MIDNIGHT
    while day <= last:
        if not rotation.weekdays or day.weekday() in rotation.weekdays:
            ending_day = day if end > begin else day + _DAY
            span = Span(
                _utc(datetime.combine(day, begin, tzinfo=zone)), _utc(datetime.combine(ending_day, end, tzinfo=zone))
            )
            if span.start < window.end and span.end > window.start:
                yield span
        day += _DAY


def _member_at(rotation: Rotation, zone: ZoneInfo, at: datetime) -> str:
    number = _number_at(rotation, zone, at)
    return rotation.members[number % len(rotation.members)] if number >= 0 else ""


def _within_hours(rotation: Rotation, zone: ZoneInfo, at: datetime) -> bool:
    moment = Span(at, at + timedelta.resolution)
    return all_day(rotation) or next(hours(rotation, zone, moment), None) is not None


def all_day(rotation: Rotation) -> bool:
    """Tell whether somebody of the rotation is on call at all hours of every day."""
    return rotation.from_time is None and rotation.to_time is None and not rotation.weekdays


def _number_at(rotation: Rotation, zone: ZoneInfo, at: datetime) -> int:
    """Return the number of the turn at a moment; negative before the first one."""
    since = at.astimezone(zone).replace(tzinfo=None) - _first_wall(rotation, zone)
    number = since // timedelta(days=rotation.turn_days)
    # The wall clock alone misses by one in the hour that a change of clocks repeats or leaves out.
    while _turn_start(rotation, zone, number) > at:
        number -= 1
    while _turn_start(rotation, zone, number + 1) <= at:
        number += 1
    return number


def _turn_start(rotation: Rotation, zone: ZoneInfo, number: int) -> datetime:
    wall = _first_wall(rotation, zone) + number * timedelta(days=rotation.turn_days)
    return _utc(wall.replace(tzinfo=zone))


def _first_wall(rotation: Rotation, zone: ZoneInfo) -> datetime:
    return rotation.first_day.astimezone(zone).replace(tzinfo=None, fold=0)


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)


def _next_edge(roster: Roster, at: datetime) -> datetime | None:
    """Return the next moment at which it may change who is on call."""
    edges = [edge for each in roster.overrides for edge in (each.start, each.end) if edge > at]
    if override_at(roster, at) is None:
        zone = ZoneInfo(roster.timezone)
        for rotation in roster.rotations:
            edges += (edge for edge in _rotation_edges(rotation, zone, at) if edge > at)
    return min(edges, default=None)


def _rotation_edges(rotation: Rotation, zone: ZoneInfo, at: datetime) -> Iterator[datetime]:
    number = _number_at(rotation, zone, at)
    if number < 0:
        yield _turn_start(rotation, zone, 0)
        return
    if len(set(rotation.members)) > 1:
        yield _turn_start(rotation, zone, number + 1)
    if not all_day(rotation):
        for span in hours(rotation, zone, Span(at, at + 8 * _DAY)):
            yield from span
