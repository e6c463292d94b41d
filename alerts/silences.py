"""Shelving and maintenance: for what, and when, alerts are raised without a word; pure but for two look-ups."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Row, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from alerts.tables import SILENCES
from domain.directory import Directory
from domain.episode import SubjectKind


class SilenceKind(StrEnum):
    """Why it is silent."""

    SHELVING = "shelving"
    """A person has put it aside for a while: bounded, with a reason."""
    MAINTENANCE = "maintenance"
    """Equipment or a place is being worked on: once or every week."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """What is silent when. Every part of the scope that is not empty must match."""

    kind: SilenceKind
    reason: str
    created_by: str
    created_at: datetime
    start: datetime
    end: datetime | None = None
    """None: until it is cancelled (maintenance only)."""
    country: str = ""
    region: str = ""
    district: str = ""
    facility: str = ""
    equipment: str = ""
    subject: str = ""
    """Id of a channel or node."""
    rule: str = ""
    weekdays: tuple[int, ...] = ()
    """0 is Monday; with ``from_time``: only on these days, all days where empty."""
    from_time: time | None = None
    """Every week or day from this time on, in ``timezone`` ..."""
    to_time: time | None = None
    """... to this one; at or before it: on the next day. Both or none."""
    timezone: str = "UTC"
    cancelled_by: str = ""
    cancelled_at: datetime | None = None
    id: int = 0
    """The database's; 0 before it has one."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What an alert is about, as scopes name it."""

    rule: str
    subject: str
    equipment: str
    facility: str
    district: str
    region: str
    country: str


def subject_of(rule: str, kind: SubjectKind, subject: str, facility: str, directory: Directory) -> Subject:
    """Return what an alert is about."""
    place = directory.facilities.get(facility)
    channel = directory.channels.get(subject) if kind is SubjectKind.CHANNEL else None
    named = (place.district, place.region, place.country) if place else ("", "", "")
    return Subject(rule, subject, channel.equipment if channel else "", facility, *named)


def covers(silence: Silence, subject: Subject, at: datetime) -> bool:
    """Tell whether the silence holds for a subject at a moment."""
    scope = (
        (silence.rule, subject.rule),
        (silence.subject, subject.subject),
        (silence.equipment, subject.equipment),
        (silence.facility, subject.facility),
        (silence.district, subject.district),
        (silence.region, subject.region),
        (silence.country, subject.country),
    )
    return all(wanted in ("", found) for wanted, found in scope) and is_active(silence, at)


def is_active(silence: Silence, at: datetime) -> bool:
    """Tell whether the silence holds at a moment, for whatever is in its scope."""
    if silence.cancelled_at is not None and at >= silence.cancelled_at:
        return False
    if at < silence.start or (silence.end is not None and at >= silence.end):
        return False
    if silence.from_time is None or silence.to_time is None:
        return True
    return any(start <= at < end for start, end in _windows(silence, at))


def next_change(silence: Silence, after: datetime) -> datetime | None:
    """Return the next moment at which the silence begins or ends to hold; None where it never does again."""
    edges = [silence.start, silence.end, silence.cancelled_at]
    if silence.from_time is not None:
        edges += [edge for window in _windows(silence, max(after, silence.start)) for edge in window]
    return min((edge for edge in edges if edge is not None and edge > after), default=None)


