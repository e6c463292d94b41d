"""``vitals rules backtest``: stored readings through the engine and on through routing, facility by facility."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from itertools import groupby
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from alerts.notifiers.table import routes_of
from alerts.settings import AT_ONCE
from alerts.store import AlertStore, World
from alerts.tables import NOTIFICATIONS
from app.config import ServiceConfig
from app.database import open_database
from app.rulebook import rule_texts
from collector.journal.journal import Journal
from domain.directory import Directory
from domain.episode import Episode
from domain.errors import OperatorError
from domain.instant import to_datetime, to_ms
from domain.places import Facility
from domain.reading import Reading
from registry.store import RegistryStore
from rules.backtest import Told, begins_ms, retry
from rules.model import Rule
from rules.values import milliseconds

Progress = Callable[[int, int, str], None]
"""Told (done, of, facility) after each facility."""


class Period(NamedTuple):
    """The stretch that is judged again, on the service's clock; the end is not part of it."""

    start: datetime
    end: datetime

    @property
    def weeks(self) -> float:
        """Return its length."""
        return (self.end - self.start).total_seconds() / (7 * 86_400)


class Backtest(NamedTuple):
    """What one set of rules would have done."""

    rules: Sequence[Rule]
    episodes: list[Episode]
    """Those that were confirmed in the period, by start."""
    live: set[str]
    """Ids of episodes that would have been told at once."""
    messages: Counter[tuple[str, str]]
    """Messages queued, by (contact, what it is): alarm, worse, all clear."""
    readings: int


async def backtest(
    config: ServiceConfig,
    rule_sets: Sequence[Sequence[Rule]],
    period: Period,
    *,
    wanted: Callable[[Facility], bool],
    now: datetime,
    progress: Progress,
) -> tuple[Period, list[Backtest]]:
    """Judge the wanted facilities' readings of the period by each set of rules.

    Returns the period, cut where nothing can be known yet, and a result for each set. Nothing that is stored is
    changed. Raises ``OperatorError`` where no such facility is registered, or nothing is stored.
    """
    directory = await read_directory(config)
    facilities = [facility for facility in directory.facilities.values() if wanted(facility)]
    if not facilities:
        raise OperatorError("found no such facility in the registry; allowed: one that is registered")
    judged = [_Judged(rules) for rules in rule_sets]
    first_ms = min(begins_ms(rules, to_ms(period.start)) for rules in rule_sets)
    async with Journal.open(config.data, read_only=True) as journal:
        period = Period(period.start, min(period.end, await known_until(journal, now)))
        for number, facility in enumerate(facilities, start=1):
            there = within(directory, facility)
            readings = await _arrived(journal, there, first_ms, to_ms(period.end), config)
            for each in judged:
                each.take(readings, there, first_ms, period, config)
            progress(number, len(facilities), facility.id)
    return period, [await each.told_to_people(config, directory) for each in judged]


async def read_directory(config: ServiceConfig) -> Directory:
    """Return what is registered."""
    async with open_database(config.database_url) as database:
        store = RegistryStore(database)
        await store.create_tables()
        return await store.load_directory()


async def known_until(journal: Journal, now: datetime) -> datetime:
    """Return the end of what can be judged: nobody is silent in the future."""
    newest = max((reading.received_at_ms for reading in (await journal.latest()).values()), default=0)
    return max(now, to_datetime(newest + 1))


def within(directory: Directory, facility: Facility) -> Directory:
    """Return what of the registry belongs to one facility, and all the people."""
    return Directory(
        facilities=[facility],
        equipment=directory.equipment_of(facility.id),
        nodes=directory.nodes_of(facility.id),
        channels=directory.channels_of(facility.id),
        # People whom a chain names may answer for other places.
        contacts=directory.contacts.values(),
        teams=directory.teams.values(),
        rosters=directory.rosters.values(),
        chains=directory.chains.values(),
    )


async def _arrived(
    journal: Journal, there: Directory, from_ms: int, to_ms_: int, config: ServiceConfig
) -> list[Reading]:
    """Return what arrived in the time, also what was measured before it, as far as late data are judged at all."""
    amend_ms = milliseconds(config.rules.engine.amend_within)
    tolerance_ms = config.pipeline.validation.future_tolerance_ms
    found: list[Reading] = []
    for channel in there.channels:
        stored = await journal.series(channel, from_ms - amend_ms, to_ms_ + tolerance_ms)
        found += (reading for reading in stored if from_ms <= reading.received_at_ms < to_ms_)
    return found


class _Judged:
    """One set of rules at work, facility by facility."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = rules
        self._told: list[Told] = []
        self._episodes: list[Episode] = []
        self._readings = 0

    def take(
        self, readings: Iterable[Reading], there: Directory, first_ms: int, period: Period, config: ServiceConfig
    ) -> None:
        """Judge one facility."""
        retrial = retry(
            readings, self._rules, there, from_ms=first_ms, to_ms=to_ms(period.end), settings=config.rules.engine
        )
        self._episodes += (each for each in retrial.episodes if period.start <= each.confirmed_at < period.end)
        # Also what was taken back later: somebody was told.
        first = {told.change.episode.id: told.at_ms for told in reversed(retrial.told)}
        begun_ms = to_ms(period.start)
        self._told += (told for told in retrial.told if first[told.change.episode.id] >= begun_ms)
        self._readings += retrial.readings

    async def told_to_people(self, config: ServiceConfig, directory: Directory) -> Backtest:
        """Send everything through the life cycle and the routing of alerts, into a database of its own."""
        live = {told.change.episode.id for told in self._told if told.change.live}
        async with open_database("sqlite+aiosqlite://") as database:
            messages = await _messages(database, self._told, self._rules, config, directory)
        episodes = sorted(self._episodes, key=lambda each: (each.started_at, each.id))
        return Backtest(self._rules, episodes, live, messages, self._readings)


async def _messages(
    database: AsyncEngine, told: Iterable[Told], rules: Sequence[Rule], config: ServiceConfig, directory: Directory
) -> Counter[tuple[str, str]]:
    texts = rule_texts(rules)
    world = World(lambda: directory, lambda: texts)
    alerts = AlertStore(database, routes=routes_of(config.alerts.notifiers), world=world, telling=AT_ONCE)
    await alerts.create_tables()
    for at_ms, at_once in groupby(sorted(told, key=lambda each: each.at_ms), key=lambda each: each.at_ms):
        async with database.begin() as connection:
            await alerts.record(connection, [each.change for each in at_once], now=to_datetime(at_ms))
    table = NOTIFICATIONS.c
    counted = select(table.contact, table.kind, func.count()).group_by(table.contact, table.kind)
    async with database.connect() as connection:
        return Counter({(contact, kind): count for contact, kind, count in await connection.execute(counted)})
