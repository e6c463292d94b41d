"""The pages on which an administrator looks after users and tokens."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from domain.access import Grant, Role
from domain.places import Place
from tests.api.signing import ADMINISTRATOR, KASESE, PROGRAM, Town, a_sqlite_town, sign_in

NEW = {"id": "Grace", "name": "Grace N.", "role": "technician", "scope": "district", "place": "kasese"}


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    """Give a world with an administrator and a technician of one facility."""
    async with a_sqlite_town(f"{tmp_path}/vitals.db") as town:
        await town.add("amina", ADMINISTRATOR)
        await town.add("joseph", KASESE)
        yield town


def shown(page: str) -> str:
    """Return the secret that a page shows this once."""
    found = re.search(r'class="secret"><code>([^<]+)<', page)
    assert found is not None
    return found[1]


async def grants(town: Town, user: str) -> frozenset[Grant]:
    """Return what somebody may do."""
    account = await town.desk.accounts.get(user)
    assert account is not None
    return account.grants


async def test_somebody_new_chooses_a_password_and_works(town: Town) -> None:
    """The first one is shown once, is not kept by any cache, and lets in to choose another."""
    async with town.browser() as amina, town.browser() as grace:
        await sign_in(amina, "amina")
        answer = await amina.post("/users", data=NEW)
        assert answer.headers["cache-control"] == "no-store"
        first = shown(answer.text)
        assert first not in (await amina.get("/users/grace")).text
        assert "has to choose a password" in (await amina.get("/users")).text
        assert (await sign_in(grace, "grace", first)).headers["location"].startswith("/account/password")
        own = {"old": first, "new": "blue donkey under rain", "again": "blue donkey under rain"}
        await grace.post("/account/password", data=own)
        assert (await grace.get("/alerts")).status_code == 200
    assert await grants(town, "grace") == {Grant(Role.TECHNICIAN, Place("Uganda", "Rwenzori", "Kasese"))}


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"id": "jo seph"}, "small letters"),
        ({"id": "joseph"}, "already"),
        ({"role": "boss"}, "Choose a role."),
        ({"place": "Kasesi"}, "There is no such place"),
        ({"scope": "facility", "place": "Kasese"}, "There is no such place"),
        ({"scope": "district", "place": ""}, "There is no such place"),
        ({"scope": ""}, "Choose what kind of place kasese is."),
    ],
)
async def test_a_form_that_cannot_be_used_is_shown_again(town: Town, changes: dict[str, str], sentence: str) -> None:
    """With what was written, and why; nobody is made."""
    async with town.browser() as amina:
        await sign_in(amina, "amina")
        answer = await amina.post("/users", data={**NEW, **changes})
        assert answer.status_code == 422
        assert sentence in answer.text
        assert 'value="Grace N."' in answer.text
    assert len(await town.desk.accounts.all()) == 2


async def test_roles_are_given_and_taken(town: Town) -> None:
    """A facility is named by its name or id."""
    async with town.browser() as amina:
        await sign_in(amina, "amina")
        role = {"role": "manager", "scope": "facility", "place": "bwera hospital"}
        assert (await amina.post("/users/joseph/grant", data=role)).headers["location"] == "/users/joseph"
        bwera = Grant(Role.MANAGER, Place(facility="bwera-hospital"))
        assert await grants(town, "joseph") == {KASESE, bwera}
        await amina.post("/users/joseph/revoke", data={"facility": "kasese-hc3"})
        assert await grants(town, "joseph") == {bwera}


async def test_who_is_shut_out_is_out(town: Town) -> None:
    """And is let in again; a session does not come back by that."""
    async with town.browser() as amina, town.browser() as joseph:
        await sign_in(amina, "amina")
        await sign_in(joseph, "joseph")
        await amina.post("/users/joseph/disable")
        assert (await joseph.get("/alerts")).status_code == 303
        assert "shut out" in (await amina.get("/users")).text
        await amina.post("/users/joseph/enable")
        assert (await joseph.get("/alerts")).status_code == 303
        await sign_in(joseph, "joseph")
        assert (await joseph.get("/alerts")).status_code == 200
        await amina.post("/users/joseph/sign-out")
        assert (await joseph.get("/alerts")).status_code == 303


@pytest.mark.parametrize("deed", ["disable", "revoke", "grant", "password", "sign-out"])
async def test_an_administrator_does_nothing_to_himself(town: Town, deed: str) -> None:
    """So that somebody can always look after the service."""
    async with town.browser() as amina:
        await sign_in(amina, "amina")
        assert (await amina.post(f"/users/amina/{deed}", data={"role": "viewer"})).status_code == 403
        assert (await amina.get("/users/amina")).status_code == 200
    assert await grants(town, "amina") == {ADMINISTRATOR}


@pytest.mark.parametrize("place", [Place("Uganda"), Place(facility="kasese-hc3")])
async def test_users_are_for_administrators_of_the_whole_country(town: Town, place: Place) -> None:
    """One of a place could otherwise make one of everywhere; so could a program."""
    await town.add("district", Grant(Role.ADMINISTRATOR, place), Grant(Role.MANAGER))
    await town.token(Grant(Role.MANAGER))
    async with town.browser() as browser, town.program(PROGRAM) as program:
        await sign_in(browser, "district")
        for asking in (browser, program):
            for path in ("/users", "/users/joseph", "/tokens"):
                assert (await asking.get(path)).status_code == 403
            for path in ("/users", "/users/joseph/disable", "/users/joseph/password", "/tokens", "/tokens/1/revoke"):
                assert (await asking.post(path, data=NEW)).status_code == 403


async def test_a_token_is_made_shown_once_and_revoked(town: Town) -> None:
    """With a role, a place and an end."""
    async with town.browser() as amina:
        await sign_in(amina, "amina")
        made = await amina.post("/tokens", data={"name": "Prometheus", "role": "viewer", "scope": "", "days": "90"})
        token = shown(made.text)
        assert made.headers["cache-control"] == "no-store"
        async with town.program(token) as program:
            assert (await program.get("/metrics")).status_code == 200
            page = (await amina.get("/tokens")).text
            assert token not in page
            assert "Prometheus" in page
            assert "Amina" in page
            assert (await amina.post("/tokens/1/revoke")).status_code == 303
            assert (await program.get("/metrics")).status_code == 401
        assert (await amina.post("/tokens/1/revoke")).status_code == 404
        for wrong in ({"days": "soon"}, {"days": "0"}, {"name": " "}, {"role": ""}):
            form = {"name": "x", "role": "viewer", "days": "1", **wrong}
            assert (await amina.post("/tokens", data=form)).status_code == 422


async def test_hostile_names_are_text(town: Town) -> None:
    """Whatever somebody is called."""
    async with town.browser() as amina:
        await sign_in(amina, "amina")
        await amina.post("/users", data={**NEW, "name": "<script>alert(1)</script>"})
        await amina.post("/tokens", data={"name": "<b>x", "role": "viewer", "days": ""})
        for path in ("/users", "/users/grace", "/tokens"):
            assert "<script>alert" not in (page := (await amina.get(path)).text)
            assert "<b>x" not in page
        assert (await amina.get("/users/nobody")).status_code == 404
