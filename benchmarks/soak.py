"""Soak: minutes at half of what this machine takes; the memory of the process that collects stays flat.

The peak is measured first, in the same run. Flat means that the second half's most memory is hardly above the
first half's, in which caches, the memory of unsettled rows and the allocator's pools fill: shorter runs have no target.
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

_MINUTES = 10
_PEAK_BATCHES = 8_000
_MOST_GROWTH_RATIO = 1.1


def measure(quick: bool, *, seconds: float | None = None) -> Iterator[Figure]:
    """Yield memory and rate of ten minutes, or of ``seconds``."""
    yield from asyncio.run(_soak(seconds or (12 if quick else _MINUTES * 60)))


async def _soak(seconds: float) -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        async with mosquitto(Path(folder)) as port:
            peak, _ = await _run(port, Path(folder) / "peak", _PEAK_BATCHES, None)
            rate = peak / 2
            reached, sizes = await _run(port, Path(folder) / "half", int(rate * seconds), rate)
    half = len(sizes) // 2
    note = f"{seconds:.0f} s; baseline: the largest of the first half"
    memory = Figure(
        "soak, memory in the second half",
        "MiB",
        max(sizes[half:]) / 2**20,
        max(sizes[:half]) / 2**20,
        target_ratio=_MOST_GROWTH_RATIO if seconds >= _MINUTES * 60 else None,
        better=Better.LOWER,
        note=note,
    )
    per_batch = READINGS_PER_BATCH
    return [memory, Figure("soak, receipted", "readings/s", reached * per_batch, peak * per_batch, note="of the peak")]


async def _run(port: int, folder: Path, batches: int, rate: float | None) -> tuple[float, list[int]]:
    """Return batches a second from the first sent to the last receipted, and memory in between."""
    sizes = list[int]()
    async with collecting(port, folder) as (_, journal):
        async with sender(port, batches, "receipt", rate) as sending:
            started = time.perf_counter()
            ended = asyncio.create_task(sending.wait())
            while not ended.done():
                sizes.append(own_bytes())
                await asyncio.wait([ended], timeout=0.1)
            seconds = time.perf_counter() - started
        assert await journal.count() == batches * READINGS_PER_BATCH, "readings were lost"
    return batches / seconds, sizes
