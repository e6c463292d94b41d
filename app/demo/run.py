"""The demo: a whole Vitals and a simulated district around it, on this machine alone."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from datetime import datetime
from pathlib import Path
from typing import Any

from api.access.settings import AccessSettings
from app.build import App
from app.clock import ScaledClock, SystemClock
from app.config import ServiceConfig
from app.demo.broker import embedded_broker
from app.demo.district import District, district
from app.demo.link import Link
from app.demo.prometheus import prometheus_beside
from app.web import ListenSettings
from collector.journal.errors import JournalMissing
from collector.journal.journal import Journal
from collector.settings import MqttSourceSettings
from dashboards.sla.targets import SlaSettings, Target
from domain.document import Document
from domain.errors import OperatorError
from domain.instant import MINUTE_MS, Clock, format_rfc3339, parse_rfc3339, to_datetime
from edge.agent import build_agent
from edge.settings import EdgeSettings

LINK_SECONDS = 0.25
TARGETS = (Target(ratio=0.95),)
STORY_FILE = "story.json"


async def run_demo(
    *, folder: Path, port: int, seed: int, speed: float, say: Callable[[str], None], prometheus: str | None = None
) -> None:
    """Run until cancelled; a second run goes on at the last stored moment of the same story.

    ``prometheus`` is the program of that name, which then runs beside it.
    """
    _make_writable(folder)
    clock = ScaledClock(max(SystemClock().now_ms(), await _last_moment_ms(folder)), speed)
    there = district(seed, _story_start(folder, seed, clock))
    begun = (
        clock.now_ms() - there.story.start_ms > MINUTE_MS
    )  # before the service starts, which takes a story's minutes
    async with AsyncExitStack() as stack:
        broker_port = await stack.enter_async_context(embedded_broker())
        app = App(
            config=_config(folder, port, broker_port),
            clock=clock,
            say=say,
            notice=lambda words: words(
                "Demo: a simulated district in which time runs {speed} times faster.", speed=f"{speed:g}"
            ),
            registry_documents=(Document("the simulated district", there.registry),),
        )
        await stack.enter_async_context(app)
        say(_welcome(app.address, speed, folder, begun=begun))
        if prometheus is not None:
            await stack.enter_async_context(
                prometheus_beside(
                    prometheus, folder=folder / "prometheus", address=app.address, speed=speed, targets=TARGETS, say=say
                )
            )
        async with asyncio.TaskGroup() as tasks:
            for node in there.nodes:
                link = await stack.enter_async_context(Link(broker_port).open())
                tasks.create_task(_run_node(folder, node, link, clock), name=f"node {node['node']}")
                tasks.create_task(_tell_story(there, node["node"], link, clock), name=f"link {node['node']}")
            tasks.create_task(app.wait(), name="service")


async def _run_node(folder: Path, node: Mapping[str, Any], link: Link, clock: Clock) -> None:
    settings = EdgeSettings.model_validate(
        {
            **node,
            "broker": f"mqtt://127.0.0.1:{link.port}",
            "outbox": folder / "outboxes" / f"{node['node']}.db",
            "publish": {"reconnect_first": "1s", "reconnect_longest": "2s"},
        }
    )
    await build_agent(settings, clock).run()


async def _tell_story(there: District, node: str, link: Link, clock: Clock) -> None:
    """Cut the node's link while the story has it silent."""
    while True:
        link.set_whole(not there.silent(node, clock.now_ms()))
        await asyncio.sleep(LINK_SECONDS)


def _config(folder: Path, port: int, broker_port: int) -> ServiceConfig:
    return ServiceConfig(
        data=folder,
        listen=ListenSettings(port=port),
        access=AccessSettings(open=True),
        mqtt=MqttSourceSettings(url=f"mqtt://127.0.0.1:{broker_port}"),
        sla=SlaSettings(targets=TARGETS),
    )


async def _last_moment_ms(folder: Path) -> int:
    """Return the moment up to which something is stored: the demo's time may have run ahead of the machine's."""
    try:
        async with Journal.open(folder, read_only=True) as journal:
            stored = await journal.latest()
    except JournalMissing:
        return 0
    return max((reading.received_at_ms for reading in stored.values()), default=0) + 1


def _story_start(folder: Path, seed: int, clock: Clock) -> datetime:
    """Return when this folder's story began, and remember it the first time."""
    path = folder / STORY_FILE
    if path.exists():
        known = json.loads(path.read_text("utf-8"))
        if known["seed"] != seed:
            raise OperatorError(
                f"{folder} holds the story of seed {known['seed']}; for seed {seed} remove it or name another folder"
            )
        return parse_rfc3339(known["start"])
    start = to_datetime(clock.now_ms())
    path.write_text(json.dumps({"seed": seed, "start": format_rfc3339(start)}), "utf-8")
    return start


def _make_writable(folder: Path) -> None:
    try:
        (folder / "outboxes").mkdir(parents=True, exist_ok=True)
        probe = folder / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise OperatorError(
            f"the demo cannot write to {folder}: {error.strerror}; name another folder with --data"
        ) from error


def _welcome(address: str, speed: float, folder: Path, *, begun: bool) -> str:
    hour = 3600 / speed
    news = "The story goes on where it stopped." if begun else "Within a minute the grid fails in the north."
    return (
        f"\n  Open {address}\n\n"
        f"  Twelve simulated facilities publish over MQTT; an hour passes in {hour:.0f} s.\n"
        f"  {news} Alerts are told here as a technician would get them.\n"
        f"  Ctrl-C stops; the next run goes on from what is stored in {folder}/.\n"
    )
