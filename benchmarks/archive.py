"""The archive: bytes a reading, one channel's month, a question to the whole fleet; and a backup beside a writer."""

from __future__ import annotations

import asyncio
import random
import shutil
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from app.config import ServiceConfig
from app.store.backup import backup
from app.store.names import view_sql, write_names
from benchmarks.figure import Better, Figure
from collector.journal import ArchiveSettings, Journal, JournalSettings
from collector.journal.archive.parts import month_end, month_start
from domain.directory import Directory
from domain.instant import DAY_MS, MINUTE_MS
from domain.reading import Quality, Reading

MONTH_MS = month_start(1_760_054_400_000)
INTERVAL_MS = 5 * MINUTE_MS
_KINDS = ("temperature", "temperature", "temperature", "voltage", "supply")
_NEVER = JournalSettings(settle_rows=10**9, archive=ArchiveSettings())


def measure(quick: bool) -> Iterator[Figure]:
    """Yield the figures of the archive."""
    facilities = 10 if quick else 60
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        yield from asyncio.run(_archive(folder, facilities))
        yield _fleet(folder, facilities)
    with tempfile.TemporaryDirectory() as name:
        yield asyncio.run(_backup(Path(name), 100 if quick else 400))


def month_of(channel: str, kind: str, rng: random.Random) -> list[Reading]:
    """Return a month as an edge sends it: every five minutes a few milliseconds late, in batches that arrive later."""
    level, readings = {"temperature": 4.5, "voltage": 230.0, "supply": 1.0}[kind], []
    usual = level
    for slot in range(MONTH_MS, month_end(MONTH_MS), INTERVAL_MS):
        measured = slot + rng.randrange(20)
        if kind == "supply":
            level = 1 - level if rng.random() < 0.002 else level
        else:
            drift, noise = (0.08, 0.06) if kind == "temperature" else (1.2, 0.3)
            level += (usual - level) * 0.03 + rng.gauss(0, drift)
        value = level if kind == "supply" else round(level + rng.gauss(0, noise), 1)
        readings.append(Reading(channel, measured, value, Quality.GOOD, measured + 300 + rng.randrange(700)))
    return readings


async def _archive(folder: Path, facilities: int) -> list[Figure]:
    rng = random.Random(5)
    async with Journal.open(folder, settings=_NEVER) as journal:
        total = 0
        for facility in range(facilities):
            for number, kind in enumerate(_KINDS):
                readings = month_of(f"facility-{facility:03d}/{number}-{kind}", kind, rng)
                await journal.commit(readings)
                total += len(readings)
        await journal.settle()
        channel = f"facility-{facilities // 2:03d}/1-temperature"
        plain_bytes = _table_bytes(folder)
        plain_ms = await _median_ms(journal, channel)
        started = time.perf_counter()
        await journal.archive(month_end(MONTH_MS) + 91 * DAY_MS)
        seconds = time.perf_counter() - started
        archived_ms = await _median_ms(journal, channel)
    size = _archive_bytes(folder) / total
    plain = f"{total:,} readings; baseline: the same rows in SQLite"
    return [
        Figure("archive: size of a reading", "bytes", size, plain_bytes / total, 3.0, better=Better.LOWER, note=plain),
        Figure(
            "archive: one channel's month, 5 min", "ms", archived_ms, plain_ms, 50.0, better=Better.LOWER,
            note="median of 20; baseline: the same question before it was archived",
        ),
        Figure("archive: writing and deleting", "readings/s", total / seconds, note="all in turn"),
    ]  # fmt: skip


def _archive_bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.glob("archive/*/*.parquet"))


