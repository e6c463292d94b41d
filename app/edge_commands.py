"""What a technician asks a node on the node itself: its sensors, and how it fares."""

from __future__ import annotations

import asyncio
import logging
import tempfile
from collections.abc import Callable
from pathlib import Path

from app.clock import SystemClock
from app.edge_screen import probes_table, sensors_table, status_json, status_text
from edge.commands.config_keeper import config_file, peek
from edge.settings import EdgeSettings
from edge.status import boot_seconds, is_running, read_status, troubles
from edge.survey import bench, unknown_probes

WATCH_SECONDS = 2.0


async def show_sensors(
    settings: EdgeSettings,
    *,
    timeout_seconds: float,
    watch: bool,
    say: Callable[[str], None],
    clear: Callable[[], None],
) -> bool:
    """Show every channel once, or again and again until cancelled; return whether every one had a usable value."""
    # What drivers would log stands in the table.
    logging.getLogger("edge.drivers").setLevel(logging.CRITICAL)
    with tempfile.TemporaryDirectory(prefix="vitals-") as scratch:
        async with bench(settings, SystemClock(), Path(scratch)) as sensors:
            while True:
                found = await sensors.read(timeout_seconds)
                unknown = await unknown_probes(settings.drivers)
                if watch:
                    clear()
                say(sensors_table(found))
                if unknown:
                    say(f"\n{probes_table(unknown)}")
                if not watch:
                    return all(each.sample is not None and each.sample.quality.usable for each in found)
                await asyncio.sleep(WATCH_SECONDS)


def show_status(settings: EdgeSettings, *, as_json: bool, say: Callable[[str], None]) -> bool:
    """Show how the node fares, in words or as JSON; return whether all is well."""
    status, running, now_ms = read_status(settings.status_file), is_running(settings.outbox), SystemClock().now_ms()
    found = troubles(status, running=running, now_ms=now_ms, boot_seconds=boot_seconds())
    config = peek(config_file(settings.outbox))
    say(status_json(status, found, config, running=running) if as_json else status_text(status, found, config, now_ms))
    return not found
