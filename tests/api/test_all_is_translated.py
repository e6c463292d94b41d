"""No page says anything in English of its own: in a made-up language every sentence stands in brackets.

What is left outside of them are names (``<bdi>``, isolated, or ``translate="no"``), moments (``<time>``), what is typed
as it stands (``<code>``), and numbers with their units.
"""

from __future__ import annotations

import dataclasses
import re
from html.parser import HTMLParser

import httpx
import pytest
from fastapi import FastAPI
from starlette.routing import compile_path

from api.create import create_api
from dashboards.pages.words import Words
from domain.access import Grant, Role
from domain.units import UNITS
from tests.alerts.given import an_episode, opened
from tests.api.claim_world import desk_with
from tests.api.desk import Desk
from tests.api.routes import routes_of
from tests.api.signing import PASSWORD, Town, sign_in
from tests.api.test_maintenance_pages import announce
from tests.api.test_people_pages import Site, site  # noqa: F401 - a fixture
from tests.api.test_place_pages import Nation, measures
from tests.api.test_registry_pages import FRIDGE, KASESE, Office, office  # noqa: F401 - a fixture
from tests.api.test_report_pages import Bureau, bureau, clinic, measured, order_of_all, ordered  # noqa: F401 - fixtures
from tests.api.test_rule_pages import RULE, Trying, trying  # noqa: F401 - a fixture
from tests.api.test_user_pages import town  # noqa: F401 - a fixture

HTML = {"accept": "text/html"}
NAMES = {"title", "bdi", "time", "code", "script", "style", "textarea", "text"}
"""Elements that hold what belongs to somebody; the title of a page is its first heading again."""
EMPTY = {"meta", "link", "input", "br", "img", "use", "path", "rect", "circle", "line", "polyline", "polygon"}
READ_ALOUD = {"aria-label", "placeholder", "title", "alt", "data-lost", "data-back"}
NO_PAGES = ("/static/", "/charts/", "/csv/", "/favicon.ico", "/manifest.webmanifest", "/sw.js", "/api/", "/healthz",
            "/readyz", "/metrics", "/sd/")  # fmt: skip
WORD = r"(?<!\d)[^\W\d_]+"
NO_WORDS = {"Vitals", "SAIFI", "SAIDI", "CAIDI", "MAIFI"} | {
    word for unit in UNITS.values() for word in re.findall(WORD, unit.text)
}
"""The product, indices of IEEE 1366, and units, which are the same everywhere."""


def _bracketed(sentence: str) -> str:
    return f"⟦{sentence}⟧"


MADE_UP = Words("en-GB", True, _bracketed, lambda one, many, count: _bracketed(one if count == 1 else many))
"""Right to left, so that names and values within sentences are isolated."""


class Texts(HTMLParser):
    """Collects what a person reads or hears, without what belongs to somebody."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self._skipped: list[str] = []
        self.read: list[str] = []
        self.heard: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take what is read aloud; skip what holds names."""
        if tag in EMPTY:
            pass
        elif self._skipped or tag in NAMES or self._belongs_to_somebody(tag, attrs):
            self._skipped.append(tag)
        if not self._skipped:
            self.heard += [value for name, value in attrs if name in READ_ALOUD and value]

    @staticmethod
    def _belongs_to_somebody(tag: str, attrs: list[tuple[str, str | None]]) -> bool:
        return ("translate", "no") in attrs or (tag != "html" and any(name == "lang" for name, _ in attrs))

    def handle_endtag(self, tag: str) -> None:
        """Come out of it."""
        if self._skipped and self._skipped[-1] == tag:
            self._skipped.pop()

    def handle_data(self, data: str) -> None:
        """Keep the text."""
        if not self._skipped:
            self.read.append(data)


def in_english(page: str) -> list[str]:
    """Return the words on a page that stand outside of all brackets."""
    read, heard = "".join(Texts(page).read), " ".join(Texts(page).heard)
    left = []
    for text in (read, heard):
        for whole in (r"\u2068[^\u2068\u2069]*\u2069", r"⟦[^⟦⟧]*⟧"):
            while re.search(whole, text):
                text = re.sub(whole, " ", text)
        left += [word for word in re.findall(WORD, text) if word not in NO_WORDS]
    return left


def in_made_up_words(client: httpx.AsyncClient) -> FastAPI:
    """Let the application behind a client answer in the made-up language."""
    api: FastAPI = client._transport.app  # type: ignore[attr-defined]  # the transport of a test
    api.state.door = dataclasses.replace(api.state.door, words=lambda *_: MADE_UP)
    return api


async def untranslated(client: httpx.AsyncClient, *paths: str) -> dict[str, list[str]]:
    """Return what pages say in English."""
    in_made_up_words(client)
    found = {}
    for path in paths:
        answer = await client.get(path, headers=HTML)
        assert answer.headers["content-type"].startswith("text/html"), path
        assert "⟦" in answer.text, path
        if words := in_english(answer.text):
            found[path] = words
    return found


WORLD = ("/", "/alerts", "/alerts/4821", "/alerts/4824", "/map", "/facilities/kasese-hc3", "/facilities/bwera-hospital",
         "/facilities/kasese-hc3?range=30d", "/nothing", "/alerts/99999", "/offline")  # fmt: skip