def _table_bytes(folder: Path) -> int:
    with closing(sqlite3.connect(folder / "journal.sqlite")) as connection:
        count = "SELECT sum(pgsize) FROM dbstat WHERE name = 'readings'"
        try:
            return int(connection.execute(count).fetchone()[0])
        except sqlite3.OperationalError:  # built without dbstat: measure a copy of the table
            connection.execute("ATTACH ? AS plain", (str(folder / "plain.sqlite"),))
            connection.execute(
                "CREATE TABLE plain.readings(sid INTEGER, ts INTEGER, value REAL, quality INTEGER, received INTEGER,"
                " PRIMARY KEY(sid, ts)) WITHOUT ROWID"
            )
            connection.execute("INSERT INTO plain.readings SELECT * FROM main.readings")
            connection.commit()
            return (folder / "plain.sqlite").stat().st_size


async def _median_ms(journal: Journal, channel: str) -> float:
    other = f"facility-000/0-{_KINDS[0]}"  # so that nothing of the channel is decoded already
    times = []
    for _ in range(20):
        await journal.series(other, 0, 2**60)
        started = time.perf_counter()
        await journal.series(channel, 0, 2**60)
        times.append((time.perf_counter() - started) * 1000)
    return statistics.median(times)


def _fleet(folder: Path, facilities: int) -> Figure:
    """Ask for the share of time in range of every channel, over a year of copies of the month."""
    import duckdb

    archive = folder / "archive"
    write_names(archive, Directory())
    (source,) = archive.glob("month=*")
    for month in range(1, 12):
        shutil.copytree(source, archive / f"month=2000-{month:02d}")
    rows = 12 * facilities * len(_KINDS) * (month_end(MONTH_MS) - MONTH_MS) // INTERVAL_MS
    in_range = "avg(CAST(value BETWEEN 2 AND 8 AS INT))"
    question = f"SELECT channel, month, {in_range}, max(value) FROM readings GROUP BY ALL"  # noqa: S608 -- constants
    with duckdb.connect() as connection:
        connection.execute(view_sql(f"{archive}/"))
        ours = _timed(lambda: connection.execute(question).fetchall())
        plain = f"SELECT count(value) FROM read_parquet('{archive}/month=*/*.parquet')"  # noqa: S608 -- our own folder
        bare = _timed(lambda: connection.execute(plain).fetchall())
    scaled = ours * 1_000 * len(_KINDS) * 12 * 8928 / rows
    return Figure(
        "archive: a year of the fleet in DuckDB, share in range", "s", ours, bare, better=Better.LOWER,
        note=f"{rows:,} readings; baseline: reading the values alone; 1,000 facilities would take about {scaled:.0f} s",
    )  # fmt: skip


def _timed(work: Callable[[], object]) -> float:
    work()
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


async def _backup(folder: Path, commits: int) -> Figure:
    """Return the longest commit while a backup runs beside it."""
    rng = random.Random(6)
    config = ServiceConfig(data=folder / "data")
    async with Journal.open(config.data, settings=_NEVER) as journal:
        batches = [
            [
                Reading(f"c{n % 1000}", MONTH_MS + (b * 5000 + n) * 100, rng.uniform(2, 8), Quality.GOOD, MONTH_MS)
                for n in range(5000)
            ]
            for b in range(100)
        ]
        alone = await _longest_commit_ms(journal, batches, lambda done: done >= commits)
        copying = asyncio.create_task(
            backup(config, folder / "backups", now=datetime.now(UTC), say=lambda _: None), name="backup"
        )
        beside = await _longest_commit_ms(journal, batches, lambda _: copying.done())
        await copying
    note = f"{commits * 5000:,} readings copied; baseline: the longest without a backup"
    return Figure("backup: longest commit of 5,000 beside it", "ms", beside, alone, better=Better.LOWER, note=note)


async def _longest_commit_ms(journal: Journal, batches: list[list[Reading]], done: Callable[[int], bool]) -> float:
    longest, count = 0.0, 0
    while not done(count):
        started = time.perf_counter()
        await journal.commit(batches[count % len(batches)])
        longest = max(longest, (time.perf_counter() - started) * 1000)
        count += 1
    return longest
