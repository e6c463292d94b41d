"""The forwarder against every answer that a server can give: nothing is lost and nothing stands still."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from collector.forwarder.client import compress
from collector.forwarder.dead_letters import DeadLetters
from collector.forwarder.forwarder import Forwarder
from collector.forwarder.health import ForwarderState
from collector.forwarder.journal_lines import JournalLines
from collector.forwarder.settings import InfluxSettings
from domain.reading import Reading
from tests.system.forwarding import (
    DIRECTORY,
    START_MS,
    Log,
    Waits,
    WallClock,
    forwarding,
    temperatures,
    until,
    v1,
    v2,
    v3,
)
from tests.system.servers import SHIM_ORG, SHIM_TOKEN, serve

pytestmark = pytest.mark.system


class Stub:
    """A server that answers writes from a list, and with 204 once the list is empty."""

    def __init__(self, *answers: web.Response) -> None:
        self.answers = list(answers)
        self.always: web.Response | None = None
        self.lines: list[str] = []
        """Lines answered with 204."""
        self.requests: list[web.Request] = []
        self.largest: int | None = None

    async def write(self, request: web.Request) -> web.StreamResponse:
        """Answer one write."""
        self.requests.append(request)
        lines = (await request.read()).decode().split("\n")
        if self.always is not None:
            return copy_of(self.always)
        if self.largest is not None and len(lines) > self.largest:
            return web.Response(status=413)
        if self.answers:
            return copy_of(self.answers.pop(0))
        self.lines.extend(lines)
        return web.Response(status=204)

    async def query(self, request: web.Request) -> web.StreamResponse:
        """Answer that the database is there."""
        return web.json_response({"results": [{}]})

    @asynccontextmanager
    async def serve(self) -> AsyncIterator[str]:
        """Serve the write paths of all versions."""
        application = web.Application(client_max_size=2**26)
        application.router.add_post("/write", self.write)
        application.router.add_post("/api/v2/write", self.write)
        application.router.add_post("/query", self.query)
        async with serve(application) as url:
            yield url


def copy_of(answer: web.Response) -> web.Response:
    """Return an answer that can be sent once more."""
    return web.Response(status=answer.status, headers=answer.headers, body=answer.body)


EACH_KIND = pytest.mark.parametrize("settings_for", [v1, v2, v3], ids=["v1", "v2", "v3"])


@EACH_KIND
async def test_requests_are_gzipped_milliseconds_in_portions(settings_for: Callable[..., InfluxSettings]) -> None:
    """A request is gzip (level 1) of at most ``batch_lines`` lines with ``precision=ms``."""
    stub, log = Stub(), Log()
    await log.append(temperatures(25))
    async with stub.serve() as url, forwarding(log, settings_for(url, batch_lines=10)):
        await log.delivered(25)
    assert [len(stub.lines), len(stub.requests)] == [25, 3]
    for request in stub.requests:
        assert request.headers["Content-Encoding"] == "gzip"
        assert request.query["precision"] == "ms"
        assert request.query.get("db", request.query.get("bucket")) == "vitals"
        assert request.query.get("org", SHIM_ORG) in (SHIM_ORG, "-")
    assert stub.lines[0] == (
        "temperature_celsius,channel=fridge-t0,country=Uganda,district=Kasese,equipment=fridge,"
        f"facility=kasese-hc3,kind=fridge,node=node-1,region=Western value=2.0 {START_MS}"
    )


@EACH_KIND
async def test_a_busy_server_is_asked_again_when_it_says_so(settings_for: Callable[..., InfluxSettings]) -> None:
    """429 and 5xx keep the batch, the wait honours Retry-After, and nothing moves before the yes."""
    busy = [web.Response(status=429, headers={"Retry-After": "7"})]
    stub, log, waits = Stub(*busy, *(web.Response(status=status) for status in (500, 503, 502) * 5)), Log(), Waits()
    await log.append(temperatures(10))
    async with stub.serve() as url, forwarding(log, settings_for(url), waits=waits) as forwarder:
        await log.delivered(10)
        assert forwarder.health().state is ForwarderState.WORKING
    assert len(stub.requests) == 17
    assert len(stub.lines) == 10
    assert max(waits.seconds) >= 7
    assert all(seconds <= 60 for seconds in waits.seconds)


@EACH_KIND
@pytest.mark.parametrize("status", [401, 403, 404, 302, 200])
async def test_what_a_person_must_mend_is_kept_and_shown(
    settings_for: Callable[..., InfluxSettings], status: int
) -> None:
    """A refused credential, a missing bucket, a redirect or a portal's page keeps the readings and says so."""
    stub, log, letters, waits = Stub(), Log(), DeadLetters(), Waits()
    stub.always = web.Response(status=status, headers={"Location": "/login"}, body=b"who are you?")
    await log.append(temperatures(10))
    async with stub.serve() as url, forwarding(log, settings_for(url), letters=letters, waits=waits) as forwarder:
        await until(lambda: forwarder.health().state is ForwarderState.REFUSED)
        health = forwarder.health()
        assert (log.kept, health.lag, letters.total, stub.lines) == (0, 10, 0, [])
        assert str(status) in health.sentence
        assert SHIM_TOKEN not in health.sentence
        stub.always = None
        await log.delivered(10)
        assert forwarder.health().state is ForwarderState.WORKING
    assert max(waits.seconds) >= 30


