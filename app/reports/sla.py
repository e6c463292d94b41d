"""``vitals sla``: the contract figures of a period, from what is stored as of now."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from app.config import ServiceConfig
from app.database import open_database
from app.output import Output
from app.reports.paper import as_pdf
from app.reports.recorded import Asked, Progress, read_ground, recorded_in
from app.reports.sla_data import as_csv, as_json, as_table, changed, changes, outages_csv, report
from app.reports.sla_issues import Issues
from dashboards.sla.facility import facility_figures


async def sla(config: ServiceConfig, asked: Asked, *, now: datetime, progress: Progress) -> dict[str, Any]:
    """Return the report; raise ``OperatorError`` for a place without facilities or a period that has not begun."""
    async with open_database(config.database_url) as database:
        ground = await read_ground(database, asked, now)
    found = [
        (facility, facility_figures(facility, ground.directory, recorded))
        async for facility, recorded in recorded_in(config, ground, asked, now=now, progress=progress)
    ]
    return report(found, asked.place, (asked.start, asked.end), now, config.sla.targets)


async def sla_since(config: ServiceConfig, asked: Asked, *, now: datetime, progress: Progress) -> dict[str, Any]:
    """Return the report, with what changed since the last one on the same period and place that was issued.

    What is of some facilities of a place is never issued, and compared with nothing.
    """
    data = await sla(config, asked, now=now, progress=progress)
    if asked.within is not None:
        return data | {"since_last_issue": None}
    async with open_database(config.database_url) as database:
        issues = Issues(database)
        await issues.create_tables()
        before = await issues.last(asked.place, asked.start, asked.end)
    if before is None:
        return data | {"since_last_issue": None}
    found = changed(before, data)
    return data | {"since_last_issue": {"as_of": before["as_of"], "changes": changes(found), "changed": found}}


async def issue_sla(config: ServiceConfig, asked: Asked, data: Mapping[str, Any], *, now: datetime) -> None:
    """Keep a report as issued, so that the next one can say what changed."""
    async with open_database(config.database_url) as database:
        issues = Issues(database)
        await issues.create_tables()
        await issues.keep(asked.place, asked.start, asked.end, now, data)


async def tell_sla(
    config: ServiceConfig,
    asked: Asked,
    *,
    now: datetime,
    output: Output,
    issue: bool,
    progress: Progress,
    say: Callable[[str], None],
) -> None:
    """Say the report or write it to a file; with ``issue`` keep it, so that the next one can say what changed."""
    output.check()
    data = await sla_since(config, asked, now=now, progress=progress)
    if issue:
        await issue_sla(config, asked, data, now=now)
    text = {"json": as_json, "csv": as_csv, "outages": outages_csv, "table": _table}
    content = as_pdf("sla", data, output.language) if output.form == "pdf" else text[output.form](data)
    await asyncio.to_thread(output.write, content, say)


def _table(data: Mapping[str, Any]) -> str:
    lines: list[str] = []
    as_table(data, lines.append)
    since = data["since_last_issue"]
    if since is not None:
        lines.append(f"Since the issue of {since['as_of']}: {len(since['changes'])} figures changed")
        lines.extend(f"  {each}" for each in since["changes"])
    return "\n".join(lines) + "\n"
