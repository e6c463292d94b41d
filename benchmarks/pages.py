"""Pages of a nation: how soon they answer, and what open event streams cost, beside 10,000 readings a second.

The whole service runs in this process except for the judge: MQTT, validation, journal, alerts, registry, pages. Its
nodes, its readers and the broker are processes of their own. What is made up, and how it gets into the stores, is in
``_nation``. The baseline of a page is a bare FastAPI route in this process that answers as many bytes, asked in turn.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import uvicorn
from fastapi import FastAPI, Response

from app.clock import SystemClock
from app.config import ServiceConfig
from app.database import make_folder
from app.parts.ground import Ground
from app.parts.intake import Intake
from app.parts.judgement import Judgement
from app.parts.web import Web
from app.process import SWITCH_SECONDS
from app.web import ListenSettings, address, bind
from benchmarks._mosquitto import mosquitto
from benchmarks._nation import Nation, asked_of, directory_of, facility_id, fill
from benchmarks.figure import Better, Figure
from dashboards.figures.places import Figures
from dashboards.pages.words import nothing_to_say

BATCHES_PER_SECOND = 500
"""Of 20 readings: 10,000 readings a second."""
LISTENERS = 200
_WATCHED_SECONDS = 60.0
"""What the service does by itself, such as rolling up, comes around within a minute."""
_WARM_SECONDS = 5.0
_DISTRICT = "country=Uganda&region=Region%200&district=District%2005"


class Page(NamedTuple):
    """A page to be asked for, and how soon it has to answer."""

    name: str
    paths: tuple[str, ...]
    """Asked for in turn."""
    target_ms: float | None = None


class Site(NamedTuple):
    """What is served: the service, and the bare routes beside it."""

    address: str
    bare: str
    lags: list[float]
    """How late the event loop was, in seconds; fills."""
    figures: Callable[[], Figures]


def measure(quick: bool) -> Iterator[Figure]:
    """Yield the figures of the pages and of the streams."""
    sys.setswitchinterval(SWITCH_SECONDS)  # as the service does
    nation = Nation(300, 20, 20, 500) if quick else Nation(10_000, 100, 60, 20_000)
    yield from asyncio.run(_measured(nation, rounds=10 if quick else 60, seconds=3.0 if quick else _WATCHED_SECONDS))


async def _measured(nation: Nation, *, rounds: int, seconds: float) -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="pages-") as folder:
        async with (
            mosquitto(Path(folder)) as port,
            serving(nation, Path(folder) / "data", port) as site,
            child("_nation_nodes", str(port), str(nation.centres), str(BATCHES_PER_SECOND)),
        ):
            worked_out = await _worked_out(site, nation)
            await asyncio.sleep(_WARM_SECONDS)
            site.lags.clear()
            found = [figure for page in pages(nation) for figure in await _page_figures(site, page, rounds)]
            lag = Figure(
                "event loop, late at p99, pages read", "ms", percentile_of(site.lags, 99) * 1000, better=Better.LOWER,
                note="pages one after the other, without a pause",
            )  # fmt: skip
            return [*worked_out, *found, lag, await _stream_figure(site, seconds)]


async def _worked_out(site: Site, nation: Nation) -> list[Figure]:
    """Return how long it takes from the start of the service until the figures of all facilities are known."""
    started = time.perf_counter()
    while True:
        known = site.figures()
        if known.end_ms and not known.missing:
            break
        await asyncio.sleep(0.1)
    taken = time.perf_counter() - started
    note = f"{nation.facilities} facilities, from 90 days of every channel, readings coming in"
    late = Figure(
        "event loop, late at p99, figures worked out",
        "ms",
        percentile_of(site.lags, 99) * 1000,
        better=Better.LOWER,
        note=note,
    )
    return [Figure("figures of places, known after a start", "s", taken, better=Better.LOWER, note=note), late]


def pages(nation: Nation) -> list[Page]:
    """Return the pages that are measured."""
    asked = [facility_id(number) for number in asked_of(nation)]
    centres, clinics = asked[: len(asked) // 2], asked[len(asked) // 2 :]
    return [
        Page("overview", ("/",), 200),
        Page("overview, what an open page replaces", ("/?part=live",), 200),
        Page("overview, searched", ("/?q=kambo+district",), 200),
        Page("map", ("/map",), 200),
        Page("facility with four charts, a day", tuple(f"/facilities/{each}" for each in clinics), 150),
        Page("facility with four charts, 30 days", tuple(f"/facilities/{each}?range=30d" for each in clinics), 150),
        Page("facility with twenty charts, a day", tuple(f"/facilities/{each}" for each in centres)),
        Page("alerts", ("/alerts",)),
        Page("place, a district", (f"/places?{_DISTRICT}",), 200),
        Page("place, a district over 90 days", (f"/places?{_DISTRICT}&range=90d",), 200),
        Page("place, the nation by districts", ("/places?level=district",)),
        Page("API, figures of a district", (f"/api/v1/figures?{_DISTRICT}",)),
        Page("API, facilities of a district", ("/api/v1/facilities?district=District%2005",)),
        Page("metrics", ("/metrics",)),
    ]


async def _page_figures(site: Site, page: Page, rounds: int) -> list[Figure]:
    paths = [page.paths[turn % len(page.paths)] for turn in range(rounds)]
    sizes = (await read([site.address + path for path in paths[:3]], 1))[1]
    addresses = [each for path in paths for each in (site.address + path, f"{site.bare}/{max(sizes)}")]
    seconds, _ = await read(addresses, 1)
    ours, bare = ([taken[0] for taken in seconds[start::2]] for start in (0, 1))
    note = f"{max(sizes)} bytes gzipped, {rounds} times; baseline: a bare FastAPI route, as many bytes"
    return [
        Figure(
            f"page: {page.name}, p{percentile}", "ms",
            percentile_of(ours, percentile) * 1000, percentile_of(bare, percentile) * 1000,
            target=page.target_ms if percentile == 99 else None, better=Better.LOWER, note=note,
        )
        for percentile in (50, 99)
    ]  # fmt: skip


async def _stream_figure(site: Site, seconds: float) -> Figure:
    alone = await _busy_share(seconds)
    async with child("_page_reader", "streams", str(LISTENERS), f"{site.address}/api/v1/events") as readers:
        assert readers.stdout is not None
        await readers.stdout.readline()
        await asyncio.sleep(_WARM_SECONDS)
        listening = await _busy_share(seconds)
    return Figure(
        f"{LISTENERS} event streams, share of a core", "%", (listening - alone) * 100, target=10.0, better=Better.LOWER,
        note=f"{listening * 100:.1f} % with them, {alone * 100:.1f} % without, over {seconds:.0f} s each",
    )  # fmt: skip


async def _busy_share(seconds: float) -> float:
    """Return how much of a core this process takes."""
    before, started = time.process_time(), time.perf_counter()
    await asyncio.sleep(seconds)
    return (time.process_time() - before) / (time.perf_counter() - started)


async def read(addresses: Sequence[str], rounds: int) -> tuple[list[list[float]], list[int]]:
    """Return the seconds that each answer took, by address, and how many bytes came."""
    async with child("_page_reader", "pages") as reader:
        assert reader.stdin is not None
        assert reader.stdout is not None
        reader.stdin.write(json.dumps({"addresses": addresses, "rounds": rounds}).encode() + b"\n")
        found = json.loads(await reader.stdout.readline())
    return found["seconds"], found["bytes"]


def percentile_of(values: Sequence[float], percentile: int) -> float:
    """Return a percentile, interpolated."""
    return statistics.quantiles(values, n=100, method="inclusive")[percentile - 1]


@asynccontextmanager
async def serving(nation: Nation, data: Path, broker_port: int) -> AsyncIterator[Site]:
    """Run the service over the nation's stores while the block runs."""
    clock, directory = SystemClock(), directory_of(nation)
    config = ServiceConfig.model_validate(
        {"data": data, "mqtt": {"url": f"mqtt://127.0.0.1:{broker_port}"}, "access": {"open": True}}
    )
    make_folder(data)
    await fill(nation, directory, data, str(config.database_url), clock.now_ms())
    async with AsyncExitStack() as stack:
        ground = await Ground.open(config, clock, stack, [], [])
        # Past the registry's tables, whose import of so many channels takes minutes; who asks it sees no difference.
        ground.registry.directory = directory
        judgement = await Judgement.open(ground, config, clock, stack, lambda _: None)
        intake = await Intake.open(ground, judgement, config, clock)
        web = await Web.open(ground, intake, judgement, config, clock, stack, nothing_to_say)
        ours, bare = (stack.enter_context(bind(ListenSettings(port=0), open_to_all=True)) for _ in range(2))
        lags: list[float] = []
        loops = {**ground.loops(), **judgement.loops(), **intake.loops(), **web.loops(ours)}
        work = [loop() for name, loop in loops.items() if name != "judge"] + [_bare(bare), _watch(lags)]
        tasks = [asyncio.create_task(each) for each in work]
        try:
            yield Site(address(ours), address(bare), lags, lambda: web.figures.figures)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def _bare(listener: socket.socket) -> None:
    application = FastAPI()

    @application.get("/{size}")
    async def answer(size: int) -> Response:
        return Response(b"x" * size)

    await uvicorn.Server(uvicorn.Config(application, log_config=None, access_log=False)).serve([listener])


async def _watch(lags: list[float]) -> None:
    while True:
        started = time.perf_counter()
        await asyncio.sleep(0.001)
        lags.append(time.perf_counter() - started - 0.001)


@asynccontextmanager
async def child(module: str, *arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a module of the benchmarks as a process while the block runs."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", f"benchmarks.{module}", *arguments,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=2**24,
    )  # fmt: skip
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
