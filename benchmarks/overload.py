"""Overload: nodes offer more than the collector takes; nothing is lost, memory stays bounded, the backlog drains.

The sender goes by the broker's acknowledgements instead of receipts, so it publishes as fast as the broker takes: the
backlog waits in mosquitto (told to queue without limit), held back there because the collector leaves its socket
unread. The figures say how far that was above what the collector did, rather than pacing it.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks._batch_sender import READINGS_PER_BATCH
from benchmarks._memory import own_bytes
from benchmarks._mosquitto import mosquitto
from benchmarks.figure import Better, Figure
from benchmarks.ingest import collecting, sender

_MEBIBYTE = 2**20
_MOST_GROWTH_MEBIBYTES = 128.0
"""Both lanes and buffers full, two groups, the journal's page cache and what it remembers of unsettled rows."""
_PATIENCE_SECONDS = 600


def measure(quick: bool) -> Iterator[Figure]:
    """Yield what was lost, how memory grew, and how fast the backlog drained."""
    yield from asyncio.run(_overload(8_000 if quick else 120_000))


async def _overload(batches: int) -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="overload-") as folder:
        async with mosquitto(Path(folder)) as port, collecting(port, Path(folder) / "journal") as (_, journal):
            async with sender(port, batches, "puback") as sending:
                before = peak = own_bytes()
                started = time.perf_counter()
                sent = asyncio.create_task(_seconds_to_end(sending, started))
                while journal.position < batches * READINGS_PER_BATCH:
                    peak = max(peak, own_bytes())
                    if time.perf_counter() - started > _PATIENCE_SECONDS:
                        break
                    await asyncio.sleep(0.05)
                drained, offered = time.perf_counter() - started, await sent
            stored = await journal.count()
    readings = batches * READINGS_PER_BATCH
    lost, grown = float(readings - stored), (peak - before) / _MEBIBYTE
    return [
        Figure("overload, lost", "readings", lost, target=0, better=Better.LOWER, note=f"{readings} sent"),
        Figure(
            "overload, growth of memory", "MiB", grown, target=_MOST_GROWTH_MEBIBYTES, better=Better.LOWER, note="peak"
        ),
        Figure(
            "overload, stored while draining",
            "readings/s",
            stored / drained,
            readings / offered,
            note="baseline: the rate at which they were offered",
        ),
    ]


async def _seconds_to_end(sending: asyncio.subprocess.Process, started: float) -> float:
    await sending.wait()
    return time.perf_counter() - started
