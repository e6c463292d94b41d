"""The registry."""

from __future__ import annotations

import os
from pathlib import Path

import click

from app.cli.base import SERVICE_CONFIG, VitalsGroup


@click.group(cls=VitalsGroup)
def registry() -> None:
    """Facilities, equipment, nodes, channels and people."""


@registry.command("import")
@click.argument("source", type=click.Path(path_type=Path))
@click.option(
    "--limits-from",
    metavar="WHEN",
    help="Limits in SOURCE have been in force since then, e.g. 2026-11-20T12:00:00Z: hours that are over are judged"
    " anew. By default changed limits are in force from now on.",
)
@click.option("--author", default="", help="Who changes the limits; kept in their history.")
@click.option("--reason", default="", help="Why the limits change; kept in their history.")
@SERVICE_CONFIG
def registry_import(source: Path, limits_from: str | None, author: str, reason: str, config_path: Path) -> None:
    """Bring the registry up to date from SOURCE: a YAML file, a CSV file, or a folder of CSV files.

    All or nothing: one mistake anywhere, and nothing changes. Importing the same file again changes nothing.
    """
    import asyncio

    from app.clock import SystemClock
    from app.config import read_config
    from app.registry_commands import import_registry
    from registry.history import Occasion

    occasion = Occasion(SystemClock().now_ms(), _moment_ms(limits_from), author, reason)
    asyncio.run(import_registry(read_config(config_path, os.environ), source, occasion, say=click.echo))


@registry.command("limits")
@click.argument("channel")
@SERVICE_CONFIG
def registry_limits(channel: str, config_path: Path) -> None:
    """Show what was ever said of a CHANNEL's limits, in the order in which it was said.

    Each line holds from its moment on, whatever the lines before it said of that time. Then each limit of today with
    where it comes from: the kind of equipment, the model, the facility or the channel itself.
    """
    import asyncio

    from app.config import read_config
    from app.registry_commands import show_limits

    asyncio.run(show_limits(read_config(config_path, os.environ), channel, say=click.echo))


def _moment_ms(written: str | None) -> int | None:
    if written is None:
        return None
    from domain.instant import parse_rfc3339, to_ms

    try:
        return to_ms(parse_rfc3339(written))
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--limits-from") from None
