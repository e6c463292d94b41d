"""Signing in elsewhere: against a real provider, which lies in every way that matters."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
from joserfc.jwk import ECKey, OctKey, RSAKey
from pydantic import ValidationError

from api.access.oidc_people import account_meant, grants_claimed, name_claimed
from api.access.oidc_settings import OidcSettings
from api.access.settings import AccessSettings
from domain.access import Grant, Role
from domain.places import Place
from registry.accounts import Account
from tests.api.oidc_provider import SECRET, OpenIdProvider, an_openid_provider, query_of
from tests.api.signing import ADMINISTRATOR, BROWSER, KASESE, Town, a_sqlite_town
from tests.api.world import NOON

GROUPS = ({"group": "cold-chain", "role": "manager", "district": "Kasese"}, {"group": "all", "role": "viewer"})


class Country(NamedTuple):
    """A provider, and a service that trusts it."""

    provider: OpenIdProvider
    town: Town


async def a_country(stack: AsyncExitStack, path: Path, **settings: Any) -> Country:
    """Build both."""
    provider = await stack.enter_async_context(an_openid_provider())
    access = AccessSettings(oidc=provider.settings(**settings))
    town = await stack.enter_async_context(a_sqlite_town(f"{path}/vitals.db", access))
    provider.now = lambda: town.desk.clock.now_ms() // 1000
    return Country(provider, town)


@pytest.fixture
async def country(tmp_path: Path) -> AsyncIterator[Country]:
    """Give a service in which Joseph is a technician, and whose provider knows him."""
    async with AsyncExitStack() as stack:
        country = await a_country(stack, tmp_path)
        await country.town.add("joseph", KASESE)
        yield country


async def go(browser: httpx.AsyncClient, next_: str = "/alerts") -> httpx.Response:
    """Press the button, sign in at the provider, come back."""
    left = await browser.get("/sign-in/oidc", params={"next": next_})
    async with httpx.AsyncClient() as outside:
        sent_back = (await outside.get(left.headers["location"])).headers["location"]
    return await browser.get(sent_back)


async def test_somebody_whom_the_provider_knows_is_let_in(country: Country) -> None:
    """To the page that was wanted, as the user of that name, with the roles that were given here."""
    async with country.town.browser() as browser:
        assert "Sign in with single sign-on" in (await browser.get("/sign-in?next=/alerts")).text
        assert (await go(browser)).headers["location"] == "/alerts"
        assert "Joseph" in (await browser.get("/alerts")).text
        assert (await browser.get("/facilities/bwera-hospital")).status_code == 404
        assert "vitals_errand" not in browser.cookies


@pytest.mark.parametrize(
    "lie",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"iss": "https://evil.example"},
        {"iss": None},
        {"aud": "another"},
        {"aud": ["vitals", "another"]},
        {"azp": "another"},
        {"exp": 1},
        {"exp": None},
        {"iat": None},
        {"nbf": 10**11},
        {"sub": None},
        {"at_hash": "wrong"},
    ],
)
async def test_a_token_that_is_not_for_us_lets_nobody_in(country: Country, lie: dict[str, Any]) -> None:
    """Though it is signed by the provider's own key."""
    country.provider.lie = lie
    async with country.town.browser() as browser:
        answer = await go(browser)
        assert answer.status_code == 503
        assert "does not work at the moment" in answer.text
        assert (await browser.get("/alerts")).status_code == 303


@pytest.mark.parametrize(
    "key",
    [
        ECKey.generate_key("P-256", {"kid": "first"}),
        RSAKey.generate_key(2048, {"kid": "first"}),
        OctKey.import_key(SECRET, {"kid": "first"}),
    ],
    ids=["another key", "another kind", "what both know"],
)
async def test_a_token_that_another_signed_lets_nobody_in(country: Country, key: ECKey | RSAKey | OctKey) -> None:
    """Not even by what the client itself knows."""
    country.provider.signed_by = key
    async with country.town.browser() as browser:
        assert (await go(browser)).status_code == 503


