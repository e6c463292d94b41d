"""A node that does not know the time, through a real broker to a real collector."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import timedelta
from pathlib import Path

import pytest

from app.clock import SystemClock
from collector.journal import Journal
from domain.instant import SECOND_MS
from domain.reading import Reading, Sample
from edge.outbox import Outbox
from edge.outbox_boots import BootTimeline
from edge.publisher import Publisher
from edge.settings import BrokerSettings, PublishSettings
from tests.system.brokers import mosquitto
from tests.system.collector_process import collector

pytestmark = pytest.mark.system

UP_MS = 3_600_000
"""How long the machine has been up when its readings end."""
READINGS = 300
ON_THE_WAY_MS = 20 * SECOND_MS
"""More than any message takes here; an age that is off by more was computed wrongly."""
SETTINGS = PublishSettings(
    reconnect_first=timedelta(milliseconds=50),
    reconnect_longest=timedelta(milliseconds=200),
    backfill_readings_per_second=None,
)


async def stored(folder: Path) -> list[Reading]:
    """Return what the collector has."""
    async with Journal.open(folder) as journal:
        return await journal.series("n1.fridge", 0, 2**53)


async def publish_all(outbox: Outbox, url: str, *, patience_seconds: float = 30.0) -> None:
    """Publish until everything is receipted, or patience ends."""
    empty = asyncio.Event()

    def look(_: object) -> None:
        if outbox.depth() == 0:
            empty.set()

    started_ms = SystemClock().now_ms()
    publisher = Publisher(
        outbox,
        node="n1",
        broker=BrokerSettings(url=url),
        settings=SETTINGS,
        clock=SystemClock(),
        version="0",
        on_receipt=look,
        outbox_ms=lambda: UP_MS + SystemClock().now_ms() - started_ms,
    )
    task = asyncio.create_task(publisher.run())
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(empty.wait(), patience_seconds)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def test_relative_times_arrive_as_the_right_ones(tmp_path: Path) -> None:
    """Readings of the last minutes and of an hour ago, all sent by their age, are stored at the time of making.

    Messages take milliseconds, and not all the same: readings closer than that could change places.
    """
    ages_ms = [number * SECOND_MS for number in (*range(140), *range(3_000, 3_000 + READINGS))]
    outbox = Outbox.open(tmp_path / "outbox.sqlite", timeline=BootTimeline("this one", 0))
    outbox.put([Sample("fridge", UP_MS - age_ms, 5.0, unit="Cel") for age_ms in ages_ms])
    journal = tmp_path / "journal"
    async with mosquitto(tmp_path) as url, collector(url, journal, "n1"):
        sent_ms = SystemClock().now_ms()
        await publish_all(outbox, url)
    outbox.close()
    found = await stored(journal)
    expected = sorted(sent_ms - age_ms for age_ms in ages_ms)
    assert len(found) == len(expected)
    late_ms = [reading.measured_at_ms - due_ms for reading, due_ms in zip(found, expected, strict=True)]
    assert 0 <= min(late_ms) <= max(late_ms) <= ON_THE_WAY_MS


async def test_a_broker_does_not_keep_relative_times_for_an_absent_collector(tmp_path: Path) -> None:
    """What was published while nobody listened is sent anew, with the age that it has then."""
    outbox = Outbox.open(tmp_path / "outbox.sqlite", timeline=BootTimeline("this one", 0))
    outbox.put([Sample("fridge", UP_MS, 5.0, unit="Cel")])
    journal = tmp_path / "journal"
    async with mosquitto(tmp_path) as url:
        async with collector(url, journal, "n1"):
            pass  # its session stays at the broker
        await publish_all(outbox, url, patience_seconds=2)
        assert outbox.depth() == 1
        async with collector(url, journal, "n1"):
            sent_ms = SystemClock().now_ms()
            await publish_all(outbox, url)
    outbox.close()
    (reading,) = await stored(journal)
    assert 0 <= reading.measured_at_ms - sent_ms <= ON_THE_WAY_MS
