"""Every page of the real service, checked by axe against WCAG 2.2 A and AA: on a phone and a desktop, dark, and Arabic.

A new page is one line in ``PAGES`` of ``whole_service``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import pytest
from playwright.async_api import Browser, Page, ViewportSize, async_playwright

from tests.system.browsing import CHROMIUM, DESKTOP, PHONE
from tests.system.whole_service import CHART_PAGES, OPEN_PAGES, PAGES, WAIT_SECONDS, a_service, sign_in

AXE: Final = Path(__file__).parent / "axe" / "node_modules" / "axe-core" / "axe.min.js"
CHECKED: Final = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"],
    # New in 2.2, and not looked at unless it is asked for.
    "rules": {"target-size": {"enabled": True}},
}
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


async def _violations(page: Page, path: str) -> list[str]:
    answer = await page.goto(path)
    assert answer is not None
    if answer.status != (404 if path == "/nothing" else 200):
        return [f"answered {answer.status}"]
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
                await sign_in(page)
                for path in (*PAGES, *CHART_PAGES):
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
