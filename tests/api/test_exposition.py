"""Scrapes: the format that is asked for, packed beside the event loop, and one rendering for all who ask together."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Iterator

import httpx
import pytest

from api.create import create_api
from api.exposition import Exposition, exposition_of
from api.services import Services
from tests.api.world import World

OPENMETRICS, TEXT = Exposition.OPENMETRICS, Exposition.TEXT


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("", TEXT),
        ("*/*", TEXT),
        ("text/html", TEXT),
        ("application/openmetrics-text", OPENMETRICS),
        ("application/openmetrics-text; version=1.0.0; charset=utf-8", OPENMETRICS),
        ("application/openmetrics-text;version=2.0.0", TEXT),
        ("application/openmetrics-text;q=0", TEXT),
        ("application/openmetrics-text;q=often", TEXT),
        # What Prometheus 2.42 and 3 send.
        ("application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
         "text/plain;version=0.0.4;q=0.5,*/*;q=0.1", OPENMETRICS),
        ("application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
         "text/plain;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.4,*/*;q=0.2", OPENMETRICS),
        ("text/plain;version=0.0.4;q=0.9,application/openmetrics-text;q=0.8", TEXT),
    ],
)  # fmt: skip
def test_what_is_liked_best_is_given(accept: str, form: Exposition) -> None:
    """Where both are liked as much, or nothing is said, the text that everything reads."""
    assert exposition_of(accept) is form


async def test_the_answer_says_what_it_is() -> None:
    """Its type, and that another asker may get another form."""

    def render(form: Exposition) -> list[str]:
        return [form.name, "\n" * 9]

    async with client_of(World().services(metrics=render)) as client:
        plain = await client.get("/metrics", headers={"Accept": "text/plain", "Accept-Encoding": "identity"})
        packed = await client.get(
            "/metrics", headers={"Accept": "application/openmetrics-text", "Accept-Encoding": "br, gzip;q=0.5"}
        )
    assert plain.text.strip() == "TEXT"
    assert plain.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert "content-encoding" not in plain.headers
    assert packed.text.strip() == "OPENMETRICS"
    assert packed.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")
    assert packed.headers["content-encoding"] == "gzip"
    assert {"Accept", "Accept-Encoding"} <= set(packed.headers["vary"].split(", "))


async def test_a_large_answer_is_packed_once() -> None:
    """Whole and readable; no middleware packs it again."""
    lines = [f'vitals_up{{n="{number}"}} 1\n' for number in range(20_000)]
    transport = httpx.ASGITransport(create_api(World().services(metrics=lambda _: lines)))
    async with (
        httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client,
        client.stream("GET", "/metrics", headers={"Accept-Encoding": "gzip"}) as answer,
    ):
        raw = b"".join([part async for part in answer.aiter_raw()])
    assert gzip.decompress(raw).decode() == "".join(lines)


async def test_scrapes_that_come_together_share_a_rendering() -> None:
    """Another format, and a scrape that comes later, is rendered anew; who goes away leaves it to the others."""
    loop, go_on, begun = asyncio.get_running_loop(), asyncio.Event(), list[Exposition]()

    def slow(form: Exposition) -> Iterator[str]:
        begun.append(form)
        return parts()

    def parts() -> Iterator[str]:
        asyncio.run_coroutine_threadsafe(go_on.wait(), loop).result(timeout=30)
        yield "vitals_up 1\n"

    async with client_of(World().services(metrics=slow)) as client:
        scrapes = [asyncio.create_task(client.get("/metrics")) for _ in range(3)]
        other = asyncio.create_task(client.get("/metrics", headers={"Accept": "application/openmetrics-text"}))
        while len(begun) < 2:  # noqa: ASYNC110 - a scrape has no event
            await asyncio.sleep(0)
        for _ in range(50):
            await asyncio.sleep(0)
        scrapes[0].cancel()
        go_on.set()
        answers = [await scrapes[1], await scrapes[2], await other]
        assert sorted(begun) == sorted([TEXT, OPENMETRICS])
        assert {answer.text for answer in answers} == {"vitals_up 1\n"}
        await client.get("/metrics")
    assert len(begun) == 3


async def test_a_rendering_that_fails_is_not_kept() -> None:
    """All who waited hear of it, and the next one may be luckier."""
    failures = [ZeroDivisionError()]

    def render(_: Exposition) -> Iterator[str]:
        if failures:
            raise failures.pop()
        yield "vitals_up 1\n"

    transport = httpx.ASGITransport(create_api(World().services(metrics=render)), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        assert (await client.get("/metrics")).status_code == 500
        assert (await client.get("/metrics")).text == "vitals_up 1\n"


def client_of(services: Services) -> httpx.AsyncClient:
    """Return a client of an application over these services."""
    transport = httpx.ASGITransport(create_api(services))
    return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1")
