"""How alerting does."""

from __future__ import annotations

import os
from pathlib import Path

import click

from app.cli.base import SERVICE_CONFIG


@click.command("measures")
@click.option("--from", "start", metavar="TIME", help="RFC 3339, or a date: 2026-11-01. By default 30 days before.")
@click.option("--to", "end", metavar="TIME", help="By default now.")
@click.option("--country", default="", help="Only this country.")
@click.option("--region", default="", help="Only this region.")
@click.option("--district", default="", help="Only this district.")
@click.option("--facility", default="", help="Only this facility, by id.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@SERVICE_CONFIG
def alerts_measures(start: str | None, end: str | None, config_path: Path, *, as_json: bool, **place: str) -> None:
    """Show how fast people answer, how much they are told, and which rules disturb without need."""
    from datetime import UTC, datetime

    from app.config import read_config
    from app.measures_command import period_of, tell_measures
    from app.process import run_until_stopped
    from domain.places import Place

    config = read_config(config_path, os.environ)
    period = period_of(start, end, datetime.now(UTC))
    run_until_stopped(tell_measures(config, period, Place(**place), as_json=as_json, say=click.echo))
