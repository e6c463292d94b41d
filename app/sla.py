"""``vitals sla``: the contract figures of a period, from what is stored as of now."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from app.config import ServiceConfig
from app.database import open_database
from app.recorded import Asked, Progress, read_ground, recorded_in
from app.sla_issues import Issues
from app.sla_report import as_csv, as_json, as_table, changes, report
from dashboards.sla.facility import facility_figures
from domain.errors import OperatorError


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
    """Return the report, with what changed since the last one on the same period and place that was issued."""
    data = await sla(config, asked, now=now, progress=progress)
    async with open_database(config.database_url) as database:
        issues = Issues(database)
        await issues.create_tables()
        before = await issues.last(asked.place, asked.start, asked.end)
    since = None if before is None else {"as_of": before["as_of"], "changes": changes(before, data)}
    return data | {"since_last_issue": since}


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
    form: str,
    out: Path | None,
    issue: bool,
    progress: Progress,
    say: Callable[[str], None],
) -> None:
    """Say the report or write it to a file; with ``issue`` keep it, so that the next one can say what changed."""
    data = await sla_since(config, asked, now=now, progress=progress)
    if issue:
        await issue_sla(config, asked, data, now=now)
    lines: list[str] = []
    text = {"json": as_json, "csv": as_csv}.get(form, lambda found: _table(found, lines))(data)
    if out is None:
        say(text.rstrip("\r\n"))
    else:
        await asyncio.to_thread(_write, out, text, "utf-8-sig" if form == "csv" else "utf-8")


def _write(out: Path, text: str, encoding: str) -> None:
    try:
        out.write_text(text, encoding, newline="")
    except OSError as error:
        raise OperatorError(f"{out} cannot be written: {error.strerror}") from error


def _table(data: Mapping[str, Any], lines: list[str]) -> str:
    as_table(data, lines.append)
    since = data["since_last_issue"]
    if since is not None:
        lines.append(f"Since the issue of {since['as_of']}: {len(since['changes'])} figures changed")
        lines.extend(f"  {each}" for each in since["changes"])
    return "\n".join(lines) + "\n"
