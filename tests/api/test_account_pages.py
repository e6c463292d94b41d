"""The pages of somebody who is signed in."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.api.signing import ADMINISTRATOR, KASESE, PASSWORD, PROGRAM, Town, a_sqlite_town, sign_in

OTHER = "blue donkey under rain"


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    """Give a world with a technician of one facility."""
    async with a_sqlite_town(f"{tmp_path}/vitals.db") as town:
        await town.add("joseph", KASESE)
        yield town


def change(old: str, new: str, again: str = "") -> dict[str, str]:
    """Return the filled form."""
    return {"old": old, "new": new, "again": again or new, "next": ""}


async def test_the_account_says_who_one_is_and_what_one_may_do(town: Town) -> None:
    """The role with its place by name, and this device."""
    async with town.browser() as browser:
        browser.headers["user-agent"] = "Mozilla/5.0 (Linux; Android 6.0) AppleWebKit Chrome/61.0 Mobile Safari/537"
        await sign_in(browser, "joseph")
        page = (await browser.get("/account")).text
    for said in ("Joseph", "Technician", "Kasese Health Centre III", "Chrome, Android", "This device", "192.0.2.1"):
        assert said in page


async def test_the_account_is_for_people(town: Town) -> None:
    """Nobody is led to the sign-in; a program with a token has no account."""
    await town.token(ADMINISTRATOR)
    async with town.browser() as browser:
        assert (await browser.get("/account")).headers["location"] == "/sign-in?next=%2Faccount"
    async with town.program(PROGRAM) as program:
        assert (await program.get("/account")).status_code == 401
        assert (await program.post("/account/sessions/end")).status_code == 401


async def test_somebody_without_a_role_has_an_account(town: Town) -> None:
    """It says so, and lets sign out; everything else is refused."""
    await town.add("new")
    async with town.browser() as browser:
        await sign_in(browser, "new")
        assert "An administrator gives you a role" in (await browser.get("/account")).text
        assert (await browser.get("/alerts")).status_code == 403


async def test_sessions_are_ended_from_another_device(town: Town) -> None:
    """One, or all but this one; never somebody else's."""
    await town.add("amina", ADMINISTRATOR)
    async with town.browser() as here, town.browser() as lost, town.browser() as third, town.browser() as amina:
        for browser in (here, lost, third):
            await sign_in(browser, "joseph")
        await sign_in(amina, "amina")
        ids = re.findall(r"/account/sessions/(\d+)/end", (await here.get("/account")).text)
        assert ids == ["3", "2"]
        await amina.post("/account/sessions/2/end")
        assert (await lost.get("/alerts")).status_code == 200
        await here.post("/account/sessions/2/end")
        assert (await lost.get("/alerts")).status_code == 303
        await here.post("/account/sessions/end")
        assert (await third.get("/alerts")).status_code == 303
        assert (await here.get("/alerts")).status_code == 200
        assert (await amina.get("/alerts")).status_code == 200


async def test_a_session_that_is_over_is_not_listed(town: Town) -> None:
    """Nobody worries about a device that is signed out by itself."""
    async with town.browser() as here, town.browser() as old:
        await sign_in(old, "joseph")
        town.world.clock.advance(timedelta(days=1))
        await sign_in(here, "joseph")
        assert "/account/sessions/" not in (await here.get("/account")).text


async def test_another_password_ends_every_other_session(town: Town) -> None:
    """The device in hand stays signed in, under a new token; the old password is worth nothing."""
    async with town.browser() as here, town.browser() as other:
        await sign_in(here, "joseph")
        await sign_in(other, "joseph")
        before = here.cookies["vitals_session"]
        assert (await here.post("/account/password", data=change(PASSWORD, OTHER))).headers["location"] == "/account"
        assert here.cookies["vitals_session"] != before
        assert (await here.get("/alerts")).status_code == 200
        assert (await other.get("/alerts")).status_code == 303
        assert (await sign_in(other, "joseph")).status_code == 403
        assert (await sign_in(other, "joseph", OTHER)).status_code == 303


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        (change("wrong", OTHER), "another one"),
        (change(PASSWORD, OTHER, "x"), "not the same"),
        (change(PASSWORD, PASSWORD), "the old one"),
        (change(PASSWORD, "short"), "at least 10"),
        (change(PASSWORD, "joseph1234"), "first that are guessed"),
        (change(PASSWORD, "x y" * 100), "at most 200"),
        ({}, "the old one"),
    ],
)
async def test_a_password_that_is_refused_changes_nothing(town: Town, form: dict[str, str], sentence: str) -> None:
    """The form says why."""
    async with town.browser() as browser:
        await sign_in(browser, "joseph")
        answer = await browser.post("/account/password", data=form)
        assert 400 <= answer.status_code < 500
        assert sentence in answer.text
        assert (await browser.get("/alerts")).status_code == 200
        assert (await sign_in(browser, "joseph")).status_code == 303


async def test_the_old_password_cannot_be_guessed_from_an_open_session(town: Town) -> None:
    """Whoever finds an unlocked telephone does not get to try for long."""
    async with town.browser() as browser:
        await sign_in(browser, "joseph")
        answers = [(await browser.post("/account/password", data=change("guess", OTHER))).status_code for _ in range(6)]
    assert answers == [403] * 5 + [429]


async def test_a_password_made_up_by_another_is_replaced(town: Town) -> None:
    """And then everything is open that the role opens."""
    made_up = "kettle-123-kettle"
    secret = await town.desk.passwords.hash(made_up)
    await town.desk.accounts.set_password("joseph", secret, change_by=town.now + timedelta(days=7))
    async with town.browser() as browser:
        await sign_in(browser, "joseph", made_up)
        page = (await browser.get("/account/password?next=/alerts")).text
        assert "made up by somebody else" in page
        assert 'href="/alerts"' not in page
        assert (await browser.get("/account")).headers["location"].startswith("/account/password")
        assert (await browser.post("/account/sessions/end")).status_code == 303
        answer = await browser.post("/account/password", data={**change(made_up, OTHER), "next": "/alerts"})
        assert answer.headers["location"] == "/alerts"
        assert (await browser.get("/alerts")).status_code == 200


async def test_the_language_is_kept_with_the_account(town: Town) -> None:
    """For every device; one that the pages do not speak is refused."""
    async with town.browser() as browser, town.browser() as other:
        await sign_in(browser, "joseph")
        assert (await browser.post("/account/language", data={"language": "xx"})).status_code == 422
        await browser.post("/account/language", data={"language": "en"})
        account = await town.desk.accounts.get("joseph")
        assert account is not None
        assert account.language == "en"
        await sign_in(other, "joseph")
        assert 'value="en" lang="en" selected' in (await other.get("/account")).text
