"""Real servers for tests: each in its own folder, on free loopback ports, ended by its process id."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

START_SECONDS = 60.0
STOP_SECONDS = 10.0


def require(binary: str, *, package: str) -> str:
    """Return the path of a server's binary, or skip the test with the Debian package that is missing."""
    path = shutil.which(binary) or shutil.which(binary, path="/usr/sbin:/usr/local/sbin:/sbin")
    if path is None:
        pytest.skip(f"{binary} is not installed; the Debian package '{package}' has it")
    return path


def free_ports(count: int) -> list[int]:
    """Return different loopback ports that are free at this moment."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [int(each.getsockname()[1]) for each in sockets]


class ServerProcess:
    """One server process that a test starts, kills and starts again in the same folder on the same ports."""

    def __init__(self, command: Sequence[str], *, log: Path, ready: Callable[[], Awaitable[bool]]) -> None:
        self._command = command
        self._log = log
        self._ready = ready
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int | None:
        """Return the number of the process; None where none runs."""
        process = self._process
        return process.pid if process is not None and process.returncode is None else None

    async def start(self) -> None:
        """Start the process and return when it answers; raise ``RuntimeError`` with its log when it does not."""
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self._command, stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log, cwd=self._log.parent
            )
        deadline = time.monotonic() + START_SECONDS
        while not await self._ready():
            if self._process.returncode is not None or time.monotonic() > deadline:
                await self.kill()
                raise RuntimeError(
                    f"{self._command[0]} did not start:\n{self._log.read_text(errors='replace')[-4000:]}"
                )
            await asyncio.sleep(0.02)

    async def stop(self) -> None:
        """End the process as an operator would; kill it when it does not go."""
        process = self._process
        if process is None or process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), STOP_SECONDS)
        except TimeoutError:
            await self.kill()

    async def kill(self) -> None:
        """End the process at once, as a power cut would."""
        process = self._process
        if process is None or process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def answers(url: str) -> bool:
    """Tell whether an HTTP GET of the address succeeds."""
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=2)) as session,
            session.get(url) as response,
        ):
            return response.ok
    except (aiohttp.ClientError, OSError, TimeoutError):
        return False


class InfluxServer:
    """A real InfluxDB 1.x of this test alone."""

    def __init__(self, url: str, process: ServerProcess) -> None:
        self.url = url
        self._process = process

    async def kill(self) -> None:
        """End the server at once."""
        await self._process.kill()

    async def restart(self) -> None:
        """Start the server again on the same data, after ending it where it still runs."""
        await self._process.stop()
        await self._process.start()

    async def query(self, statement: str, *, database: str = "", epoch: str = "ms") -> list[dict[str, Any]]:
        """Return the series (name, tags, columns, values) of InfluxQL statements; raise ``ValueError`` if refused."""
        form = {"q": statement, "db": database, "epoch": epoch}
        async with aiohttp.ClientSession() as session, session.post(f"{self.url}/query", data=form) as response:
            answer = json.loads(await response.read())
        refusals = [text for part in (answer, *answer.get("results", [])) if (text := part.get("error"))]
        if refusals:
            raise ValueError(f"{statement}: {refusals[0]}")
        return [series for result in answer["results"] for series in result.get("series", [])]


INFLUX_CONFIGURATION = """\
reporting-disabled = true
bind-address = "127.0.0.1:{rpc}"
[meta]
  dir = "{folder}/meta"
  logging-enabled = false
[data]
  dir = "{folder}/data"
  wal-dir = "{folder}/wal"
  index-version = "inmem"
  query-log-enabled = false
[monitor]
  store-enabled = false
[subscriber]
  enabled = false
[continuous_queries]
  enabled = false
[http]
  bind-address = "127.0.0.1:{http}"
  log-enabled = false
  auth-enabled = {auth}
"""


@asynccontextmanager
async def influxdb(folder: Path, *, auth: bool = False) -> AsyncIterator[InfluxServer]:
    """Run Debian's InfluxDB 1.x with its data in ``folder``."""
    binary = require("influxd", package="influxdb")
    home = folder / "influxdb"
    home.mkdir(parents=True, exist_ok=True)
    http, rpc = free_ports(2)
    configuration = home / "influxdb.conf"
    configuration.write_text(
        INFLUX_CONFIGURATION.format(folder=home, http=http, rpc=rpc, auth=str(auth).lower()), encoding="utf-8"
    )
    url = f"http://127.0.0.1:{http}"
    process = ServerProcess(
        [binary, "run", "-config", str(configuration)], log=home / "log.txt", ready=lambda: answers(f"{url}/ping")
    )
    try:
        await process.start()
        yield InfluxServer(url, process)
    finally:
        await process.stop()


