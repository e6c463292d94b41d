"""The whole story on the real service: a person signs in, finds a warm fridge, takes the alert, and sees it clear.

Readings come over HTTP, rules judge them, the pages are opened in a real browser: on a phone, on a desktop, without
JavaScript, and from right to left.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from playwright.async_api import Browser, Page, ViewportSize, async_playwright, expect

from app.config import read_config
from app.issuing.provisioning import add_node
from tests.system.browsing import CHROMIUM, DESKTOP, PHONE, SCREENSHOTS
from tests.system.servers import ServerProcess, free_ports
from tests.system.test_sign_in_service import PASSWORD, vitals

REPOSITORY = Path(__file__).parents[2]
WAIT_MS = 30_000
RULES = """\
rules:
  - id: warm
    title: Too warm
    severity: critical
    applies_to: {quantity: temperature, equipment: fridge}
    when: {above: {limit: 8 °C, comparison: ">", clear: 7 °C}}
    action: Move the vaccines.
"""
FACILITY = """\
  - id: clinic-{name}
    name: Clinic {name}
    country: Uganda
    region: Western
    district: Kasese
    timezone: Africa/Kampala
    nodes: [{{id: logger-{name}}}]
    equipment:
      - {{id: fridge, kind: fridge, name: Fridge, channels: [
          {{quantity: temperature, node: logger-{name}, name: t, interval: 1min, limits: {{low: 2 °C, high: 8 °C}}}}]}}
"""

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed on this machine"),
]


@dataclass(frozen=True)
class Reader:
    """How somebody looks at the pages."""

    name: str
    size: ViewportSize
    javascript: bool = True
    language: str = "en"


READERS = (
    Reader("phone", PHONE),
    Reader("desktop", DESKTOP),
    Reader("plain", PHONE, javascript=False),
    Reader("arabic", PHONE, language="ar"),
)


@dataclass(frozen=True)
class Country:
    """A running service, and the loggers that post to it."""

    address: str
    tokens: dict[str, str]

    async def measure(self, name: str, celsius: float) -> None:
        """Post what the fridge of a clinic has now."""
        pack = [{"bn": f"logger-{name}/", "bt": round(time.time()), "n": "t", "v": celsius}]
        headers = {"Authorization": f"Bearer {self.tokens[name]}", "Content-Type": "application/senml+json"}
        async with httpx.AsyncClient(timeout=20, headers=headers) as client:
            answer = await client.post(f"{self.address}/api/v1/readings", content=json.dumps(pack))
        assert answer.json()["stored"] == 1


@asynccontextmanager
async def a_country(folder: Path) -> AsyncIterator[Country]:
    """Run the service with a clinic for each reader and a technician of the district."""
    (port,) = free_ports(1)
    address = f"http://127.0.0.1:{port}"
    facilities = "".join(FACILITY.format(name=reader.name) for reader in READERS)
    (folder / "registry.yaml").write_text(f"facilities:\n{facilities}", "utf-8")
    (folder / "rules.yaml").write_text(RULES, "utf-8")
    config = folder / "vitals.yaml"
    config.write_text(
        f"data: data\nlisten: {{port: {port}}}\nregistry: registry.yaml\n"
        "rules: {catalogue: false, files: [rules.yaml]}\n",
        "utf-8",
    )
    tokens = {}
    for reader in READERS:
        out = folder / reader.name
        await add_node(
            read_config(config, {}), f"logger-{reader.name}", broker="mqtts://x:8883", by_password=False, out=out,
            now=datetime.now(UTC), overlap=None, say=print,
        )  # fmt: skip
        tokens[reader.name] = (out / "http-token").read_text("utf-8")

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
        place = ("--role", "technician", "--district", "Kasese", "--password-file", "-")
        await vitals(config, "user", "add", "grace", "--full-name", "Grace N.", *place, said=PASSWORD)
        yield Country(address, tokens)
    finally:
        await service.stop()


@asynccontextmanager
async def a_page(browser: Browser, address: str, reader: Reader) -> AsyncIterator[Page]:
    """Give a page that must load from the service only."""
    context = await browser.new_context(
        viewport=reader.size, java_script_enabled=reader.javascript, base_url=address, locale=reader.language
    )
    hosts = set[str]()
    context.on("request", lambda request: hosts.add("/".join(request.url.split("/", 3)[:3])))
    yield await context.new_page()
    await context.close()
    assert hosts == {address}


async def keep(page: Page, reader: Reader, what: str) -> None:
    """Keep a picture for whoever looks at it."""
    SCREENSHOTS.mkdir(exist_ok=True)
    await page.screenshot(path=SCREENSHOTS / f"story-{reader.name}-{what}.png", full_page=True)


async def shows(page: Page, selector: str) -> None:
    """Wait until something is on the page, whether the page follows by itself or has to be loaded again."""
    async with asyncio.timeout(WAIT_MS / 1000):
        while not await page.locator(selector).count():
            await asyncio.sleep(0.5)
            await page.reload()


async def tell(country: Country, page: Page, reader: Reader) -> None:
    """Live through the story."""
    name, facility = reader.name, f'a[href="/facilities/clinic-{reader.name}"]'
    await country.measure(name, 4.5)
    await page.goto("/")
    assert "/sign-in" in page.url
    await expect(page.locator("#link-state")).to_be_empty()
    await keep(page, reader, "1-sign-in")
    await page.locator('main input[name="name"]').fill("grace")
    await page.locator('input[name="password"]').fill(PASSWORD)
    await page.locator("main button[type=submit]").click()
    await expect(page.locator("html")).to_have_attribute("lang", reader.language)
    await expect(page.locator("html")).to_have_attribute("dir", "rtl" if reader.language == "ar" else "ltr")
    await country.measure(name, 9.6)
    await shows(page, f".edge-critical {facility}")
    await keep(page, reader, "2-overview")
    await page.locator(facility).first.click()
    await shows(page, 'main a[href^="/alerts/"]')
    await keep(page, reader, "3-facility")
    await page.locator('main h3 a[href^="/alerts/"]').first.click()
    await expect(page.locator('form[action$="/acknowledge"]')).to_be_visible()
    assert not await page.locator('main input[name="by"]').count()
    await page.locator('form[action$="/acknowledge"] button[type=submit]').first.click()
    await expect(page.locator("#facts")).to_contain_text("Grace N.")
    await keep(page, reader, "4-taken")
    await country.measure(name, 5.0)
    await shows(page, 'form[action$="/close"]')
    await keep(page, reader, "5-over")
    await page.goto("/")
    await shows(page, f".edge-ok {facility}")


async def test_the_story_from_the_first_warm_reading_to_the_end_of_the_alert(tmp_path: Path) -> None:
    """Sign in, overview, facility, alert, one tap to take it, and it clears; for every kind of reader."""
    async with a_country(tmp_path) as country, async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        for reader in READERS:
            async with a_page(browser, country.address, reader) as page:
                page.set_default_timeout(WAIT_MS)
                await tell(country, page, reader)
        await browser.close()
