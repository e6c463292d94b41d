"""From a reading at the pipeline to the hand of a notifier, through the real journal, judge, alerts and dispatcher.

One reading after the other goes beyond a limit, each at a facility of its own; the next one waits until the notifier
has the message of the last. Beside them other nodes send ordinary readings at a given rate. Before each one the same
disk takes a bare durable commit, the least that any of the three on the way can cost.
"""

from __future__ import annotations

import asyncio
import random
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from alerts.dispatch import Dispatcher
from alerts.notifiers.notifier import Delivery, OutgoingMessage
from alerts.routing import Audience, Route
from alerts.settings import DispatchSettings
from alerts.store import AlertStore, World
from app.database import open_database
from app.judge import Judge
from app.judge_state import JudgeState
from app.rulebook import rule_texts
from benchmarks._batch_sender import READINGS_PER_BATCH
from collector.journal import Journal
from collector.pipeline import Pipeline
from collector.settings import PipelineSettings
from domain.directory import Directory
from domain.document import Document
from domain.places import Channel, Facility, Node
from domain.quantities import QUANTITIES
from domain.reading import Batch, Sample
from domain.receipt import Receipt
from domain.senml import WireFormat, encode
from domain.topics import UpLane, up
from rules.engine import Engine
from rules.loader import load_rules

_CROWD = 100
"""Nodes that send ordinary readings."""
_TURN_SECONDS = 0.01
_PAUSE_SECONDS = 0.02
_RULE = {
    "id": "hot",
    "title": "Too hot",
    "severity": "critical",
    "applies_to": {"quantity": "temperature"},
    "when": {"above": {"limit": 8.0, "comparison": ">"}},
}


@dataclass(frozen=True, slots=True)
class Latencies:
    """What was measured, in seconds."""

    alarms: list[float] = field(default_factory=list)
    commits: list[float] = field(default_factory=list)
    """Of bare durable commits beside them."""


async def latencies(folder: Path, *, alarms: int, readings_per_second: int) -> Latencies:
    """Raise so many alarms beside so many readings a second, and return how long each took."""
    measured, noted = Latencies(), _Noted()
    with closing(_bare(folder / "bare.sqlite")) as bare:
        async with _service(folder, _directory(alarms), noted) as pipeline:
            crowd = asyncio.create_task(_crowd(pipeline, readings_per_second))
            try:
                for number in range(alarms):
                    await asyncio.sleep(_PAUSE_SECONDS)
                    measured.commits.append(await asyncio.to_thread(_commit, bare))
                    started = time.perf_counter()
                    await _send(pipeline, _probe(number), 0, ("t0",), 12.0)
                    measured.alarms.append(await noted.moments.get() - started)
                    if crowd.done():
                        crowd.result()
            finally:
                crowd.cancel()
    return measured


class _Noted:
    """A notifier that notes the moment."""

    def __init__(self) -> None:
        self.moments: asyncio.Queue[float] = asyncio.Queue()

    async def send(self, _: OutgoingMessage) -> Delivery:
        self.moments.put_nowait(time.perf_counter())
        return Delivery.delivered()


@asynccontextmanager
async def _service(folder: Path, directory: Directory, notifier: _Noted) -> AsyncIterator[Pipeline]:
    """Run everything between a message and a notifier while the block runs."""
    clock, rules = _WallClock(), load_rules(Document("benchmark", {"rules": [_RULE]}))
    texts = rule_texts(rules)
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(open_database(f"sqlite+aiosqlite:///{folder / 'alerts.sqlite'}"))
        journal = await stack.enter_async_context(Journal.open(folder / "journal"))
        store = AlertStore(
            database,
            routes=[Route("bench", Audience.SYSTEM, lambda _: "")],
            world=World(lambda: directory, lambda: texts),
        )
        state = JudgeState(database)
        await store.create_tables()
        await state.create_tables()
        judge = Judge(
            journal=journal,
            new_engine=lambda: Engine(rules, directory),
            alerts=store,
            state=state,
            database=database,
            clock=clock,
            directory=lambda: directory,
        )
        await judge.resume()
        dispatcher = Dispatcher(store, {"bench": notifier}, clock, DispatchSettings(), random=random.random)
        pipeline = Pipeline(
            directory=lambda: directory,
            commit=journal.commit,
            send_receipt=_no_receipt,
            on_committed=lambda _readings, _position: None,
            clock=clock,
            settings=PipelineSettings(),
        )
        work = (pipeline.run(), journal.run(clock), judge.run(), store.agenda.run(clock), dispatcher.run())
        tasks = [asyncio.create_task(each) for each in work]
        try:
            yield pipeline
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def _crowd(pipeline: Pipeline, readings_per_second: int) -> None:
    """Send ordinary readings, as many as are due every turn."""
    names = tuple(f"t{index}" for index in range(READINGS_PER_BATCH))
    started, sent = time.perf_counter(), 0
    while readings_per_second:
        due = int((time.perf_counter() - started) * readings_per_second / READINGS_PER_BATCH)
        for number in range(sent, due):
            await _send(pipeline, _node(number % _CROWD), number // _CROWD, names, 4.0 + number % 7 / 10)
        sent = max(sent, due)
        await asyncio.sleep(_TURN_SECONDS)


async def _send(pipeline: Pipeline, node: str, seq: int, names: tuple[str, ...], value: float) -> None:
    now_ms = time.time_ns() // 1_000_000
    batch = Batch(node, "bench", seq, tuple(Sample(name, now_ms, value) for name in names))
    await pipeline.accept(up(node, UpLane.LIVE), encode(batch, format=WireFormat.JSON), now_ms)


async def _no_receipt(_node: str, _receipt: Receipt) -> None:
    return


def _directory(alarms: int) -> Directory:
    probes, crowd = [_probe(n) for n in range(alarms)], [_node(n) for n in range(_CROWD)]
    of_node = {**dict.fromkeys(probes, 1), **dict.fromkeys(crowd, READINGS_PER_BATCH)}
    return Directory(
        facilities=[Facility(f"at-{node}", f"At {node}", "Uganda", "Western", "Kasese") for node in of_node],
        nodes=[Node(node, f"at-{node}") for node in of_node],
        channels=[
            Channel(
                f"{node}/t{index}",
                f"at-{node}",
                "fridge",
                node,
                f"t{index}",
                QUANTITIES["temperature"],
                timedelta(minutes=1),
            )
            for node, channels in of_node.items()
            for index in range(channels)
        ],
    )


def _probe(number: int) -> str:
    return f"probe-{number:04d}"


def _node(number: int) -> str:
    return f"node-{number:03d}"


def _bare(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.executescript(
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE readings (at INTEGER, value REAL);"
    )
    return connection


def _commit(connection: sqlite3.Connection) -> float:
    started = time.perf_counter()
    connection.execute("INSERT INTO readings VALUES (?, ?)", (time.time_ns(), 12.0))
    return time.perf_counter() - started


class _WallClock:
    """The machine's own time."""

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
