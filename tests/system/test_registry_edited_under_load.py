"""The registry is edited while everybody sends: a node that comes and goes loses nothing, nor does its neighbour."""

from __future__ import annotations

import asyncio
from itertools import cycle
from pathlib import Path

import pytest

from collector.journal import Journal
from collector.journal.letters import LetterFilter
from collector.pipeline import Pipeline
from collector.settings import MqttSourceSettings, PipelineSettings
from collector.sources.mqtt import MqttSource
from domain.receipt import Receipt
from domain.rejection import Reason
from tests.collector.intake import directory
from tests.system.brokers import mosquitto_server
from tests.system.collector_process import SOON, WallClock
from tests.system.honest_sender import HonestSender
from tests.system.test_ingest_restarts import EVERYTHING, NODES, batches, stored_moments

pytestmark = pytest.mark.system

STEADY, FLEETING = NODES


async def test_a_node_that_comes_and_goes_loses_nothing(tmp_path: Path) -> None:
    """What it sends while it is not registered gets no receipt; sent again while it is, it is stored, and once."""
    both, one = directory(*NODES), directory(STEADY)
    current, clock = one, WallClock()

    async def send_receipt(node: str, receipt: Receipt) -> None:
        await source.send_receipt(node, receipt)

    async def edit() -> None:
        nonlocal current
        for registry, seconds in cycle(((one, 0.03), (both, 0.3))):
            current = registry
            await clock.sleep(seconds)

    async with (
        mosquitto_server(tmp_path) as server,
        Journal.open(tmp_path / "journal") as journal,
        asyncio.timeout(90),
        asyncio.TaskGroup() as tasks,
    ):
        pipeline = Pipeline(
            directory=lambda: current,
            commit=journal.commit,
            send_receipt=send_receipt,
            on_committed=lambda _readings, _position: None,
            clock=clock,
            settings=PipelineSettings(),
        )
        settings = MqttSourceSettings(url=server.url, reconnect_first=SOON, reconnect_longest=SOON)
        source = MqttSource(settings, accept=pipeline.accept, clock=clock)
        service = [tasks.create_task(work) for work in (pipeline.run(), source.run(), edit())]
        senders = {node: HonestSender(server.url, node, batches(node)) for node in NODES}
        await asyncio.gather(*(sender.run() for sender in senders.values()))
        refused = {group.node for group in await journal.letter_groups(LetterFilter(Reason.UNKNOWN_NODE))}
        for task in service:
            task.cancel()
    assert refused == {FLEETING}
    for node in NODES:
        assert await stored_moments(tmp_path / "journal", node) == EVERYTHING
