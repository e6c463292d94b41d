"""In which language somebody is answered: the choice of this browser, of the person, of the browser's settings."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import Request
from pydantic import ValidationError

from api.create import create_api
from api.languages import accepted
from api.settings import ApiSettings
from domain.access import EVERYBODY, Grant, Principal, Role
from tests.api.test_api_pages import Reader
from tests.api.world import World

HTML = {"accept": "text/html"}
OWN = {"sec-fetch-site": "same-origin"}
AMINA = Principal("user:amina", "Amina", frozenset({Grant(Role.VIEWER)}), language="sw")


@pytest.fixture
async def of_amina(world: World) -> AsyncIterator[httpx.AsyncClient]:
    """Return a client of an API that takes everybody for Amina, and whose default is French."""

    async def recognise(_: Request) -> Principal:
        return AMINA

    api = create_api(world.services(), ApiSettings(language="fr"), recognise=recognise)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(api), base_url="http://127.0.0.1") as client:
        yield client


async def language(client: httpx.AsyncClient, path: str = "/", **headers: str) -> object:
    """Return in which language a page says that it is."""
    asked = {name.replace("_", "-"): value for name, value in headers.items()}
    page = Reader((await client.get(path, headers=HTML | asked)).text)
    return next(attributes["lang"] for tag, attributes in page.tags if tag == "html")


@pytest.mark.parametrize(
    ("header", "languages"),
    [
        ("", []),
        ("fr", ["fr"]),
        ("en;q=0.7, sw-KE, *;q=0.1, fr;q=0.9", ["sw-KE", "fr", "en"]),
        ("fr;q=0, ar;q=x, pt", ["pt"]),
        ("a," * 5000, ["a"] * 20),
    ],
)
def test_a_browser_says_what_it_wants_most(header: str, languages: list[str]) -> None:
    """By weight, equals as they stand there; what is refused, is no number, or comes too late is not wanted."""
    assert accepted(header) == languages


async def test_a_browser_is_answered_in_what_it_asks_for(client: httpx.AsyncClient) -> None:
    """A variety reads what its parent says; who asks for nothing that there is reads English."""
    assert await language(client, accept_language="lg, pt-BR;q=0.9, fr;q=0.8") == "pt"
    assert await language(client, accept_language="lg") == "en"
    assert await language(client, accept_language="ar") == "ar"
    assert await language(client) == "en"


async def test_a_person_is_answered_in_their_language_whatever_the_browser_asks(of_amina: httpx.AsyncClient) -> None:
    """A browser in an office is set to what it came with."""
    assert await language(of_amina, accept_language="pt") == "sw"


async def test_a_choice_stands_above_all(of_amina: httpx.AsyncClient) -> None:
    """The menu keeps it in a cookie, and leads back to the page."""
    answer = await of_amina.post("/language", data={"language": "ar", "next": "/alerts?x=1"}, headers=OWN)
    assert (answer.status_code, answer.headers["location"]) == (303, "/alerts?x=1")
    assert {"HttpOnly", "SameSite=lax"} <= set(answer.headers["set-cookie"].split("; "))
    assert await language(of_amina, accept_language="pt") == "ar"


@pytest.mark.parametrize("wanted", ["//elsewhere.example", "https://elsewhere.example/", "/\\elsewhere.example", ""])
async def test_the_menu_leads_nowhere_else(client: httpx.AsyncClient, wanted: str) -> None:
    """What would lead to another site leads to the overview."""
    answer = await client.post("/language", data={"language": "fr", "next": wanted}, headers=OWN)
    assert answer.headers["location"] == "/"


async def test_a_choice_of_nothing_is_none(client: httpx.AsyncClient) -> None:
    """A cookie that names no language of the pages is passed over."""
    await client.post("/language", data={"language": "xx\r\nset-cookie: a=b"}, headers=OWN)
    assert await language(client, accept_language="fr") == "fr"


async def test_the_default_is_a_setting(world: World) -> None:
    """For whom nothing is known; one that the pages do not speak is refused with those that they do."""
    api = create_api(world.services(), ApiSettings(language="pt"))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(api), base_url="http://127.0.0.1") as client:
        assert await language(client) == "pt"
    with pytest.raises(ValidationError, match="'xx' is no language of the pages; allowed: en, ar, fr, pt, sw"):
        ApiSettings(language="xx")


async def test_every_page_has_the_menu_and_comes_back_to_itself(client: httpx.AsyncClient) -> None:
    """Buttons of a plain form, each in its own language, the present one marked; what a script adds is left out."""
    page = Reader((await client.get("/facilities/kasese-hc3?range=7d", headers=HTML)).text)
    buttons = {attributes["value"]: attributes for tag, attributes in page.tags if attributes.get("name") == "language"}
    assert list(buttons) == ["en", "ar", "fr", "pt", "sw"]
    assert [code for code, attributes in buttons.items() if "aria-current" in attributes] == ["en"]
    assert all(name in page.text for name in ("العربية", "Français", "Português", "Kiswahili"))
    back = [attributes["value"] for _, attributes in page.tags if attributes.get("name") == "next"]
    assert "/facilities/kasese-hc3?range=7d" in back


async def test_a_cache_keeps_languages_apart(client: httpx.AsyncClient) -> None:
    """The answer varies by what decides of it, and a tag of one language is none of another."""
    english = await client.get("/", headers=HTML)
    assert {"Cookie", "Accept-Language"} <= set(english.headers["vary"].split(", "))
    known = {"if-none-match": english.headers["etag"], **HTML}
    assert (await client.get("/", headers=known)).status_code == 304
    assert (await client.get("/", headers=known | {"accept-language": "fr"})).status_code == 200


async def test_an_error_is_told_in_the_language_of_the_visit(of_amina: httpx.AsyncClient) -> None:
    """Also where nobody was recognised yet: then as the browser asks."""
    assert await language(of_amina, "/alerts/99999", accept_language="pt") == "sw"
    assert await language(of_amina, "/nothing", accept_language="pt") == "pt"


async def test_a_part_of_a_page_names_its_language(client: httpx.AsyncClient) -> None:
    """An open page of another language is then loaded again as a whole."""
    assert await language(client, "/?part=live", accept_language="fr") == "fr"


def test_nobody_in_particular_has_no_language() -> None:
    """Where nobody signs in the browser decides."""
    assert EVERYBODY.language == ""
