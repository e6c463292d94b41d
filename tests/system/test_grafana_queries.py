"""Every query of the Grafana dashboards is asked of real servers that hold what Vitals writes."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from collector.forwarder.line_protocol import SeriesPrefixes, alert_event_line
from collector.forwarder.rollup_lines import SUFFIXES, rollup_fields
from collector.journal.rollup import Rollup
from dashboards.grafana.build import JSON_FOLDER
from dashboards.prometheus.files import rule_files
from dashboards.prometheus.rule import Setting
from domain.alert import Alert, AlertState
from domain.directory import Directory
from domain.episode import Severity, SubjectKind
from domain.places import Channel, Equipment, EquipmentKind, Facility
from domain.quantities import QUANTITIES
from domain.reading import Quality, Reading
from tests.system.servers import InfluxServer, influxdb, prometheus, serve
from tests.system.troubled_service import troubled_service

pytestmark = pytest.mark.system

# Names as people write them: a query has to find them literally.
CHOSEN = Facility("obrien.hc-3", "O'Brien HC", "Côte d'Ivoire", "North / East", "District 9 (new)")
OTHER = Facility("kasese-hc3", "Kasese HC3", "Uganda", "Western", "Kasese")
EQUIPPED = {
    EquipmentKind.FRIDGE: ("temperature", "door"),
    EquipmentKind.FREEZER: ("temperature",),
    # One thing that measures everything.
    EquipmentKind.MAINS: tuple(QUANTITIES),
    EquipmentKind.GENERATOR: ("running", "fuel_level"),
    EquipmentKind.BATTERY: ("charge", "voltage"),
    EquipmentKind.TAP: ("turbidity", "free_chlorine", "acidity"),
    EquipmentKind.TANK: ("tank_level",),
    EquipmentKind.PUMP: ("running",),
}


def named(place: Facility, kind: EquipmentKind) -> str:
    """Return the id of a facility's equipment."""
    return f"{place.id}/{kind.value}"


def directory() -> Directory:
    """Return two facilities with the same kinds of equipment."""
    equipment, channels = [], []
    for place in (CHOSEN, OTHER):
        for kind, quantities in EQUIPPED.items():
            item = Equipment(named(place, kind), place.id, kind, kind.value)
            equipment.append(item)
            channels += [
                Channel(f"{item.id}/{name}", place.id, item.id, "n", name, QUANTITIES[name], timedelta(minutes=1))
                for name in quantities
            ]
    return Directory(facilities=[CHOSEN, OTHER], equipment=equipment, channels=channels)


async def seed(server: InfluxServer) -> None:
    """Write an hour of readings, their roll-ups and an alert per facility, as the forwarders do."""
    now_ms, known = int(time.time() * 1000), directory()
    readings = [
        Reading(channel, now_ms - minute * 60_000, 1.0, Quality.GOOD, now_ms)
        for channel in known.channels
        for minute in range(60)
    ]
    readings += [
        Reading(f"{named(place, EquipmentKind.FRIDGE)}/temperature", now_ms - 1, None, Quality.SENSOR_GONE, now_ms)
        for place in (CHOSEN, OTHER)
    ]
    lines = [*SeriesPrefixes(known).lines(readings).lines, *rollups(known, now_ms)]
    lines += [event(place, state, now_ms) for place in (CHOSEN, OTHER) for state in AlertState]
    await server.query("CREATE DATABASE vitals")
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{server.url}/write?db=vitals&precision=ms", data="\n".join(lines).encode()) as answer,
    ):
        assert answer.status == 204


