"""A nation that pages can be asked of: what is registered, and what its stores hold, written the fast way.

Real are the shapes of everything: directory, journal, alerts. Made up are the values, and they get into the files past
the parts that would have put them there over ninety days.
"""

from __future__ import annotations

import asyncio
import random
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from sqlalchemy import insert

from alerts.store import AlertStore
from alerts.tables import ALERTS, EPISODES
from app.database import open_database
from benchmarks._furniture import CLINIC, HEALTH_CENTRE, Furniture
from collector.journal import Journal
from domain.alert import AlertState
from domain.directory import Directory
from domain.episode import Severity, SubjectKind, episode_id
from domain.instant import DAY_MS, HOUR_MS, MINUTE_MS, to_datetime
from domain.places import Channel, Equipment, Facility, Node
from domain.quantities import QUANTITIES
from domain.reading import Quality, Reading

DISTRICTS = 100
ROLLED_UP_DAYS = 90
INTERVAL_MS = 5 * MINUTE_MS
_FILE = "journal.sqlite"
_ROLLUPS = """
    WITH RECURSIVE n(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM n LIMIT ?4)
    INSERT OR IGNORE INTO {table}(sid, start, total, minimum, maximum, readings, covered, judged)
    SELECT ?1, ?2 + n * ?3, 12 * 4.5, 3.5 + abs(random() % 10) / 10.0, 5.5 + abs(random() % 10) / 10.0, 12, ?3, ?3
    FROM n
"""
_SYLLABLES = ("ka", "mbo", "ri", "ssa", "nya", "tu", "bwe", "ra", "ki", "le", "mu", "ha", "ngo", "zi", "pa", "do")


@dataclass(frozen=True, slots=True)
class Nation:
    """How much is registered and stored."""

    centres: int
    clinics: int
    rolled_up: int
    """Facilities with ninety days of hours and a day of raw readings: those that charts are asked of. Days have all."""
    past_alerts: int

    @property
    def facilities(self) -> int:
        """Return how many facilities there are."""
        return self.centres + self.clinics


def facility_id(number: int) -> str:
    """Return the id of a facility, which is that of its node too."""
    return f"f{number:05d}"


def is_silent(number: int) -> bool:
    """Tell whether a facility is not heard: one of fifty."""
    return number % 50 == 7


def is_hot(number: int) -> bool:
    """Tell whether a facility has a fridge that is too warm, and an alert for it: one of thirty-three."""
    return number % 33 == 5


def furniture(nation: Nation, number: int) -> Sequence[Furniture]:
    """Return what a facility has; the clinics come last."""
    return HEALTH_CENTRE if number < nation.centres else CLINIC


def values(nation: Nation, number: int) -> list[float]:
    """Return what the channels of a facility read now, in their order."""
    usual = [value for item in furniture(nation, number) for _, value, _ in item.channels]
    if is_hot(number):
        usual[0] = 9.4
    return usual


def directory_of(nation: Nation) -> Directory:
    """Return everything that is registered."""
    numbers = range(nation.facilities)
    items = [(number, place, item) for number in numbers for place, item in enumerate(furniture(nation, number))]
    return Directory(
        facilities=[_facility(number) for number in numbers],
        nodes=[Node(facility_id(number), facility_id(number), "Gateway") for number in numbers],
        equipment=[
            Equipment(f"{facility_id(number)}/e{place}", facility_id(number), item.kind, item.name, "VLS 054A")
            for number, place, item in items
        ],
        channels=[channel for number in numbers for channel in _channels(nation, number)],
    )


def _facility(number: int) -> Facility:
    rng, district = random.Random(number), number % DISTRICTS
    name = "".join(rng.choices(_SYLLABLES, k=3)).capitalize()
    return Facility(
        facility_id(number),
        f"{name} Health Centre {rng.choice(('II', 'III', 'IV'))}",
        "Uganda",
        f"Region {district // 10}",
        f"District {district:02d}",
        "Africa/Kampala",
        rng.uniform(-1.4, 4.2),
        rng.uniform(29.6, 35.0),
    )


def _channels(nation: Nation, number: int) -> Iterator[Channel]:
    id_, position = facility_id(number), 0
    for place, item in enumerate(furniture(nation, number)):
        for quantity, _, limits in item.channels:
            equipment = f"{id_}/e{place}"
            yield Channel(
                f"{equipment}/{quantity}",
                id_,
                equipment,
                id_,
                f"c{position}",
                QUANTITIES[quantity],
                timedelta(milliseconds=INTERVAL_MS),
                limits=limits,
            )
            position += 1


