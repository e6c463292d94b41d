"""A real Prometheus reads what it is told of channels, in the format that it asks for itself."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from api.exposition import Exposition
from api.services import Services
from tests.api.world import World
from tests.app.test_equipment_metrics import START_MS, Given
from tests.system.browsing import served
from tests.system.servers import prometheus

pytestmark = pytest.mark.system

CONFIG = """
global: {{scrape_interval: 1s}}
scrape_configs:
  - job_name: vitals-equipment
    metrics_path: /metrics/equipment
    static_configs: [{{targets: ["{host}"]}}]
"""


class Equipped(World):
    """A world that tells of a fridge that has every channel there is."""

    def services(self, **changes: object) -> Services:
        """Return its services, which note in which format they were asked."""
        self.fridge, self.asked = Given("a"), set[Exposition]()
        for channel in self.fridge.directory.channels:
            self.fridge.take(channel, START_MS, 1.0)
        return super().services(equipment_metrics=self._told, **changes)

    def _told(self, form: Exposition) -> Iterable[str]:
        self.asked.add(form)
        return self.fridge.text.render(form)


async def test_prometheus_takes_every_quantity(tmp_path: Path) -> None:
    """In OpenMetrics, which it likes best, nothing is refused, and each value is found under its name."""
    world = Equipped()
    with served(world) as site:
        async with (
            prometheus(tmp_path, CONFIG.format(host=site.address.removeprefix("http://"))) as server,
            aiohttp.ClientSession() as session,
            asyncio.timeout(30),
        ):
            while not (found := await _query(session, server, "vitals_equipment_energy_joules")):  # noqa: ASYNC110
                await asyncio.sleep(0.2)
            taken = await _query(session, server, "scrape_samples_scraped")
    told = sum(map(len, world.fridge.found().values()))
    assert [each["value"][1] for each in found] == ["3600"]
    assert [float(each["value"][1]) for each in taken] == [told]
    assert world.asked == {Exposition.OPENMETRICS}


async def _query(session: aiohttp.ClientSession, server: str, query: str) -> list[dict[str, Any]]:
    async with session.get(f"{server}/api/v1/query", params={"query": query}) as answer:
        found: list[dict[str, Any]] = (await answer.json())["data"]["result"]
        return found
