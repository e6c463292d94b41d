"""The forwarder against real servers that die and refuse: what is committed is stored, exactly."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from collector.forwarder.client import compress
from collector.forwarder.dead_letters import DeadLetters
from collector.forwarder.forwarder import Forwarder, LineBatch
from collector.forwarder.health import ForwarderState
from collector.forwarder.journal_lines import JournalLines
from collector.forwarder.settings import InfluxSettings
from collector.journal import Journal
from domain.directory import Directory
from domain.places import Channel, Equipment, EquipmentKind, Facility
from domain.quantities import QUANTITIES
from domain.reading import Quality, Reading
from tests.system.servers import SHIM_ORG, SHIM_TOKEN, InfluxServer, influxdb, influxdb2_shim, serve

pytestmark = pytest.mark.system

PATIENCE_SECONDS = 30.0
START_MS = 1_795_000_000_000

FACILITY = Facility("kasese-hc3", "Kasese HC3", "Uganda", "Western", "Kasese")
EQUIPMENT = [
    Equipment("fridge", FACILITY.id, EquipmentKind.FRIDGE, "Fridge"),
    Equipment("mains", FACILITY.id, EquipmentKind.MAINS, "Grid"),
]
MINUTE = timedelta(minutes=1)
CHANNELS = [
    Channel(f"fridge-t{n}", FACILITY.id, "fridge", "node-1", f"t{n}", QUANTITIES["temperature"], MINUTE)
    for n in range(10)
]
MAINS = Channel("mains-v", FACILITY.id, "mains", "node-1", "v", QUANTITIES["voltage"], MINUTE)
DIRECTORY = Directory(facilities=[FACILITY], equipment=EQUIPMENT, channels=[*CHANNELS, MAINS])


class WallClock:
    """The machine's clock, which only dates the health here."""

    def now_ms(self) -> int:
        """Return the same moment always."""
        return START_MS

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)


class Log:
    """Readings with positions and one cursor, in memory: a journal as far as a follower sees it."""

    def __init__(self) -> None:
        self.entries: list[Reading] = []
        self.kept = 0
        self._changed = asyncio.Condition()

    @property
    def position(self) -> int:
        """The position of the newest reading."""
        return len(self.entries)

    async def append(self, readings: Sequence[Reading]) -> None:
        """Commit readings."""
        async with self._changed:
            self.entries.extend(readings)
            self._changed.notify_all()

    async def cursor(self, name: str) -> int:
        """Return the cursor."""
        return self.kept

    async def move_cursor(self, name: str, position: int) -> None:
        """Move the cursor; it never goes back."""
        async with self._changed:
            assert position >= self.kept
            self.kept = position
            self._changed.notify_all()

    async def read_after(self, position: int, limit: int) -> tuple[int, list[Reading]]:
        """Return readings behind the position."""
        found = self.entries[position : position + limit]
        return position + len(found), found

    async def wait_beyond(self, position: int) -> int:
        """Wait for a reading behind the position."""
        async with self._changed:
            await self._changed.wait_for(lambda: len(self.entries) > position)
        return len(self.entries)

    async def delivered(self, position: int) -> None:
        """Wait until the cursor has come to a position; it is written after the server's yes."""
        async with asyncio.timeout(PATIENCE_SECONDS), self._changed:
            await self._changed.wait_for(lambda: self.kept >= position)


class Waits:
    """Stands in for sleeping: remembers what was asked for, and lets the event loop turn once."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def __call__(self, seconds: float) -> None:
        """Remember a wait."""
        self.seconds.append(seconds)
        await asyncio.sleep(0.001)


def temperatures(count: int, *, first: int = 0) -> list[Reading]:
    """Return readings of the fridge's channels, each channel and moment once."""
    return [
        Reading(CHANNELS[n % 10].id, START_MS + n, 2.0 + n % 60 / 10, Quality.GOOD, START_MS + n)
        for n in range(first, first + count)
    ]


def v1(url: str, **more: Any) -> InfluxSettings:
    """Return settings for 1.x that wait for nobody."""
    return InfluxSettings.model_validate({"url": url, "max_age": timedelta(0), **more})


def v2(url: str, **more: Any) -> InfluxSettings:
    """Return settings for 2.x that wait for nobody."""
    return v1(url, kind="v2", org=SHIM_ORG, token=SHIM_TOKEN, **more)