SHIM_TOKEN = "a-token-for-tests"
SHIM_ORG = "health"


@asynccontextmanager
async def serve(application: web.Application) -> AsyncIterator[str]:
    """Serve an aiohttp application on a free loopback port; yields its address."""
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def influxdb2_shim(v1_url: str) -> AsyncIterator[str]:
    """Serve the write path of InfluxDB 2.x in front of a real 1.x, with ``SHIM_ORG`` and ``SHIM_TOKEN``."""
    async with aiohttp.ClientSession(auto_decompress=False) as session:

        async def write(request: web.Request) -> web.Response:
            if request.headers.get("Authorization") != f"Token {SHIM_TOKEN}":
                return _refusal(401, "unauthorized", "unauthorized access")
            if request.query.get("org") != SHIM_ORG:
                return _refusal(404, "not found", f"organization name {request.query.get('org')!r} not found")
            return await _pass_on(session, v1_url, request)

        application = web.Application(client_max_size=64 * 2**20)
        application.router.add_post("/api/v2/write", write)
        async with serve(application) as url:
            yield url


@asynccontextmanager
async def influxdb3_shim(v1_url: str) -> AsyncIterator[str]:
    """Serve what InfluxDB 3 has in front of a real 1.x: the write path of 2.x, queries, and tables to be deleted."""
    async with aiohttp.ClientSession(auto_decompress=False) as session:

        async def write(request: web.Request) -> web.Response:
            return await _pass_on(session, v1_url, request)

        async def query(request: web.Request) -> web.Response:
            form = await request.post()
            if str(form["q"]).startswith(("DROP", "DELETE", "CREATE")):
                return web.json_response({"error": "this InfluxQL statement is not supported"}, status=400)
            plain = {"Accept-Encoding": "identity"}
            async with session.post(f"{v1_url}/query", data=form, headers=plain) as response:
                return web.Response(status=response.status, body=await response.read())

        async def delete_table(request: web.Request) -> web.Response:
            if request.headers.get("Authorization") != f"Bearer {SHIM_TOKEN}":
                return web.json_response({"error": "unauthorized"}, status=401)
            form = {"q": f'DROP MEASUREMENT "{request.query["table"]}"', "db": request.query["db"]}
            async with session.post(f"{v1_url}/query", data=form) as response:
                await response.read()
                return web.Response(status=response.status)

        application = web.Application(client_max_size=64 * 2**20)
        application.router.add_post("/api/v2/write", write)
        application.router.add_post("/query", query)
        application.router.add_delete("/api/v3/configure/table", delete_table)
        async with serve(application) as url:
            yield url


async def _pass_on(session: aiohttp.ClientSession, v1_url: str, request: web.Request) -> web.Response:
    wanted = {"db": request.query["bucket"], "precision": request.query.get("precision", "ns")}
    # aiohttp's server has already unpacked the body.
    try:
        async with session.post(f"{v1_url}/write", params=wanted, data=await request.read()) as response:
            if response.status == 204:
                return web.Response(status=204)
            found = json.loads(await response.read() or b"{}")
            return _refusal(response.status, "invalid", str(found.get("error", "")))
    except aiohttp.ClientError as error:
        return _refusal(503, "unavailable", str(error))


def _refusal(status: int, code: str, message: str) -> web.Response:
    return web.json_response({"code": code, "message": message}, status=status)


@asynccontextmanager
async def prometheus(folder: Path, config: str, *options: str) -> AsyncIterator[str]:
    """Run Debian's Prometheus with this configuration text and more options; yields its address."""
    binary = require("prometheus", package="prometheus")
    home = folder / "prometheus"
    home.mkdir(parents=True, exist_ok=True)
    configuration = home / "prometheus.yml"
    configuration.write_text(config, encoding="utf-8")
    (port,) = free_ports(1)
    url = f"http://127.0.0.1:{port}"
    process = ServerProcess(
        [
            binary,
            f"--config.file={configuration}",
            f"--storage.tsdb.path={home / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}",
            *options,
        ],
        log=home / "log.txt",
        ready=lambda: answers(f"{url}/-/ready"),
    )
    try:
        await process.start()
        yield url
    finally:
        await process.stop()
