"""What is stored of a facility and what was said about it, for the figures of a period."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy.ext.asyncio import AsyncEngine

from alerts.silences import Silence, Silences, spans
from alerts.store import AlertStore
from app.config import ServiceConfig
from collector.journal.journal import Journal
from dashboards.sla.facility import Recorded
from dashboards.sla.spans import Span, Spans, spans_of
from domain.directory import Directory, misplaced
from domain.errors import OperatorError
from domain.instant import to_ms
from domain.limits import LimitHistory
from domain.places import Facility, Place
from domain.reading import Reading
from domain.upkeep import Upkeep, UpkeepState
from registry.store import RegistryStore
from registry.upkeep import UpkeepStore


class Asked(NamedTuple):
    """What is reported on."""

    place: Place
    start: datetime
    end: datetime
    within: frozenset[str] | None = None
    """Only these of its facilities; None: all."""

    def covers(self, facility: Facility) -> bool:
        """Tell whether a facility is reported on."""
        return self.place.covers(facility) and (self.within is None or facility.id in self.within)


class Ground(NamedTuple):
    """What is known beside readings."""

    directory: Directory
    limits: Mapping[str, LimitHistory]
    silences: Sequence[Silence]
    upkeep: Mapping[str, Sequence[Upkeep]]
    """What was said of equipment, in the order in which it was said."""

    def facilities(self, asked: Asked) -> list[Facility]:
        """Return the facilities that are reported on."""
        return [each for each in self.directory.facilities.values() if asked.covers(each)]


Progress = Callable[[int, int, str], None]
"""Told (done, of, facility) after each facility."""


async def recorded_in(
    config: ServiceConfig, ground: Ground, asked: Asked, *, now: datetime, progress: Progress
) -> AsyncIterator[tuple[Facility, Recorded]]:
    """Give what is stored of each facility of a place, one after the other."""
    facilities = ground.facilities(asked)
    async with Journal.open(config.data, read_only=True) as journal:
        heard = (await journal.latest()).keys()
        for number, facility in enumerate(facilities, start=1):
            yield facility, await _recorded(journal, facility, ground, asked, now, config.journal.cover_factor, heard)
            progress(number, len(facilities), facility.id)


async def read_ground(database: AsyncEngine, asked: Asked, now: datetime) -> Ground:
    """Return what is known of a place, and of what was said about it in a period.

    Raises ``OperatorError`` for a place without facilities or a period that has not begun.
    """
    if asked.start >= min(asked.end, now):
        raise OperatorError("the period has not begun, or ends before it begins; allowed: one that lies in the past")
    registry, upkeep = RegistryStore(database), UpkeepStore(database)
    await registry.create_tables()
    await AlertStore(database).create_tables()
    directory = await registry.load_directory()
    if sentence := misplaced(asked.place, directory):
        raise OperatorError(sentence)
    async with database.connect() as connection:
        silences = await Silences(connection).maintenance(asked.start, asked.end)
    said = {
        item.id: await upkeep.history(item.id)
        for facility in directory.facilities.values()
        if asked.covers(facility)
        for item in directory.equipment_of(facility.id)
    }
    return Ground(directory, await registry.load_limits(directory), silences, said)


async def _recorded(
    journal: Journal,
    facility: Facility,
    ground: Ground,
    asked: Asked,
    now: datetime,
    cover_factor: float,
    heard: Collection[str],
) -> Recorded:
    period = Span(to_ms(asked.start), to_ms(min(asked.end, now)))
    channels = ground.directory.channels_of(facility.id)
    cover_ms = {each.id: round(each.interval / timedelta(milliseconds=1) * cover_factor) for each in channels}
    readings = {
        each.id: await journal.series(each.id, period.from_ms - cover_ms[each.id], period.to_ms)
        for each in channels
        if each.id in heard
    }
    return Recorded(
        period=period,
        readings=readings,
        cover_ms=cover_ms,
        limits=ground.limits,
        there_from_ms=await _there_from_ms(journal, readings, period),
        planned=_planned(facility, ground, asked),
        away=away(facility, ground, asked, now),
    )


async def _there_from_ms(journal: Journal, readings: Mapping[str, Sequence[Reading]], period: Span) -> int:
    """Return when a facility was first heard; 0 where that was before the period or never."""
    for channel in readings:
        before = await journal.before(channel, period.from_ms)
        if before is not None or (await journal.kept(channel)).raw_from_ms:
            return 0
    if not readings:
        return 0
    return min((each[0].measured_at_ms for each in readings.values() if each), default=period.to_ms)


def _planned(facility: Facility, ground: Ground, asked: Asked) -> Spans:
    """Return the maintenance of a whole facility; what was announced afterwards does not count before that."""
    return _announced([each for each in ground.silences if _names_all_of(each) and _covers(each, facility)], asked)


def away(facility: Facility, ground: Ground, asked: Asked, now: datetime) -> dict[str, Spans]:
    """Return when equipment of a facility was in announced maintenance or out of service."""
    found = {}
    for item in ground.directory.equipment_of(facility.id):
        own = [each for each in ground.silences if each.equipment == item.id and not each.rule and not each.subject]
        out = _out_of_service(ground.upkeep.get(item.id, ()), now)
        if pieces := spans_of([*_announced(own, asked), *out]):
            found[item.id] = pieces
    return found


def _out_of_service(said: Sequence[Upkeep], now: datetime) -> list[tuple[int, int]]:
    """Return when equipment was out of service: each statement holds from its moment on, of several the last said."""
    pieces: list[tuple[int, int, bool]] = []
    for each in said:
        since = to_ms(each.since)
        pieces = [(begin, min(end, since), out) for begin, end, out in pieces if begin < since]
        pieces.append((since, to_ms(now), each.state is UpkeepState.OUT_OF_SERVICE))
    return [(begin, end) for begin, end, out in pieces if out]


def _announced(silences: Sequence[Silence], asked: Asked) -> Spans:
    return spans_of(
        (to_ms(begin), to_ms(end))
        for each in silences
        for begin, end in spans(each, max(asked.start, each.created_at), asked.end)
    )


def _names_all_of(silence: Silence) -> bool:
    """Tell whether it silences all of a place, and not one rule or thing."""
    return not (silence.rule or silence.equipment or silence.subject)


def _covers(silence: Silence, facility: Facility) -> bool:
    return Place(silence.country, silence.region, silence.district, silence.facility).covers(facility)
