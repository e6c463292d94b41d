"""A node cut off from its broker: its own buzzer sounds, and the service tells once when the link is back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from app.build import App
from app.clock import SystemClock
from app.config import ServiceConfig
from app.documents import parse_document
from app.local_rules import local_rules
from app.parts import Parts
from app.rulebook import read_rules
from app.web import bind
from domain.alert import Alert
from edge.agent import build_agent
from edge.alarms.join import join_local_alarms
from edge.settings import EdgeSettings
from tests.system.brokers import MosquittoServer, mosquitto_server

pytestmark = pytest.mark.system

WAIT_SECONDS = 40.0
CHANNEL = "clinic/fridge-1/temperature"
REGISTRY = """
facilities:
  - id: clinic
    name: Bukasa HC3
    country: Uganda
    region: Western
    district: Kasese
    nodes: [{id: pi-1}]
    equipment:
      - id: fridge-1
        kind: fridge
        name: Fridge 1
        channels: [{quantity: temperature, node: pi-1, name: fridge, interval: 1s}]
contacts: [{id: amina, name: Amina, phone: "+256700000001"}]
"""
RULES = """
rules:
  - id: warm
    title: Too warm
    severity: critical
    applies_to: {quantity: temperature, equipment: fridge}
    when: {above: {limit: 8 °C, comparison: ">", for: 2s}}
"""


def probe(folder: Path, celsius: float) -> None:
    """Write the probe's file as the kernel shows it."""
    device = folder / "w1" / "28-000000000001"
    device.mkdir(parents=True, exist_ok=True)
    scratchpad = "48 01 4b 46 7f ff 0c 10 5f"
    fresh = device / "fresh"
    fresh.write_text(f"{scratchpad} : crc=5f YES\n{scratchpad} t={round(celsius * 1000)}\n")
    fresh.replace(device / "w1_slave")


@dataclass
class Site:
    """A clinic: its node, its broker, and the service far away."""

    folder: Path
    broker: MosquittoServer
    parts: Parts
    said: list[str] = field(default_factory=list)

    @property
    def buzzer(self) -> bool:
        """Tell whether the buzzer sounds."""
        path = self.folder / "buzzer"
        return path.exists() and path.read_text().strip() == "1"

    async def alerts(self) -> list[Alert]:
        """Return every alert that the service has."""
        return await self.parts.judgement.alerts.alerts(open_only=False)

    def settings(self) -> EdgeSettings:
        """Return the node's settings."""
        return EdgeSettings.model_validate(
            {
                "node": "pi-1",
                "broker": self.broker.url,
                "outbox": self.folder / "outbox.sqlite",
                "interval": 0.5,
                "publish": {"reconnect_first": 0.2, "reconnect_longest": 0.5, "receipt_timeout": 1},
                "drivers": [{"driver": "ds18b20", "root": self.folder / "w1", "probes": {"28-000000000001": "fridge"}}],
                "local_alarms": {
                    "place": "Bukasa HC3",
                    "rules": [{"rule": "warm"}],
                    "rule_files": [self.folder / "rules.yaml"],
                    "channels": {
                        "fridge": {"channel": CHANNEL, "quantity": "temperature", "equipment": "fridge", "interval": 1}
                    },
                    "outputs": [{"output": "file", "path": self.folder / "buzzer", "steady": True}],
                    "link_down_after": 2,
                },
            }
        )

    @asynccontextmanager
    async def node(self) -> AsyncIterator[None]:
        """Run the node's agent, and stop it as the service manager would."""
        settings, clock = self.settings(), SystemClock()
        agent = build_agent(settings, clock)
        join_local_alarms(agent, local_rules(settings, parse_document("{}", "edge.yaml")), clock)
        running = asyncio.create_task(agent.run())
        try:
            yield
        finally:
            running.cancel()
            await asyncio.wait({running})


async def until(holds: Callable[[], bool]) -> None:
    """Return as soon as the condition holds; look again and again, for a file tells nobody that it changed."""
    async with asyncio.timeout(WAIT_SECONDS):
        while not holds():  # noqa: ASYNC110 - see above
            await asyncio.sleep(0.02)


@asynccontextmanager
async def site(folder: Path) -> AsyncIterator[Site]:
    """Run a broker and a service, for a node whose fridge is cold."""
    (folder / "rules.yaml").write_text(RULES, "utf-8")
    probe(folder, 5.0)
    async with AsyncExitStack() as stack:
        broker = await stack.enter_async_context(mosquitto_server(folder))
        config = ServiceConfig.model_validate(
            {
                "data": folder / "data",
                "listen": {"port": 0},
                "mqtt": {"url": broker.url, "reconnect_first": 0.2, "reconnect_longest": 0.5},
                "rules": {"catalogue": False, "files": [folder / "rules.yaml"]},
                "judge": {"tick_seconds": 0.5},
            }
        )
        said: list[str] = []
        registry = parse_document(REGISTRY, "registry.yaml")
        app = App(config, say=said.append, registry_documents=(registry,))
        parts = await Parts.open(app.surroundings(), stack, read_rules(config.rules))
        listener = stack.enter_context(bind(config.listen, open_to_all=True))
        running = asyncio.create_task(parts.run(listener, asyncio.Event()))
        try:
            yield Site(folder, broker, parts, said)
        finally:
            running.cancel()
            await asyncio.wait({running})


async def test_cut_off_the_buzzer_sounds_and_back_again_the_service_tells_once(tmp_path: Path) -> None:
    """From a cold fridge over a cut link, a restart of the node and its return, to the all-clear: one of everything."""
    async with site(tmp_path) as here:
        async with here.node():
            await until(lambda: here.parts.ground.latest.get(CHANNEL) is not None)
            await here.broker.stop()
            probe(tmp_path, 9.5)
            await until(lambda: here.buzzer)
        assert not here.buzzer
        async with here.node():
            await until(lambda: here.buzzer)
            assert await here.alerts() == []
            await here.broker.restart()
            await until(lambda: any("ALARM" in line for line in here.said))
            await until(lambda: not here.buzzer)
            probe(tmp_path, 5.0)
            await until(lambda: any("OK" in line for line in here.said))
        (alert,) = await here.alerts()
        assert (alert.rule, alert.subject, alert.extreme) == ("warm", CHANNEL, 9.5)
        assert [line.split(": ")[1].split()[0] for line in here.said] == ["ALARM", "OK"]
        assert here.parts.intake.pipeline.stats().counters.events >= 1
