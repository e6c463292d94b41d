"""The pages as an application on a phone: installed, without a connection, and never another person's."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from domain.access import Grant, Role
from tests.api.signing import KASESE, PASSWORD, a_sqlite_town
from tests.api.world import World
from tests.system.browsing import CHROMIUM, PHONE, Opened, Site, launched, served

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed on this machine"),
]
_KEPT = """async () => {
  const found = [];
  for (const name of await caches.keys()) if (name.startsWith("vitals pages"))
    for (const key of await (await caches.open(name)).keys()) found.push(new URL(key.url).pathname);
  return found.sort();
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Return one chromium for all tests of this file."""
    with launched() as chromium:
        yield chromium


@pytest.fixture
def site() -> Iterator[Site]:
    """Return a world in which nobody signs in."""
    with served(World()) as site:
        yield site


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Site]:
    """Return a world in which Amina and Joseph sign in."""

    @asynccontextmanager
    async def opened() -> AsyncIterator[Opened]:
        async with a_sqlite_town(f"{tmp_path}/vitals.db") as town:
            await town.add("amina", KASESE)
            await town.add("joseph", Grant(Role.VIEWER))
            yield town.world, town.api

    with served(opened) as site:
        yield site


def _visitor(browser: Browser, site: Site) -> BrowserContext:
    context = browser.new_context(viewport=PHONE, base_url=site.address, locale="en-GB", timezone_id="Africa/Kampala")
    context.set_default_timeout(15_000)
    return context


def _until(page: Page, holds: str, given: object = None) -> None:
    """Wait for something in the page; Playwright's own way evaluates text, which the content policy forbids."""
    for _ in range(300):
        if page.evaluate(holds, given):
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"never came true: {holds}")


def _open(page: Page, path: str) -> None:
    """Open a page and wait until the worker that keeps it is at work."""
    page.goto(path)
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    # One that was on its way while the worker began is not the worker's.
    page.goto(path)
    _until(page, "() => navigator.serviceWorker.controller !== null")


_ALL_KEPT = (
    f"async (wanted) => {{ const kept = await ({_KEPT})(); return wanted.every((each) => kept.includes(each)); }}"
)


def _wait_kept(page: Page, *paths: str) -> None:
    _until(page, _ALL_KEPT, list(paths))


def test_without_a_connection_the_last_page_is_shown_with_its_time(browser: Browser, site: Site) -> None:
    """And said to be from then; another that was never opened is said not to be there, with what is."""
    with _visitor(browser, site) as context:
        page = context.new_page()
        _open(page, "/")
        expect(page.locator("#kept")).to_be_hidden()
        page.goto("/facilities/kasese-hc3")
        _wait_kept(page, "/", "/facilities/kasese-hc3")
        site.stop()
        page.goto("/")
        expect(page.get_by_role("heading", level=1)).to_have_text("1 of 3 facilities needs help")
        expect(page.locator("#kept")).to_have_text(re.compile(r"^No connection\. This is how it was at \d\d:\d\d\.$"))
        page.goto("/facilities/kasese-hc3")
        expect(page.get_by_role("img", name="Temperature, last 24 hours", exact=False).first).to_be_visible()
        page.goto("/map")
        expect(page.get_by_role("heading", level=1)).to_have_text("No connection")
        page.get_by_role("link", name="Kasese Health Centre III").click()
        expect(page.locator("#kept")).to_be_visible()


def test_what_is_kept_is_in_the_language_that_was_chosen(browser: Browser, site: Site) -> None:
    """Neither a page that was kept before nor the one that stands for all others is shown in another language."""
    with _visitor(browser, site) as context:
        page = context.new_page()
        _open(page, "/")
        page.goto("/facilities/kasese-hc3")
        _wait_kept(page, "/", "/facilities/kasese-hc3")
        page.get_by_role("button", name="Français").click()
        expect(page.locator("html")).to_have_attribute("lang", "fr")
        page.wait_for_function("async () => (await (await caches.match('/offline')).text()).includes('lang=\"fr\"')")
        _wait_kept(page, "/facilities/kasese-hc3")
        site.stop()
        for path in ("/facilities/kasese-hc3", "/", "/map"):
            page.goto(path)
            expect(page.locator("html")).to_have_attribute("lang", "fr")


def test_when_the_connection_is_back_the_page_is_of_now(browser: Browser, site: Site) -> None:
    """The notice goes by itself, and what is opened comes from the service."""
    with _visitor(browser, site) as context:
        page = context.new_page()
        _open(page, "/")
        _wait_kept(page, "/")
        site.stop()
        page.goto("/")
        expect(page.locator("#kept")).to_be_visible()
        with served(World(), port=urlsplit(site.address).port or 0):
            expect(page.locator("#kept")).to_be_hidden(timeout=60_000)
            page.goto("/map")
            expect(page.get_by_role("heading", level=1)).to_have_text("Map")