async def test_a_new_key_of_the_provider_is_asked_for(country: Country) -> None:
    """When a token is signed by an unknown one, and at most each minute: a stranger does not make us ask on."""
    async with country.town.browser() as browser:
        await go(browser)
        country.provider.key = RSAKey.generate_key(2048, {"kid": "second"})
        asked = len(country.provider.asked)
        assert (await go(browser)).status_code == 503
        assert len(country.provider.asked) == asked
        country.town.world.clock.advance(timedelta(minutes=1))
        assert (await go(browser)).status_code == 303
        assert len(country.provider.asked) == asked + 2


async def test_what_was_begun_elsewhere_is_not_ended_here(country: Country) -> None:
    """A link with somebody's code signs nobody in; nor does the same way back twice."""
    async with country.town.browser() as stranger, country.town.browser() as victim:
        left = await stranger.get("/sign-in/oidc")
        async with httpx.AsyncClient() as outside:
            link = (await outside.get(left.headers["location"])).headers["location"]
        assert (await victim.get(link)).status_code == 400
        await victim.get("/sign-in/oidc")
        assert (await victim.get(link)).status_code == 400
        assert "vitals_session" not in victim.cookies
        assert (await stranger.get(link)).status_code == 303
        assert (await stranger.get(link)).status_code == 400


async def test_a_code_is_worth_nothing_without_what_only_we_know(country: Country) -> None:
    """PKCE: who saw the code on its way cannot use it with a verifier of his own."""
    async with country.town.browser() as browser:
        left = await browser.get("/sign-in/oidc")
        errand = browser.cookies["vitals_errand"].split(".")
        async with httpx.AsyncClient() as outside:
            link = (await outside.get(left.headers["location"])).headers["location"]
        headers = {"cookie": f"vitals_errand={'.'.join((*errand[:2], 'x' * 43, errand[3]))}"}
    async with country.town.program() as program:
        answer = await program.get(link, headers={**BROWSER, **headers})
    assert answer.status_code == 503


async def test_who_is_unknown_or_shut_out_here_stays_out(country: Country) -> None:
    """Whatever the provider says."""
    async with country.town.browser() as browser:
        country.provider.person = {"sub": "7", "preferred_username": "grace"}
        assert "nobody has let you in here yet" in (await go(browser)).text
        country.provider.person = {"sub": "7", "preferred_username": "not a name!"}
        assert (await go(browser)).status_code == 403
        country.provider.person = {"sub": "7"}
        assert (await go(browser)).status_code == 403
        country.provider.person = {"sub": "42", "preferred_username": "Joseph"}
        await country.town.desk.accounts.disable("joseph", country.town.now)
        assert (await go(browser)).status_code == 403
        country.provider.refuses = True
        assert "did not let you in" in (await go(browser)).text
    assert len(await country.town.desk.accounts.all()) == 1


async def test_groups_give_roles_where_the_operator_says_so(tmp_path: Path) -> None:
    """Somebody new is made at the first sign-in; the groups decide anew each time."""
    async with AsyncExitStack() as stack:
        country = await a_country(stack, tmp_path, roles=GROUPS)
        person = {"sub": "7", "preferred_username": "grace", "name": "Grace N."}
        country.provider.person = {**person, "groups": ["cold-chain", "choir"]}
        country.provider.in_userinfo = ("groups",)
        async with country.town.browser() as browser:
            assert (await go(browser)).status_code == 303
            assert "Grace N." in (await browser.get("/alerts")).text
            made = await country.town.desk.accounts.get("grace")
            assert made is not None
            assert made.grants == {Grant(Role.MANAGER, Place(district="Kasese"))}
            assert not made.secret
            country.provider.person = {**person, "groups": ["all"]}
            await go(browser)
            changed = await country.town.desk.accounts.get("grace")
            assert changed is not None
            assert changed.grants == {Grant(Role.VIEWER)}
            country.provider.person = {**person, "groups": ["choir"]}
            assert (await go(browser)).status_code == 403


