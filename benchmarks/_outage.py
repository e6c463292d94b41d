"""A national outage: the mains of every facility are lost within a minute, and are back half an hour later.

The country has a technician for every hundred facilities and a manager for every district. The outage is told through
the real store with default settings, by a clock that is set by hand: as fast as it goes, not in its own time.
"""

from __future__ import annotations

import random
import sqlite3
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from alerts.routing import Audience, Route
from alerts.store import AlertStore, World
from alerts.tables import NOTIFICATIONS, TELLINGS
from app.config import RulesSettings
from app.rulebook import read_rules, rule_texts
from domain.directory import Directory
from domain.episode import ChangeKind, Episode, EpisodeChange, Severity, SubjectKind, episode_id
from domain.instant import to_ms
from domain.people import Contact
from domain.places import Channel, Equipment, EquipmentKind, Facility
from domain.quantities import QUANTITIES

RULE = "mains-lost"
START = datetime(2026, 11, 20, 9, tzinfo=UTC)
SECOND = timedelta(seconds=1)
BATCHES = 60
"""One a second."""
OUTAGE = timedelta(minutes=30)
_PER_TECHNICIAN, _PER_DISTRICT, _PER_REGION = 100, 500, 2500


@dataclass(frozen=True, slots=True)
class Told:
    """What came of the outage."""

    alarm_seconds: float
    """Until every alarm was recorded and every first message queued."""
    step_seconds: float
    """What the next step of every chain took, a quarter of an hour later."""
    clear_seconds: float
    """Until every end was recorded and every all-clear queued."""
    processor_seconds: float
    """Of this process, for all three: what other programs do on the cores counts in it less."""
    messages: int
    most_to_one: int
    tellings: int
    """What would have been a message each, were nothing gathered."""


