"""The forwarder against a real InfluxDB that dies, refuses and forgets: what is committed is stored, exactly."""

from __future__ import annotations

import asyncio
from pathlib import Path

import aiohttp
import pytest

from collector.forwarder.dead_letters import DeadLetters
from collector.forwarder.forwarder import Forwarder, LineBatch
from collector.forwarder.health import ForwarderState
from collector.forwarder.journal_lines import JournalLines
from collector.journal import Journal
from domain.reading import Quality, Reading
from tests.system.forwarding import (
    DIRECTORY,
    MAINS,
    PATIENCE_SECONDS,
    START_MS,
    Log,
    Waits,
    WallClock,
    forwarding,
    temperatures,
    until,
    v1,
    v2,
)
from tests.system.servers import InfluxServer, influxdb, influxdb2_shim

pytestmark = pytest.mark.system


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
            assert forwarder.counts.failed_requests >= 2
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
