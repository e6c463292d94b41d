"""``vitals report``: how a month was for facilities, from what is stored as of now."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from alerts.measures.reader import read_rows
from alerts.measures.rows import Period
from app.config import ServiceConfig
from app.database import open_database
from app.recorded import Asked, Progress, read_ground, recorded_in
from app.report_data import add_alerts, report_data
from dashboards.report.facility import facility_report


async def monthly(config: ServiceConfig, asked: Asked, *, now: datetime, progress: Progress) -> dict[str, Any]:
    """Return the report on a month, or any other period, as plain data.

    Raises ``OperatorError`` for a place without facilities or a period that has not begun.
    """
    async with open_database(config.database_url) as database:
        ground = await read_ground(database, asked, now)
        period = Period(asked.start, asked.end)
        rows = await read_rows(database, period, asked.place)
    found = [
        facility_report(facility, ground.directory, recorded)
        async for facility, recorded in recorded_in(config, ground, asked, now=now, progress=progress)
    ]
    data = report_data(found, asked.place, (asked.start, asked.end), now, config.sla.targets)
    add_alerts(data, rows, asked.place, period, ground.directory)
    return data