def rollups(known: Directory, now_ms: int) -> Iterator[str]:
    """Yield the last two hours and days of every channel, half of their time within limits."""
    for resolution, suffix in SUFFIXES.items():
        prefixes = SeriesPrefixes(known, suffix)
        length = resolution.value // 1000
        for number in range(2):
            start_ms = (now_ms // resolution.value - number) * resolution.value
            found = Rollup(start_ms, 1.0, 0.0, 1.0, 60, length, length / 4, length / 4, length)
            yield from (f"{prefixes.of(channel)}{rollup_fields(found)} {start_ms}" for channel in known.channels)


def event(place: Facility, state: AlertState, at_ms: int) -> str:
    """Return the line of an alert's change."""
    moment, severity, kind = datetime.now(UTC), Severity.CRITICAL, SubjectKind.CHANNEL
    alert = Alert(7, "e", "heat", severity, state, kind, "c", place.id, started_at=moment, raised_at=moment)
    return alert_event_line(alert, place, text="too warm", at_ms=at_ms)


def values(kind: EquipmentKind = EquipmentKind.MAINS) -> dict[str, str]:
    """Return what is chosen in each variable."""
    place = {tag: getattr(CHOSEN, tag) for tag in ("country", "region", "district")}
    return {**place, "facility": CHOSEN.id, "equipment": named(CHOSEN, kind)}


def asked(query: str, chosen: Mapping[str, str], interval: str = "1m", grain: str = "1h") -> str:
    """Return the query as Grafana sends it for the chosen places (those left out: All) and the last three days."""
    now_ms = int(time.time() * 1000)
    for name in (*values(), "service"):
        if name in chosen:
            query = query.replace(f"${{{name}:regex}}", as_regex(chosen[name]))
            query = query.replace(f"${{{name}:doublequote}}", f'"{chosen[name]}"')
            query = query.replace(f"${{{name}}}", in_promql(chosen[name]))
        else:
            query = query.replace(f"${{{name}:regex}}", ".*").replace(f"${{{name}}}", ".*")
    query = query.replace("$timeFilter", f"time >= {now_ms - 259_200_000}ms and time <= {now_ms}ms")
    query = query.replace("$__interval", interval).replace("$__rate_interval", "5s").replace("$__range", "1h")
    query = query.replace("${grain}", grain)
    query = query.replace("${__from}", str(now_ms - 259_200_000)).replace("${__to}", str(now_ms))
    assert "${" not in query, query
    return query


def as_regex(value: str) -> str:
    """Return a variable in Grafana's format ``regex``."""
    return re.sub(r"[\\^$*+?.()|\[\]{}/]", lambda found: "\\" + found[0], value)


def in_promql(value: str) -> str:
    """Return a variable that offers All as Grafana's Prometheus data source writes it into a query."""
    return re.sub(r"[$^*{}\[\]'+?.()|]", lambda found: "\\\\" + found[0], value.replace("\\", "\\" * 4))


def dashboards() -> Iterator[dict[str, Any]]:
    """Yield every committed dashboard."""
    for path in sorted(JSON_FOLDER.glob("*.json")):
        yield json.loads(path.read_text("utf-8"))


def targets(source: str) -> Iterator[tuple[str, str, str]]:
    """Yield every query that goes to one kind of data source: where it stands, its text and the least interval."""
    for dashboard in dashboards():
        for panel in dashboard["panels"]:
            for target in panel.get("targets", []):
                if target["datasource"]["type"] == source:
                    where = f"{dashboard['title']} / {panel['title']} / {target['refId']}"
                    yield where, target.get("query") or target["expr"], panel.get("interval", "1m")


def marks() -> Iterator[tuple[str, str, str]]:
    """Yield the queries that mark alerts on charts."""
    for dashboard in dashboards():
        for note in dashboard["annotations"]["list"]:
            yield f"{dashboard['title']} / {note['name']}", note["target"]["query"], "1m"


async def test_every_influxql_query_finds_the_chosen_places_and_no_other(tmp_path: Path) -> None:
    """Each panel and annotation gets at least one series, and only of the places in the variables; with All, too."""
    queries = [*targets("influxdb"), *marks()]
    assert len(queries) > 50
    async with influxdb(tmp_path) as server:
        await seed(server)
        for where, query, interval in queries:
            found = [
                series
                for kind in (EQUIPPED if "${equipment:" in query else (EquipmentKind.MAINS,))
                for series in await server.query(asked(query, values(kind), interval), database="vitals")
            ]
            assert any(value is not None for series in found for row in series["values"] for value in row[1:]), where
            assert "kasese" not in json.dumps(found), where
            subject = {name: value for name, value in values().items() if f"${{{name}:doublequote}}" in query}
            assert await server.query(asked(query, subject, interval, "1d"), database="vitals"), where


async def test_the_queries_of_the_documentation_work(tmp_path: Path) -> None:
    """Every query that docs/influxdb.md shows is answered with a series."""
    text = (Path(__file__).parents[2] / "docs" / "influxdb.md").read_text("utf-8")
    queries = re.findall(r"```sql\n(.*?)```", text, re.DOTALL)
    assert queries
    async with influxdb(tmp_path) as server:
        await seed(server)
        for query in queries:
            assert await server.query(" ".join(query.split()), database="vitals"), query


async def test_the_variables_lead_from_the_country_to_the_equipment(tmp_path: Path) -> None:
    """Each list offers what the lists before it lead to, and everything while they say All."""
    async with influxdb(tmp_path) as server:
        await seed(server)
        for dashboard in dashboards():
            for variable in dashboard["templating"]["list"]:
                if variable["type"] != "query":
                    continue
                name, query = variable["name"], variable["query"]
                found = await offered(server, asked(query, values()))
                assert values()[name] in found
                assert name in ("country", "equipment") or found == {values()[name]}
                assert found < await offered(server, asked(query, {})) or name == "country"


async def offered(server: InfluxServer, query: str) -> set[str]:
    """Return the values that a variable offers."""
    return {value for series in await server.query(query, database="vitals") for _, value in series["values"]}


async def test_every_promql_query_finds_what_the_service_tells(tmp_path: Path) -> None:
    """Prometheus, scraping the service, answers each query with series of the places chosen only; with All, too."""
    async with (
        troubled_service(tmp_path, (CHOSEN, OTHER)) as scraped,
        scraping(tmp_path, scraped) as server,
        aiohttp.ClientSession() as session,
        asyncio.timeout(45),
    ):
        for where, query, _ in targets("prometheus"):
            found = await eventually(session, server, asked(query, values()), where)
            assert any(each["value"][1] != "NaN" for each in found) or "_quantile" in query, where
            if any(f"${{{tag}" in query for tag in values()):
                assert "kasese" not in json.dumps(found), where
            subject = {name: value for name, value in values().items() if f"${{{name}:doublequote}}" in query}
            await eventually(session, server, asked(query, subject), where)


@asynccontextmanager
async def scraping(folder: Path, scraped: Callable[[], Awaitable[bytes]]) -> AsyncIterator[str]:
    """Run a Prometheus that scrapes this text twice a second; yields its address."""

    async def metrics(_: web.Request) -> web.StreamResponse:
        return web.Response(body=await scraped(), headers={"Content-Type": "text/plain; version=0.0.4"})

    application = web.Application()
    application.router.add_get("/metrics", metrics)
    async with serve(application) as url:
        target = url.removeprefix("http://")
        config = (
            "global: {scrape_interval: 500ms, scrape_timeout: 500ms}\n"
            f"rule_files: ['{recorded(folder)}']\n"
            f"scrape_configs: [{{job_name: vitals, static_configs: [{{targets: ['{target}']}}]}}]\n"
        )
        async with prometheus(folder, config) as server:
            yield server


def recorded(folder: Path) -> Path:
    """Write the rules that record what dashboards ask for, at the pace of a minute in half a second."""
    document = rule_files((), Setting(pace=120))["recording.yml"]
    for rules in document["groups"]:
        rules["interval"] = "1s"
    path = folder / "recording.yml"
    path.write_text(json.dumps(document), "utf-8")  # JSON is YAML
    return path


async def eventually(session: aiohttp.ClientSession, server: str, query: str, where: str) -> list[dict[str, Any]]:
    """Return what a query finds once it finds something; rates need a second scrape."""
    try:
        while not (found := await ask(session, server, query)):  # noqa: ASYNC110 -- a scrape has no event
            await asyncio.sleep(0.05)
    except asyncio.CancelledError:
        print(f"nothing found: {where}: {query}")  # noqa: T201 -- which of a hundred, where the time runs out
        raise
    return found


async def ask(session: aiohttp.ClientSession, server: str, query: str) -> list[dict[str, Any]]:
    """Return the result of an instant query; a refused one fails the test."""
    async with session.post(f"{server}/api/v1/query", data={"query": query}) as response:
        answer = await response.json()
    assert answer["status"] == "success", (query, answer)
    found: list[dict[str, Any]] = answer["data"]["result"]
    return found
