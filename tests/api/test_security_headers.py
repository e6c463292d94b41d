"""Every kind of answer carries the security headers: pages, documents, files, streams, redirects, errors."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.create import create_api
from api.headers import ONLY_ENCRYPTED, SECURITY_HEADERS
from domain.access import Grant, Principal, Role
from domain.places import Place
from tests.api.two_districts import NEAR, NEAR_FRIDGE, Districts, two_districts
from tests.api.world import World

OWN = {"sec-fetch-site": "same-origin"}
HTML = {"accept": "text/html"}
ASKED: list[tuple[str, str, int, dict[str, Any]]] = [
    ("GET", "/", 200, {}),
    ("GET", f"/facilities/{NEAR}", 200, {}),
    ("GET", "/nothing", 404, {"headers": HTML}),
    ("GET", "/nothing", 404, {}),
    ("PATCH", "/", 405, {"headers": OWN}),
    ("GET", "/api/v1/facilities", 200, {}),
    ("GET", "/api/v1/openapi.json", 200, {}),
    ("GET", "/api/v1/facilities/far-hc4", 404, {}),
    ("GET", "/api/v1/alerts?limit=none", 422, {}),
    ("GET", "/metrics", 403, {}),
    ("GET", "/healthz", 200, {}),
    ("GET", "/readyz", 200, {}),
    ("GET", "/static/vitals.css", 200, {}),
    ("GET", "/static/none.css", 404, {}),
    ("GET", "/favicon.ico", 200, {}),
    ("GET", f"/charts/{NEAR}", 200, {}),
    ("GET", f"/csv/channels/{NEAR_FRIDGE}", 200, {}),
    ("GET", "/api/v1/rosters/near-duty.ics", 200, {}),
    ("GET", "/api/v1/events", 200, {}),
    ("POST", "/alerts/1/acknowledge", 303, {"headers": OWN, "data": {"next": "/"}}),
    ("POST", "/alerts/1/acknowledge", 403, {"headers": {"sec-fetch-site": "cross-site"}}),
    ("POST", "/alerts/1/acknowledge", 413, {"headers": OWN, "content": b"x" * 100_000}),
    ("GET", "/", 421, {"headers": {"host": "elsewhere.example"}}),
]


@pytest.fixture
async def districts(tmp_path: Path) -> AsyncIterator[Districts]:
    """Give two districts, and a technician of one before them."""
    async with two_districts(f"{tmp_path}/vitals.db") as both:
        both.principal = Principal("user:g", "Grace", frozenset({Grant(Role.TECHNICIAN, Place(district="Kasese"))}))
        yield both


def require_headers(answer: httpx.Response) -> None:
    """Fail unless each header is there once, and what is for HTTPS only there."""
    names = [name.lower() for name, _ in answer.headers.multi_items()]
    for name, value in SECURITY_HEADERS.items():
        assert names.count(name.lower()) == 1, name
        assert answer.headers[name] == value
    encrypted = {name: answer.headers.get(name) for name in ONLY_ENCRYPTED}
    assert encrypted == (ONLY_ENCRYPTED if answer.request.url.scheme == "https" else dict.fromkeys(ONLY_ENCRYPTED))
    assert names.count("cache-control") == 1


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_every_kind_of_answer_carries_them(districts: Districts, scheme: str) -> None:
    """Whatever the answer is, and whoever refuses it."""
    for method, path, status, sent in ASKED:
        answer = await districts.client.request(method, f"{scheme}://127.0.0.1{path}", **sent)
        assert answer.status_code == status, (path, answer.text[:300])
        require_headers(answer)


async def test_so_does_what_is_not_sent_again(districts: Districts) -> None:
    """A page that a browser has already."""
    tag = (await districts.client.get("/alerts")).headers["etag"]
    answer = await districts.client.get("/alerts", headers={"if-none-match": tag})
    assert answer.status_code == 304
    require_headers(answer)


@pytest.mark.parametrize("headers", [HTML, {}], ids=["page", "document"])
async def test_so_does_a_failure_inside(world: World, headers: dict[str, str]) -> None:
    """The answer is made outside of everything that could add them."""

    async def alerts(**_: object) -> Any:
        raise RuntimeError("the database is on fire")

    transport = httpx.ASGITransport(create_api(world.services(alerts=alerts)), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="https://127.0.0.1") as client:
        answer = await client.get("/alerts", headers=headers)
    assert answer.status_code == 500
    assert "fire" not in answer.text
    require_headers(answer)


def test_the_policy_allows_nothing_inline_and_nothing_from_elsewhere() -> None:
    """Everything that is allowed is allowed from here alone; what is not named is forbidden."""
    policy = dict(part.strip().split(" ", 1) for part in SECURITY_HEADERS["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert set(policy.values()) == {"'none'", "'self'"}
    assert {"script-src", "style-src", "manifest-src", "worker-src", "form-action", "base-uri"} <= policy.keys()
