"""The same questions to the journal and to a real InfluxDB that was filled from it: the same numbers."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest

from collector.forwarder.dead_letters import DeadLetters
from collector.forwarder.forwarder import Forwarder, LineSource
from collector.forwarder.journal_lines import JournalLines
from collector.forwarder.rollup_lines import RollupLines
from collector.forwarder.settings import InfluxSettings
from collector.influx_history import InfluxHistory, open_history
from collector.journal import Journal, JournalSettings, Resolution
from domain.directory import Directory
from domain.errors import OperatorError, PeerError
from domain.instant import DAY_MS, HOUR_MS, MINUTE_MS
from domain.places import Channel, Facility
from domain.quantities import QUANTITIES
from domain.reading import Quality, Reading
from tests.recordings import DATA
from tests.system.forwarding import Waits, WallClock, until, v1
from tests.system.servers import influxdb

pytestmark = pytest.mark.system

MIDNIGHT_MS = 1_760_054_400_000
END_MS = MIDNIGHT_MS + 3 * DAY_MS
NAMES = [
    "fridge/temperature",
    'it\'s "quoted"',
    "a,b=c d",
    "back\\slash\\",
    "' OR 1=1 --",
    "línea\nnueva",
    "\\' OR ''='",
    "#x",
]
UNUSABLE = (Quality.BAD_VALUE, Quality.SENSOR_GONE, Quality.BUS_ERROR)


def channels() -> list[Channel]:
    """Return channels with names that hurt, and naughty strings where there are any."""
    naughty = DATA / "hostile" / "blns.json"
    more = [text for text in json.loads(naughty.read_text("utf-8")) if text.strip()] if naughty.exists() else []
    names = dict.fromkeys([*NAMES, *more[::12]])
    quantity, every = QUANTITIES["temperature"], timedelta(minutes=15)
    return [Channel(name, "clinic", "fridge", "n1", f"c{n}", quantity, every) for n, name in enumerate(names)]


def readings_of(channel: Channel, chance: random.Random) -> list[Reading]:
    """Return three days with gaps, values in doubt, missing values and repetitions, in any order."""
    moment_ms, found = MIDNIGHT_MS, list[Reading]()
    while moment_ms < END_MS:
        quality = chance.choices((Quality.GOOD, Quality.UNCERTAIN, *UNUSABLE), (80, 10, 4, 3, 3))[0]
        value = (
            None if quality in UNUSABLE else chance.choice((chance.uniform(-40, 60), round(chance.uniform(2, 8), 1)))
        )
        found.append(Reading(channel.id, moment_ms, value, quality, moment_ms))
        moment_ms += chance.choice((15 * MINUTE_MS, 15 * MINUTE_MS + 37, 7 * MINUTE_MS, 5 * HOUR_MS))
    found += chance.choices(found, k=5)
    chance.shuffle(found)
    return found


@asynccontextmanager
async def forwarded(*sources: LineSource, settings: InfluxSettings) -> AsyncIterator[None]:
    """Forward logs until nothing stands behind their cursors."""
    forwarders = [
        Forwarder(each, settings, clock=WallClock(), dead_letter=DeadLetters(), sleep=Waits()) for each in sources
    ]
    tasks = [asyncio.create_task(each.run()) for each in forwarders]
    try:
        for each in forwarders:
            await until(lambda each=each: each.counts.stored > 0 and each.health().lag == 0)  # type: ignore[misc]
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_both_give_the_same_numbers(tmp_path: Path) -> None:
    """Series and roll-ups, to the last bit; late readings correct the roll-ups that were sent before."""
    here, chance, cursor = channels(), random.Random(5), [0]
    directory = Directory(channels=here)

    async def read_cursor() -> int:
        return cursor[0]

    async def write_cursor(position: int) -> None:
        cursor[0] = position

    async with (
        influxdb(tmp_path) as server,
        Journal.open(
            tmp_path / "journal", settings=JournalSettings(slice_rows=500), interval_of=lambda _: 15 * MINUTE_MS
        ) as journal,
        open_history(v1(server.url)) as history,
    ):
        everything = [reading for channel in here for reading in readings_of(channel, chance)]
        late = [reading for reading in everything if reading.measured_at_ms % 11 == 0]
        for portion in ([reading for reading in everything if reading.measured_at_ms % 11], late):
            await journal.commit(portion)
            await journal.settle()
            rollups = RollupLines(journal, lambda: directory, read_cursor=read_cursor, write_cursor=write_cursor)
            async with forwarded(JournalLines(journal, lambda: directory), rollups, settings=v1(server.url)):
                for channel in here:
                    await _compare(journal, history, channel)


async def test_contested_moments_end_the_same_in_both(tmp_path: Path) -> None:
    """Whichever of two values for one moment came first, and was sent first, both stores keep the better one."""
    channel = channels()[0]
    directory, chance = Directory(channels=[channel]), random.Random(3)
    async with (
        influxdb(tmp_path) as server,
        Journal.open(tmp_path / "journal", settings=JournalSettings(slice_rows=50)) as journal,
        open_history(v1(server.url)) as history,
    ):
        for _ in range(6):
            contested = [each for _ in range(2) for each in readings_of(channel, chance)]
            chance.shuffle(contested)
            await journal.commit(contested[::3])
            async with forwarded(JournalLines(journal, lambda: directory), settings=v1(server.url)):
                await journal.commit(contested[1::3])
            await journal.commit(contested[2::3])
            await journal.settle()
        async with forwarded(JournalLines(journal, lambda: directory), settings=v1(server.url)):
            stored = await journal.series(channel.id, MIDNIGHT_MS, END_MS)
            assert [each[:4] for each in await history.series(channel, MIDNIGHT_MS, END_MS)] == [
                each[:4] for each in stored
            ]


async def _compare(journal: Journal, history: InfluxHistory, channel: Channel) -> None:
    stored = await journal.series(channel.id, MIDNIGHT_MS, END_MS)
    found = await history.series(channel, MIDNIGHT_MS, END_MS)
    assert [each[:4] for each in found] == [each[:4] for each in stored]
    some = await history.series(channel, MIDNIGHT_MS + HOUR_MS, END_MS - HOUR_MS, 7)
    assert [each[:4] for each in some] == [
        each[:4] for each in await journal.series(channel.id, MIDNIGHT_MS + HOUR_MS, END_MS - HOUR_MS, 7)
    ]
    for resolution in Resolution:
        kept = await journal.rollups(channel.id, MIDNIGHT_MS, END_MS, resolution)
        assert await history.rollups(channel, MIDNIGHT_MS, END_MS, resolution) == kept
        inside = (MIDNIGHT_MS + DAY_MS + 5, END_MS - DAY_MS)
        assert await history.rollups(channel, *inside, resolution) == await journal.rollups(
            channel.id, *inside, resolution
        )


async def test_a_moment_counts_once_wherever_its_facility_stood(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Readings that were sent again after the facility changed district, values in doubt and missing ones too."""
    channel, chance = channels()[0], random.Random(8)
    everything = sorted(readings_of(channel, chance), key=lambda each: each.measured_at_ms)
    moments = {each.measured_at_ms for each in everything}
    monkeypatch.setattr("collector.influx_history._PAGE", 7)
    async with (
        influxdb(tmp_path) as server,
        Journal.open(tmp_path / "journal") as journal,
        open_history(v1(server.url)) as history,
    ):
        await journal.commit(everything)
        for district in ("Kasese", "Bunyangabu"):
            placed = Directory(
                facilities=[Facility("clinic", "Clinic", "Uganda", "Western", district)], channels=[channel]
            )
            async with forwarded(JournalLines(journal, lambda: placed, cursor_name=district), settings=v1(server.url)):  # noqa: B023
                assert await history.count(channel, MIDNIGHT_MS, END_MS) == len(moments)
        stored = await history.series(channel, MIDNIGHT_MS, END_MS)
        assert len(stored) == 2 * len(moments)
        late = [moment for moment in moments if moment >= MIDNIGHT_MS + DAY_MS]
        assert await history.count(channel, MIDNIGHT_MS + DAY_MS, END_MS) == len(late)


