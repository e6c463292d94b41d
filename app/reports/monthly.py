"""``vitals report``: how a month was for facilities, from what is stored as of now."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Any

from alerts.measures.reader import read_rows
from alerts.measures.rows import Period
from app.config import ServiceConfig
from app.database import open_database
from app.output import Output
from app.reports.data import add_alerts, report_csv, report_data
from app.reports.paper import as_pdf
from app.reports.recorded import Asked, Progress, read_ground, recorded_in
from app.reports.sla_data import as_json
from dashboards.report.facility import facility_report
from dashboards.report.month import Month, zone_of
from domain.directory import misplaced
from domain.errors import OperatorError
from domain.places import Place
from registry.store import RegistryStore


async def monthly(config: ServiceConfig, asked: Asked, *, now: datetime, progress: Progress) -> dict[str, Any]:
    """Return the report on a month, or any other period, as plain data.

    Raises ``OperatorError`` for a place without facilities or a period that has not begun.
    """
    async with open_database(config.database_url) as database:
        ground = await read_ground(database, asked, now)
        period = Period(asked.start, asked.end)
        rows = await read_rows(database, period, asked.place, asked.within)
    found = [
        facility_report(facility, ground.directory, recorded)
        async for facility, recorded in recorded_in(config, ground, asked, now=now, progress=progress)
    ]
    data = report_data(found, asked.place, (asked.start, asked.end), now, config.sla.targets)
    add_alerts(data, rows, asked.place, period, ground.directory)
    return data


async def month_asked(config: ServiceConfig, place: Place, month: Month) -> Asked:
    """Return a month by the clocks of a place; raise ``OperatorError`` for one without facilities."""
    async with open_database(config.database_url) as database:
        registry = RegistryStore(database)
        await registry.create_tables()
        directory = await registry.load_directory()
    if sentence := misplaced(place, directory):
        raise OperatorError(sentence)
    return Asked(place, *month.period(zone_of(filter(place.covers, directory.facilities.values()))))


async def tell_report(
    config: ServiceConfig,
    place: Place,
    month: Month,
    *,
    now: datetime,
    output: Output,
    progress: Progress,
    say: Callable[[str], None],
) -> None:
    """Say the report on a month or write it to a file."""
    output.check()
    asked = await month_asked(config, place, month)
    data = await monthly(config, asked, now=now, progress=progress)
    text = {"json": as_json, "csv": report_csv}
    content = as_pdf("monthly", data, output.language) if output.form == "pdf" else text[output.form](data)
    await asyncio.to_thread(output.write, content, say)