@asynccontextmanager
async def forwarding(
    log: Log, settings: InfluxSettings, *, letters: DeadLetters | None = None, waits: Waits | None = None
) -> AsyncIterator[Forwarder]:
    """Run a forwarder on a log."""
    forwarder = Forwarder(
        JournalLines(log, lambda: DIRECTORY),
        settings,
        clock=WallClock(),
        dead_letter=letters or DeadLetters(),
        sleep=waits or Waits(),
    )
    task = asyncio.create_task(forwarder.run())
    try:
        yield forwarder
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not holds():  # noqa: ASYNC110 -- what is waited for has no event
            await asyncio.sleep(0.01)


async def stored(server: InfluxServer) -> list[tuple[str, int, float]]:
    """Return channel, time in milliseconds and value of everything stored, sorted."""
    found = await server.query("SELECT value FROM temperature_celsius GROUP BY channel", database="vitals")
    return sorted((series["tags"]["channel"], at, value) for series in found for at, value in series["values"])


def committed(log: Log) -> list[tuple[str, int, float]]:
    """Return the same of everything in the log."""
    return sorted((each.channel, each.measured_at_ms, each.value or 0.0) for each in log.entries)


@pytest.mark.parametrize("through_v2", [False, True], ids=["v1", "v2"])
async def test_a_server_killed_in_mid_stream_ends_with_exactly_what_was_committed(
    tmp_path: Path, through_v2: bool
) -> None:
    """Killed twice while readings keep coming, the server holds every committed reading once, and no other."""
    log = Log()
    async with influxdb(tmp_path) as server, influxdb2_shim(server.url) as shim:
        await server.query("CREATE DATABASE vitals")
        settings = v2(shim, batch_lines=500) if through_v2 else v1(server.url, batch_lines=500)
        async with forwarding(log, settings) as forwarder:
            for turn in range(3):
                await log.append(temperatures(3_000, first=turn * 5_000))
                await log.delivered(turn * 5_000 + 1_000)
                if turn < 2:
                    await server.kill()
                await log.append(temperatures(2_000, first=turn * 5_000 + 3_000))
                if turn < 2:
                    await until(lambda: forwarder.health().state is ForwarderState.AWAY)
                    assert forwarder.health().lag > 0
                    await server.restart()
            await log.delivered(15_000)
            assert forwarder.health().state is ForwarderState.WORKING
            assert forwarder.health().lag == 0
        assert await stored(server) == committed(log)


async def test_the_real_journal_is_drained_and_remembers_how_far(tmp_path: Path) -> None:
    """Readings committed to the journal on disk arrive, and after a restart of both only the new ones are sent."""
    async with influxdb(tmp_path) as server:
        for turn in (1, 2):
            async with Journal.open(tmp_path / "journal") as journal:
                await journal.commit(temperatures(1_000, first=(turn - 1) * 1_000))
                forwarder = Forwarder(
                    JournalLines(journal, lambda: DIRECTORY),
                    v1(server.url),
                    clock=WallClock(),
                    dead_letter=DeadLetters(),
                )
                task = asyncio.create_task(forwarder.run())
                async with asyncio.timeout(PATIENCE_SECONDS):
                    while await journal.cursor("influxdb") != turn * 1_000:  # noqa: ASYNC110 -- a cursor has no event
                        await asyncio.sleep(0.01)
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
                assert forwarder.counts.stored == 1_000
        assert len(await stored(server)) == 2_000


async def test_sending_everything_again_changes_nothing(tmp_path: Path) -> None:
    """A cursor that was lost costs a repetition and no duplicate."""
    log = Log()
    await log.append(temperatures(2_000))
    async with influxdb(tmp_path) as server:
        for _ in range(2):
            log.kept = 0
            async with forwarding(log, v1(server.url)):
                await log.delivered(2_000)
            assert await stored(server) == committed(log)


@pytest.mark.parametrize("through_v2", [False, True], ids=["v1", "v2"])
async def test_one_poisoned_line_among_5000_is_quarantined_alone(tmp_path: Path, through_v2: bool) -> None:
    """A reading that the server refuses goes to the dead letters; the other 4,999 are stored."""
    log, letters = Log(), DeadLetters()
    readings = temperatures(5_000)
    readings[3_210] = Reading(MAINS.id, START_MS, 230.0, Quality.GOOD, START_MS)
    await log.append(readings)
    async with influxdb(tmp_path) as server, influxdb2_shim(server.url) as shim, aiohttp.ClientSession() as session:
        await server.query("CREATE DATABASE vitals")
        # Somebody wrote whole numbers under our name before: InfluxDB keeps the type of a field.
        poison = f"voltage_volts value=1i {START_MS}".encode()
        async with session.post(f"{server.url}/write?db=vitals&precision=ms", data=poison) as answer:
            assert answer.status == 204
        async with forwarding(log, v2(shim) if through_v2 else v1(server.url), letters=letters) as forwarder:
            await log.delivered(5_000)
        assert [letter.line.split(",")[0] for letter in letters.recent()] == ["voltage_volts"]
        assert "field type conflict" in letters.recent()[0].detail
        assert forwarder.counts.refused == 1
        assert await stored(server) == [row for row in committed(log) if row[0] != MAINS.id]


