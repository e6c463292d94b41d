"""Signing in with a real browser: with and without scripts, from another site, and when the session ends."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.api.signing import ADMINISTRATOR, KASESE, PASSWORD, a_sqlite_town
from tests.system.browsing import CHROMIUM, PHONE, Opened, Site, launched, served

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed on this machine"),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Return one chromium for all tests of this file."""
    with launched() as chromium:
        yield chromium


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """Return a world in which Amina looks after Joseph."""

    @asynccontextmanager
    async def opened() -> AsyncIterator[Opened]:
        async with a_sqlite_town(f"{tmp_path}/vitals.db") as town:
            await town.add("amina", ADMINISTRATOR)
            await town.add("joseph", KASESE)
            yield town.world, town.api

    with served(opened) as site:
        yield site


@contextmanager
def _page(browser: Browser, site: Site, *, scripts: bool = True) -> Iterator[Page]:
    context = browser.new_context(viewport=PHONE, java_script_enabled=scripts, base_url=site.address)
    context.set_default_timeout(20_000)
    yield context.new_page()
    context.close()


def _sign_in(page: Page, name: str = "joseph", password: str = PASSWORD) -> None:
    page.get_by_label("Sign-in name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_signing_in_leads_to_the_page_that_was_wanted(browser: Browser, site: Site, scripts: bool) -> None:
    """Also after a mistake; and out again by one button, after which the page is gone."""
    with _page(browser, site, scripts=scripts) as page:
        page.goto("/alerts")
        _sign_in(page, password="not this one")
        expect(page.get_by_role("alert")).to_contain_text("do not go together")
        expect(page.get_by_label("Sign-in name")).to_have_value("joseph")
        _sign_in(page)
        page.wait_for_url("**/alerts")
        expect(page.get_by_role("link", name="Joseph")).to_be_visible()
        page.get_by_role("button", name="Sign out").click()
        page.wait_for_url("**/sign-in")
        page.goto("/alerts")
        expect(page).to_have_title("Sign in · Vitals")


def test_a_form_without_scripts_is_taken(browser: Browser, site: Site) -> None:
    """A browser says by itself where a form comes from; nothing hidden has to be in it."""
    with _page(browser, site, scripts=False) as page:
        page.goto("/alerts/4821")
        _sign_in(page)
        page.get_by_role("button", name="I’m on it").click()
        page.wait_for_url("**/alerts/4821")
        expect(page.locator("main")).to_contain_text("Joseph")
    assert [by for _, by, _, _ in site.world.notes] == ["Joseph"]


def test_another_site_gets_no_form_through(browser: Browser, site: Site) -> None:
    """Though the browser is signed in: another name for the same machine is another site."""
    other = site.address.replace("127.0.0.1", "localhost")
    with _page(browser, site) as page:
        page.goto("/alerts")
        _sign_in(page)
        page.wait_for_url("**/alerts")
        page.context.route(
            f"{other}/evil",
            lambda route: route.fulfill(
                content_type="text/html",
                body=f'<form method="post" action="{site.address}/alerts/4821/acknowledge"><button>x</button></form>',
            ),
        )
        page.goto(f"{other}/evil")
        with page.expect_navigation() as navigation:
            page.get_by_role("button").click()
        answer = navigation.value
        assert answer.status == 403
    assert site.world.notes == []


def test_an_open_page_leads_to_the_sign_in_when_the_session_ends(browser: Browser, site: Site) -> None:
    """At its next look; nobody reads old figures and takes them for new."""
    with _page(browser, site) as lost, _page(browser, site) as page:
        lost.goto("/alerts")
        _sign_in(lost)
        lost.wait_for_url("**/alerts")
        page.goto("/account")
        _sign_in(page)
        page.get_by_role("button", name="Sign out everywhere else").click()
        lost.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        lost.wait_for_url("**/sign-in?next=%2Falerts")


def test_a_password_made_up_by_another_is_changed(browser: Browser, site: Site) -> None:
    """The administrator reads it out, the person chooses another one and works."""
    with _page(browser, site) as amina, _page(browser, site) as joseph:
        amina.goto("/users/joseph")
        _sign_in(amina, "amina")
        amina.get_by_role("button", name="Make up a new password").click()
        made_up = amina.locator(".secret code").inner_text()
        joseph.goto("/")
        _sign_in(joseph, password=made_up)
        joseph.get_by_label("The password until now").fill(made_up)
        joseph.get_by_label("The new password", exact=True).fill("blue donkey under rain")
        joseph.get_by_label("The new password again").fill("blue donkey under rain")
        joseph.get_by_role("button", name="Save").click()
        joseph.wait_for_url(f"{site.address}/")
        expect(joseph.get_by_role("heading", level=1)).to_be_visible()
