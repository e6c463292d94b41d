"""Who is on call, and who is told of alerts at a place."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

import click

from app.cli.base import EXISTING_FILE, SERVICE_CONFIG, VitalsGroup

AT = click.option("--at", metavar="TIME", help="At this moment (2026-11-20T12:00:00Z) instead of now.")


@click.group(cls=VitalsGroup)
def roster() -> None:
    """Rosters: who is on call when, as a list and as a calendar, and who is told of alerts at a place."""


@roster.command("show")
@click.argument("name", metavar="[ROSTER]", required=False)
@AT
@SERVICE_CONFIG
def roster_show(name: str | None, at: str | None, config_path: Path) -> None:
    """Show who is on call by every roster, or by ROSTER alone, and when the next handover is.

    Times are by the clock of the roster's zone.
    """
    import asyncio

    from app.config import read_config
    from app.roster_commands import show_rosters

    asyncio.run(show_rosters(read_config(config_path, os.environ), name, _moment(at, "--at"), say=click.echo))


@roster.command("who")
@click.argument("facility")
@click.option(
    "--severity",
    default="critical",
    show_default=True,
    type=click.Choice(["info", "warning", "critical"]),
    help="Of alerts this severe.",
)
@AT
@SERVICE_CONFIG
def roster_who(facility: str, severity: str, at: str | None, config_path: Path) -> None:
    """Show who would be told of an alert at FACILITY: the steps of its escalation chain, with their people.

    A step that names nobody is shown as such; then the next one that names somebody is told at once.
    """
    import asyncio

    from app.config import read_config
    from app.roster_commands import show_chain
    from domain.episode import Severity

    moment, level = _moment(at, "--at"), Severity[severity.upper()]
    asyncio.run(show_chain(read_config(config_path, os.environ), facility, level, moment, say=click.echo))


@roster.command("export")
@click.argument("name", metavar="ROSTER")
@click.option("--days", default=60, show_default=True, type=click.IntRange(1, 3660), help="So many days.")
@click.option("--from", "start", metavar="TIME", help="From this moment on instead of now.")
@click.option("--out", default="-", type=click.File("wb", lazy=True), help="Write to this file, not to the screen.")
@SERVICE_CONFIG
def roster_export(name: str, days: int, start: str | None, out: BinaryIO, config_path: Path) -> None:
    """Write ROSTER as a calendar (.ics), one event for each turn; whoever imports it again gets no event twice."""
    import asyncio

    from app.config import read_config
    from app.roster_calendars import export_roster

    config, moment, now = read_config(config_path, os.environ), _moment(start, "--from"), _moment(None, "")
    out.write(asyncio.run(export_roster(config, name, (moment, days), now=now)))


@roster.command("import")
@click.argument("name", metavar="ROSTER")
@click.argument("file", metavar="FILE.ics", type=EXISTING_FILE)
@click.option("--days", default=366, show_default=True, type=click.IntRange(1, 3660), help="So many days.")
@click.option("--from", "start", metavar="TIME", help="From this moment on instead of now.")
@click.option("--add", is_flag=True, help="Keep the overrides that are registered, and add those of the file.")
@SERVICE_CONFIG
def roster_import(name: str, file: Path, days: int, start: str | None, add: bool, config_path: Path) -> None:
    """Take the events of FILE.ics as overrides of ROSTER: while an event lasts, its person alone is on call.

    An attendee's e-mail address, or the summary (an id or a name), says who that is. Within the days the file says all:
    overrides that are registered and that it does not hold are forgotten, unless --add is given. One event that cannot
    be used, and nothing changes. Importing the same file again changes nothing.
    """
    import asyncio

    from app.config import read_config
    from app.roster_calendars import import_roster

    moment, now = _moment(start, "--from"), _moment(None, "")
    config = read_config(config_path, os.environ)
    asyncio.run(import_roster(config, name, file, (moment, days), now=now, add=add, say=click.echo))


def _moment(written: str | None, option: str) -> datetime:
    from datetime import UTC

    from domain.instant import parse_rfc3339

    if written is None:
        return datetime.now(UTC).replace(microsecond=0)
    try:
        return parse_rfc3339(written)
    except ValueError:
        raise click.BadParameter("allowed: a time such as 2026-11-20T12:00:00Z", param_hint=option) from None