def country(facilities: int) -> Directory:
    """Return a registry of facilities with mains, technicians and managers."""
    districts = range(-(-facilities // _PER_DISTRICT))
    return Directory(
        facilities=[
            Facility(
                _facility(n),
                f"Health centre {n}",
                "Uganda",
                f"Region {n // _PER_REGION}",
                _district(n // _PER_DISTRICT),
            )
            for n in range(facilities)
        ],
        equipment=[
            Equipment(f"{_facility(n)}/mains", _facility(n), EquipmentKind.MAINS, "mains") for n in range(facilities)
        ],
        channels=[
            Channel(
                id=f"{_facility(n)}/mains/supply",
                facility=_facility(n),
                equipment=f"{_facility(n)}/mains",
                node=f"node-{n}",
                name="supply",
                quantity=QUANTITIES["supply"],
                interval=timedelta(minutes=1),
            )
            for n in range(facilities)
        ],
        contacts=[*_technicians(facilities), *(_manager(district) for district in districts)],
    )


def _technicians(facilities: int) -> list[Contact]:
    return [
        Contact(
            f"technician-{first // _PER_TECHNICIAN}",
            f"Technician {first // _PER_TECHNICIAN}",
            phone=f"+2567{first:08d}",
            facilities=tuple(_facility(n) for n in range(first, min(first + _PER_TECHNICIAN, facilities))),
        )
        for first in range(0, facilities, _PER_TECHNICIAN)
    ]


def _manager(district: int) -> Contact:
    return Contact(
        f"manager-{district}", f"Manager {district}", phone=f"+2568{district:08d}", district=_district(district)
    )


def _facility(number: int) -> str:
    return f"f{number:05d}"


def _district(number: int) -> str:
    return f"District {number}"


def outage(facilities: int) -> list[list[EpisodeChange]]:
    """Return what the rules find, a batch a second, the facilities in no order."""
    numbers = list(range(facilities))
    random.Random(5).shuffle(numbers)
    return [
        [EpisodeChange(ChangeKind.OPENED, _episode(n, START + second * SECOND), True) for n in numbers[second::BATCHES]]
        for second in range(BATCHES)
    ]


def return_of_power(batches: Sequence[Sequence[EpisodeChange]]) -> list[list[EpisodeChange]]:
    """Return the ends of the same episodes, in the same batches."""
    return [
        [
            EpisodeChange(ChangeKind.ENDED, replace(episode, ended_at=episode.confirmed_at + OUTAGE), live)
            for _, episode, live in batch
        ]
        for batch in batches
    ]


def _episode(facility: int, confirmed_at: datetime) -> Episode:
    subject, started_at = f"{_facility(facility)}/mains/supply", confirmed_at - timedelta(minutes=5)
    return Episode(
        id=episode_id(RULE, subject, to_ms(started_at)),
        rule=RULE,
        severity=Severity.WARNING,
        subject_kind=SubjectKind.CHANNEL,
        subject=subject,
        facility=_facility(facility),
        started_at=started_at,
        confirmed_at=confirmed_at,
        extreme=0.0,
        extreme_at=started_at,
    )


class _Hand:
    """Records and tells by a clock that is set by hand."""

    def __init__(self, database: AsyncEngine, directory: Directory) -> None:
        self._database = database
        texts = rule_texts(read_rules(RulesSettings()))
        routes = [Route("sms", Audience.PERSON, lambda contact: contact.phone)]
        self.store = AlertStore(database, routes=routes, world=World(lambda: directory, lambda: texts))
        self._now = START

    async def record(self, batches: Sequence[Sequence[EpisodeChange]], start: datetime) -> None:
        """Record a batch a second, and do what is due beside it, as the service does."""
        for second, batch in enumerate(batches):
            self._now = start + second * SECOND
            async with self._database.begin() as connection:
                happened = await self.store.record(connection, batch, now=self._now)
            self.store.publish(happened)
            await self.store.agenda.do(self._now)

    async def go_on(self, until: datetime) -> None:
        """Do all that is due up to a moment, at its time."""
        while (due := await self.store.agenda.next_due(self._now)) is not None and due <= until:
            self._now = max(due, self._now)
            await self.store.agenda.do(self._now)


async def tell(database: AsyncEngine, facilities: int) -> Told:
    """Play the outage and return what came of it."""
    hand, lost = _Hand(database, country(facilities)), outage(facilities)
    back = return_of_power(lost)
    await hand.store.create_tables()
    moments, processor = [time.perf_counter()], time.process_time()
    await hand.record(lost, START)
    await hand.go_on(START + timedelta(minutes=3))
    moments.append(time.perf_counter())
    await hand.go_on(START + OUTAGE - SECOND)
    moments.append(time.perf_counter())
    await hand.record(back, START + OUTAGE)
    await hand.go_on(START + OUTAGE + timedelta(minutes=3))
    moments.append(time.perf_counter())
    alarms, steps, clears = (after - before for before, after in pairwise(moments))
    return Told(alarms, steps, clears, time.process_time() - processor, *await _counted(database))


async def _counted(database: AsyncEngine) -> tuple[int, int, int]:
    async with database.connect() as connection:
        to = Counter(await connection.scalars(select(NOTIFICATIONS.c.contact)))
        went_out = select(func.count()).select_from(TELLINGS).where(TELLINGS.c.bundle.is_not(None))
        return to.total(), max(to.values()), int(await connection.scalar(went_out) or 0)


_BARE = """
PRAGMA journal_mode=WAL;
PRAGMA synchronous=FULL;
CREATE TABLE episodes (id TEXT PRIMARY KEY, rule TEXT, severity INTEGER, subject TEXT, facility TEXT,
    started_at INTEGER, confirmed_at INTEGER, ended_at INTEGER, extreme REAL);
CREATE INDEX episodes_by_subject ON episodes (subject, started_at);
CREATE TABLE alerts (id INTEGER PRIMARY KEY, episode TEXT UNIQUE, facility TEXT, state TEXT, raised_at INTEGER);
CREATE INDEX alerts_by_facility ON alerts (facility, id);
"""


def bare_seconds(path: Path, facilities: int) -> tuple[float, float]:
    """Return what it takes to write the same episodes and alerts, and then their ends, and nothing else."""
    lost = outage(facilities)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.executescript(_BARE)
        moments = [time.perf_counter()]
        for batch in lost:
            _write_bare(connection, [change.episode for change in batch])
        moments.append(time.perf_counter())
        for batch in return_of_power(lost):
            _end_bare(connection, [change.episode for change in batch])
        moments.append(time.perf_counter())
    return moments[1] - moments[0], moments[2] - moments[1]


def _write_bare(connection: sqlite3.Connection, episodes: Sequence[Episode]) -> None:
    connection.execute("BEGIN IMMEDIATE")
    connection.executemany(
        "INSERT INTO episodes VALUES (?, ?, ?, ?, ?, ?, ?, NULL, ?)",
        [
            (
                e.id,
                e.rule,
                int(e.severity),
                e.subject,
                e.facility,
                to_ms(e.started_at),
                to_ms(e.confirmed_at),
                e.extreme,
            )
            for e in episodes
        ],
    )
    connection.executemany(
        "INSERT INTO alerts (episode, facility, state, raised_at) VALUES (?, ?, 'unacknowledged', ?)",
        [(e.id, e.facility, to_ms(e.confirmed_at)) for e in episodes],
    )
    connection.execute("COMMIT")


def _end_bare(connection: sqlite3.Connection, episodes: Sequence[Episode]) -> None:
    connection.execute("BEGIN IMMEDIATE")
    ends = [(to_ms(e.ended_at), e.id) for e in episodes if e.ended_at is not None]
    connection.executemany("UPDATE episodes SET ended_at = ? WHERE id = ?", ends)
    connection.executemany("UPDATE alerts SET state = 'returned' WHERE episode = ?", [(e.id,) for e in episodes])
    connection.execute("COMMIT")
