"""The registry's pages in a real browser: claiming from the label to the first reading, editing, and that all fits."""

from __future__ import annotations

import asyncio
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import uvicorn
from playwright.async_api import Browser, ConsoleMessage, Page, ViewportSize, async_playwright, expect

from api.create import create_api
from api.settings import ApiSettings
from domain.access import Role
from domain.reading import Quality, Reading
from tests.api.claim_world import desk_with
from tests.api.registry_world import RegistryWorld, a_registry_world, somebody
from tests.system.browsing import CHROMIUM, DESKTOP, PHONE
from tests.system.test_pages_browser import _POOR_CONTRAST, SMALLEST_TAP

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(shutil.which("chromium") is None, reason="chromium is not installed on this machine"),
]
PATIENCE_MS = 60_000
FRIDGE = "/equipment/kasese-hc3/fridge-1"
PAGES = (
    "/registry",
    "/registry/facilities/kasese-hc3",
    "/registry/facilities/kasese-hc3/edit",
    FRIDGE,
    f"{FRIDGE}/channels/temperature/limits",
    "/registry/nodes",
    "/claim/pi-7?facility=kasese-hc3",
    "/registry/nodes/kasese-hc3-gw",
    "/registry/changes",
)


@asynccontextmanager
async def served(registry: RegistryWorld) -> AsyncIterator[str]:
    """Serve the pages on loopback; give their address."""
    application = create_api(
        registry.services(intake=desk_with(registry)),
        ApiSettings(event_interval_seconds=0.1),
        recognise=registry.recognise,
    )
    server = uvicorn.Server(uvicorn.Config(application, log_config=None, lifespan="off"))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        serving = asyncio.create_task(server.serve([listener]))
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            await application.state.events.close()
            server.should_exit = True
            await serving


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[tuple[RegistryWorld, str]]:
    """Give a registry with a manager before it, and its address."""
    async with a_registry_world(f"{tmp_path}/vitals.db") as registry:
        registry.who = somebody("Amina", Role.MANAGER)
        async with served(registry) as address:
            yield registry, address


@asynccontextmanager
async def a_page(address: str, size: ViewportSize, *, javascript: bool = True) -> AsyncIterator[Page]:
    """Give a page that must leave the console empty."""
    async with async_playwright() as playwright:
        browser: Browser = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        )
        context = await browser.new_context(viewport=size, java_script_enabled=javascript, base_url=address)
        context.set_default_timeout(PATIENCE_MS)
        page, complaints = await context.new_page(), list[str]()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        # A form that was not taken comes back with the status that says so.
        page.on(
            "console",
            lambda each: complaints.append(each.text) if each.type == "error" and "409" not in each.text else None,
        )
        yield page
        await browser.close()
        assert complaints == []


def _is_wrong(said: ConsoleMessage) -> bool:
    return said.type == "error" and "409 (Conflict)" not in said.text


@pytest.mark.parametrize("javascript", [True, False], ids=["with a script", "without"])
async def test_a_node_is_claimed_on_a_phone(site: tuple[RegistryWorld, str], javascript: bool) -> None:
    """Search, choose, claim; the open page then says the first reading by itself."""
    registry, address = site
    async with a_page(address, PHONE, javascript=javascript) as page:
        await page.goto("/claim/pi-7")
        await page.get_by_role("searchbox").fill("kasese")
        await page.get_by_role("button", name="Search").click()
        await page.get_by_role("link", name="Kasese Health Centre III").click()
        await page.get_by_label("Name").first.fill("Freezer of the ward")
        await page.get_by_role("button", name="Claim it").click()
        waiting = page.get_by_role("heading", name="Reading received")
        await expect(waiting).to_be_visible()
        channel, now_ms = "kasese-hc3/freezer-1/temperature", registry.world.clock.now_ms()
        await expect(page.get_by_text("nothing yet")).to_be_visible()
        registry.world.readings[channel] = [Reading(channel, now_ms, -18.4, Quality.GOOD, now_ms)]
        await expect(page.get_by_text("-18.4 °C").first).to_be_visible(timeout=PATIENCE_MS)
        await expect(page.get_by_text("nothing yet")).to_have_count(0)


async def test_two_managers_meet_on_a_form(site: tuple[RegistryWorld, str]) -> None:
    """The second is shown both values and saves again, without a script."""
    registry, address = site
    async with (
        a_page(address, DESKTOP, javascript=False) as first,
        a_page(address, PHONE, javascript=False) as second,
    ):
        for page in (first, second):
            await page.goto("/registry/facilities/kasese-hc3/edit")
        await first.get_by_label("Name").fill("First")
        await first.get_by_role("button", name="Save").click()
        await expect(first.get_by_role("heading", level=1)).to_have_text("First")
        await second.get_by_label("Name").fill("Second")
        await second.get_by_role("button", name="Save").click()
        await expect(second.get_by_role("alert")).to_contain_text("Somebody changed this")
        assert registry.directory.facilities["kasese-hc3"].name == "First"
        await second.get_by_role("button", name="Save").click()
        await expect(second.get_by_role("heading", level=1)).to_have_text("Second")


async def test_all_fits_and_can_be_read_and_tapped(site: tuple[RegistryWorld, str]) -> None:
    """No sideways scrolling on a phone, large enough for a thumb, and every text stands out in light and dark."""
    _, address = site
    async with a_page(address, PHONE) as page:
        await page.goto(FRIDGE)
        await page.get_by_text("Say how it is").click()
        await page.get_by_label("What is wrong, or what was done").fill("hums, and the door does not close")
        await page.get_by_role("button", name="Save").first.click()
        await expect(page.get_by_text("hums").first).to_be_visible()
        wrong = []
        for path in PAGES:
            for scheme in ("light", "dark"):
                await page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
                await page.goto(path)
                wrong += [(path, scheme, each) for each in await page.evaluate(_POOR_CONTRAST)]
            if await page.evaluate("document.documentElement.scrollWidth") > PHONE["width"]:
                wrong.append((path, "wide", ""))
            for place in await page.locator("button, input:not([type=hidden]), select, textarea, summary").all():
                box = await place.bounding_box()
                if box is not None and box["height"] < SMALLEST_TAP:
                    wrong.append((path, "small", await place.evaluate("each => each.outerHTML.slice(0, 120)")))
    assert wrong == []