def spans(silence: Silence, start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Give the stretches of time within [start, end) in which the silence held or will hold, in order."""
    first = max(start, silence.start)
    last = min(edge for edge in (end, silence.end, silence.cancelled_at) if edge is not None)
    if first >= last:
        return
    if silence.from_time is None:
        yield first, last
        return
    for begin, over in _windows(silence, first, days=(last - first).days + 2):
        if begin < last and over > first:
            yield max(begin, first), min(over, last)


def _windows(silence: Silence, around: datetime, days: int = 9) -> Iterator[tuple[datetime, datetime]]:
    """Give the weekly windows from the day before a moment to so many days after it."""
    if silence.from_time is None or silence.to_time is None:
        return
    zone = ZoneInfo(silence.timezone)
    today = around.astimezone(zone).date()
    for offset in range(-1, days):
        day = today + timedelta(days=offset)
        if silence.weekdays and day.weekday() not in silence.weekdays:
            continue
        last = day if silence.to_time > silence.from_time else day + timedelta(days=1)
        yield datetime.combine(day, silence.from_time, zone), datetime.combine(last, silence.to_time, zone)


class Silences:
    """Those that may hold now or later, within the caller's transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def standing(self, now: datetime) -> list[Silence]:
        """Return what holds now or will."""
        table = SILENCES.c
        query = select(SILENCES).where(table.cancelled_at.is_(None), table.end.is_(None) | (table.end > now))
        return [silence_of(row) for row in await self._connection.execute(query.order_by(table.id))]

    async def maintenance(self, start: datetime, end: datetime) -> list[Silence]:
        """Return the maintenance windows that may have held in [start, end), those taken back since, too."""
        touched = (SILENCES.c.end.is_(None) | (SILENCES.c.end > start)) & (SILENCES.c.start < end)
        kept = SILENCES.c.cancelled_at.is_(None) | (SILENCES.c.cancelled_at > start)
        query = select(SILENCES).where(SILENCES.c.kind == SilenceKind.MAINTENANCE.value, touched, kept)
        return [silence_of(row) for row in await self._connection.execute(query.order_by(SILENCES.c.id))]

    async def add(self, silence: Silence) -> Silence:
        """Keep a silence and return it with its number."""
        values = silence_values(silence)
        number = await self._connection.scalar(insert(SILENCES).values(values).returning(SILENCES.c.id))
        return silence_of_values(values | {"id": number})

    async def cancel(self, ids: Sequence[int], *, by: str, now: datetime) -> int:
        """Take silences back and return how many were still standing."""
        table = SILENCES.c
        chosen = table.id.in_(ids) & table.cancelled_at.is_(None) & (table.end.is_(None) | (table.end > now))
        done = await self._connection.execute(update(SILENCES).where(chosen).values(cancelled_at=now, cancelled_by=by))
        return done.rowcount


def covering(silences: Iterable[Silence], subject: Subject, at: datetime) -> Silence | None:
    """Return the silence that holds for a subject: a maintenance before a shelving; None where there is none."""
    holding = [silence for silence in silences if covers(silence, subject, at)]
    return min(holding, key=lambda silence: silence.kind is SilenceKind.SHELVING, default=None)


def silenced(silences: Iterable[Silence], subject: Subject, at: datetime, directory: Directory) -> SilenceKind | None:
    """Return why alerts about a subject are silent at a moment; None where they are not.

    Equipment that is out of service is so without anybody's announcing it.
    """
    if subject.equipment in directory.out_of_service:
        return SilenceKind.MAINTENANCE
    found = covering(silences, subject, at)
    return None if found is None else found.kind


def silence_values(silence: Silence) -> dict[str, Any]:
    """Return the columns of a silence, without its number."""
    values = asdict(silence)
    del values["id"]
    return values | {
        "kind": silence.kind.value,
        "weekdays": " ".join(map(str, silence.weekdays)),
        "from_time": silence.from_time.isoformat() if silence.from_time else "",
        "to_time": silence.to_time.isoformat() if silence.to_time else "",
    }


def silence_of(row: Row[Any]) -> Silence:
    """Return the silence in a row."""
    return silence_of_values(row._asdict())


def silence_of_values(values: dict[str, Any]) -> Silence:
    """Return the silence that these columns hold."""
    spoken = {
        "kind": SilenceKind(values["kind"]),
        "weekdays": tuple(map(int, values["weekdays"].split())),
        "from_time": time.fromisoformat(values["from_time"]) if values["from_time"] else None,
        "to_time": time.fromisoformat(values["to_time"]) if values["to_time"] else None,
    }
    return Silence(**(values | spoken))
