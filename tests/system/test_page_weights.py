"""What a first view of every page of the real service weighs on the wire, and that all of it comes from there."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Browser, Request, async_playwright

from tests.system.browsing import CHROMIUM, PHONE
from tests.system.whole_service import CHART_PAGES, OPEN_PAGES, PAGES, WAIT_SECONDS, a_service, sign_in

MOST_BYTES, MOST_WITH_CHARTS = 40_000, 70_000

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed on this machine"),
]


async def _first_view(browser: Browser, address: str, path: str, cookies: str | None) -> tuple[int, set[str]]:
    """Return the bytes of bodies that a browser without a cache is sent, and the hosts it asked."""
    context = await browser.new_context(
        viewport=PHONE, base_url=address, storage_state=cookies, service_workers="block"
    )
    context.set_default_timeout(WAIT_SECONDS * 1000)
    asked: list[Request] = []
    context.on("requestfinished", lambda request: asked.append(request))
    page = await context.new_page()
    # The manifest and the stream of events are not waited for, and weigh next to nothing.
    await page.goto(path, wait_until="load")
    if path in CHART_PAGES:
        await page.locator("[data-plot]").last.scroll_into_view_if_needed()
        await page.locator("canvas").first.wait_for()
    weight = sum([(await each.sizes())["responseBodySize"] for each in asked])
    hosts = {"/".join(each.url.split("/", 3)[:3]) for each in asked}
    await context.close()
    return weight, hosts


async def test_a_first_view_is_light_and_comes_from_the_service_alone(tmp_path: Path) -> None:
    """At most 40 KB compressed with style, script and icons, 70 KB with charts; nobody else is asked for anything."""
    state = str(tmp_path / "cookies.json")
    heavy, hosts = dict[str, int](), set[str]()
    async with a_service(tmp_path) as address, async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        context = await browser.new_context(base_url=address)
        await sign_in(await context.new_page())
        await context.storage_state(path=state)
        await context.close()
        for path in (*OPEN_PAGES, *PAGES, *CHART_PAGES):
            weight, found = await _first_view(browser, address, path, None if path in OPEN_PAGES else state)
            hosts |= found
            assert weight > 5_000, f"{path}: {weight} bytes are not the whole page"
            if weight > (MOST_WITH_CHARTS if path in CHART_PAGES else MOST_BYTES):
                heavy[path] = weight
        await browser.close()
    assert heavy == {}
    assert hosts == {address}
