"""The report on a month on the command line."""

from __future__ import annotations

import os
from pathlib import Path

import click

from app.cli.base import SERVICE_CONFIG, show_progress


@click.command("report")
@SERVICE_CONFIG
@click.option("--month", "month_text", required=True, metavar="MONTH", help="2026-11, by the clocks of the place.")
@click.option("--country", default="", help="Only this country.")
@click.option("--region", default="", help="Only this region.")
@click.option("--district", default="", help="Only this district.")
@click.option("--facility", default="", help="Only this facility.")
@click.option("--format", "form", type=click.Choice(["pdf", "csv", "json"]), default="csv", show_default=True)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write it to this file.")
@click.option("--language", default="en", show_default=True, help="Of a PDF: en, fr, pt, sw or ar.")
def report(config_path: Path, month_text: str, form: str, out: Path | None, language: str, **place: str) -> None:
    """Report on a month: time in range, excursions, mean kinetic temperature, outages, generators, water, alerts.

    Of one facility with all that was measured there, of a district or more with a line for each facility. Computed from
    stored readings as they are now. The service may run meanwhile.
    """
    from datetime import UTC, datetime

    from app.config import read_config
    from app.output import Output
    from app.process import run_until_stopped
    from app.reports.monthly import tell_report
    from dashboards.report.month import month_of
    from domain.places import Place

    config, month = read_config(config_path, os.environ), month_of(month_text)
    output = Output(form, out, language)
    run_until_stopped(
        tell_report(
            config, Place(**place), month, now=datetime.now(UTC), output=output, progress=show_progress, say=click.echo
        )
    )
