"""Alerts: how soon one is with a notifier, and a national outage, recorded and told."""

from __future__ import annotations

import asyncio
import statistics
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from app.database import open_database
from benchmarks._alarm_latency import latencies
from benchmarks._outage import Told, bare_seconds, tell
from benchmarks.figure import Better, Figure

REACH_ALERTS_PER_SECOND = 1000
REACH_MILLISECONDS = 250
"""At the 99th percentile, at 33,000 readings a second."""


def measure(quick: bool) -> Iterator[Figure]:
    """Yield how soon an alarm is with a notifier, and the figures of the outage."""
    yield from _latency("at rest", 0, alarms=40 if quick else 300)
    yield from _latency("beside ingest", 5_000 if quick else 33_000, alarms=40 if quick else 300)
    yield from _outage(500 if quick else 10_000)


def _latency(beside: str, readings_per_second: int, *, alarms: int) -> Iterator[Figure]:
    with tempfile.TemporaryDirectory(prefix="alarms-") as folder:
        measured = asyncio.run(latencies(Path(folder), alarms=alarms, readings_per_second=readings_per_second))
    for percentile in (50, 99):
        yield Figure(
            f"reading to notifier, {beside}, p{percentile}",
            "ms",
            _percentile(measured.alarms, percentile) * 1000,
            _percentile(measured.commits, percentile) * 1000,
            target=REACH_MILLISECONDS if percentile == 99 else None,
            better=Better.LOWER,
            note=f"{alarms} alarms, {readings_per_second} readings/s offered; baseline: a bare durable commit",
        )


def _percentile(values: Sequence[float], percentile: int) -> float:
    return statistics.quantiles(values, n=100, method="inclusive")[percentile - 1]


def _outage(facilities: int) -> Iterator[Figure]:
    with tempfile.TemporaryDirectory(prefix="outage-") as folder:
        told = asyncio.run(_told(Path(folder) / "ours.sqlite", facilities))
        bare_alarms, bare_clears = bare_seconds(Path(folder) / "bare.sqlite", facilities)
    for name, ours, bare in (
        ("alarms", told.alarm_seconds, bare_alarms),
        ("all-clears", told.clear_seconds, bare_clears),
    ):
        yield Figure(
            f"outage, {name} recorded and queued",
            "alerts/s",
            facilities / ours,
            facilities / bare,
            target=REACH_ALERTS_PER_SECOND,
            note=f"{facilities} facilities in {ours:.1f} s; baseline: episodes and alerts alone, the same commits",
        )
    yield Figure(
        "outage, next step of the chains told",
        "alerts/s",
        facilities / told.step_seconds,
        note=f"after a quarter of an hour without an answer; {told.step_seconds:.1f} s",
    )
    yield Figure(
        "outage, alarms, steps and all-clears a second of processor time",
        "alerts/s",
        3 * facilities / told.processor_seconds,
        target=REACH_ALERTS_PER_SECOND,
        note=f"{told.processor_seconds:.1f} s for all three",
    )
    yield Figure(
        "outage, messages in all",
        "messages",
        told.messages,
        told.tellings,
        better=Better.LOWER,
        note=f"{told.most_to_one} at most to one person; baseline: one for each alert and person",
    )


async def _told(path: Path, facilities: int) -> Told:
    async with open_database(f"sqlite+aiosqlite:///{path}") as database:
        return await tell(database, facilities)
