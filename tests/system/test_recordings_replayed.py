"""Recorded traces through the whole service: `vitals replay`, a real broker, the journal, InfluxDB and the rules."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from api.access.settings import AccessSettings
from app.build import App
from app.config import RulesSettings, ServiceConfig
from app.documents import parse_document
from app.replay import replay_files
from app.web import ListenSettings
from collector.forwarder.settings import InfluxSettings
from collector.settings import MqttSourceSettings
from domain.instant import parse_rfc3339, to_datetime
from tests.recordings import ESMI, QTAG, Row, Run, needs_recordings, rows, runs
from tests.system.brokers import amqtt_broker, mosquitto
from tests.system.servers import InfluxServer, influxdb

pytestmark = [pytest.mark.system, needs_recordings]

REGISTRY = """
facilities:
  - id: transport
    name: A box on its way
    country: X
    region: Y
    district: Z
    nodes: [{id: qtag}]
    equipment:
      - id: box
        kind: cold_box
        name: Box
        channels: [{quantity: temperature, node: qtag, name: temperature, interval: 10min, limits: {low: 2, high: 8}}]
  - id: grid
    name: Three places on the grid
    country: X
    region: Y
    district: Z
    nodes: [{id: esmi}]
    equipment:
      - id: apu001
        kind: mains
        name: APU001
        channels: [{quantity: voltage, node: esmi, name: APU001, interval: 1min}]
      - id: apu002
        kind: mains
        name: APU002
        channels: [{quantity: voltage, node: esmi, name: APU002, interval: 1min}]
      - id: apu003
        kind: mains
        name: APU003
        channels: [{quantity: voltage, node: esmi, name: APU003, interval: 1min}]
"""
RULES = """
rules:
  - id: out-of-limits
    title: Out of limits
    severity: warning
    applies_to: {quantity: temperature}
    when: {outside: {low: {limit: $limits.low, comparison: "<"}, high: {limit: $limits.high, comparison: ">"}}}
  - id: over-voltage
    title: Over-voltage
    severity: warning
    applies_to: {quantity: voltage}
    when: {above: {limit: 253 V, comparison: ">"}}