class RawLines:
    """A source of lines as they are, good or not."""

    def __init__(self, lines: list[str]) -> None:
        self.lines = lines
        self.log = Log()

    async def cursor(self) -> int:
        """Return the cursor."""
        return self.log.kept

    async def move_cursor(self, position: int) -> None:
        """Move the cursor."""
        await self.log.move_cursor("", position)

    async def read_after(self, position: int, limit: int) -> LineBatch:
        """Return lines behind the position."""
        found = self.lines[position : position + limit]
        return LineBatch(found, len(found), position + len(found))

    async def wait_beyond(self, position: int) -> None:
        """Wait for ever: no line comes later."""
        await asyncio.Event().wait()

    def lag(self, position: int) -> int:
        """Return the lines still to go."""
        return len(self.lines) - position


async def test_a_batch_of_nothing_but_bad_lines_does_not_stop_the_stream(tmp_path: Path) -> None:
    """1.x repeats what it cannot read in one long header; the lines are refused and the good one behind them stored."""
    source, letters = (
        RawLines([f"not line protocol {'x' * 80} {n}" for n in range(300)] + ["m value=1 1"]),
        DeadLetters(),
    )
    async with influxdb(tmp_path) as server:
        forwarder = Forwarder(source, v1(server.url), clock=WallClock(), dead_letter=letters, sleep=Waits())
        task = asyncio.create_task(forwarder.run())
        await source.log.delivered(301)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert letters.total == 300
        assert await server.query("SELECT value FROM m", database="vitals")


async def test_a_missing_database_is_created_and_a_dropped_one_again(tmp_path: Path) -> None:
    """On 1.x nobody has to create the database, whatever it is called."""
    log, name = Log(), 'health "data", north'
    async with influxdb(tmp_path) as server, forwarding(log, v1(server.url, database=name)):
        for turn in (1, 2):
            await log.append(temperatures(10, first=turn * 10))
            await log.delivered(turn * 10)
            assert await server.query("SELECT count(value) FROM temperature_celsius", database=name)
            await server.query('DROP DATABASE "health \\"data\\", north"')


async def test_a_database_that_cannot_be_created_says_why(tmp_path: Path) -> None:
    """A name that InfluxDB does not allow is shown with what it says of it, and the readings wait."""
    log = Log()
    await log.append(temperatures(10))
    async with influxdb(tmp_path) as server, forwarding(log, v1(server.url, database="north/south")) as forwarder:
        await until(lambda: forwarder.health().state is ForwarderState.REFUSED)
        assert "invalid name" in forwarder.health().sentence
    assert log.kept == 0


async def test_the_real_server_wants_its_password(tmp_path: Path) -> None:
    """With authentication on, a wrong password keeps the readings and shows in the health; the right one stores."""
    log = Log()
    await log.append(temperatures(10))
    async with influxdb(tmp_path, auth=True) as server:
        await server.query("CREATE USER vitals WITH PASSWORD 'right' WITH ALL PRIVILEGES")
        async with forwarding(log, v1(server.url, username="vitals", password="wrong")) as forwarder:
            await until(lambda: forwarder.health().state is ForwarderState.REFUSED)
            assert "401" in forwarder.health().sentence
            assert "10 readings wait" in forwarder.health().sentence
            assert log.kept == 0
        async with forwarding(log, v1(server.url, username="vitals", password="right")):
            await log.delivered(10)


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


BOTH = pytest.mark.parametrize("settings_for", [v1, v2], ids=["v1", "v2"])


@BOTH
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
        assert request.query.get("db") or (request.query["bucket"], request.query["org"]) == ("vitals", SHIM_ORG)
    assert stub.lines[0] == (
        "temperature_celsius,channel=fridge-t0,country=Uganda,district=Kasese,equipment=fridge,"
        f"facility=kasese-hc3,kind=fridge,node=node-1,region=Western value=2.0 {START_MS}"
    )


@BOTH
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


@BOTH
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


@BOTH
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


@BOTH
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


@BOTH
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