async def test_what_cannot_be_answered_says_why(tmp_path: Path) -> None:
    """A server that is away, a database that is not there."""
    (channel, *_) = channels()
    async with influxdb(tmp_path) as server, open_history(v1(server.url)) as history:
        with pytest.raises(OperatorError, match="database not found"):
            await history.series(channel, 0, 1)
        await server.kill()
        with pytest.raises(PeerError, match="does not answer"):
            await history.rollups(channel, 0, 1, Resolution.HOUR)


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (503, b'{"error": "busy"}', PeerError),
        (429, b"{}", PeerError),
        (401, b'{"error": "authorization failed"}', OperatorError),
        (404, b'{"code": "not found", "message": "dbrp mapping"}', OperatorError),
        (200, b'{"results": [{"error": "too old"}]}', OperatorError),
        (200, b"<html>", PeerError),
        (302, b"{}", OperatorError),
    ],
)
async def test_every_answer_has_a_meaning(status: int, body: bytes, error: type[Exception]) -> None:
    """Away and busy are the peer's; what a person has to mend is the operator's."""
    from aiohttp import web

    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status, body=body)

    application = web.Application()
    application.router.add_post("/query", answer)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    try:
        async with aiohttp.ClientSession() as session:
            history = InfluxHistory(session, v1(f"http://127.0.0.1:{port}"))
            with pytest.raises(error):
                await history.series(channels()[0], 0, 1)
    finally:
        await runner.cleanup()
