"""What the API refuses, and how it says so."""

from __future__ import annotations

from urllib.parse import quote

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.create import create_api
from api.page_parts import local_path
from api.settings import ApiSettings
from tests.api.world import World

READINGS = "/api/v1/channels/kasese-hc3/fridge-1/temperature/readings"
LONE_SURROGATE = '{"by":"\\ud800"}'


@pytest.mark.parametrize(
    ("path", "status", "word"),
    [
        ("/api/v1/facilities/nowhere", 404, "nowhere"),
        ("/api/v1/channels/a/b/c", 404, "a/b/c"),
        ("/api/v1/channels/a/b/c/readings", 404, "a/b/c"),
        ("/api/v1/channels?facility=nowhere", 404, "nowhere"),
        ("/api/v1/alerts/1", 404, "alert"),
        ("/api/v1/alerts/x", 422, "alert_id"),
        (f"/api/v1/alerts/{10**30}", 422, "alert_id"),
        (f"/api/v1/alerts/{'9' * 5000}", 422, "alert_id"),
        ("/api/v1/nothing", 404, "nothing at this address"),
        (f"{READINGS}?from=yesterday", 422, "yesterday"),
        (f"{READINGS}?from=2026-11-20T12:00:00", 422, "zone"),
        (f"{READINGS}?from=0001-01-01T00:00:00%2B14:00", 422, "write it as"),
        (f"{READINGS}?from=1700000000", 422, "write it as"),
        (f"{READINGS}?from=2026-11-21T00:00:00Z&to=2026-11-20T00:00:00Z", 422, "before"),
        (f"{READINGS}?from=1970-01-01T00:00:00Z&resolution=hour", 422, "shorter"),
        (f"{READINGS}?resolution=second", 422, "resolution"),
        (f"{READINGS}?limit=0", 422, "limit"),
        (f"{READINGS}?limit=1000000", 422, "limit"),
        ("/api/v1/facilities?offset=-1", 422, "offset"),
        ("/api/v1/facilities/%ff%00", 404, "facility"),
    ],
)
async def test_a_bad_request_is_a_problem_document(
    client: httpx.AsyncClient, path: str, status: int, word: str
) -> None:
    """It says what was found and what is allowed."""
    answer = await client.get(path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == status
    assert word in answer.json()["detail"]


@pytest.mark.parametrize(
    "body",
    ["", "{", "[]", "{}", '{"by":""}', '{"by":"   "}', '{"by":1}', '{"by":"a","more":1}', LONE_SURROGATE, "\x00"],
)
async def test_a_bad_acknowledgement_changes_nothing(client: httpx.AsyncClient, world: World, body: str) -> None:
    """It is refused as the sender's fault."""
    answer = await client.post(
        "/api/v1/alerts/4821/acknowledge", content=body.encode(), headers={"content-type": "application/json"}
    )
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert world.notes == []


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    path=st.text(max_size=60),
    name=st.sampled_from(["from", "limit", "range", "open", "facility"]),
    value=st.text(max_size=30),
)
async def test_no_text_makes_the_service_fail(client: httpx.AsyncClient, path: str, name: str, value: str) -> None:
    """Whatever stands in an address, the answer is never a server error."""
    for prefix in ("/api/v1/facilities/", "/api/v1/channels/", "/facilities/", "/alerts/", "/static/", "/charts/"):
        address = prefix + quote(path, errors="replace")
        assert (await client.get(address, params={name: value.encode("utf-8", "replace")})).status_code < 500


async def test_an_unknown_alert_cannot_be_taken(client: httpx.AsyncClient) -> None:
    """It is not found."""
    assert (await client.post("/api/v1/alerts/7/acknowledge", json={"by": "A"})).status_code == 404


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({"sec-fetch-site": "same-origin"}, True),
        ({"sec-fetch-site": "none"}, True),
        ({"sec-fetch-site": "cross-site"}, False),
        ({"sec-fetch-site": "same-site"}, False),
        ({"sec-fetch-site": "cross-site", "origin": "http://127.0.0.1"}, False),
        ({"origin": "http://127.0.0.1"}, True),
        ({"origin": "https://evil.example"}, False),
        ({"origin": "null"}, False),
        ({"referer": "http://127.0.0.1/alerts"}, True),
        ({"referer": "https://evil.example/127.0.0.1"}, False),
        ({}, False),
    ],
)
async def test_a_form_from_another_site_is_refused(
    client: httpx.AsyncClient, world: World, headers: dict[str, str], allowed: bool
) -> None:
    """Only our own pages post forms."""
    answer = await client.post("/alerts/4821/acknowledge", data={"by": "Grace"}, headers=headers)
    assert answer.status_code == (303 if allowed else 403)
    assert len(world.notes) == (1 if allowed else 0)


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "localhost.evil.example:80"])
async def test_a_foreign_name_is_not_answered(client: httpx.AsyncClient, host: str) -> None:
    """A page that points its own name at loopback learns nothing."""
    answer = await client.get("/api/v1/alerts", headers={"host": host})
    assert answer.status_code == 421
    assert "alerts" not in answer.json()


async def test_an_operator_names_the_hosts(world: World) -> None:
    """Names are compared without port and case; a star answers to all."""
    for hosts, host in ((("vitals.example",), "Vitals.Example:8080"), (("*",), "anything"), (("[::1]",), "[::1]:80")):
        transport = httpx.ASGITransport(create_api(world.services(), ApiSettings(hosts=hosts)))
        async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
            assert (await client.get("/healthz", headers={"host": host})).status_code == 200


async def test_a_large_body_is_refused(client: httpx.AsyncClient, world: World) -> None:
    """With its length or without it."""

    async def chunks() -> object:
        for _ in range(64):
            yield b"x" * 1024

    headers = {"content-type": "application/json"}
    for content in (b"x" * 100_000, chunks()):
        answer = await client.post("/api/v1/alerts/4821/acknowledge", content=content, headers=headers)  # type: ignore[arg-type]  # an async generator is content
        assert 400 <= answer.status_code < 500
    assert world.notes == []


async def test_a_fault_of_ours_tells_nothing_of_the_inside(world: World) -> None:
    """The answer is a sentence, as a page or a problem document."""

    async def broken(**_: object) -> list[object]:
        raise RuntimeError("secret detail")

    def broken_too() -> list[object]:
        raise RuntimeError("secret detail")

    services = world.services(alerts=broken, statuses=broken_too)
    transport = httpx.ASGITransport(create_api(services), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        for path in ("/", "/api/v1/alerts"):
            answer = await client.get(path, headers={"accept": "text/html"})
            assert answer.status_code == 500
            assert "secret" not in answer.text
            assert answer.headers["content-security-policy"]


@pytest.mark.parametrize(
    "wanted",
    ["//evil.example", "/\\evil.example", "https://evil.example", "javascript:alert(1)", "", "/a\r\nSet-Cookie: x"],
)
def test_a_form_leads_to_no_other_place(wanted: str) -> None:
    """After a form only an address of ours is opened."""
    assert local_path(wanted, "/alerts/1") == "/alerts/1"
    assert local_path("/facilities/hc?range=7d", "/alerts/1") == "/facilities/hc?range=7d"
