"""Signing in: who is let in, for how long, and what nobody gets to see."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from starlette.requests import Request

from domain.access import Grant, Role
from tests.api.signing import ADMINISTRATOR, KASESE, PASSWORD, PROGRAM, Town, a_sqlite_town, sign_in


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    """Give a world with an administrator and a technician of one facility."""
    async with a_sqlite_town(f"{tmp_path}/vitals.db") as town:
        await town.add("amina", ADMINISTRATOR)
        await town.add("joseph", KASESE)
        yield town


@pytest.mark.parametrize("path", ["/", "/alerts", "/facilities/kasese-hc3?range=7d", "/alerts/4821", "/claim/pi-7"])
async def test_a_page_leads_nobody_to_the_sign_in(town: Town, path: str) -> None:
    """And from there to the page that was wanted."""
    async with town.browser() as browser:
        asked = await browser.get(path)
        assert asked.status_code == 303
        form = await browser.get(asked.headers["location"])
        assert form.status_code == 200
        assert f'name="next" value="{path}"' in form.text
        assert (await sign_in(browser, "amina", next_=path)).headers["location"] == path
        assert (await browser.get(path)).status_code == 200


async def test_the_api_answers_nobody_with_a_problem(town: Town) -> None:
    """401, with how to say who one is."""
    async with town.program() as program:
        answer = await program.get("/api/v1/facilities")
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/static/vitals.css", "/favicon.ico", "/sign-in"])
async def test_some_things_are_for_everybody(town: Town, path: str) -> None:
    """What a load balancer asks, and what the form itself needs."""
    async with town.browser() as browser:
        assert (await browser.get(path)).status_code == 200


@pytest.mark.parametrize(
    ("name", "password"), [("amina", "wrong"), ("nobody", PASSWORD), ("", ""), ("amina", ""), ("x" * 300, "y" * 3000)]
)
async def test_a_wrong_name_and_a_wrong_password_are_answered_alike(town: Town, name: str, password: str) -> None:
    """A stranger does not learn who there is."""
    async with town.browser() as browser:
        answer = await sign_in(browser, name, password)
        assert answer.status_code == 403
        assert "This name and password do not go together." in answer.text
        assert not browser.cookies
        assert "wrong" not in answer.text


async def test_names_are_taken_as_people_write_them(town: Town) -> None:
    """With capitals and blanks around."""
    async with town.browser() as browser:
        assert (await sign_in(browser, " Amina ")).status_code == 303


async def test_somebody_sees_what_was_granted(town: Town) -> None:
    """One facility, and no other."""
    async with town.browser() as browser:
        await sign_in(browser, "joseph")
        assert "Kasese Health Centre" in (page := (await browser.get("/")).text)
        assert "Bwera" not in page
        assert (await browser.get("/facilities/bwera-hospital")).status_code == 404


async def test_a_deed_is_signed_by_whoever_is_signed_in(town: Town) -> None:
    """Whatever name the form claims."""
    async with town.browser() as browser:
        await sign_in(browser, "joseph")
        answer = await browser.post("/alerts/4821/acknowledge", data={"by": "Somebody else"})
        assert answer.status_code == 303
    ((_, by, origin, _),) = town.world.notes
    assert (by, origin) == ("Joseph", "page 192.0.2.1 user:joseph")


async def test_every_page_says_who_is_signed_in_and_signs_out(town: Town) -> None:
    """After that the old cookie is worth nothing."""
    async with town.browser() as browser:
        await sign_in(browser, "amina")
        assert 'action="/sign-out"' in (page := (await browser.get("/alerts")).text)
        assert "<bdi>Amina</bdi>" in page
        cookies = dict(browser.cookies)
        assert (await browser.post("/sign-out")).headers["location"] == "/sign-in"
        assert "vitals_session" not in browser.cookies
        browser.cookies.update(cookies)
        assert (await browser.get("/alerts")).status_code == 303


async def test_a_session_has_a_token_of_its_own(town: Town) -> None:
    """One that a browser held before the sign-in is not taken over: nobody can plant a session."""
    async with town.browser() as browser:
        browser.cookies.set("vitals_session", "planted")
        await sign_in(browser, "amina")
        tokens = [cookie.value for cookie in browser.cookies.jar if cookie.name == "vitals_session"]
        assert "planted" not in tokens[-1:]
    async with town.browser() as browser:
        browser.cookies.set("vitals_session", "planted")
        assert (await browser.get("/alerts")).status_code == 303


async def test_the_cookie_is_for_this_host_over_https_alone(town: Town) -> None:
    """Out of reach of scripts, other sites and plain connections."""
    async with town.browser(base_url="https://127.0.0.1") as browser:
        answer = await sign_in(browser, "amina")
        session = next(each for each in answer.headers.get_list("set-cookie") if "session" in each)
        assert session.startswith("__Host-vitals_session=")
        for word in ("HttpOnly", "Secure", "SameSite=lax", "Path=/"):
            assert word.lower() in session.lower()
        assert "domain" not in session.lower()
        assert (await browser.get("/alerts")).status_code == 200


async def test_a_session_is_over_after_a_while(town: Town) -> None:
    """When nothing is asked for so long, and in any case at the end of its life."""
    async with town.browser() as browser:
        await sign_in(browser, "amina")
        for _ in range(20):
            town.world.clock.advance(timedelta(hours=11, minutes=50))
            assert (await browser.get("/alerts")).status_code == 200
        town.world.clock.advance(timedelta(hours=12, minutes=1))
        assert (await browser.get("/alerts")).status_code == 303
        await sign_in(browser, "amina")
        for _ in range(28):
            town.world.clock.advance(timedelta(hours=11, minutes=50))
            assert (await browser.get("/alerts")).status_code == 200
        town.world.clock.advance(timedelta(hours=11, minutes=50))
        assert (await browser.get("/alerts")).status_code == 303


async def test_who_is_disabled_is_out_at_once(town: Town) -> None:
    """The session goes on to exist and lets nobody in."""
    async with town.browser() as browser:
        await sign_in(browser, "joseph")
        await town.desk.accounts.disable("joseph", town.now)
        assert (await browser.get("/alerts")).status_code == 303
        assert (await sign_in(browser, "joseph")).status_code == 403


async def test_a_password_made_up_by_another_leads_to_ones_own(town: Town) -> None:
    """Until it is changed it lets in to nothing else, and after a while not even to that."""
    await town.desk.accounts.set_password(
        "joseph", await town.desk.passwords.hash("kettle-123-kettle"), change_by=town.now + timedelta(days=7)
    )
    async with town.browser() as browser:
        answer = await sign_in(browser, "joseph", "kettle-123-kettle", "/alerts")
        assert answer.headers["location"] == "/account/password?next=%2Falerts"
        assert (await browser.get("/alerts")).headers["location"].startswith("/account/password")
        assert (await browser.get("/api/v1/alerts", headers={"accept": "*/*"})).status_code == 403
    town.world.clock.advance(timedelta(days=7, minutes=1))
    async with town.browser() as browser:
        assert (await sign_in(browser, "joseph", "kettle-123-kettle")).status_code == 403


async def test_guessing_gets_slower_and_the_owner_still_gets_in(town: Town) -> None:
    """Strangers wait; a device that was signed in before is counted alone."""
    async with town.browser() as own:
        await sign_in(own, "amina")
        await own.post("/sign-out")
        async with town.browser("198.51.100.7") as stranger:
            answers = [(await sign_in(stranger, "amina", "guess")).status_code for _ in range(7)]
            assert answers == [403] * 5 + [429] * 2
            refused = await sign_in(stranger, "amina")
            assert refused.status_code == 429
            assert refused.headers["retry-after"] == "1"
            assert "Too many tries. Try again in 1 second." in refused.text
            assert (await sign_in(own, "amina")).status_code == 303
            assert (await sign_in(stranger, "amina")).status_code == 429
            town.world.clock.advance(timedelta(seconds=1))
            assert (await sign_in(stranger, "amina")).status_code == 303


async def test_the_log_tells_of_sign_ins_without_what_was_typed(town: Town, caplog: pytest.LogCaptureFixture) -> None:
    """Neither a password nor a name that is none: it may be a password in the wrong field."""
    with caplog.at_level("INFO"):
        async with town.browser() as browser:
            await sign_in(browser, "amina", "wrongpassword")
            await sign_in(browser, "mypassword", PASSWORD)
            await sign_in(browser, "amina")
    said = [record.getMessage() for record in caplog.records if record.name.startswith("api.access")]
    assert said == [
        "sign-in refused: amina from 192.0.2.1",
        "sign-in refused: an unknown name from 192.0.2.1",
        "signed in: amina from 192.0.2.1",
    ]


async def test_without_anybody_the_page_says_how_to_begin(tmp_path: Path) -> None:
    """The command that makes the first one."""
    async with a_sqlite_town(f"{tmp_path}/empty.db") as town, town.browser() as browser:
        assert "vitals user add NAME --role administrator" in (await browser.get("/sign-in")).text


@pytest.mark.parametrize("next_", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)"])
async def test_the_sign_in_leads_to_no_other_site(town: Town, next_: str) -> None:
    """Wherever a link to the form says."""
    async with town.browser() as browser:
        assert "evil" not in (await browser.get("/sign-in", params={"next": next_})).text
        assert (await sign_in(browser, "amina", next_=next_)).headers["location"] == "/"


async def test_a_token_lets_a_program_in(town: Town) -> None:
    """To what it was given, until it is over or revoked."""
    number = await town.token(Grant(Role.VIEWER), expires_at=town.now + timedelta(days=1))
    async with town.program(PROGRAM) as program:
        assert (await program.get("/api/v1/facilities")).json()["total"] == 3
        assert (await program.post("/api/v1/alerts/4821/acknowledge", json={"by": "A"})).status_code == 403
        town.world.clock.advance(timedelta(days=1))
        assert (await program.get("/api/v1/facilities")).status_code == 401
        town.world.clock.advance(-timedelta(days=1))
        assert (await program.get("/api/v1/facilities")).status_code == 200
        assert await town.desk.tokens.revoke(number, town.now)
        assert (await program.get("/api/v1/facilities")).status_code == 401


@pytest.mark.parametrize("token", ["vt_wrong", "wrong", "", "vt_"])
async def test_a_wrong_token_is_refused_whatever_else_is_sent(town: Town, token: str) -> None:
    """Even beside the cookie of somebody who is signed in, and by a browser."""
    async with town.browser() as browser:
        await sign_in(browser, "amina")
        answer = await browser.get("/alerts", headers={"authorization": f"Bearer {token}"})
        assert answer.status_code == 401


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({"sec-fetch-site": "same-origin"}, True),
        ({"origin": "http://127.0.0.1"}, True),
        ({"referer": "http://127.0.0.1/alerts"}, True),
        ({"sec-fetch-site": "cross-site"}, False),
        ({"origin": "null"}, False),
        ({}, False),
        ({"content-type": "application/json"}, False),
        ({"content-type": "text/calendar"}, False),
        ({"authorization": "Bearer vt_program"}, False),
        ({"authorization": "Bearer wrong"}, False),
    ],
)
async def test_what_holds_a_session_says_where_it_comes_from(
    town: Town, headers: dict[str, str], allowed: bool
) -> None:
    """A cookie comes along by itself, so neither a type nor a token makes up for it."""
    await town.token(ADMINISTRATOR)
    async with town.browser() as browser:
        await sign_in(browser, "joseph")
        cookie = f"vitals_session={browser.cookies['vitals_session']}"
    async with town.program() as program:
        form = {"content-type": "application/x-www-form-urlencoded", "cookie": cookie}
        answer = await program.post("/alerts/4821/acknowledge", content="by=A", headers={**form, **headers})
    assert (answer.status_code, len(town.world.notes)) == ((303, 1) if allowed else (403, 0))


async def test_a_plain_page_posts_nothing_over_https(town: Town) -> None:
    """Whoever sits between can write pages under our own name, but only plain ones."""
    async with town.browser(base_url="https://127.0.0.1") as browser:
        await sign_in(browser, "joseph")
        del browser.headers["sec-fetch-site"]
        for scheme, status in (("http", 403), ("https", 303)):
            answer = await browser.post(
                "/alerts/4821/acknowledge", data={"by": "A"}, headers={"origin": f"{scheme}://127.0.0.1"}
            )
            assert answer.status_code == status


async def test_a_form_of_nobody_leads_back_to_its_page(town: Town) -> None:
    """Signed out meanwhile, one signs in and finds the form again."""
    async with town.browser() as browser:
        said = {"referer": "http://127.0.0.1/alerts/4821"}
        answer = await browser.post("/alerts/4821/acknowledge", data={"by": "A"}, headers=said)
        assert answer.headers["location"] == "/sign-in?next=%2Falerts%2F4821"
        foreign = await browser.post("/alerts/4821/acknowledge", headers={"referer": "https://evil.example/x"})
        assert foreign.headers["location"] == "/sign-in?next=%2F"


@pytest.mark.parametrize(("grant", "status"), [(Grant(Role.VIEWER), 200), (KASESE, 403), (None, 401)])
async def test_figures_are_for_who_may_see_everything(town: Town, grant: Grant | None, status: int) -> None:
    """They tell of every facility."""
    if grant is not None:
        await town.token(grant)
    async with town.program("" if grant is None else PROGRAM) as program:
        assert (await program.get("/metrics")).status_code == status


async def test_nobody_listens_without_signing_in(town: Town) -> None:
    """Neither with nothing nor with a token that is worth nothing."""
    for token in ("", "vt_wrong"):
        async with town.program(token) as program:
            assert (await program.get("/api/v1/events")).status_code == 401


@pytest.mark.parametrize("deed", ["revoke", "disable", "sign out", "password"])
async def test_a_stream_does_not_outlive_what_opened_it(town: Town, deed: str) -> None:
    """A visit asks again whether it goes on, and hears no without an error."""
    number = await town.token(Grant(Role.VIEWER))
    async with town.browser() as browser:
        await sign_in(browser, "joseph")
        cookie = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    headers = {"authorization": f"Bearer {PROGRAM}"} if deed == "revoke" else {"cookie": cookie}
    scope = {
        "type": "http", "method": "GET", "path": "/api/v1/events", "query_string": b"", "scheme": "http",
        "server": ("127.0.0.1", 80), "app": town.api, "state": {},
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }  # fmt: skip
    visit = await town.api.state.door.visit(Request(scope), Role.VIEWER)
    assert await visit.goes_on()
    match deed:
        case "revoke":
            await town.desk.tokens.revoke(number, town.now)
        case "disable":
            await town.desk.accounts.disable("joseph", town.now)
        case "sign out":
            await town.desk.deeds.sign_out("joseph", town.now)
        case _:
            await town.desk.accounts.set_password("joseph", "", change_by=town.now + timedelta(days=1))
    assert not await visit.goes_on()


async def test_a_page_of_what_went_wrong_knows_who_reads_it(town: Town) -> None:
    """With the way out, and leading nowhere that is not allowed; before signing in it leads nowhere."""
    async with town.browser() as browser:
        nobody = await browser.get("/nothing")
        await sign_in(browser, "joseph")
        refused, absent = await browser.get("/users"), await browser.get("/facilities/bwera-hospital")
    assert (nobody.status_code, refused.status_code, absent.status_code) == (404, 403, 404)
    assert 'href="/alerts"' not in nobody.text
    for answer in (refused, absent):
        assert 'href="/alerts"' in answer.text
        assert 'action="/sign-out"' in answer.text
        assert "Joseph" in answer.text