DESK = ("/alerts/1", "/maintenance", "/maintenance?facility=kasese-3")
PEOPLE = ("/people", "/people/contacts/new", "/people/contacts/amina", "/people/rosters/kasese-duty")
TRYING = ("/rules", f"/rules/{RULE}", f"/rules/{RULE}/backtests/1")
SIGNED_IN = ("/account", "/account/password", "/users", "/users/joseph", "/tokens")
OTHER = ("/sign-in",)
REGISTRY = ("/registry", "/registry?q=kasese", "/registry/changes", KASESE, f"{KASESE}/edit", f"{KASESE}/equipment/new",
            "/registry/facilities/new", FRIDGE, f"{FRIDGE}/edit", f"{FRIDGE}/channels/new", "/registry/nodes",
            f"{FRIDGE}/channels/temperature/edit", f"{FRIDGE}/channels/temperature/limits",
            "/registry/nodes/kasese-hc3-gw", "/registry/nodes/labels", "/visits/1/correct")  # fmt: skip
CLAIM = ("/claim/pi-7",)
REPORTS = ("/sla", "/sla?facility=clinic", "/reports", "/sla/1", "/reports/2", "/sla/3", "/sla/99")
PLACES = ("/places", "/places?range=7d&level=facility", "/places?country=Uganda&region=Rwenzori&district=Kasese",
          "/places/route", "/places/route?country=Uganda&region=Rwenzori&district=Kasese")  # fmt: skip


@pytest.mark.parametrize("path", WORLD)
async def test_facilities_and_alerts(client: httpx.AsyncClient, path: str) -> None:
    """With alerts that wait, are handled and are over, a silent facility, and errors."""
    assert await untranslated(client, path) == {}


async def test_an_alert_and_maintenance(desk: Desk) -> None:
    """With the people who were told, every deed, and a window that holds."""
    await desk.judge.record(opened(an_episode()))
    await announce(desk)
    assert await untranslated(desk.client, *DESK) == {}


async def test_places() -> None:
    """A country and a district with their figures, and where to go first."""
    transport = httpx.ASGITransport(create_api(Nation().services(measures=measures)))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        assert await untranslated(client, *PLACES) == {}


async def test_the_registry(office: Office) -> None:  # noqa: F811 - a fixture
    """Lists, forms, what changed; and a node that is to be claimed."""
    found = {"equipment": "kasese-hc3/fridge-1", "found": "gasket torn", "note": "ask Mary"}
    await office.client.post(f"{KASESE}/visits", data=found)
    await office.send(f"{KASESE}/edit", name="Kasese HC III")
    assert await untranslated(office.client, *REGISTRY) == {}
    async with office.registry.client(intake=desk_with(office.registry)) as client:
        assert await untranslated(client, *CLAIM) == {}


async def test_people(site: Site) -> None:  # noqa: F811 - a fixture
    """A list, forms, a roster."""
    assert await untranslated(site.client, *PEOPLE) == {}


async def test_rules(trying: Trying) -> None:  # noqa: F811 - a fixture
    """The list, a rule with its tests, and one that is tried."""
    async with trying.client() as client:
        in_made_up_words(client)
        await client.post(f"/rules/{RULE}/backtests", data={"days": "7"})
        assert await untranslated(client, *TRYING) == {}


async def test_reports(bureau: Bureau) -> None:  # noqa: F811 - a fixture
    """Forms, contract figures, a month, and what is under way."""
    async with bureau.client() as client:
        in_made_up_words(client)
        for path in ("/sla", "/reports"):
            await ordered(bureau, client, path, facility="clinic", month="2026-11")
        bureau.reports.jobs.start(order_of_all(bureau))
        assert await untranslated(client, *REPORTS) == {}


async def test_accounts(town: Town) -> None:  # noqa: F811 - a fixture
    """Before and after signing in, with users and tokens; and what is refused."""
    await town.token(Grant(Role.VIEWER))
    async with town.browser() as browser:
        assert await untranslated(browser, *OTHER) == {}
        in_made_up_words(browser)
        assert in_english((await sign_in(browser, "amina", "wrong")).text) == []
        await sign_in(browser, "amina", PASSWORD)
        assert await untranslated(browser, *SIGNED_IN) == {}


async def test_no_page_is_forgotten(client: httpx.AsyncClient, town: Town) -> None:  # noqa: F811 - a fixture
    """Every route that answers with a page is looked at above."""
    every = (*WORLD, *DESK, *PEOPLE, *TRYING, *SIGNED_IN, *PLACES, *REGISTRY, *CLAIM, *REPORTS, *OTHER)
    looked_at = [each.partition("?")[0] for each in every]
    routes = [each for api in (in_made_up_words(client), town.api) for each in routes_of(api)]
    paths = {each.path for each in routes if each.method == "GET"}
    pages = {path for path in paths if not path.startswith(NO_PAGES) and not path.endswith((".csv", ".{form}"))}
    assert len(pages) > 20
    assert {page for page in pages if not any(compile_path(page)[0].match(each) for each in looked_at)} == set()


def test_what_is_english_is_found() -> None:
    """The collector itself: text and what is read aloud, in brackets or not, with what belongs to somebody."""
    page = '<p title="Oh">⟦Fridge ⟦a⟧ b⟧ warm <bdi>Name</bdi> 9.4 °C \u2068x\u2069<input placeholder="⟦y⟧"> is</p>'
    assert in_english(page) == ["warm", "is", "Oh"]
