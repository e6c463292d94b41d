"""The pages on paper: legible on A4 in black and white, with what matters and nothing to tap."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from tests.api.world import World
from tests.system.browsing import CHROMIUM, Site, launched, served

A4: ViewportSize = {"width": 688, "height": 1016}
"""What is left of a sheet within its margins, at 96 pixels an inch."""
PAGES = ("/", "/map", "/places", "/facilities/kasese-hc3", "/alerts", "/alerts/4821")
_COLOURS = """() => {
  const found = new Set();
  for (const place of document.querySelectorAll("main *")) {
    if (!place.checkVisibility()) continue;
    const style = getComputedStyle(place);
    for (const colour of [style.color, style.fill, style.stroke, style.backgroundColor, style.borderTopColor]) {
      const [red, green, blue, alpha = 1] = (colour.match(/[\\d.]+/g) ?? [0, 0, 0]).map(Number);
      if (alpha > 0 && (red !== green || green !== blue)) found.add(`${place.tagName}.${place.className}: ${colour}`);
    }
  }
  return [...found];
}"""

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed on this machine"),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Return one chromium for all tests of this file."""
    with launched() as chromium:
        yield chromium


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """Return a world that no test of this file changes."""
    with served(World(days=2)) as site:
        yield site


@pytest.fixture
def page(browser: Browser, site: Site) -> Iterator[Page]:
    """Return a page on a dark screen, about to be printed."""
    context = browser.new_context(viewport=A4, base_url=site.address, color_scheme="dark")
    yield context.new_page()
    context.close()


@pytest.mark.parametrize("path", PAGES)
def test_a_printed_page_is_black_on_white_and_has_nothing_to_tap(page: Page, path: str) -> None:
    """Every colour is a grey, also from a dark screen; menu, forms and buttons stay on the screen; nothing is cut."""
    page.goto(path)
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate(_COLOURS) == []
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(0, 0, 0)"
    for tapped in page.locator("nav, button, input, select, summary").all():
        expect(tapped).to_be_hidden()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= A4["width"]


def test_a_printed_status_is_a_word_and_a_sign(page: Page) -> None:
    """Whoever holds the sheet needs no colour."""
    page.goto("/")
    page.emulate_media(media="print")
    row = page.locator(".facility", has_text="Kasese Health Centre III")
    expect(row.locator(".badge")).to_have_text("Needs help")
    expect(row.locator(".badge use")).to_have_attribute("href", "#i-critical")


def test_charts_are_printed_as_drawings(page: Page) -> None:
    """The canvas of the screen is made for its width; the drawing behind it fits the sheet."""
    page.goto("/facilities/kasese-hc3")
    for place in page.locator("[data-plot]").all():
        place.scroll_into_view_if_needed()
    expect(page.locator("[data-plot].drawn canvas")).to_have_count(5)
    expect(page.locator("[data-plot] > svg").first).to_be_hidden()
    page.emulate_media(media="print")
    expect(page.locator("[data-plot] > .uplot").first).to_be_hidden()
    for drawing in page.locator("[data-plot] > svg").all():
        expect(drawing).to_be_visible()
        box = drawing.bounding_box()
        assert box is not None
        assert 0 < box["width"] <= A4["width"]


def test_a_sheet_breaks_between_facilities(page: Page) -> None:
    """The file that a browser prints is A4."""
    page.goto("/")
    content = page.pdf(prefer_css_page_size=True)
    assert content.startswith(b"%PDF")
    assert b"/MediaBox [0 0 594.95996 841.91998]" in content or b"/MediaBox [0 0 595" in content
    page.emulate_media(media="print")
    rules = page.locator(".facility").evaluate_all("(rows) => rows.map((row) => getComputedStyle(row).breakInside)")
    assert set(rules) == {"avoid"}
