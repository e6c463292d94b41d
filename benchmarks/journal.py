"""The journal: durable appends, and answers while 33,000 readings a second are being written."""

from __future__ import annotations

import asyncio
import random
import shutil
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path

from benchmarks.figure import Better, Figure
from collector.journal import Journal, JournalSettings, Resolution
from domain.instant import DAY_MS, MINUTE_MS
from domain.reading import Quality, Reading

BATCH = 5_000
LIVE_READINGS_PER_SECOND = 33_000
START_MS = 1_760_054_400_000
STORED_CHANNELS = 1_000
FACILITY = [f"facility-7/channel-{number}" for number in range(10)]
_FILE = "journal.sqlite"
_PLAIN = "CREATE TABLE t(position INTEGER PRIMARY KEY, ts INT, sid INT, value REAL, q INT, r INT)"
_SORTED = "CREATE TABLE t(ts INT, sid INT, value REAL, q INT, r INT, PRIMARY KEY(sid, ts)) WITHOUT ROWID"
_PAYLOAD_BYTES = 16
_STORE = f"""
    WITH RECURSIVE n(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM n LIMIT ?3)
    INSERT INTO readings
    SELECT ?1, ?2 + n * {MINUTE_MS}, 2 + abs(random() % 6000) / 1000.0, 0, ?2 + n * {MINUTE_MS} + 800 FROM n
"""  # noqa: S608 -- constants


@dataclass(frozen=True)
class Load:
    """How much is stored, written and asked."""

    stored: int
    commits: int
    fleet_channels: int
    fleet_readings: int
    facility_interval_ms: int
    questions: int


QUICK = Load(0, 40, 20_000, 3, 15 * MINUTE_MS, 15)
FULL = Load(50_000_000, 200, 20_000, 60, MINUTE_MS, 60)


def measure(quick: bool) -> Iterator[Figure]:
    """Yield the figures of the journal."""
    load = QUICK if quick else FULL
    for name, batches, target in (("in order", _in_order, 200_000.0), ("backfilled", _backfilled, 150_000.0)):
        ours, bare, sorted_too = asyncio.run(_appends(list(batches(load.commits))))
        note = f"{BATCH} a commit; baseline: sqlite3 executemany into one plain table, same pragmas"
        yield Figure(f"journal appends {name}", "readings/s", ours, bare, target, note=note)
        yield Figure(f"journal appends {name}, settled, rolled up", "readings/s", sorted_too, ours, note="all in turn")
    yield asyncio.run(_written(min(load.commits, 100)))
    yield asyncio.run(_reopened(2 * load.commits))
    yield from asyncio.run(_answers(load))


