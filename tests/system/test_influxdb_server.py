"""The real servers that other tests rely on start, answer, die and come back with their data."""

from __future__ import annotations

from pathlib import Path

import aiohttp
import pytest

from tests.system.servers import SHIM_ORG, SHIM_TOKEN, influxdb, influxdb2_shim, prometheus, require

pytestmark = pytest.mark.system


async def test_influxdb_keeps_what_it_stored_across_a_kill(tmp_path: Path) -> None:
    """A point acknowledged by the real InfluxDB is there after SIGKILL and a restart."""
    async with influxdb(tmp_path) as server:
        await server.query("CREATE DATABASE vitals")
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"{server.url}/write?db=vitals&precision=ms", data=b"m value=1 1000") as response,
        ):
            assert response.status == 204
        await server.kill()
        await server.restart()
        (series,) = await server.query("SELECT value FROM m", database="vitals")
    assert series["values"] == [[1000, 1]]


async def test_the_v2_shim_writes_through_to_influxdb(tmp_path: Path) -> None:
    """The shim asks for the token and the organization of 2.x and passes lines on to the real 1.x."""
    async with influxdb(tmp_path) as server, influxdb2_shim(server.url) as shim, aiohttp.ClientSession() as session:
        await server.query("CREATE DATABASE vitals")
        address = f"{shim}/api/v2/write?org={SHIM_ORG}&bucket=vitals&precision=ms"
        async with session.post(address, data=b"m value=1 1000") as refused:
            assert refused.status == 401
        headers = {"Authorization": f"Token {SHIM_TOKEN}"}
        async with session.post(address, data=b"m value=1 1000", headers=headers) as accepted:
            assert accepted.status == 204
        assert await server.query("SELECT value FROM m", database="vitals")


async def test_prometheus_answers_queries(tmp_path: Path) -> None:
    """The real Prometheus starts on a free port with the given configuration."""
    async with (
        prometheus(tmp_path, "global: {scrape_interval: 1s}\n") as url,
        aiohttp.ClientSession() as session,
        session.get(f"{url}/api/v1/query", params={"query": "vector(1)"}) as response,
    ):
        answer = await response.json()
    assert answer["data"]["result"][0]["value"][1] == "1"


def test_a_missing_server_skips_with_the_package_to_install() -> None:
    """A test whose server is absent is skipped by a sentence that names the Debian package."""
    with pytest.raises(pytest.skip.Exception, match="'no-such-package'"):
        require("no-such-server", package="no-such-package")
