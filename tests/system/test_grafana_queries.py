"""Every query of the Grafana dashboards is asked of real servers that hold what Vitals writes."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from collector.forwarder.line_protocol import SeriesPrefixes, alert_event_line
from dashboards.grafana.build import JSON_FOLDER
from domain.alert import Alert, AlertState
from domain.directory import Directory
from domain.episode import Severity, SubjectKind
from domain.places import Channel, Equipment, EquipmentKind, Facility
from domain.quantities import QUANTITIES
from domain.reading import Quality, Reading
from tests.system.servers import InfluxServer, influxdb, prometheus, serve

pytestmark = pytest.mark.system

# Names as people write them: a query has to find them literally.
CHOSEN = Facility("o'brien/hc (3)", "O'Brien HC", "Côte d'Ivoire", "North / East", "District 9 (new)")
OTHER = Facility("kasese-hc3", "Kasese HC3", "Uganda", "Western", "Kasese")
EQUIPPED = {
    EquipmentKind.FRIDGE: "temperature",
    EquipmentKind.FREEZER: "temperature",
    EquipmentKind.MAINS: "voltage",
    EquipmentKind.UPS: "supply",
    EquipmentKind.GENERATOR: "running",
    EquipmentKind.TANK: "tank_level",
}


def directory() -> Directory:
    """Return two facilities with the same kinds of equipment."""
    equipment, channels = [], []
    for place in (CHOSEN, OTHER):
        for kind, quantity in EQUIPPED.items():
            item = Equipment(f"{place.id} {kind.value}", place.id, kind, kind.value)
            equipment.append(item)
            channels.append(
                Channel(f"{item.id}/1", place.id, item.id, "n", "1", QUANTITIES[quantity], timedelta(minutes=1))
            )
    return Directory(facilities=[CHOSEN, OTHER], equipment=equipment, channels=channels)


async def seed(server: InfluxServer) -> None:
    """Write an hour of readings and an alert per facility, as the forwarder does."""
    now_ms, known = int(time.time() * 1000), directory()
    readings = [
        Reading(channel, now_ms - minute * 60_000, 1.0, Quality.GOOD, now_ms)
        for channel in known.channels
        for minute in range(60)
    ]
    lines = SeriesPrefixes(known).lines(readings).lines
    moment = datetime.now(UTC)
    for place in (CHOSEN, OTHER):
        state = AlertState.UNACKNOWLEDGED
        alert = Alert(
            7,
            "e",
            "heat",
            Severity.CRITICAL,
            state,
            SubjectKind.CHANNEL,
            "c",
            place.id,
            started_at=moment,
            raised_at=moment,
        )
        lines.append(alert_event_line(alert, place, text="too warm", at_ms=now_ms))
    await server.query("CREATE DATABASE vitals")
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{server.url}/write?db=vitals&precision=ms", data="\n".join(lines).encode()) as answer,
    ):
        assert answer.status == 204


def chosen(query: str) -> str:
    """Return the query as Grafana sends it for the chosen facility and the last six hours."""
    for tag in ("country", "region", "district"):
        query = query.replace(f"${{{tag}:regex}}", as_regex(getattr(CHOSEN, tag)))
    query = query.replace("${facility:regex}", as_regex(CHOSEN.id)).replace("${facility}", CHOSEN.id)
    return query.replace("$timeFilter", "time > now() - 6h").replace("$__interval", "1m")


def as_regex(value: str) -> str:
    """Return a variable in Grafana's format ``regex``."""
    return re.sub(r"[\\^$*+?.()|\[\]{}/]", lambda found: "\\" + found[0], value)


def dashboards() -> Iterator[dict[str, Any]]:
    """Yield every committed dashboard."""
    for path in sorted(JSON_FOLDER.glob("*.json")):
        yield json.loads(path.read_text("utf-8"))


def panel_targets(source: str) -> list[dict[str, Any]]:
    """Return every target of every panel that asks one kind of data source."""
    panels = [panel for dashboard in dashboards() for panel in dashboard["panels"]]
    return [target for panel in panels for target in panel["targets"] if target["datasource"]["type"] == source]


async def test_every_influxql_query_finds_the_chosen_facility_and_no_other(tmp_path: Path) -> None:
    """Each panel and annotation gets at least one series, and only of the facility in the variable."""
    annotations = [note["target"] for dashboard in dashboards() for note in dashboard["annotations"]["list"]]
    targets = panel_targets("influxdb") + annotations
    assert len(targets) > 5
    async with influxdb(tmp_path) as server:
        await seed(server)
        for target in targets:
            found = await server.query(chosen(target["query"]), database="vitals")
            assert found, target["query"]
            assert any(row[1] is not None for series in found for row in series["values"]), target["query"]
            assert "kasese" not in json.dumps(found), target["query"]


async def test_the_queries_of_the_documentation_work(tmp_path: Path) -> None:
    """Every query that docs/influxdb.md shows is answered with a series."""
    text = (Path(__file__).parents[2] / "docs" / "influxdb.md").read_text("utf-8")
    queries = re.findall(r"```sql\n(.*?)```", text, re.DOTALL)
    assert queries
    async with influxdb(tmp_path) as server:
        await seed(server)
        for query in queries:
            assert await server.query(" ".join(query.split()), database="vitals"), query


async def test_the_variables_lead_from_the_country_to_the_facility(tmp_path: Path) -> None:
    """Each list offers the place that the lists before it lead to."""
    async with influxdb(tmp_path) as server:
        await seed(server)
        for dashboard in dashboards():
            for variable in dashboard["templating"]["list"]:
                if variable["type"] != "query":
                    continue
                found = await server.query(chosen(variable["query"]), database="vitals")
                values = {value for series in found for _, value in series["values"]}
                wanted = CHOSEN.id if variable["name"] == "facility" else getattr(CHOSEN, variable["name"])
                assert wanted in values
                assert variable["name"] == "country" or values == {wanted}


async def test_every_promql_query_finds_the_scraped_metrics(tmp_path: Path) -> None:
    """The real Prometheus, scraping the metrics by their names, answers every query with a series."""

    async def metrics(_: web.Request) -> web.StreamResponse:
        labels = f'facility="{CHOSEN.id}",node="n"'
        return web.Response(text=f"vitals_node_last_heard_timestamp_seconds{{{labels}}} {time.time() - 30}\n")

    application = web.Application()
    application.router.add_get("/metrics", metrics)
    async with serve(application) as url:
        target = url.removeprefix("http://")
        config = (
            "global: {scrape_interval: 200ms, scrape_timeout: 200ms}\n"
            f"scrape_configs: [{{job_name: vitals, static_configs: [{{targets: ['{target}']}}]}}]\n"
        )
        async with prometheus(tmp_path, config) as server, aiohttp.ClientSession() as session, asyncio.timeout(30):
            for query in [chosen(target["expr"]) for target in panel_targets("prometheus")]:
                while not (result := await ask(session, server, query)):  # noqa: ASYNC110 -- a scrape has no event
                    await asyncio.sleep(0.05)
                assert 25 < float(result[0]["value"][1]) < 600


async def ask(session: aiohttp.ClientSession, server: str, query: str) -> list[dict[str, Any]]:
    """Return the result of an instant query; a refused one fails the test."""
    async with session.get(f"{server}/api/v1/query", params={"query": query}) as response:
        answer = await response.json()
    assert answer["status"] == "success", answer
    found: list[dict[str, Any]] = answer["data"]["result"]
    return found