async def fill(nation: Nation, directory: Directory, folder: Path, database: str, now_ms: int) -> None:
    """Leave in the stores what ninety days would have left."""
    async with Journal.open(folder) as journal:
        await journal.commit(
            [reading for number in range(nation.facilities) for reading in _newest(nation, number, directory, now_ms)]
        )
        for number in asked_of(nation):
            await journal.commit(list(_last_day(nation, number, directory, now_ms)))
        await journal.settle()
    await asyncio.to_thread(_write_rollups, nation, directory, folder / _FILE, now_ms)
    await _write_alerts(nation, directory, database, now_ms)


def asked_of(nation: Nation) -> list[int]:
    """Return the facilities that pages are asked of: hot ones, which head the list, and the last clinics."""
    half = nation.rolled_up // 2
    hot = [number for number in range(nation.centres) if is_hot(number)][:half]
    return hot + [number for number in range(nation.centres, nation.facilities) if not is_silent(number)][:half]


def _newest(nation: Nation, number: int, directory: Directory, now_ms: int) -> Iterator[Reading]:
    at_ms = now_ms - (5 * HOUR_MS if is_silent(number) else MINUTE_MS)
    for channel, value in zip(directory.channels_of(facility_id(number)), values(nation, number), strict=True):
        yield Reading(channel.id, at_ms, value, Quality.GOOD, at_ms + 900)


def _last_day(nation: Nation, number: int, directory: Directory, now_ms: int) -> Iterator[Reading]:
    rng = random.Random(number)
    for channel, value in zip(directory.channels_of(facility_id(number)), values(nation, number), strict=True):
        for at_ms in range(now_ms - DAY_MS, now_ms - MINUTE_MS, INTERVAL_MS):
            shown = value if channel.quantity.states else round(value * rng.uniform(0.98, 1.02), 3)
            yield Reading(channel.id, at_ms, shown, Quality.GOOD, at_ms + 900)


def _write_rollups(nation: Nation, directory: Directory, path: Path, now_ms: int) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous=OFF")
        sids = dict(connection.execute("SELECT channel, sid FROM series").fetchall())
        connection.execute("BEGIN")
        for number in asked_of(nation):
            for channel in directory.channels_of(facility_id(number)):
                _roll_up(connection, "rollup_hour", sids[channel.id], HOUR_MS, now_ms)
        # In the order in which they stand in the table.
        for sid in sorted(sids.values()):
            _roll_up(connection, "rollup_day", sid, DAY_MS, now_ms)
        connection.execute("COMMIT")


def _roll_up(connection: sqlite3.Connection, table: str, sid: int, step_ms: int, now_ms: int) -> None:
    steps = ROLLED_UP_DAYS * DAY_MS // step_ms
    first = now_ms // step_ms * step_ms - steps * step_ms
    connection.execute(_ROLLUPS.format(table=table), (sid, first, step_ms, steps))


async def _write_alerts(nation: Nation, directory: Directory, database: str, now_ms: int) -> None:
    episodes, alerts = list[dict[str, object]](), list[dict[str, object]]()
    for number, start_ms, end_ms in _spells(nation, now_ms):
        channel = directory.channels_of(facility_id(number))[0].id
        id_, confirmed_at = episode_id("heat", channel, start_ms), to_datetime(start_ms + MINUTE_MS)
        episodes.append(
            {
                "id": id_, "rule": "heat", "severity": int(Severity.CRITICAL), "facility": facility_id(number),
                "subject_kind": SubjectKind.CHANNEL.value, "subject": channel, "started_at": to_datetime(start_ms),
                "confirmed_at": confirmed_at, "ended_at": None if end_ms is None else to_datetime(end_ms),
                "extreme": 9.6,
            }
        )  # fmt: skip
        alerts.append(
            {
                "episode": id_, "facility": facility_id(number), "past": False, "silent": False, "transitions": 1,
                "state": (AlertState.UNACKNOWLEDGED if end_ms is None else AlertState.NORMAL).value,
                "raised_at": confirmed_at, "acknowledged_by": "", "alarmed_severity": int(Severity.CRITICAL),
            }
        )  # fmt: skip
    async with open_database(database) as engine:
        await AlertStore(engine).create_tables()
        async with engine.begin() as connection:
            await connection.execute(insert(EPISODES), episodes)
            await connection.execute(insert(ALERTS), alerts)


def _spells(nation: Nation, now_ms: int) -> list[tuple[int, int, int | None]]:
    """Return at which facility a fridge was too warm from when to when, those that go on last."""
    rng = random.Random(1)
    over = {
        (rng.randrange(nation.centres), now_ms - rng.randrange(3 * HOUR_MS, ROLLED_UP_DAYS * DAY_MS) // 1000 * 1000)
        for _ in range(nation.past_alerts)
    }
    open_ = ((n, now_ms - 2 * HOUR_MS - n * 1000, None) for n in range(nation.facilities) if is_hot(n))
    return [*((n, start, start + 2 * HOUR_MS) for n, start in sorted(over, key=lambda each: each[1])), *open_]