@EACH_KIND
async def test_a_request_that_is_too_large_is_halved(settings_for: Callable[..., InfluxSettings]) -> None:
    """413 makes requests smaller, for the batches that follow too, and loses nothing."""
    stub, log, letters = Stub(), Log(), DeadLetters()
    stub.largest = 100
    await log.append(temperatures(2_000))
    async with stub.serve() as url, forwarding(log, settings_for(url, batch_lines=1_000), letters=letters):
        await log.delivered(2_000)
    assert len(stub.lines) == 2_000
    assert letters.total == 0
    assert len(stub.requests) < 100


@EACH_KIND
async def test_a_server_that_refuses_every_request_quarantines_nothing(
    settings_for: Callable[..., InfluxSettings],
) -> None:
    """A 400 that names no line and spares no line is a person's to mend; readings wait and then arrive."""
    stub, log, letters = Stub(), Log(), DeadLetters()
    stub.always = web.Response(status=400, body=b'{"error":"database is required"}')
    await log.append(temperatures(500))
    async with stub.serve() as url, forwarding(log, settings_for(url), letters=letters) as forwarder:
        await until(lambda: forwarder.health().state is ForwarderState.REFUSED)
        assert "database is required" in forwarder.health().sentence
        assert log.kept == 0
        stub.always = None
        await log.delivered(500)
    assert letters.total == 0
    assert sorted(set(stub.lines)) == sorted(stub.lines)


@EACH_KIND
async def test_nobody_listening_is_waited_for(settings_for: Callable[..., InfluxSettings]) -> None:
    """Without a server the readings wait, the waits grow and stay bounded, and the health says why."""
    log, waits = Log(), Waits()
    await log.append(temperatures(10))
    async with Stub().serve() as url:
        pass
    async with forwarding(log, settings_for(url), waits=waits) as forwarder:
        await until(lambda: len(waits.seconds) > 20)
        health = forwarder.health()
    assert health.state is ForwarderState.AWAY
    assert log.kept == 0
    assert max(waits.seconds) <= 60


def test_a_body_is_gzip_of_lines() -> None:
    """A body is lines separated by line feeds, in gzip."""
    assert gzip.decompress(compress(["a v=1 1", "b v=2 2"])) == b"a v=1 1\nb v=2 2"


class FailingOnce(Log):
    """A log that cannot be read the first time."""

    failed = False

    async def read_after(self, position: int, limit: int) -> tuple[int, list[Reading]]:
        """Fail once, then read."""
        if not self.failed:
            self.failed = True
            raise OSError("the disk does not answer")
        return await super().read_after(position, limit)


async def test_a_failure_of_its_own_is_shown_and_survived() -> None:
    """When the log cannot be read, the forwarder says so in its health, and goes on when it can."""
    log, gate = FailingOnce(), asyncio.Event()
    await log.append(temperatures(10))

    async def wait(seconds: float) -> None:
        await gate.wait()

    async with Stub().serve() as url:
        source = JournalLines(log, lambda: DIRECTORY)
        forwarder = Forwarder(source, v1(url), clock=WallClock(), dead_letter=DeadLetters(), sleep=wait)
        task = asyncio.create_task(forwarder.run())
        await until(lambda: forwarder.health().state is ForwarderState.FAILED)
        assert "the disk does not answer" in forwarder.health().sentence
        gate.set()
        await log.delivered(10)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
