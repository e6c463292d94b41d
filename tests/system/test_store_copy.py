"""A pilot grows into InfluxDB and back, and a check of somebody's own server; against a real InfluxDB 1.x."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.check import registered
from app.config import ServiceConfig, read_config
from app.registry_commands import import_registry
from app.store import transfer
from app.store.probe import check_store
from app.store.transfer import Copied, Side, copy
from collector.influx_history import open_history
from collector.journal import Journal, JournalLocked, Resolution
from domain.errors import OperatorError
from domain.instant import DAY_MS, HOUR_MS
from domain.reading import Quality, Reading
from registry.history import Occasion
from tests.cases.folders import CASES
from tests.system.forwarding import v3
from tests.system.servers import InfluxServer, influxdb, influxdb3_shim

pytestmark = pytest.mark.system

MIDNIGHT_MS = 1_760_054_400_000
SPAN = (MIDNIGHT_MS - 30 * DAY_MS, MIDNIGHT_MS + 30 * DAY_MS)


async def clinic(folder: Path, server: InfluxServer) -> ServiceConfig:
    """Return a service with a registry and an InfluxDB."""
    config = _configured(folder, server)
    await import_registry(config, CASES / "clinic.yaml", Occasion(MIDNIGHT_MS), say=print)
    return config


def _configured(folder: Path, server: InfluxServer) -> ServiceConfig:
    folder.mkdir()
    (folder / "vitals.yaml").write_text(f"influxdb: {{url: '{server.url}'}}\n", "utf-8")
    return read_config(folder / "vitals.yaml", {})


async def fill(config: ServiceConfig) -> list[Reading]:
    """Commit readings of every channel over 20 days, some without a value, some in doubt."""
    readings = []
    for number, channel in enumerate((await registered(config)).channels):
        for hour in range(0, 20 * 24, 3):
            moment = MIDNIGHT_MS + hour * HOUR_MS + number
            quality = (Quality.GOOD, Quality.UNCERTAIN, Quality.SENSOR_GONE)[hour % 30 // 3 % 3 if hour % 5 == 0 else 0]
            value = None if quality is Quality.SENSOR_GONE else 1.0
            readings.append(Reading(channel, moment, value, quality, moment))
    async with Journal.open(config.data) as journal:
        await journal.commit(readings)
        await journal.settle()
    return readings


async def test_there_and_back_again(tmp_path: Path) -> None:
    """Everything arrives once, with roll-ups; an empty journal filled from there answers the same."""
    async with influxdb(tmp_path) as server:
        config = await clinic(tmp_path / "pilot", server)
        readings = await fill(config)
        there = await copy(config, Side.JOURNAL, Side.INFLUXDB, *SPAN, facility=None, say=print)
        assert there == Copied(len((await registered(config)).channels), len(readings), 0)
        home = await clinic(tmp_path / "home", server)
        back = await copy(home, Side.INFLUXDB, Side.JOURNAL, *SPAN, facility=None, say=print)
        assert back.readings == len(readings)
        assert config.influxdb is not None
        async with (
            Journal.open(config.data, read_only=True) as before,
            Journal.open(home.data, read_only=True) as after,
            open_history(config.influxdb) as history,
        ):
            for channel in (await registered(config)).channels.values():
                stored = await before.series(channel.id, *SPAN)
                assert [each[:4] for each in await after.series(channel.id, *SPAN)] == [each[:4] for each in stored]
                rollups = await before.rollups(channel.id, *SPAN, Resolution.DAY)
                assert await history.rollups(channel, *SPAN, Resolution.DAY) == rollups


async def test_a_second_run_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stopped in the middle, it copies the other channels, and only those."""
    async with influxdb(tmp_path) as server:
        config = await clinic(tmp_path / "pilot", server)
        readings = await fill(config)
        lines: list[str] = []

        def stop(line: str) -> None:
            lines.append(line)
            if len(lines) == 2:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            await copy(config, Side.JOURNAL, Side.INFLUXDB, *SPAN, facility=None, say=stop)
        copied: list[str] = []
        one = transfer._copy_channel

        async def noted(channel, *rest):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN002, ANN202
            copied.append(channel.id)
            await one(channel, *rest)

        monkeypatch.setattr(transfer, "_copy_channel", noted)
        done = await copy(config, Side.JOURNAL, Side.INFLUXDB, *SPAN, facility=None, say=print)
        assert done.readings == len(readings)
        assert len(copied) == done.channels - 2


async def test_long_answers_are_read_whole(tmp_path: Path) -> None:
    """Many thousand readings come back, all of them, and as arriving when they were measured."""
    async with influxdb(tmp_path) as server:
        config = await clinic(tmp_path / "pilot", server)
        channel = next(iter((await registered(config)).channels))
        moments = [MIDNIGHT_MS + 10_000 * n for n in range(8_000)]
        async with Journal.open(config.data) as journal:
            await journal.commit([Reading(channel, each, each % 97 / 10, Quality.GOOD, each) for each in moments])
        await copy(config, Side.JOURNAL, Side.INFLUXDB, *SPAN, facility=None, say=print)
        home = await clinic(tmp_path / "home", server)
        await copy(home, Side.INFLUXDB, Side.JOURNAL, *SPAN, facility=None, say=print)
        async with Journal.open(home.data, read_only=True) as journal:
            found = await journal.series(channel, *SPAN)
        assert found == [Reading(channel, each, each % 97 / 10, Quality.GOOD, each) for each in moments]


