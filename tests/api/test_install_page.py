"""What makes the pages an application: a manifest and a worker for everybody, and whose page an answer is."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import httpx
import pytest

from api.create import create_api
from api.page_parts import reader_mark
from dashboards.pages.assets import read_assets
from dashboards.pages.icons import icon
from dashboards.pages.install import KEPT_PLACES, worker
from domain.access import EVERYBODY, Grant, Principal, Role
from tests.api.signing import KASESE, a_sqlite_town, sign_in
from tests.api.world import World


@pytest.mark.parametrize("path", ["/manifest.webmanifest", "/sw.js", "/offline"])
async def test_they_are_for_everybody(path: str, tmp_path: Path) -> None:
    """A phone asks for them before anybody has signed in; they are asked for again each time."""
    async with a_sqlite_town(f"{tmp_path}/vitals.db") as town, town.browser() as browser:
        answer = await browser.get(path)
        assert answer.status_code == 200
        assert "no-cache" in answer.headers["cache-control"]
        assert "vitals-reader" not in answer.headers


async def test_the_policy_lets_the_worker_and_the_manifest_in(client: httpx.AsyncClient) -> None:
    """From here and from nowhere else."""
    policy = (await client.get("/")).headers["content-security-policy"]
    assert "manifest-src 'self'" in policy
    assert "worker-src 'self'" in policy


async def test_every_address_that_the_worker_and_the_manifest_name_is_there(client: httpx.AsyncClient) -> None:
    """One that is not would keep the worker from being installed at all."""
    script = (await client.get("/sw.js")).text
    assert len(script) < 8000
    icons = [each["src"] for each in (await client.get("/manifest.webmanifest")).json()["icons"]]
    files = [each.strip('"') for each in script.split("FILES = [")[1].split("]")[0].split(", ")]
    for address in [*icons, *files, *KEPT_PLACES[:2]]:
        answer = await client.get(address)
        assert answer.status_code == 200
        if address in icons:
            assert answer.headers["content-type"].startswith("image/")


def test_the_worker_begins_anew_when_a_file_changes() -> None:
    """And only then."""
    assets = read_assets()
    style = dataclasses.replace(assets["vitals.css"], version="other")
    assert worker(assets) == worker(dict(assets))
    assert worker({**assets, "vitals.css": style}) != worker(assets)


async def test_a_page_says_whose_it_is_without_saying_who_that_is(tmp_path: Path) -> None:
    """Two readers have two marks; the form to sign in has none, so that it is never kept."""
    async with a_sqlite_town(f"{tmp_path}/vitals.db") as town:
        await town.add("amina", KASESE)
        await town.add("joseph", KASESE)
        marks = set()
        for name in ("amina", "joseph"):
            async with town.browser() as browser:
                await sign_in(browser, name)
                marks.add((await browser.get("/")).headers["vitals-reader"])
        async with town.browser() as browser:
            assert "vitals-reader" not in (await browser.get("/sign-in")).headers
    assert len(marks) == 2
    assert not [mark for mark in marks if "amina" in mark]


async def test_a_refusal_has_no_mark() -> None:
    """An error is never kept."""
    nobody_much = Principal("user:amina", "Amina", frozenset({Grant(Role.VIEWER)}))

    async def recognise(_: object) -> Principal:
        return nobody_much

    transport = httpx.ASGITransport(create_api(World().services(), recognise=recognise))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        assert "vitals-reader" not in (await client.get("/nothing", headers={"accept": "text/html"})).headers
        assert (await client.get("/")).headers["vitals-reader"] == reader_mark(nobody_much)
    assert reader_mark(nobody_much) != reader_mark(EVERYBODY)


def test_the_icons_are_what_the_script_draws() -> None:
    """Whoever changes the line runs the script again."""
    assert icon(192, maskable=False) == read_assets()["icon-192.png"].content