def _in_order(commits: int) -> Iterator[list[Reading]]:
    rng = random.Random(1)
    for commit in range(commits):
        numbers = range(commit * BATCH, (commit + 1) * BATCH)
        yield [_reading(f"c{n % 1000}", START_MS + n // 1000 * MINUTE_MS, rng) for n in numbers]


def _backfilled(commits: int) -> Iterator[list[Reading]]:
    """Each commit brings 50 channels' readings of some earlier 100 minutes, in any order."""
    rng = random.Random(2)
    for _ in range(commits):
        first, begin = rng.randrange(1000), START_MS - rng.randrange(30) * DAY_MS
        rows = [
            _reading(f"c{first + n % 50}", begin + (n // 50) * MINUTE_MS + rng.randrange(1000), rng)
            for n in range(BATCH)
        ]
        rng.shuffle(rows)
        yield rows


def _reading(channel: str, measured_at_ms: int, rng: random.Random) -> Reading:
    return Reading(channel, measured_at_ms, round(rng.uniform(2, 8), 3), Quality.GOOD, measured_at_ms + 800)


async def _appends(batches: list[list[Reading]]) -> tuple[float, float, float]:
    """Return readings a second of our commits, of a bare table's, and of ours with everything done behind them."""
    total = sum(len(batch) for batch in batches)
    with tempfile.TemporaryDirectory() as folder:
        bare = total / _bare_seconds(Path(folder) / "bare.sqlite", batches)
        async with Journal.open(Path(folder)) as journal:
            started = time.perf_counter()
            for batch in batches:
                await journal.commit(batch)
            committed = time.perf_counter()
            await journal.settle()
            settled = time.perf_counter()
    return total / (committed - started), bare, total / (settled - started)


def _bare_seconds(path: Path, batches: list[list[Reading]], table: str = _PLAIN) -> float:
    rows = [[(r[1], int(r[0][1:]), r[2], int(r[3]), r[4]) for n, r in enumerate(batch)] for batch in batches]
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "wal_autocheckpoint=4000", "cache_size=-65536"):
            connection.execute(f"PRAGMA {pragma}")
        connection.execute(table)
        started = time.perf_counter()
        for batch in rows:
            connection.execute("BEGIN")
            connection.executemany("INSERT INTO t(ts, sid, value, q, r) VALUES(?, ?, ?, ?, ?)", batch)
            connection.execute("COMMIT")
        return time.perf_counter() - started


async def _written(commits: int) -> Figure:
    """Return the bytes written to disk over the whole life of readings, beside a table that is always sorted."""
    batches = [
        [_reading(f"c{n}", START_MS + minute * MINUTE_MS, random.Random(n)) for n in range(BATCH)]
        for minute in range(commits)
    ]
    payload = commits * BATCH * _PAYLOAD_BYTES
    with tempfile.TemporaryDirectory() as name:
        before = _own_written_bytes()
        async with Journal.open(Path(name)) as journal:
            for batch in batches:
                await journal.commit(batch)
            await journal.settle()
        ours = _own_written_bytes() - before
        before = _own_written_bytes()
        _bare_seconds(Path(name) / "bare.sqlite", batches, _SORTED)
        bare = _own_written_bytes() - before
    note = (
        f"log, settling, roll-ups, trimming, {commits} minutes of {BATCH} channels; {_PAYLOAD_BYTES} bytes of moment "
        "and value each; baseline: inserts into a table (sid, ts), same commits and pragmas"
    )
    name = "journal bytes written a payload byte"
    return Figure(name, "bytes", ours / payload, bare / payload, better=Better.LOWER, note=note)


async def _reopened(commits: int) -> Figure:
    """Return how long a journal takes from being opened to its first commit, after a kill with nothing settled."""
    with tempfile.TemporaryDirectory() as name:
        folder, ours, bare = (Path(name) / part for part in ("killed", "ours", "bare"))
        async with Journal.open(folder) as journal:
            for batch in _in_order(commits):
                await journal.commit(batch)
            for copy in (ours, bare):  # the files of an open journal are what kill -9 leaves
                shutil.copytree(folder, copy)
        started = time.perf_counter()
        async with Journal.open(ours) as journal:
            await journal.commit(batch[:1])
            our_ms = (time.perf_counter() - started) * 1000
            await journal.series(batch[0].channel, START_MS, START_MS + DAY_MS)
            answered_ms = (time.perf_counter() - started) * 1000
        started = time.perf_counter()
        with closing(sqlite3.connect(bare / _FILE)) as connection:
            connection.execute("SELECT max(position) FROM log").fetchone()
            bare_ms = (time.perf_counter() - started) * 1000
    note = f"{commits * BATCH:,} not settled; first answer after {answered_ms:.0f} ms; baseline: sqlite3 opens the same"
    return Figure(
        "journal reopened after a kill, first commit", "ms", our_ms, bare_ms, 1000.0, better=Better.LOWER, note=note
    )


def _own_written_bytes() -> int:
    """Return what this process caused to be written to disk so far, as Linux counts it."""
    lines = Path("/proc/self/io").read_text("ascii").splitlines()
    return int(dict(line.split(": ") for line in lines)["write_bytes"])


async def _answers(load: Load) -> list[Figure]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        seconds = await _store(folder, load.stored) if load.stored else 0.0
        async with Journal.open(folder, settings=JournalSettings(settle_rows=100_000)) as journal:
            await _fill(journal, load)
            idle_ms = await _idle_lag_ms()
            async with _being_written(journal, load) as lags:
                figures = [await _ask(folder, load, *question) for question in _questions(journal)]
    note = f"baseline: the same loop with nothing to do; {load.stored:,} stored before in {seconds:.0f} s"
    lag = Figure("event-loop lag p99, while written", "ms", _p99_ms(lags), idle_ms, 5.0, better=Better.LOWER, note=note)
    return [*figures, lag]


async def _idle_lag_ms() -> float:
    lags: list[float] = []
    watching = asyncio.create_task(_watch(lags))
    await asyncio.sleep(1.0)
    watching.cancel()
    return _p99_ms(lags)


async def _watch(lags: list[float]) -> None:
    while True:
        started = time.perf_counter()
        await asyncio.sleep(0.001)
        lags.append(time.perf_counter() - started - 0.001)


def _p99_ms(seconds: list[float]) -> float:
    return statistics.quantiles(seconds, n=100)[98] * 1000


async def _store(folder: Path, readings: int) -> float:
    """Leave readings of other channels in the file, sorted as settling leaves them; return the seconds it took.

    Straight into the table: through commits and settling it would take minutes, and leave the same rows.
    """
    started = time.perf_counter()
    async with Journal.open(folder) as journal:
        await journal.commit([_reading(f"stored-{n}", 0, random.Random(n)) for n in range(STORED_CHANNELS)])
        await journal.settle()
    each = readings // STORED_CHANNELS
    with closing(sqlite3.connect(folder / _FILE, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous=OFF")
        for sid in range(1, STORED_CHANNELS + 1):
            connection.execute(_STORE, (sid, START_MS - each * MINUTE_MS, each))
            if sid % 100 == 0:
                print(f"  journal: {sid * each:,} readings stored", file=sys.stderr)
    return time.perf_counter() - started


async def _fill(journal: Journal, load: Load) -> None:
    rng = random.Random(3)
    for channel in FACILITY:
        moments = range(START_MS - 30 * DAY_MS, START_MS, load.facility_interval_ms)
        await journal.commit([_reading(channel, moment, rng) for moment in moments])
    # One channel has a reading each minute of the last day at any load.
    await journal.commit([_reading(FACILITY[0], m, rng) for m in range(START_MS - DAY_MS, START_MS, MINUTE_MS)])
    for step in range(load.fleet_readings):
        moment = START_MS - (load.fleet_readings - step) * MINUTE_MS
        await journal.commit([_reading(f"fleet-{n}", moment, rng) for n in range(load.fleet_channels)])
    await journal.settle()
    # ... and some that are not settled yet.
    await journal.commit([_reading(c, START_MS + m * MINUTE_MS, rng) for m in range(30) for c in FACILITY])


class _LiveClock:
    """The moment at which the written readings are live: their hour is running."""

    def now_ms(self) -> int:
        return START_MS + 2 * MINUTE_MS

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


@asynccontextmanager
async def _being_written(journal: Journal, load: Load) -> AsyncIterator[list[float]]:
    """Write at the live rate while the block runs; yield a list that fills with the event loop's lags in seconds."""
    lags: list[float] = []
    # Built before, so that the load is the journal's and not the building of readings.
    rng = random.Random(4)
    rounds = [
        [
            _reading(f"fleet-{n % load.fleet_channels}", START_MS + r * 1000, rng)
            for n in range(r * 3300, r * 3300 + 3300)
        ]
        for r in range(100)
    ]

    async def write() -> None:
        number = 0
        while True:
            due = time.perf_counter() + len(rounds[0]) / LIVE_READINGS_PER_SECOND
            await journal.commit(rounds[number % len(rounds)])
            number += 1
            await asyncio.sleep(max(0.0, due - time.perf_counter()))

    tasks = [asyncio.create_task(work) for work in (write(), _watch(lags), journal.run(_LiveClock()))]
    try:
        yield lags
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


Question = tuple[str, float, Callable[[], Awaitable[object]], str]


def _questions(journal: Journal) -> list[Question]:
    month = (START_MS - 30 * DAY_MS, START_MS)
    one = f"(SELECT sid FROM series WHERE channel = '{FACILITY[0]}')"  # noqa: S608 -- constants
    of_facility = "WHERE sid IN (SELECT sid FROM series WHERE channel LIKE 'facility-7/%')"
    return [
        (
            "one channel, 24 h raw",
            5.0,
            lambda: journal.series(FACILITY[0], START_MS - DAY_MS, START_MS),
            f"SELECT ts, value, quality, received FROM readings WHERE sid = {one} AND ts >= {START_MS - DAY_MS}",  # noqa: S608 -- constants
        ),
        (
            "latest of 20,000 channels",
            10.0,
            journal.latest,
            "SELECT sid, ts, value, quality, received FROM latest",
        ),
        (
            "one facility, 30 d hourly",
            20.0,
            lambda: journal.rollups_of(FACILITY, *month, Resolution.HOUR),
            f"SELECT start, total, minimum, maximum, readings, covered FROM rollup_hour {of_facility}",  # noqa: S608 -- constants
        ),
    ]


async def _ask(
    folder: Path, load: Load, name: str, target_ms: float, ours: Callable[[], Awaitable[object]], bare: str
) -> Figure:
    """Return the median time of our answer beside that of a bare SELECT of the same rows, asked in turn."""
    await ours()
    our_ms, bare_ms = [], []
    for _ in range(load.questions):
        started = time.perf_counter()
        await ours()
        our_ms.append((time.perf_counter() - started) * 1000)
        bare_ms.append(await asyncio.to_thread(_bare_select_ms, folder / _FILE, bare))
        await asyncio.sleep(0.01)
    note = "median; baseline: a bare SELECT of the settled rows"
    median = statistics.median
    return Figure(
        f"{name}, while written", "ms", median(our_ms), median(bare_ms), target_ms, better=Better.LOWER, note=note
    )


def _bare_select_ms(path: Path, select: str) -> float:
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
        started = time.perf_counter()
        connection.execute(select).fetchall()
        return (time.perf_counter() - started) * 1000
