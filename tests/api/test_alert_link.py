"""The link in a message, from the message to the deed: it opens one alert, for one person, for a while."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from pydantic import HttpUrl

from alerts.store import AlertStore, World
from api.create import create_api
from app.alert_links import link_writer
from domain.access import Principal
from domain.episode import ChangeKind, EpisodeChange
from domain.instant import to_ms
from tests.alerts.given import ROUTES, RULES, of_rule, sqlite_database
from tests.api.test_api_pages import HTML, Reader
from tests.api.two_districts import (
    NEAR,
    NEAR_ALERT,
    NEAR_FRIDGE,
    NEXT_ALERT,
    Districts,
    an_excursion,
    districts_on,
    services_of,
)

KEY = b"k" * 32
PUBLIC = HttpUrl("https://v.example.ug/")
HOURS = 24
OWN = {"sec-fetch-site": "same-origin"}


@dataclass
class Phone:
    """What somebody holds: the messages that came, and a browser in which nobody signed in."""

    districts: Districts
    client: httpx.AsyncClient
    texts: dict[str, str]
    """The short text to each contact."""

    def link(self, contact: str) -> str:
        """Return the path of the link in the message to a contact."""
        found = re.search(r"https://v\.example\.ug(/a/[A-Za-z0-9_-]+)", self.texts[contact])
        assert found, self.texts[contact]
        return found[1]


@pytest.fixture
async def phone(tmp_path: Path) -> AsyncIterator[Phone]:
    """Give a phone after an alert was told, of a service where people sign in."""
    async with sqlite_database(f"{tmp_path}/vitals.db") as database:
        districts = await districts_on(database)
        judge = districts.judge
        directory = districts.world.directory()
        link = link_writer(PUBLIC, KEY, timedelta(hours=HOURS))
        judge.store = AlertStore(
            database, routes=ROUTES, telling=judge.telling, world=World(lambda: directory, lambda: RULES, link=link)
        )
        districts.world.clock.advance(timedelta(milliseconds=to_ms(judge.now) - districts.world.clock.now_ms()))
        cut = of_rule("mains", an_excursion(NEAR, NEAR_FRIDGE, judge.now - timedelta(hours=3)))
        await judge.record(EpisodeChange(ChangeKind.OPENED, cut, True))
        told = await judge.store.notifications(4)
        transport = httpx.ASGITransport(create_api(services_of(districts), recognise=districts.recognise, link_key=KEY))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", headers=OWN) as client:
            yield Phone(districts, client, {each.contact: each.short_text for each in told})


async def test_a_message_leads_to_its_alert_without_signing_in(phone: Phone) -> None:
    """Each contact has a link of their own, in one part of a text message with all the facts."""
    assert len(phone.texts["amina"]) <= 160
    assert phone.texts["amina"].endswith("ref 4")
    assert (await phone.client.get("/alerts/4")).status_code == 401
    answer = await phone.client.get(phone.link("amina"))
    assert (answer.status_code, answer.headers["location"]) == (303, "/alerts/4")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert (await phone.client.get("/alerts/4", headers=HTML)).status_code == 200


async def test_what_is_done_there_is_done_by_the_contact(phone: Phone) -> None:
    """With the contact's name, whatever the form says, and where from."""
    await phone.client.get(phone.link("amina"))
    answer = await phone.client.post("/alerts/4/acknowledge", data={"by": "Mallory"}, headers=HTML)
    assert answer.status_code == 303
    entries = [each for each in await phone.districts.judge.store.audit(4) if each.what == "acknowledged"]
    assert [(each.who, "link:amina" in each.origin) for each in entries] == [("Amina", True)]


async def test_it_opens_one_facility_and_no_more_than_a_technician_may(phone: Phone) -> None:
    """The neighbour's alert is not there, and nothing that takes a manager."""
    await phone.client.get(phone.link("amina"))
    assert (await phone.client.get(f"/alerts/{NEAR_ALERT}", headers=HTML)).status_code == 200
    assert (await phone.client.get(f"/alerts/{NEXT_ALERT}", headers=HTML)).status_code == 404
    assert (await phone.client.get("/api/v1/inbox")).status_code == 403


async def test_when_it_is_over_it_opens_nothing(phone: Phone) -> None:
    """Neither the link nor the cookie that it left; the page leads to where one signs in."""
    await phone.client.get(phone.link("amina"))
    phone.districts.world.clock.advance(timedelta(hours=HOURS + 1))
    answer = await phone.client.get(phone.link("amina"), headers=HTML)
    assert answer.status_code == 410
    assert any(each.startswith("/sign-in") for each in Reader(answer.text).links())
    assert "set-cookie" not in answer.headers
    assert (await phone.client.get("/alerts/4")).status_code == 401


@pytest.mark.parametrize("token", ["x", "A" * 24, "A" * 60, "%00", "..%2f", "ü"])
async def test_a_forged_one_opens_nothing(phone: Phone, token: str) -> None:
    """It is answered like one that is over, whatever it is."""
    answer = await phone.client.get(f"/a/{token}", headers=HTML)
    assert answer.status_code in (404, 410)
    assert "set-cookie" not in answer.headers
    phone.client.cookies.set("vitals_link", token.encode("ascii", "replace").decode())
    assert (await phone.client.get("/alerts/4")).status_code == 401


async def test_who_signed_in_is_who_they_are(phone: Phone) -> None:
    """A link makes nobody of somebody who is signed in."""
    await phone.client.get(phone.link("amina"))
    phone.districts.principal = Principal("user:v", "Vera", frozenset())
    assert (await phone.client.get("/alerts/4", headers=HTML)).status_code == 403


async def test_another_site_cannot_act_with_the_cookie_of_a_link(phone: Phone) -> None:
    """A program's request that holds it must say that it comes from our own page."""
    await phone.client.get(phone.link("amina"))
    answer = await phone.client.post("/api/v1/alerts/4/acknowledge", json={}, headers={"sec-fetch-site": "cross-site"})
    assert answer.status_code == 403
    del phone.client.headers["sec-fetch-site"]
    assert (await phone.client.post("/api/v1/alerts/4/acknowledge", json={})).status_code == 403
