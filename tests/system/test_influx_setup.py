"""Bucket and mapping on InfluxDB 2.x, against a stand-in that keeps them and checks what it is asked."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from collector.forwarder.client import open_writer
from collector.forwarder.setup_v2 import SetUpRefusedError, set_up
from collector.influx_history import open_history
from tests.system.forwarding import v2
from tests.system.servers import SHIM_ORG, SHIM_TOKEN, serve

pytestmark = pytest.mark.system


class InfluxV2:
    """The management part of the 2.x API, as its reference describes it."""

    def __init__(self, *, may_create: bool = True) -> None:
        self.may_create = may_create
        self.buckets: list[dict[str, Any]] = []
        self.mappings: list[dict[str, Any]] = []
        self.writes = 0

    def application(self) -> web.Application:
        """Return the routes."""
        application = web.Application()
        application.router.add_get("/api/v2/orgs", self._orgs)
        application.router.add_get("/api/v2/buckets", self._list_buckets)
        application.router.add_post("/api/v2/buckets", self._create_bucket)
        application.router.add_get("/api/v2/dbrps", self._list_mappings)
        application.router.add_post("/api/v2/dbrps", self._create_mapping)
        application.router.add_post("/api/v2/write", self._write)
        return application

    def _check(self, request: web.Request, *, creates: bool = False) -> None:
        assert request.headers["Authorization"] == f"Token {SHIM_TOKEN}"
        if creates and not self.may_create:
            raise web.HTTPForbidden(text='{"code": "forbidden", "message": "insufficient permissions"}')

    async def _orgs(self, request: web.Request) -> web.Response:
        self._check(request)
        known = [{"id": "01", "name": SHIM_ORG}] if request.query["org"] == SHIM_ORG else []
        return web.json_response({"orgs": known})

    async def _list_buckets(self, request: web.Request) -> web.Response:
        self._check(request)
        found = [
            each
            for each in self.buckets
            if each["name"] == request.query["name"]
            and (request.query.get("orgID") == "01" or request.query.get("org") == SHIM_ORG)
        ]
        return web.json_response({"buckets": found})

    async def _create_bucket(self, request: web.Request) -> web.Response:
        self._check(request, creates=True)
        body = await request.json()
        assert sorted(body) == ["name", "orgID", "retentionRules"]
        self.buckets.append({**body, "id": "02"})
        return web.json_response(self.buckets[-1], status=201)

    async def _list_mappings(self, request: web.Request) -> web.Response:
        self._check(request)
        return web.json_response({"content": [m for m in self.mappings if m["database"] == request.query["db"]]})

    async def _create_mapping(self, request: web.Request) -> web.Response:
        self._check(request, creates=True)
        self.mappings.append(await request.json())
        return web.json_response(self.mappings[-1], status=201)

    async def _write(self, request: web.Request) -> web.Response:
        self._check(request)
        if not self.buckets:
            return web.json_response({"code": "not found", "message": "bucket not found"}, status=404)
        self.writes += 1
        return web.Response(status=204)


@asynccontextmanager
async def running(influx: InfluxV2) -> AsyncIterator[str]:
    """Serve the stand-in."""
    async with serve(influx.application()) as url:
        yield url


async def test_what_is_missing_is_created_once() -> None:
    """Bucket, then mapping, before the first write; a second process finds both."""
    influx = InfluxV2()
    async with running(influx) as url:
        for _ in range(2):
            async with open_writer(v2(url)) as writer:
                assert (await writer.write(b"")).status == 204
                assert (await writer.write(b"")).status == 204
    assert [each["name"] for each in influx.buckets] == ["vitals"]
    assert influx.mappings == [
        {"orgID": "01", "bucketID": "02", "database": "vitals", "retention_policy": "autogen", "default": True}
    ]
    assert influx.writes == 4


@pytest.mark.parametrize(
    ("wanted", "rules"),
    [(None, []), (timedelta(days=90), [{"type": "expire", "everySeconds": 7_776_000}])],
    ids=["for ever", "90 days"],
)
async def test_a_bucket_keeps_as_long_as_is_said(wanted: timedelta | None, rules: list[dict[str, Any]]) -> None:
    """The rule stands in the request, and is what the server says of itself afterwards."""
    influx = InfluxV2()
    async with running(influx) as url:
        settings = v2(url, retention=wanted)
        async with open_writer(settings) as writer, open_history(settings) as history:
            assert await history.retention() is None
            assert (await writer.write(b"")).status == 204
            assert influx.buckets[0]["retentionRules"] == rules
            assert await history.retention() == (wanted or timedelta(0))


async def test_a_token_that_may_only_write_is_enough_where_everything_is_there() -> None:
    """The mapping cannot be made, which is logged, and the readings arrive."""
    influx = InfluxV2(may_create=False)
    influx.buckets.append({"id": "02", "name": "vitals"})
    async with running(influx) as url, open_writer(v2(url)) as writer:
        assert (await writer.write(b"")).status == 204


async def test_what_cannot_be_created_is_named() -> None:
    """Which permission is missing, or that the organization is not there."""
    async with (
        running(InfluxV2(may_create=False)) as url,
        aiohttp.ClientSession(headers={"Authorization": f"Token {SHIM_TOKEN}"}) as session,
    ):
        with pytest.raises(SetUpRefusedError, match=r"may not create the bucket .403."):
            await set_up(session, v2(url))
        with pytest.raises(SetUpRefusedError, match="organization 'other' is not there"):
            await set_up(session, v2(url).model_copy(update={"org": "other"}))