def test_only_pages_for_reading_are_kept(browser: Browser, site: Site) -> None:
    """Nothing of the API, no event stream, no fragment, no chart's data, no rules, and not too many."""
    with _visitor(browser, site) as context:
        page = context.new_page()
        _open(page, "/")
        for path in ("/rules", "/alerts", "/facilities/kasese-hc3", "/nothing"):
            page.goto(path)
        page.evaluate("fetch('/?part=live').then((each) => each.text())")
        page.evaluate("fetch('/api/v1/facilities').then((each) => each.text())")
        _wait_kept(page, "/", "/alerts", "/facilities/kasese-hc3")
        assert page.evaluate(_KEPT) == ["/", "/alerts", "/facilities/kasese-hc3"]
        for number in range(45):
            page.goto(f"/map?bbox=29,-1,{31 + number},2")
        _until(page, f"async () => (await ({_KEPT})()).length === 40")
        everything = page.evaluate(
            "async () => { const found = []; for (const name of await caches.keys()) for (const key of "
            "await (await caches.open(name)).keys()) found.push(new URL(key.url).pathname); return found; }"
        )
        assert not [each for each in everything if each.startswith(("/api", "/charts", "/sign", "/sw"))]


def _sign_in(page: Page, name: str) -> None:
    page.get_by_label("Sign-in name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()


def test_what_is_kept_is_forgotten_at_sign_out(browser: Browser, town: Site) -> None:
    """Whoever takes the phone next finds nothing, connection or not."""
    with _visitor(browser, town) as context:
        page = context.new_page()
        page.goto("/")
        _sign_in(page, "amina")
        _open(page, "/facilities/kasese-hc3")
        _wait_kept(page, "/facilities/kasese-hc3")
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_role("button", name="Sign in")).to_be_visible()
        _until(page, f"async () => (await ({_KEPT})()).length === 0")
        town.stop()
        page.goto("/facilities/kasese-hc3")
        expect(page.get_by_role("heading", level=1)).to_have_text("No connection")
        expect(page.locator("#kept-pages li")).to_have_count(0)


def test_what_one_reader_saw_is_never_shown_to_another(browser: Browser, town: Site) -> None:
    """Also where nobody signed out: the session was taken away, and somebody else signs in."""
    with _visitor(browser, town) as context:
        page = context.new_page()
        page.goto("/")
        _sign_in(page, "amina")
        _open(page, "/facilities/kasese-hc3")
        _wait_kept(page, "/facilities/kasese-hc3")
        context.clear_cookies()
        page.goto("/alerts")
        _until(page, f"async () => (await ({_KEPT})()).length === 0")
        _sign_in(page, "joseph")
        page.goto("/map")
        _wait_kept(page, "/map")
        assert "/facilities/kasese-hc3" not in page.evaluate(_KEPT)


def test_a_page_of_another_reader_forgets_what_was_kept(browser: Browser, site: Site) -> None:
    """Whichever way readers changed, and though nobody saw the form to sign in."""
    with _visitor(browser, site) as context:
        page = context.new_page()
        _open(page, "/")
        _wait_kept(page, "/")
        page.evaluate(
            "async () => { const mine = (await caches.keys()).find((each) => each.startsWith('vitals pages')); "
            "const other = await caches.open(mine.replace(/ [0-9a-f]+$/, ' 0')); "
            "await other.put('/facilities/secret', new Response('secret')); }"
        )
        assert "/facilities/secret" in page.evaluate(_KEPT)
        page.goto("/map")
        _wait_kept(page, "/map", "/")
        assert "/facilities/secret" not in page.evaluate(_KEPT)


def test_the_pages_can_be_installed(browser: Browser, site: Site) -> None:
    """Chromium finds nothing wrong with the manifest, and its icons are as large as it says."""
    with _visitor(browser, site) as context:
        page = context.new_page()
        _open(page, "/")
        found = context.new_cdp_session(page).send("Page.getAppManifest")
        assert found["errors"] == []
        manifest = page.evaluate("fetch('/manifest.webmanifest').then((each) => each.json())")
        assert {each["purpose"] for each in manifest["icons"]} == {"any", "maskable"}
        for each in manifest["icons"]:
            size = page.evaluate(
                "(src) => new Promise((done, fail) => { const image = new Image(); image.onerror = fail; image.onload"
                " = () => done([image.naturalWidth, image.naturalHeight]); image.src = src; })",
                each["src"],
            )
            assert each["sizes"] in ("any", f"{size[0]}x{size[1]}")
        problems = context.new_cdp_session(page).send("Page.getInstallabilityErrors")["installabilityErrors"]
        assert [each["errorId"] for each in problems if each["errorId"] != "in-incognito"] == []


def test_a_new_version_takes_the_place_of_the_old_one(browser: Browser, site: Site) -> None:
    """What an older worker kept is gone once the new one is at work."""
    with _visitor(browser, site) as context:
        page = context.new_page()
        page.goto("/manifest.webmanifest")
        page.evaluate("caches.open('vitals files 0').then((cache) => cache.put('/old', new Response('old')))")
        _open(page, "/")
        _until(page, "async () => !(await caches.keys()).includes('vitals files 0')")
        names = page.evaluate("caches.keys()")
        assert len([each for each in names if each.startswith("vitals files")]) == 1
