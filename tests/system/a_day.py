"""A district on a day that was, and on this minute: what it is, what it measured, and who carries its messages."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import httpx

from app.config import ServiceConfig, read_config
from app.database import open_database
from app.issuing.provisioning import add_node
from domain.document import Document
from registry.history import Occasion
from registry.store import RegistryStore
from tests.system.servers import free_ports
from tests.system.test_sign_in_service import service, vitals

WAIT_SECONDS: Final = 30
TARGET: Final = 0.99
MANY: Final = tuple(f"other-{number}" for number in range(6))
"""Facilities where all is well, so that one in trouble is not its region."""
RULES: Final = """\
rules:
  - id: warm
    title: Too warm
    severity: critical
    applies_to: {quantity: temperature, equipment: fridge}
    when: {above: {limit: 8 °C, comparison: ">", clear: 7 °C}}
    action: Move the vaccines.
"""
Values = Iterable[tuple[float, float]]
"""Each with its moment in Unix seconds."""


def _facility(name: str, region: str, district: str, *equipment: Mapping[str, Any]) -> dict[str, Any]:
    place = {"country": "Uganda", "region": region, "district": district}
    return {"id": name, "name": name, **place, "nodes": [{"id": name}], "equipment": list(equipment)}


def _mains(node: str) -> dict[str, Any]:
    channel = {"quantity": "supply", "node": node, "name": "s", "interval": "10min"}
    return {"id": "grid", "kind": "mains", "name": "Grid", "channels": [channel]}


def _fridge(node: str) -> dict[str, Any]:
    limits = {"low": "2 °C", "high": "8 °C"}
    channel = {"quantity": "temperature", "node": node, "name": "t", "interval": "10min", "limits": limits}
    return {"id": "fridge", "kind": "fridge", "name": "Fridge", "channels": [channel]}


def registry() -> dict[str, Any]:
    """Return the facilities of the story: three in Kasese, others in their region, and two in another region."""
    return {
        "facilities": [
            _facility("clinic", "Western", "Kasese", _mains("clinic")),
            _facility("outpost", "Western", "Kasese", _mains("outpost")),
            _facility("hospital", "Western", "Kasese", _fridge("hospital")),
            *(_facility(each, "Western", "Kabarole", _mains(each), _fridge(each)) for each in MANY),
            *(_facility(each, "Northern", "Gulu", _mains(each)) for each in ("gulu-1", "gulu-2")),
        ]
    }


class District:
    """The service, and the gateways that send to it."""

    def __init__(self, config: Path, address: str, token: str, nodes: Mapping[str, str]) -> None:
        self.config, self.address, self.token = config, address, token
        self._nodes = nodes
        """The token of each."""

    async def send(self, node: str, channel: str, values: Values, *, late: bool = False) -> None:
        """Send values as a gateway does; each is stored, or it is an error."""
        pack = [{"bn": f"{node}/", "bt": 0}, *({"n": channel, "t": at, "v": value} for at, value in values)]
        headers = {"Authorization": f"Bearer {self._nodes[node]}", "Content-Type": "application/senml+json"}
        lane = {"lane": "backfill" if late else "live"}
        async with httpx.AsyncClient(timeout=WAIT_SECONDS, headers=headers) as client:
            answer = await client.post(f"{self.address}/api/v1/readings", content=json.dumps(pack), params=lane)
        assert answer.json()["stored"] == len(pack) - 1, answer.text

    async def say(self, channel: str, value: float, *nodes: str) -> None:
        """Send what each of these gateways measures now."""
        for node in nodes:
            await self.send(node, channel, [(round(time.time(), 3), value)])

    async def figures(self, day: datetime, end: datetime, *more: str) -> dict[str, Any]:
        """Return what ``vitals sla`` says of Kasese on the day, as an operator asks for it."""
        period = ("--from", day.isoformat(), "--to", end.isoformat())
        found: dict[str, Any] = json.loads(
            await vitals(self.config, "sla", *period, "--district", "Kasese", "--format", "json", *more)
        )
        return found


@asynccontextmanager
async def a_district(folder: Path, alertmanager: str, broker: int) -> AsyncIterator[District]:
    """Run the service of the district beside a broker; it shows its own alerts in Alertmanager, too."""
    (port,) = free_ports(1)
    path = folder / "vitals.yaml"
    (folder / "rules.yaml").write_text(RULES, "utf-8")
    document = {
        "data": "data",
        "listen": {"port": port},
        "mqtt": {"url": f"mqtt://127.0.0.1:{broker}"},
        "rules": {"catalogue": False, "files": ["rules.yaml"]},
        "alerts": {"mirrors": {"alertmanager": {"urls": [alertmanager]}}},
        "sla": {"targets": [{"ratio": TARGET}]},
    }
    path.write_text(json.dumps(document), "utf-8")  # JSON is YAML
    config = read_config(path, {})
    nodes = await _registered(config, folder)
    token = (await vitals(path, "token", "add", "Prometheus", "--role", "viewer")).split("vt_")[1].split()[0]
    async with service(path):
        yield District(path, f"http://127.0.0.1:{port}", f"vt_{token}", nodes)


async def _registered(config: ServiceConfig, folder: Path) -> dict[str, str]:
    """Register everything, with limits that were in force since ever; return the gateways' tokens."""
    config.data.mkdir()
    document = registry()
    async with open_database(config.database_url) as database:
        store = RegistryStore(database)
        await store.create_tables()
        await store.import_document(Document("registry", document), occasion=Occasion(1))
    tokens = {}
    for name in (each["id"] for each in document["facilities"]):
        out = folder / "nodes" / name
        await add_node(
            config, name, broker="mqtt://x", by_password=True, out=out, now=datetime.now(UTC), overlap=None, say=print
        )
        tokens[name] = (out / "http-token").read_text("utf-8")
    return tokens
