"""The forwarder: from the journal into a real InfluxDB 1.x, beside lines that were built and packed beforehand."""

from __future__ import annotations

import asyncio
import contextlib
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

from app.clock import SystemClock
from benchmarks._influxd import influxd
from benchmarks.figure import Better, Figure
from collector.forwarder.client import compress, open_writer
from collector.forwarder.dead_letters import DeadLetters
from collector.forwarder.forwarder import Forwarder
from collector.forwarder.journal_lines import JournalLines
from collector.forwarder.line_protocol import SeriesPrefixes
from collector.forwarder.settings import InfluxSettings
from collector.journal import Journal
from domain.directory import Directory
from domain.instant import MINUTE_MS
from domain.places import Channel, Equipment, EquipmentKind, Facility
from domain.quantities import QUANTITIES
from domain.reading import Quality, Reading

START_MS = 1_763_640_000_000
_CHANNELS = 1_000
_PER_COMMIT = 5_000
_ROUNDS = 3


class _Spent(NamedTuple):
    seconds: float
    cpu_seconds: float


def measure(quick: bool) -> Iterator[Figure]:
    """Yield lines a second and our CPU a line."""
    yield from asyncio.run(_measure(100_000 if quick else 500_000))


async def _measure(count: int) -> list[Figure]:
    directory = _directory()
    ours, bare = list[_Spent](), list[_Spent]()
    with tempfile.TemporaryDirectory(prefix="forwarder-") as name:
        folder = Path(name)
        async with influxd(folder) as url, Journal.open(folder / "journal") as journal:
            for turn in range(_ROUNDS):
                readings = _readings(count, START_MS + turn * count // _CHANNELS * MINUTE_MS)
                bare.append(await _prebuilt(_settings(url, "bare"), SeriesPrefixes(directory).lines(readings).lines))
                for first in range(0, count, _PER_COMMIT):
                    await journal.commit(readings[first : first + _PER_COMMIT])
                ours.append(await _forwarded(journal, _settings(url, "vitals"), directory))
    rate, bare_rate = (count / statistics.median(spent.seconds for spent in each) for each in (ours, bare))
    cpu, bare_cpu = (statistics.median(spent.cpu_seconds for spent in each) / count * 1e6 for each in (ours, bare))
    note = f"{count} lines of {_CHANNELS} channels, median of {_ROUNDS}; baseline: prebuilt, packed requests"
    return [
        Figure("forwarder, journal to InfluxDB 1.x", "lines/s", rate, bare_rate, target_ratio=0.8, note=note),
        Figure("forwarder, our CPU a line", "µs", cpu, bare_cpu, target=2.0, better=Better.LOWER, note=note),
    ]


def _settings(url: str, database: str) -> InfluxSettings:
    return InfluxSettings(url=url, database=database)


async def _prebuilt(settings: InfluxSettings, lines: Sequence[str]) -> _Spent:
    size = settings.batch_lines
    bodies = [compress(lines[first : first + size]) for first in range(0, len(lines), size)]
    async with open_writer(settings) as writer:
        started, cpu = time.perf_counter(), time.process_time()
        for body in bodies:
            answer = await writer.write(body)
            assert answer.status == 204, answer
        return _Spent(time.perf_counter() - started, time.process_time() - cpu)


async def _forwarded(journal: Journal, settings: InfluxSettings, directory: Directory) -> _Spent:
    lines = JournalLines(journal, lambda: directory)
    forwarder = Forwarder(lines, settings, clock=SystemClock(), dead_letter=DeadLetters())
    started, cpu = time.perf_counter(), time.process_time()
    running = asyncio.create_task(forwarder.run())
    while forwarder.health().lag:  # noqa: ASYNC110 -- a cursor has no event
        await asyncio.sleep(0.01)
    spent = _Spent(time.perf_counter() - started, time.process_time() - cpu)
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
    return spent


def _directory() -> Directory:
    place = Facility("kasese-hc3", "Kasese HC3", "Uganda", "Western", "Kasese")
    return Directory(
        facilities=[place],
        equipment=[Equipment("fridge", place.id, EquipmentKind.FRIDGE, "Fridge")],
        channels=[
            Channel(
                f"fridge-t{n}", place.id, "fridge", "node-1", f"t{n}", QUANTITIES["temperature"], timedelta(minutes=1)
            )
            for n in range(_CHANNELS)
        ],
    )


def _readings(count: int, start_ms: int) -> list[Reading]:
    found = []
    for n in range(count):
        moment = start_ms + n // _CHANNELS * MINUTE_MS + n % _CHANNELS
        found.append(Reading(f"fridge-t{n % _CHANNELS}", moment, 2.0 + n % 60 / 10, Quality.GOOD, moment + 500))
    return found
