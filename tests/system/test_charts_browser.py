"""Charts in a real browser: loaded when they are looked at, and the same in both drawings."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from domain.instant import HOUR_MS, to_ms
from domain.places import PastLimits
from tests.api.world import NOON, World
from tests.system.browsing import CHROMIUM, DESKTOP, PHONE, Site, launched, served

FRIDGE_1, FRIDGE_2 = "kasese-hc3/fridge-0/temperature", "kasese-hc3/fridge-1/temperature"
ADDRESS = "/facilities/kasese-hc3"

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed on this machine"),
]


def _world() -> World:
    """Return a world in which the limits of a fridge were narrower until this morning, and somebody visited."""
    world = World()
    changed_ms = to_ms(NOON) - 14 * HOUR_MS
    world.channels = [
        dataclasses.replace(each, past_limits=(PastLimits(changed_ms, {"low": 2.0, "high": 6.0}),))
        if each.id == FRIDGE_1
        else each
        for each in world.channels
    ]
    world.visit("kasese-hc3", timedelta(hours=6), found="door left open")
    return world


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """Return the world, served."""
    with served(_world()) as site:
        yield site


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Return one chromium for all tests of this file."""
    with launched() as chromium:
        yield chromium


@pytest.fixture
def phone(browser: Browser, site: Site) -> Iterator[BrowserContext]:
    """Return a phone on which the charts are below the first screen."""
    context = browser.new_context(viewport=PHONE, base_url=site.address)
    yield context
    context.close()


@pytest.fixture
def desk(browser: Browser, site: Site) -> Iterator[Page]:
    """Return a large screen."""
    context = browser.new_context(viewport=DESKTOP, base_url=site.address)
    yield context.new_page()
    context.close()


def _drawn(page: Page, channel: str) -> None:
    place = page.locator(f"[data-plot='{channel}']")
    place.scroll_into_view_if_needed()
    expect(page.locator(f"[data-plot='{channel}'].drawn canvas")).to_be_visible()


def test_the_plotter_is_loaded_when_a_chart_is_looked_at(phone: BrowserContext) -> None:
    """The first screen of a phone costs no script; scrolled to, one chart is drawn, not those far below."""
    page, asked = phone.new_page(), list[str]()
    page.on("request", lambda request: asked.append(request.url))
    page.goto(ADDRESS)
    page.wait_for_load_state("load")
    page.wait_for_timeout(300)
    assert not [url for url in asked if "uPlot.iife" in url or "/charts/" in url]
    _drawn(page, FRIDGE_2)
    assert [url for url in asked if "uPlot.iife" in url]
    assert page.locator(".drawn").count() < page.locator("[data-plot]").count()


def test_where_data_are_dear_the_drawing_stays(phone: BrowserContext) -> None:
    """A browser that is asked to save data, or is on 2G, loads no script for charts and shows them all the same."""
    phone.add_init_script("Object.defineProperty(navigator, 'connection', {value: {saveData: true}})")
    page, asked = phone.new_page(), list[str]()
    page.on("request", lambda request: asked.append(request.url))
    page.goto(ADDRESS)
    drawing = page.locator(f"[data-plot='{FRIDGE_2}'] svg.draw")
    drawing.scroll_into_view_if_needed()
    page.wait_for_timeout(500)
    expect(drawing).to_be_visible()
    assert not [url for url in asked if "uPlot.iife" in url or "/charts/" in url]


_SHADES = """([channel]) => {
  const place = document.querySelector(`[data-plot='${channel}']`), canvas = place.querySelector("canvas");
  const ratio = devicePixelRatio, ctx = canvas.getContext("2d");
  const left = 44, top = 8, width = canvas.width / ratio - 50, height = canvas.height / ratio - 34;
  const colour = (x, y) => [...ctx.getImageData(Math.round(x * ratio), Math.round(y * ratio), 1, 1).data].slice(0, 3);
  const percent = (each, name) => parseFloat(each.getAttribute(name)) / 100;
  return [...place.querySelectorAll("rect.safe")].map((each) => {
    const x = left + (percent(each, "x") + percent(each, "width") / 2) * width;
    const edge = top + percent(each, "y") * height, end = edge + percent(each, "height") * height;
    return [colour(x, edge - 3), colour(x, edge + 3), colour(x, end - 3), colour(x, end + 3)];
  });
}"""


