"""The pages in a real browser: the story clicked through, with and without JavaScript, and nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from tests.api.world import World
from tests.system.browsing import CHROMIUM, DESKTOP, PHONE, SCREENSHOTS, Site, launched, served

SMALLEST_TAP = 44
STORY = [(PHONE, True), (DESKTOP, True), (PHONE, False)]

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed on this machine"),
]


@pytest.fixture
def site() -> Iterator[Site]:
    """Return a fresh world, served."""
    with served(World(days=31)) as site:
        yield site


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Return one chromium for all tests of this file."""
    with launched() as chromium:
        yield chromium


@contextmanager
def _page(browser: Browser, site: Site, size: ViewportSize, *, javascript: bool = True) -> Iterator[Page]:
    """Return a page that must load from our host only and leave the console empty."""
    context = browser.new_context(viewport=size, java_script_enabled=javascript, base_url=site.address)
    page, complaints, hosts = context.new_page(), list[str](), set[str]()
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: hosts.add("/".join(request.url.split("/", 3)[:3])))
    yield page
    context.close()
    assert complaints == []
    assert hosts == {site.address}


def _keep(page: Page, name: str) -> None:
    SCREENSHOTS.mkdir(exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)


@pytest.mark.parametrize(("size", "javascript"), STORY, ids=["phone", "desktop", "phone without JavaScript"])
def test_from_the_overview_to_an_answered_alert(
    browser: Browser, site: Site, size: ViewportSize, javascript: bool
) -> None:
    """Overview, facility, alert, acknowledge: each one tap away from the last."""
    kind = f"{size['width']}{'' if javascript else '-plain'}"
    with _page(browser, site, size, javascript=javascript) as page:
        page.goto("/")
        expect(page.get_by_role("heading", level=1)).to_have_text("1 of 3 facilities needs help")
        _keep(page, f"overview-{kind}")
        page.get_by_role("link", name="Kasese Health Centre III").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Kasese Health Centre III")
        _keep(page, f"facility-{kind}")
        page.get_by_role("link", name="Fridge 2: too warm").click()
        expect(page.get_by_role("heading", level=2, name="What to do")).to_be_visible()
        page.get_by_label("Your name").fill("Grace")
        page.get_by_role("button", name="I’m on it").click()
        expect(page.get_by_text("Being handled")).to_be_visible()
        _keep(page, f"alert-{kind}")
        page.get_by_role("link", name="Alerts", exact=False).first.click()
        expect(page.get_by_text("Grace is on it")).to_be_visible()
        _keep(page, f"alerts-{kind}")
    assert site.world.alert_by_id[4821].acknowledged_by == "Grace"


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
@pytest.mark.parametrize("path", ["/", "/facilities/kasese-hc3?range=30d", "/alerts", "/alerts/4821"])
def test_nothing_sticks_out_and_everything_can_be_tapped(
    browser: Browser, site: Site, size: ViewportSize, path: str
) -> None:
    """No sideways scrolling, and buttons, fields and navigation are large enough for a thumb."""
    with _page(browser, site, size) as page:
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
        for place in page.locator("button, input:not([type=hidden]), textarea, nav a, summary, .brand").all():
            box = place.bounding_box()
            assert box is not None
            assert box["height"] >= SMALLEST_TAP, place.inner_text()


def test_charts_are_drawn(browser: Browser, site: Site) -> None:
    """UPlot takes the place of each drawing that is looked at, and its canvas is not empty."""
    with _page(browser, site, DESKTOP) as page:
        page.goto("/facilities/kasese-hc3")
        for place in page.locator("[data-plot]").all():
            place.scroll_into_view_if_needed()
        expect(page.locator("[data-plot].drawn canvas")).to_have_count(5)
        inked = page.evaluate(
            "[...document.querySelectorAll('canvas')].every(canvas => "
            "canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.some(Boolean))"
        )
        assert inked


def test_without_javascript_the_drawing_and_the_table_are_there(browser: Browser, site: Site) -> None:
    """Nothing but live update needs a script."""
    with _page(browser, site, PHONE, javascript=False) as page:
        page.goto("/facilities/kasese-hc3")
        expect(page.get_by_role("img", name="Temperature, last 24 hours", exact=False).first).to_be_visible()
        page.get_by_text("As a table").first.click()
        expect(page.get_by_role("columnheader", name="Highest").first).to_be_visible()
        page.get_by_role("link", name="7 days").click()
        expect(page.get_by_role("link", name="7 days")).to_have_attribute("aria-current", "true")


def test_an_open_page_follows_what_happens(browser: Browser, site: Site) -> None:
    """A fridge that warms shows on the overview without loading it again."""
    with _page(browser, site, DESKTOP) as page:
        with page.expect_response("**/api/v1/events*"):
            page.goto("/")
        row = page.locator(".facility", has_text="Kilembe Health Centre II")
        expect(row.locator(".badge")).to_have_text("OK")
        page.evaluate("window.sameDocument = true")
        # Until the watcher has its first look a change is not a change: let it happen more than once.
        for value in (9.5, 5.0, 9.5):
            site.world.clock.advance(timedelta(seconds=1))
            site.world.take("kilembe-hc2/fridge-0/temperature", value)
        expect(row.locator(".badge")).to_have_text("Attention", timeout=40_000)
        assert page.evaluate("window.sameDocument") is True


def test_the_keyboard_reaches_the_content_first(browser: Browser, site: Site) -> None:
    """The first tab stop leads past the head."""
    with _page(browser, site, DESKTOP) as page:
        page.goto("/")
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.locator("#main")).to_be_focused()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", ["/", "/facilities/kasese-hc3", "/alerts", "/alerts/4821"])
def test_text_stands_out_from_its_background(browser: Browser, site: Site, path: str, scheme: str) -> None:
    """Every visible text has a contrast of 4.5 : 1 or more (WCAG 2.2, 1.4.3)."""
    with _page(browser, site, DESKTOP) as page:
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        page.goto(path)
        assert page.evaluate(_POOR_CONTRAST) == []


_POOR_CONTRAST = """() => {
  const channel = (part) => (part /= 255) <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const parts = (text) => (text.match(/[\\d.]+/g) ?? []).map(Number);
  const behind = (place) => {
    for (let each = place; each; each = each.parentElement) {
      const found = parts(getComputedStyle(each).backgroundColor);
      if (found.length === 3 || found[3] > 0.99) return found;
    }
    return [255, 255, 255];
  };
  const poor = [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const place = texts.currentNode.parentElement;
    if (!texts.currentNode.data.trim() || !place.checkVisibility()) continue;
    if (place.closest(".hidden, .skip, .uplot, svg")) continue;
    const [one, other] = [light(parts(getComputedStyle(place).color)), light(behind(place))].sort((a, b) => b - a);
    const ratio = (one + 0.05) / (other + 0.05);
    if (ratio < 4.5) poor.push(`${ratio.toFixed(2)} ${texts.currentNode.data.trim()}`);
  }
  return poor;
}"""
