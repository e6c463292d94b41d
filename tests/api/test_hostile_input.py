"""Whatever people call things and write: it is shown as text on every page, breaks no answer and no header."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from alerts.change import Actor
from alerts.closing import Closing
from api.create import create_api
from domain.access import Grant, Principal, Role
from domain.episode import ChangeKind, EpisodeChange
from domain.places import Place
from tests.alerts.given import MINUTE, ended, sqlite_database
from tests.api import two_districts
from tests.api.routes import NEAR_BY, routes_of
from tests.api.test_api_pages import Reader
from tests.api.two_districts import (
    FAR,
    FAR_ALERT,
    FAR_FRIDGE,
    NEAR,
    NEAR_ALERT,
    Districts,
    a_silence,
    an_excursion,
    application_of,
    districts_on,
)
from tests.api.world import World

HOSTILE = Path(__file__).parents[3] / "shared" / "data" / "hostile" / "blns.json"
AT_ONCE = 130
HTML = {"accept": "text/html", "sec-fetch-site": "same-origin"}
ADMINISTRATOR = Principal("user:grace", "Grace", frozenset({Grant(Role.ADMINISTRATOR)}))
READ = [
    each
    for each in routes_of(create_api(World(days=0).services()))
    if each.method == "GET" and each.role and "number" not in each.parameters
]
SHOWN = {
    f"/facilities/{NEAR}": 2,
    f"/alerts/{NEAR_ALERT}": 2,
    f"/alerts/{FAR_ALERT}": 2,
    "/alerts": 2,
    "/": 1,
    "/maintenance": 1,
    "/people": 1,
}
"""On how many places of a page the words stand at least."""


@asynccontextmanager
async def called(words: str, path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Districts]:
    """Give districts in which everything is called so, and people wrote nothing else."""
    contacts = [replace(each, name=words) for each in two_districts.CONTACTS]
    monkeypatch.setattr(two_districts, "CONTACTS", tuple(contacts))
    async with sqlite_database(str(path)) as database:
        districts = await districts_on(database)
        districts.principal = ADMINISTRATOR
        world = districts.world
        world.facilities = [replace(each, name=words, district=words) for each in world.facilities]
        world.equipment = [replace(each, name=words, model=words) for each in world.equipment]
        world.nodes = [replace(each, name=words) for each in world.nodes]
        world._directory = None
        world.visit(NEAR, MINUTE, found=words, done=words, note=words)
        await _write(districts, words)
        transport = httpx.ASGITransport(application_of(districts), raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            districts.client = client
            yield districts


async def _write(districts: Districts, words: str) -> None:
    judge, actions = districts.judge, districts.judge.store.actions
    judge.directory = districts.world.directory()
    await judge.store.acknowledge(NEAR_ALERT, by=words, now=judge.now, origin=f"sms {words}", note=words)
    await judge.record(EpisodeChange(ChangeKind.ENDED, ended(an_excursion(FAR, FAR_FRIDGE)).episode, True))
    closing = Closing(words, words, 3, words)
    await judge.store.act(
        lambda connection: actions.close(connection, FAR_ALERT, closing, by=Actor(words, "api"), now=judge.now)
    )
    await judge.store.silence(replace(a_silence(Place(facility=NEAR), words, judge.now), created_by=words))


def chunks() -> list[str]:
    """Return the hostile strings, many of them one after the other in each."""
    if not HOSTILE.exists():
        return []
    strings = [each for each in json.loads(HOSTILE.read_text(encoding="utf-8")) if each.strip()]
    return [" ".join(strings[start : start + AT_ONCE]) for start in range(0, len(strings), AT_ONCE)]


def shape(page: str) -> list[tuple[str, tuple[str, ...]]]:
    """Return the elements of a page and the names of their attributes: what words must not change."""
    return [(tag, tuple(attributes)) for tag, attributes in Reader(page).tags]


async def answers(districts: Districts) -> Sequence[tuple[str, httpx.Response]]:
    """Return what every route that reads answers, as pages and as documents."""
    found = []
    for route in READ:
        method, address, sent = route.request(NEAR_BY)
        sent["headers"] |= HTML
        found.append((address, await districts.client.request(method, address, **sent)))
    found.append((f"/alerts/{FAR_ALERT}", await districts.client.get(f"/alerts/{FAR_ALERT}", headers=HTML)))
    return found


@pytest.mark.skipif(not HOSTILE.exists(), reason="the shared hostile strings are not on this machine")
async def test_words_are_text_everywhere_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same elements as with harmless words, the words themselves as text, no failure, no broken header."""
    async with called("harmless", tmp_path / "harmless.db", monkeypatch) as districts:
        wanted = {address: shape(each.text) for address, each in await answers(districts) if _is_page(each)}
    assert len(wanted) >= 10
    for number, words in enumerate(chunks()):
        async with called(words, tmp_path / f"{number}.db", monkeypatch) as districts:
            for address, answer in await answers(districts):
                assert answer.status_code == 200, (address, answer.text[:300])
                assert not any(set(value) & set("\r\n\0") for value in answer.headers.values())
                if _is_page(answer):
                    assert shape(answer.text) == wanted[address], address
                    text = _plain(Reader(answer.text).text)
                    assert text.count(_plain(words)) >= SHOWN.get(address, 0), address
                elif answer.headers["content-type"] == "application/json":
                    answer.json()


def _is_page(answer: httpx.Response) -> bool:
    return answer.headers["content-type"].startswith("text/html")


def _plain(text: str) -> str:
    """Return a text as it is compared: white space as browsers show it, and without what no page can hold."""
    return " ".join(
        "".join(each for each in text if each not in "\0\ufffd" and not "\ud800" <= each <= "\udfff").split()
    )


@pytest.mark.parametrize("start", ["=1+1", "+1", "-1", "@SUM(1)", "\t=1", "\r=1", "＝1"])
async def test_a_download_begins_no_formula(start: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A spreadsheet that opens the file computes nothing that somebody wrote as a name."""
    async with called(f"{start}|cmd", tmp_path / "vitals.db", monkeypatch) as districts:
        for address, answer in await answers(districts):
            if answer.headers["content-type"].startswith("text/csv"):
                rows = list(csv.reader(io.StringIO(answer.text.removeprefix("\ufeff"), newline="")))
                assert [cell for row in rows for cell in row if _computes(cell)] == [], address


def _computes(cell: str) -> bool:
    """Tell whether a spreadsheet takes a cell for a formula; a number is none."""
    begins = cell.startswith(("=", "+", "-", "@", "\t", "\r", "＝"))
    try:
        float(cell)
    except ValueError:
        return begins
    return False
