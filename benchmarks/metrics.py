"""What a scrape of a nation costs: its size, its time, and how long others wait meanwhile.

The service, its nodes and its readings are those of ``pages``. Other requests are asked one after the other, first with
nobody scraping, which is their baseline, then while scrapes follow each other without a pause: Prometheus leaves half a
minute between two of them.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from app.process import SWITCH_SECONDS
from benchmarks._mosquitto import mosquitto
from benchmarks._nation import Nation, asked_of, facility_id
from benchmarks.figure import Better, Figure
from benchmarks.pages import BATCHES_PER_SECOND, Site, child, percentile_of, read, serving

_WARM_SECONDS = 5.0
_TARGET_MS = 50.0


def measure(quick: bool) -> Iterator[Figure]:
    """Yield the figures of scrapes."""
    sys.setswitchinterval(SWITCH_SECONDS)  # as the service does
    nation = Nation(300, 20, 20, 500) if quick else Nation(10_000, 100, 60, 20_000)
    yield from asyncio.run(_measured(nation, scrapes=5 if quick else 20, rounds=100 if quick else 500))


async def _measured(nation: Nation, *, scrapes: int, rounds: int) -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="metrics-") as folder:
        async with (
            mosquitto(Path(folder)) as port,
            serving(nation, Path(folder) / "data", port) as site,
            child("_nation_nodes", str(port), str(nation.centres), str(BATCHES_PER_SECOND)),
        ):
            await _known(site)
            await asyncio.sleep(_WARM_SECONDS)
            found = [
                figure
                for path in ("/metrics", "/metrics/equipment")
                for figure in _scrape_figures(path, await _scraped(site, path, scrapes))
            ]
            return [*found, *await _others(site, nation, rounds)]


async def _known(site: Site) -> None:
    """Wait until the figures of all facilities are worked out: that takes what is left of the processor."""
    while not site.figures().end_ms or site.figures().missing:  # noqa: ASYNC110 - figures have no event
        await asyncio.sleep(0.1)


async def _scraped(site: Site, path: str, times: int) -> dict[str, Any]:
    async with child("_scraper", site.address + path, str(times)) as scraper:
        assert scraper.stdout is not None
        await scraper.stdout.readline()
        found: dict[str, Any] = json.loads(await scraper.stdout.readline())
        return found


def _scrape_figures(path: str, found: dict[str, Any]) -> Iterator[Figure]:
    median_ms = statistics.median(found["seconds"]) * 1000
    note = f"{found['samples']} samples, {found['plain']} bytes of text; {len(found['seconds'])} scrapes"
    yield Figure(f"scrape of {path}, median", "ms", median_ms, better=Better.LOWER, note=note)
    yield Figure(f"scrape of {path}, gzipped", "bytes", found["packed"], better=Better.LOWER, note=note)


async def _others(site: Site, nation: Nation, rounds: int) -> list[Figure]:
    """Return how long other requests take, without a scrape and beside one."""
    clinic = facility_id(asked_of(nation)[-1])
    asked = {
        "health": ("/healthz", _TARGET_MS),
        "API, a facility": (f"/api/v1/facilities/{clinic}", _TARGET_MS),
        "page of a facility": (f"/facilities/{clinic}", None),
    }
    addresses = [site.address + path for path, _ in asked.values()]
    await read(addresses, 5)
    alone, _ = await read(addresses, rounds)
    site.lags.clear()
    async with child("_scraper", f"{site.address}/metrics", "0") as scraper:
        assert scraper.stdout is not None
        await scraper.stdout.readline()
        started = time.perf_counter()
        beside, _ = await read(addresses, rounds)
        note = f"{rounds} requests in {time.perf_counter() - started:.0f} s of scrapes; baseline: nobody scrapes"
    figures = [
        Figure(
            f"{name} during a scrape, p99", "ms", percentile_of(with_, 99) * 1000, percentile_of(without, 99) * 1000,
            target=target, better=Better.LOWER, note=note,
        )
        for (name, (_, target)), with_, without in zip(asked.items(), beside, alone, strict=True)
    ]  # fmt: skip
    late = percentile_of(site.lags, 99) * 1000
    return [*figures, Figure("event loop, late at p99 during scrapes", "ms", late, better=Better.LOWER, note=note)]
