"""Every page of the real service, checked by axe against WCAG 2.2 A and AA: on a phone and a desktop, dark, and Arabic.

A new page is one line in ``PAGES``.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal

import httpx
import pytest
from playwright.async_api import Browser, Page, ViewportSize, async_playwright

from app.config import read_config
from app.issuing.provisioning import add_node
from tests.system.browsing import CHROMIUM, DESKTOP, PHONE
from tests.system.servers import ServerProcess, free_ports
from tests.system.test_sign_in_service import PASSWORD, vitals

PAGES: Final = (
    "/", "/?region=Western&district=Kasese", "/map", "/map?bbox=29.7,0,30.2,0.4",
    "/places", "/places?level=facility&range=7d", "/places/route", "/alerts", "/alerts/1",
    "/facilities/kasese", "/facilities/kasese?range=30d", "/facilities/bwera", "/rules", "/rules/warm", "/maintenance",
    "/people", "/people/contacts/amina", "/people/contacts/new", "/people/rosters/duty", "/users", "/users/head",
    "/account", "/account/password", "/tokens", "/offline", "/nothing",
)  # fmt: skip
"""Addresses as somebody opens them who is signed in and may do everything."""
OPEN_PAGES: Final = ("/sign-in", "/offline")
"""What is seen before that."""
AXE: Final = Path(__file__).parent / "axe" / "node_modules" / "axe-core" / "axe.min.js"
REPOSITORY: Final = Path(__file__).parents[2]
CHECKED: Final = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"],
    # New in 2.2, and not looked at unless it is asked for.
    "rules": {"target-size": {"enabled": True}},
}
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

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed on this machine"),
    pytest.mark.skipif(not AXE.exists(), reason="axe-core is not installed: `make test` does it where there is npm"),
]


@dataclass(frozen=True)
class Reader:
    """How somebody looks at the pages."""

    name: str
    size: ViewportSize
    scheme: Literal["light", "dark"]
    language: str = "en"


READERS: Final = (
    Reader("phone, light", PHONE, "light"),
    Reader("desktop, dark", DESKTOP, "dark"),
    Reader("phone, dark, Arabic", PHONE, "dark", "ar"),
)


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


@asynccontextmanager
async def a_page(browser: Browser, address: str, reader: Reader) -> AsyncIterator[Page]:
    """Give a page of this reader."""
    context = await browser.new_context(
        viewport=reader.size,
        color_scheme=reader.scheme,
        locale=reader.language,
        base_url=address,
        reduced_motion="reduce",
    )
    context.set_default_timeout(WAIT_SECONDS * 1000)
    yield await context.new_page()
    await context.close()


async def _sign_in(page: Page) -> None:
    await page.goto("/sign-in")
    await page.locator('main input[name="name"]').fill("head")
    await page.locator('input[name="password"]').fill(PASSWORD)
    await page.locator("main button[type=submit]").click()
    await page.wait_for_url("**/")


async def _violations(page: Page, path: str) -> list[str]:
    answer = await page.goto(path)
    assert answer is not None
    assert answer.status == (404 if path == "/nothing" else 200), path
    return await _broken_rules(page)


async def _broken_rules(page: Page) -> list[str]:
    """Return what axe finds on a page, each with its rule and its place."""
    await page.evaluate(AXE.read_text("utf-8"))
    found: dict[str, Any] = await page.evaluate("(options) => axe.run(options)", CHECKED)
    return [
        f"{each['id']}: {node['html'][:160]} ({' '.join(node['failureSummary'].split())[:300]})"
        for each in found["violations"]
        for node in each["nodes"]
    ]


async def test_no_page_breaks_a_rule_of_wcag(tmp_path: Path) -> None:
    """No violation of level A or AA on any page, whoever reads it."""
    found: dict[str, list[str]] = {}
    async with a_service(tmp_path) as address, async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        for reader in READERS:
            async with a_page(browser, address, reader) as page:
                for path in OPEN_PAGES:
                    found[f"{path} ({reader.name}, signed out)"] = await _violations(page, path)
                await _sign_in(page)
                for path in PAGES:
                    found[f"{path} ({reader.name})"] = await _violations(page, path)
                    assert await page.locator("html").get_attribute("lang") == reader.language
        await browser.close()
    assert {where: what for where, what in found.items() if what} == {}


async def test_axe_finds_what_is_wrong() -> None:
    """The check above could fail: of a page with five mistakes it names each."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        page = await browser.new_page()
        small = '<button style="width: 9px; height: 9px; padding: 0" aria-label="x"></button>' * 2
        pale = '<p style="color: #aaa; background: #fff">pale</p>'
        await page.set_content(f'{pale}{small}<img src="x"><input><a href="/"></a>')
        found = {each.split(":")[0] for each in await _broken_rules(page)}
        await browser.close()
    assert {"color-contrast", "image-alt", "label", "link-name", "target-size"} <= found
