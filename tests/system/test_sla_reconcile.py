"""``vitals sla --reconcile`` against a real Prometheus that holds a day by hand, and against one that is none."""

from __future__ import annotations

import subprocess
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from aiohttp import web

from app.reports.recorded import Asked
from app.reports.sla_reconcile import as_lines, reconcile, tell_reconciliation
from collector.journal.journal import Journal
from dashboards.sla.reconcile import Difference
from domain.errors import PeerError
from domain.instant import MINUTE_MS, to_ms
from domain.places import Place, Service
from domain.reading import Quality, Reading
from tests.app import test_sla
from tests.app.test_sla import DAY, LATER, NEXT, Site
from tests.system.servers import prometheus, require, serve

pytestmark = pytest.mark.system
clinic = test_sla.clinic
ASKED = Asked(Place(facility="clinic"), DAY, NEXT)
Handler = Callable[[web.Request], Awaitable[web.Response]]
OFF, HIDDEN = range(600, 660), range(870, 900)
"""Minutes without mains: the live view saw the first; the second lies in the two hours without a network."""
SILENT = range(840, 960)
RESTART, SCRAPELESS = 1080, range(720, 750)


async def store_the_day(clinic: Site) -> None:
    """Store a reading each ten minutes; what was measured without a network came in the evening."""
    readings = [
        Reading(
            "clinic/mains/supply", at, float(minute not in OFF and minute not in HIDDEN), Quality.GOOD,
            at + (4 * 60 * MINUTE_MS if minute in SILENT else 1000),
        )
        for minute in range(0, 1440, 10)
        for at in (to_ms(DAY) + minute * MINUTE_MS,)
    ]  # fmt: skip
    async with Journal.open(clinic.config.data) as journal:
        await journal.commit(readings, [])


def counters() -> Iterator[tuple[float, float, float]]:
    """Give moments with seconds down and seconds known, as a service counts them that is scraped each half minute.

    It knows nothing from twenty minutes after the last reading on until the network is back, and is restarted once.
    """
    down = known = 0
    for step in range(2 * 1440 + 1):
        minute = step / 2
        if minute == RESTART:
            down = known = 0
        if minute not in SCRAPELESS and not SCRAPELESS.start < minute < SCRAPELESS.stop:
            yield DAY.timestamp() + step * 30, down, known
        unheard = SILENT.start + 10 <= minute < SILENT.stop
        known += 0 if unheard else 30
        down += 30 if OFF.start <= minute < OFF.stop else 0


def backfill(folder: Path) -> None:
    """Give Prometheus the day as blocks."""
    name, labels = "vitals_facility_{}_seconds", 'facility="clinic",service="power",district="Kasese"'
    lines = []
    for which, place in (("outage", 1), ("observed", 2)):
        lines.append(f"# TYPE {name.format(which)} counter")
        lines += [f"{name.format(which)}_total{{{labels}}} {each[place]} {each[0]}" for each in counters()]
    file = folder / "day.txt"
    file.write_text("\n".join([*lines, "# EOF", ""]), "utf-8")
    promtool = require("promtool", package="prometheus")
    data = folder / "prometheus" / "data"
    data.mkdir(parents=True)
    subprocess.run([promtool, "tsdb", "create-blocks-from", "openmetrics", file, data], check=True, capture_output=True)


async def test_a_day_beside_a_real_prometheus(clinic: Site, tmp_path: Path) -> None:
    """The figures of both to the second, and each reason with its number."""
    await store_the_day(clinic)
    backfill(tmp_path)
    async with prometheus(tmp_path, "scrape_configs: []\n", "--storage.tsdb.retention.time=100y") as url:
        ((_, found),) = await reconcile(clinic.config, ASKED, url, now=LATER, progress=lambda *_: None)
        power = next(each for each in found if each.service is Service.POWER)
        lines: list[str] = []
        await tell_reconciliation(
            clinic.config, ASKED, url, now=LATER, form="table", write=lines.append, progress=lambda *_: None
        )
    as_told(power)
    assert "clinic (Clinic)\n  power: differ; down 1:30:00 by the contract, 1:00:00 live; " in lines[0]
    assert "monitoring: differ" in lines[0]
    assert "Prometheus has no samples of it" in lines[0]


def as_told(power: Difference) -> None:
    """Hold what is said of power against the day as it was made up."""
    assert (power.contract_down, power.contract_known) == (5400, 86400)
    # The step at which the counters began anew is lost.
    assert power.live_down == 3600
    assert power.live_observed == 86400 - 110 * 60 - 30
    text = "\n".join(power.reasons)
    for said in (
        "Late data: 1:50:00 became known only later, of which it was down for 0:30:00",
        "Scrapes missing: 0:30:30 in 1 gap, with a sample each 30 s",
        "began anew 1 time",
    ):
        assert said in text, (said, text)


def answering(handler: Handler) -> web.Application:
    """Return what answers queries so."""
    application = web.Application()
    application.router.add_post("/api/v1/query", handler)
    return application


async def test_what_is_no_prometheus_is_told(clinic: Site) -> None:
    """Nobody there, another server, and a query that it refuses."""
    await store_the_day(clinic)

    async def refuse(_: web.Request) -> web.Response:
        return web.json_response({"status": "error", "error": "too many samples"}, status=422)

    async def page(_: web.Request) -> web.Response:
        return web.Response(text="<html>")

    for handler, said in ((refuse, "too many samples"), (page, "does not answer")):
        async with serve(answering(handler)) as url:
            with pytest.raises(PeerError, match=said):
                await reconcile(clinic.config, ASKED, url, now=LATER, progress=lambda *_: None)
    with pytest.raises(PeerError, match="does not answer"):
        await reconcile(clinic.config, ASKED, "http://127.0.0.1:9", now=LATER, progress=lambda *_: None)


async def test_a_facility_that_nobody_scrapes_is_told_so(clinic: Site) -> None:
    """An empty answer is no difference of nought."""

    async def nothing(_: web.Request) -> web.Response:
        return web.json_response({"status": "success", "data": {"result": []}})

    async with serve(answering(nothing)) as url:
        asked = ASKED._replace(end=DAY + timedelta(hours=2))
        found = await reconcile(clinic.config, asked, url, now=LATER, progress=lambda *_: None)
    assert "Prometheus has no samples" in "\n".join(as_lines(found))