async def test_copies_are_history_to_the_rules(tmp_path: Path) -> None:
    """What comes back from InfluxDB is marked for the judge, and only what was missing is committed at all."""
    async with influxdb(tmp_path) as server:
        config = await clinic(tmp_path / "pilot", server)
        readings = await fill(config)
        await copy(config, Side.JOURNAL, Side.INFLUXDB, *SPAN, facility=None, say=print)
        home = await clinic(tmp_path / "home", server)
        async with Journal.open(home.data) as journal:
            await journal.commit(readings[:100])
            await journal.move_cursor("follower", 0)
        await copy(home, Side.INFLUXDB, Side.JOURNAL, *SPAN, facility=None, say=print)
        async with Journal.open(home.data, read_only=True) as journal:
            last, _ = await journal.read_after(0, 100_000)
            marked = [n for each in await journal.marked(0, last) for n in range(each.first, each.last + 1)]
            assert marked == list(range(101, len(readings) + 1))
            assert last == await journal.count() == len(readings)


async def test_what_cannot_be_copied_is_said(tmp_path: Path) -> None:
    """Into a journal that a service writes, from a store to itself, of a facility that is not there."""
    async with influxdb(tmp_path) as server:
        config = await clinic(tmp_path / "pilot", server)
        async with Journal.open(config.data):
            with pytest.raises(JournalLocked):
                await copy(config, Side.INFLUXDB, Side.JOURNAL, *SPAN, facility=None, say=print)
        with pytest.raises(OperatorError, match="twice"):
            await copy(config, Side.JOURNAL, Side.JOURNAL, *SPAN, facility=None, say=print)
        with pytest.raises(OperatorError, match="no such channel"):
            await copy(config, Side.JOURNAL, Side.INFLUXDB, *SPAN, facility="nowhere", say=print)


def today() -> datetime:
    """Return the moment."""
    return datetime.now(UTC)


async def test_a_check_says_what_holds_and_leaves_nothing(tmp_path: Path) -> None:
    """A real server passes and holds no series afterwards; one that is away fails with its reason."""
    lines: list[str] = []
    async with influxdb(tmp_path) as server:
        config = await clinic(tmp_path / "pilot", server)
        assert await check_store(config, now=today, say=lines.append), lines
        assert [line[:6] for line in lines[1:-1]] == ["ok    "] * 7
        assert await server.query("SHOW SERIES", database="vitals") == []
        await server.kill()
        assert not await check_store(config, now=today, say=lines.append)
        assert any(line.startswith("FAILED takes gzipped") for line in lines)


async def test_a_check_finds_clocks_apart(tmp_path: Path) -> None:
    """A server that is an hour behind fails, with the difference."""
    lines: list[str] = []
    async with influxdb(tmp_path) as server:
        config = await clinic(tmp_path / "pilot", server)
        assert not await check_store(config, now=lambda: today() + timedelta(hours=1), say=lines.append)
    (failed,) = [line for line in lines if line.startswith("FAILED")]
    assert re.search(r"its clock is 3(599|600)\.\d s away", failed)


async def test_a_check_compares_what_is_kept_with_what_is_wanted(tmp_path: Path) -> None:
    """Ninety days are too few by default, enough where they are asked for; a database made here keeps what is said."""
    async with influxdb(tmp_path) as server:
        config = await clinic(tmp_path / "pilot", server)
        assert config.influxdb is not None
        wants = config.influxdb.model_copy
        lasting = config.model_copy(update={"influxdb": wants(update={"retention": timedelta(days=90)})})
        assert await check_store(lasting, now=today, say=print)
        (policies,) = await server.query("SHOW RETENTION POLICIES ON vitals")
        assert policies["values"][0][:2] == ["autogen", "2160h0m0s"]
        lines: list[str] = []
        assert not await check_store(config, now=today, say=lines.append)
        assert any(re.match("FAILED keeps readings for 90d, wanted is for ever", line) for line in lines), lines
        longer = config.model_copy(update={"influxdb": wants(update={"retention": timedelta(days=91)})})
        assert not await check_store(longer, now=today, say=lines.append)
        assert any("wanted is for 91d" in line for line in lines)


async def test_a_check_cleans_up_where_influxql_cannot(tmp_path: Path) -> None:
    """InfluxDB 3 refuses DROP MEASUREMENT and does not tell what it keeps: the table is deleted, and that is unsure."""
    lines: list[str] = []
    async with influxdb(tmp_path) as server, influxdb3_shim(server.url) as shim:
        await server.query("CREATE DATABASE vitals")
        config = ServiceConfig.model_validate({"data": tmp_path / "data", "influxdb": v3(shim)})
        assert await check_store(config, now=today, say=lines.append), lines
        assert [line[:6] for line in lines[1:-1]] == ["ok    "] * 4 + ["unsure"] + ["ok    "] * 2
        assert lines[-1] == "removed the readings of vitals_check"
        assert await server.query("SHOW SERIES", database="vitals") == []