"""
BOX = "transport/box/temperature"
PLACES = ("APU001", "APU002", "APU003")


def mains(place: str) -> str:
    """Return the id of the voltage channel of a place."""
    return f"grid/{place.lower()}/voltage"


def beyond_range(value: float) -> float:
    """Return how far a temperature is out of 2 to 8 °C, both ends fine."""
    return max(2.0 - value, value - 8.0)


def beyond_voltage(value: float) -> float:
    """Return how far a voltage is above 253 V."""
    return value - 253.0


def voltages(place: str) -> list[Row]:
    """Return the rows of a place."""
    return rows(ESMI, "time_local", "v_avg", lambda row: row["station"] == place, ZoneInfo("Asia/Kolkata"))


@dataclass
class World:
    """A service that runs, its InfluxDB and its broker."""

    http: httpx.AsyncClient
    influx: InfluxServer
    broker: str

    async def replay(self, path: Path, node: str) -> None:
        """Run what `vitals replay PATH --node NODE --broker URL` runs."""
        await replay_files(
            [path], node=node, broker=self.broker, speed=None, format_name=None, fields={}, say=lambda _: None
        )

    async def stored(self, channel: str) -> list[Row]:
        """Return every reading of a channel that the API tells."""
        found = await self.get(
            f"channels/{channel}/readings", **{"from": "2010-01-01T00:00:00Z", "resolution": "raw", "limit": 10_000}
        )
        return [(parse_rfc3339(each["start"]), each["mean"]) for each in found["points"]]

    async def forwarded(self, channel: str, measurement: str) -> list[Row]:
        """Return every point of a channel that InfluxDB tells."""
        series = await self.influx.query(f"SELECT value, channel FROM {measurement}", database="vitals")  # noqa: S608
        points = [point for each in series for point in each["values"]]
        return [(to_datetime(moment_ms), value) for moment_ms, value, of in points if of == channel]

    async def episodes(self, subject: str) -> list[Run]:
        """Return the episodes of a channel that the alerts tell, oldest first."""
        found = (await self.get("alerts", open="false", limit=500))["alerts"]
        told = [
            (parse_rfc3339(each["started_at"]), each["ended_at"] and parse_rfc3339(each["ended_at"]), each["extreme"])
            for each in found
            if each["subject"] == subject
        ]
        return sorted(told, key=lambda run: run[0])

    async def get(self, path: str, **parameters: Any) -> Any:
        """Return what the API answers."""
        answer = await self.http.get(f"/api/v1/{path}", params=parameters)
        answer.raise_for_status()
        return answer.json()

    async def settled(self, readings: int) -> None:
        """Wait until so many readings are judged and forwarded."""
        wanted = {"vitals_judged_readings_total": readings, 'vitals_influxdb_lines_total{log="readings"}': readings}
        async with asyncio.timeout(60):
            while not await self._reached(wanted):  # noqa: ASYNC110 - another server's state has no event
                await asyncio.sleep(0.1)

    async def _reached(self, wanted: dict[str, int]) -> bool:
        lines = (await self.http.get("/metrics")).text.splitlines()
        values = dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
        return all(float(values.get(name, 0)) >= least for name, least in wanted.items())


@pytest.fixture(params=["mosquitto", "amqtt"])
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    """A whole service with InfluxDB, on each of the two brokers."""
    async with AsyncExitStack() as stack:
        chosen = mosquitto(tmp_path) if request.param == "mosquitto" else amqtt_broker()
        broker = await stack.enter_async_context(chosen)
        influx = await stack.enter_async_context(influxdb(tmp_path))
        (tmp_path / "rules.yaml").write_text(RULES, encoding="utf-8")
        config = ServiceConfig(
            data=tmp_path / "data",
            listen=ListenSettings(port=0),
            access=AccessSettings(open=True),
            mqtt=MqttSourceSettings(url=broker),
            influxdb=InfluxSettings(url=influx.url),
            rules=RulesSettings(catalogue=(), files=(tmp_path / "rules.yaml",)),
        )
        app = App(config, registry_documents=(parse_document(REGISTRY, "registry"),))
        await stack.enter_async_context(app)
        http = await stack.enter_async_context(httpx.AsyncClient(base_url=app.address))
        yield World(http, influx, broker)


async def test_the_q_tag_log_ends_in_its_own_excursions(world: World) -> None:
    """Every row is stored and forwarded as it stands in the file; episodes are the file's runs out of 2 to 8 °C."""
    table = rows(QTAG, "time_local", "temp_c")
    marked = {at for at, _ in rows(QTAG, "time_local", "temp_c", lambda row: row["out_of_limits"] == "1")}
    await world.replay(QTAG, "qtag")
    await world.settled(len(table))
    assert await world.stored(BOX) == table
    assert await world.forwarded(BOX, "temperature_celsius") == table
    episodes = await world.episodes(BOX)
    assert episodes == runs(table, beyond_range)
    assert {
        at for at, _ in table if any(start <= at and (end is None or at < end) for start, end, _ in episodes)
    } == marked


async def test_only_the_place_with_over_voltage_has_episodes(world: World) -> None:
    """The three places are told apart: one was above 253 V again and again, the two others never."""
    tables = {place: voltages(place) for place in PLACES}
    await world.replay(ESMI, "esmi")
    await world.settled(sum(map(len, tables.values())))
    for place, table in tables.items():
        assert await world.stored(mains(place)) == table
        assert await world.forwarded(mains(place), "voltage_volts") == table
        assert await world.episodes(mains(place)) == runs(table, beyond_voltage)
    assert [place for place in PLACES if await world.episodes(mains(place))] == ["APU002"]


async def test_replaying_a_file_twice_changes_nothing(world: World) -> None:
    """The same recording again leaves the series, the points in InfluxDB and the episodes as they were."""
    count = len(rows(QTAG, "time_local", "temp_c"))
    await world.replay(QTAG, "qtag")
    await world.settled(count)
    before = [await world.stored(BOX), await world.forwarded(BOX, "temperature_celsius"), await world.episodes(BOX)]
    await world.replay(QTAG, "qtag")
    await world.settled(2 * count)
    after = [await world.stored(BOX), await world.forwarded(BOX, "temperature_celsius"), await world.episodes(BOX)]
    assert after == before