async def test_userinfo_about_somebody_else_is_not_believed(tmp_path: Path) -> None:
    """It is not signed, so it must be about whom the token is about."""
    async with AsyncExitStack() as stack:
        country = await a_country(stack, tmp_path, roles=GROUPS)
        country.provider.person = {"sub": "7", "preferred_username": "grace", "groups": ["all"]}
        country.provider.in_userinfo, country.provider.lie = ("groups",), {"sub": "8"}
        async with country.town.browser() as browser:
            assert (await go(browser)).status_code == 503


@pytest.mark.parametrize(
    "metadata",
    [
        {"issuer": "https://evil.example"},
        {"token_endpoint": "http://evil.example/token"},
        {"jwks_uri": None},
        {"jwks_uri": "https://127.0.0.1:1/keys"},
    ],
)
async def test_a_provider_that_is_not_itself_is_not_used(country: Country, metadata: dict[str, Any]) -> None:
    """Or sends us where others could listen, or has no keys; the page says so without what went wrong inside."""
    country.provider.metadata = metadata
    async with country.town.browser() as browser:
        answer = await browser.get("/sign-in/oidc")
        assert answer.status_code == 503
        assert "does not work at the moment" in answer.text
        assert "evil" not in answer.text


async def test_the_secret_is_sent_as_the_provider_wants_it(country: Country) -> None:
    """In the form, where it does not take it in a header."""
    country.provider.metadata = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
    async with country.town.browser() as browser:
        assert (await go(browser)).status_code == 303


async def test_the_way_back_is_an_address_of_ours(country: Country) -> None:
    """Also after https, and with whatever was asked for."""
    async with country.town.browser(base_url="https://127.0.0.1") as browser:
        left = await browser.get("/sign-in/oidc?next=//evil.example")
        assert query_of(left.headers["location"])["redirect_uri"] == "https://127.0.0.1/sign-in/oidc/back"
        assert "evil" not in browser.cookies["__Host-vitals_errand"]


def settings_with(**more: Any) -> OidcSettings:
    """Return settings of some provider."""
    return OidcSettings(issuer="https://id.example", client_id="vitals", **more)


def test_an_address_that_nobody_verified_is_no_name() -> None:
    """Anybody could have written it at the provider."""
    by_mail = settings_with(claim="email")
    assert name_claimed({"email": "a@example.org", "email_verified": True}, by_mail) == "a@example.org"
    for verified in ({}, {"email_verified": False}, {"email_verified": "true"}):
        assert name_claimed({"email": "a@example.org", **verified}, by_mail) is None


@pytest.mark.parametrize("groups", [None, 1, {"all": 1}, [["all"]], [None]])
def test_groups_of_a_strange_shape_give_nothing_by_accident(groups: Any) -> None:
    """A provider may send anything."""
    assert grants_claimed({"groups": groups}, settings_with(roles=GROUPS)) == frozenset()
    assert grants_claimed({"groups": "all"}, settings_with(roles=GROUPS)) == {Grant(Role.VIEWER)}


def test_whoever_has_a_password_here_keeps_the_roles_given_here() -> None:
    """So that no group takes the last administrator away."""
    local = Account("amina", "Amina", frozenset({ADMINISTRATOR}), NOON, secret="hash")
    by_groups = settings_with(roles=GROUPS)
    assert account_meant(local, "amina", {"groups": ["all"]}, by_groups, NOON) == local
    assert account_meant(local, "amina", {}, by_groups, NOON) == local


@pytest.mark.parametrize("issuer", ["http://id.example", "id.example", "ftp://id.example", "https://", ""])
def test_a_provider_that_others_can_listen_to_is_refused(issuer: str) -> None:
    """Plain HTTP is for this machine alone."""
    with pytest.raises(ValidationError, match="https://"):
        OidcSettings(issuer=issuer, client_id="vitals")