def test_uplot_shades_the_same_limits(desk: Page) -> None:
    """On its canvas the safe colour begins and ends where the rectangles of the server's drawing do, in each step."""
    desk.goto(ADDRESS)
    _drawn(desk, FRIDGE_1)
    desk.mouse.move(1, 1)
    steps = desk.evaluate(_SHADES, [FRIDGE_1])
    assert len(steps) == 2
    for above, inside_top, inside_bottom, below in steps:
        assert inside_top == inside_bottom
        assert above == below
        assert above != inside_top


def test_uplot_has_the_axes_and_the_marks_of_the_drawing(desk: Page) -> None:
    """The data it draws name the ticks, the excursion and the scale that the page's own drawing has."""
    with desk.expect_response("**/charts/**") as loading:
        desk.goto(ADDRESS)
        desk.locator(f"[data-plot='{FRIDGE_2}']").scroll_into_view_if_needed()
    data = loading.value.json()
    chart = next(each for each in data["charts"] if each["channel"] == FRIDGE_2)
    place = desk.locator(f"[data-plot='{FRIDGE_2}']")
    labels = place.locator("svg.hours text").all_text_contents()
    assert [label for _, label, _ in data["ticks"]] == labels
    assert [label for _, label in chart["ticks"]] == place.locator("svg.draw > text").all_text_contents()
    (excursion,) = place.locator("rect.excursion").all()
    share = (chart["excursions"][0][0] - data["from"]) / (data["to"] - data["from"])
    assert float((excursion.get_attribute("x") or "").rstrip("%")) == pytest.approx(share * 100, abs=0.1)


def test_strips_and_marks_follow_the_zoom(desk: Page) -> None:
    """Dragged over half of a chart, the power strip below shows the same half."""
    desk.goto(ADDRESS)
    _drawn(desk, FRIDGE_2)
    box = desk.locator(f"[data-plot='{FRIDGE_2}'] .u-over").bounding_box()
    assert box is not None
    desk.mouse.move(box["x"] + box["width"] / 2, box["y"] + 50)
    desk.mouse.down()
    desk.mouse.move(box["x"] + box["width"] - 1, box["y"] + 50, steps=5)
    desk.mouse.up()
    strip = desk.locator(f".timeline:has([data-plot='{FRIDGE_2}']) svg.power")
    style = strip.get_attribute("style") or ""
    wide, moved = (float(part.split(":")[1].strip(" %")) for part in style.rstrip(";").split(";"))
    assert wide == pytest.approx(200, rel=0.05)
    assert moved == pytest.approx(-100, rel=0.1)


@pytest.mark.parametrize("address", [ADDRESS, f"{ADDRESS}?range=year", "/alerts/4821"])
def test_time_runs_from_left_to_right_in_arabic_too(browser: Browser, site: Site, address: str) -> None:
    """The page is mirrored, the charts are not, and nothing sticks out."""
    context = browser.new_context(viewport=PHONE, base_url=site.address, locale="ar")
    page = context.new_page()
    page.goto(address)
    assert page.evaluate("document.documentElement.dir") == "rtl"
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    ticks = page.locator("svg.hours").first.locator("text:not(.minor)").all()
    lefts = [box["x"] for each in ticks if (box := each.bounding_box())]
    assert len(lefts) > 1
    assert lefts == sorted(lefts)
    context.close()


def test_without_javascript_an_alert_shows_its_trend_and_is_taken(browser: Browser, site: Site) -> None:
    """Chart, table and button are there on a narrow screen; the button is on the first two screens."""
    context = browser.new_context(viewport=PHONE, base_url=site.address, java_script_enabled=False)
    page = context.new_page()
    page.goto("/alerts/4821")
    button = page.get_by_role("button", name="I’m on it")
    box = button.bounding_box()
    assert box is not None
    assert box["y"] + box["height"] < 2 * PHONE["height"]
    expect(page.locator("svg.draw")).to_be_visible()
    page.get_by_text("As a table").click()
    expect(page.get_by_role("columnheader", name="Lowest")).to_be_visible()
    page.get_by_label("Your name").first.fill("Grace")
    button.click()
    expect(page.get_by_text("Being handled")).to_be_visible()
    context.close()
