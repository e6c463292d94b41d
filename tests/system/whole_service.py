"""The whole service with something to see on every page, and the table of its pages."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import httpx
from playwright.async_api import Page

from app.config import read_config
from app.issuing.provisioning import add_node
from tests.system.servers import ServerProcess, free_ports
from tests.system.test_sign_in_service import PASSWORD, vitals

PAGES: Final = (
    "/", "/?region=Western&district=Kasese", "/map", "/map?bbox=29.7,0,30.2,0.4", "/places", "/places/route",
    "/places?level=facility&range=7d", "/places?country=Uganda&region=Western&district=Kasese", "/alerts", "/alerts/1",
    "/facilities/bwera", "/rules", "/rules/warm", "/maintenance", "/registry", "/registry/changes",
    "/sla", "/reports?facility=bwera",
    "/registry/facilities/new", "/registry/facilities/kasese", "/registry/facilities/kasese/edit",
    "/registry/facilities/kasese/equipment/new",
    "/equipment/kasese/fridge", "/equipment/kasese/fridge/edit", "/equipment/kasese/fridge/channels/new",
    "/equipment/kasese/fridge/channels/temperature/edit", "/equipment/kasese/fridge/channels/temperature/limits",
    "/registry/nodes", "/registry/nodes/logger", "/registry/nodes/labels", "/claim/unknown", "/people",
    "/people/contacts/amina", "/people/contacts/new", "/people/rosters/duty", "/users", "/users/head", "/account",
    "/account/password", "/tokens", "/offline", "/nothing",
)  # fmt: skip
"""Addresses as somebody opens them who is signed in and may do everything."""
CHART_PAGES: Final = ("/facilities/kasese", "/facilities/kasese?range=30d")
"""Those with charts, which may weigh more."""
OPEN_PAGES: Final = ("/sign-in", "/offline")
"""What is seen before that."""
REPOSITORY: Final = Path(__file__).parents[2]
WAIT_SECONDS: Final = 30
RULES: Final = """\
rules:
  - id: warm
    title: Too warm
    severity: critical
    applies_to: {quantity: temperature, equipment: fridge}
    when: {above: {limit: 8 °C, comparison: ">", clear: 7 °C}}
    action: Move the vaccines.
"""
REGISTRY: Final = """\
facilities:
  - id: kasese
    name: Kasese Health Centre III
    country: Uganda
    region: Western
    district: Kasese
    timezone: Africa/Kampala
    latitude: 0.183
    longitude: 30.083
    nodes: [{id: logger}]
    equipment:
      - {id: fridge, kind: fridge, name: Fridge, channels: [
          {quantity: temperature, node: logger, name: t, interval: 1min, limits: {low: 2 °C, high: 8 °C}}]}
      - {id: grid, kind: mains, name: Grid, channels: [{quantity: supply, node: logger, name: s, interval: 1min}]}
  - {id: bwera, name: Bwera Hospital, country: UG, region: Western, district: Kasese, latitude: 0.03, longitude: 29.77}
  - {id: gulu, name: Gulu Hospital, country: Uganda, region: Northern, district: Gulu}
contacts:
  - {id: amina, name: Amina K., phone: "+256700000001", district: Kasese}
  - {id: joseph, name: Joseph O., phone: "+256700000002", district: Kasese}
teams:
  - {id: cold-chain, name: Cold chain of Kasese, members: [amina, joseph]}
rosters:
  - {id: duty, name: Duty in Kasese, timezone: Africa/Kampala, rotations: [
      {members: [joseph, amina], first_day: "2026-11-02T08:00", turn_days: 7}]}
"""


@asynccontextmanager
async def a_service(folder: Path) -> AsyncIterator[str]:
    """Run the service with a warm fridge, an alert about it, and an administrator; gives its address."""
    (port,) = free_ports(1)
    address, config = f"http://127.0.0.1:{port}", folder / "vitals.yaml"
    (folder / "registry.yaml").write_text(REGISTRY, "utf-8")
    (folder / "rules.yaml").write_text(RULES, "utf-8")
    config.write_text(
        f"data: data\nlisten: {{port: {port}}}\nregistry: registry.yaml\n"
        "rules: {catalogue: false, files: [rules.yaml]}\n",
        "utf-8",
    )
    settings = read_config(config, {})
    await add_node(
        settings, "logger", broker="mqtts://x:8883", by_password=False, out=folder / "logger", now=datetime.now(UTC),
        overlap=None, say=print,
    )  # fmt: skip

    async def ready() -> bool:
        try:
            async with httpx.AsyncClient() as client:
                return (await client.get(f"{address}/healthz")).status_code == 200
        except httpx.HTTPError:
            return False

    command = ["env", f"PYTHONPATH={REPOSITORY}", sys.executable, "-m", "app.cli", "run", "--config", str(config)]
    service = ServerProcess(command, log=folder / "log.txt", ready=ready)
    await service.start()
    try:
        await _measure(address, (folder / "logger" / "http-token").read_text("utf-8"))
        await vitals(config, "user", "add", "head", "--role", "administrator", "--password-file", "-", said=PASSWORD)
        yield address
    finally:
        await service.stop()


async def _measure(address: str, token: str) -> None:
    now = round(time.time())
    values = [*((now - 600 + 60 * step, "t", 4.5) for step in range(9)), (now, "t", 9.6), (now, "s", 1)]
    pack = [{"bn": "logger/", "bt": 0}, *({"n": name, "t": at, "v": value} for at, name, value in values)]
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/senml+json"}
    async with httpx.AsyncClient(timeout=WAIT_SECONDS, headers=headers) as client:
        answer = await client.post(f"{address}/api/v1/readings", content=json.dumps(pack))
    assert answer.json()["stored"] == len(values)


async def sign_in(page: Page) -> None:
    """Come in as somebody who may do everything."""
    await page.goto("/sign-in")
    await page.locator('main input[name="name"]').fill("head")
    await page.locator('input[name="password"]').fill(PASSWORD)
    await page.locator("main button[type=submit]").click()
    await page.wait_for_url("**/")
