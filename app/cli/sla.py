"""The contract figures on the command line."""

from __future__ import annotations

import os
from pathlib import Path

import click

from app.cli.base import SERVICE_CONFIG, show_progress

FORMS = ("table", "csv", "outages", "json", "pdf")


@click.command("sla")
@SERVICE_CONFIG
@click.option("--from", "start", required=True, metavar="TIME", help="RFC 3339, or a date: 2026-11-01.")
@click.option("--to", "end", required=True, metavar="TIME", help="Not part of the period.")
@click.option("--country", default="", help="Only this country.")
@click.option("--region", default="", help="Only this region.")
@click.option("--district", default="", help="Only this district.")
@click.option("--facility", default="", help="Only this facility.")
@click.option(
    "--format", "form", type=click.Choice(["table", "csv", "outages", "json", "pdf"]), default="table",
    show_default=True, help="outages: a line of CSV for each.",
)  # fmt: skip
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write it to this file.")
@click.option("--language", default="en", show_default=True, help="Of a PDF: en, fr, pt, sw or ar.")
@click.option("--reconcile", is_flag=True, help="Say where Prometheus's live view differs from this, and why.")
@click.option("--prometheus", metavar="URL", help="Where that Prometheus is: http://127.0.0.1:9090.")
@click.option("--issue", is_flag=True, help="Keep it as issued: the next one on this period says what changed.")
def sla(
    config_path: Path,
    start: str,
    end: str,
    form: str,
    out: Path | None,
    language: str,
    issue: bool,
    reconcile: bool,
    prometheus: str | None,
    **place: str,
) -> None:
    """Show for how long power, cold chain, water and monitoring were up, down or unknown, with outages and indices.

    Everything is computed from stored readings as they are now: data that came late since the last time correct it.
    Announced maintenance of a facility is left out and shown; equipment in maintenance or out of service counts as if
    it were not there. What nobody heard is unknown, and neither up nor down; raw readings that are not kept any more
    are unknown, too. The service may run meanwhile.
    """
    from datetime import UTC, datetime

    from app.config import read_config
    from app.measures_command import period_of
    from app.output import Output
    from app.process import run_until_stopped
    from app.reports.recorded import Asked
    from app.reports.sla import tell_sla
    from app.reports.sla_reconcile import tell_reconciliation
    from domain.places import Place

    now = datetime.now(UTC)
    period = period_of(start, end, now)
    asked = Asked(Place(**place), period.from_, period.to)
    config = read_config(config_path, os.environ)
    if reconcile:
        output = Output(form, out)
        run_until_stopped(
            tell_reconciliation(
                config, asked, prometheus_of(prometheus, form), now=now, form=form,
                write=lambda text: output.write(text, click.echo), progress=show_progress,
            )
        )  # fmt: skip
        return
    run_until_stopped(
        tell_sla(
            config,
            asked,
            now=now,
            output=Output(form, out, language),
            issue=issue,
            progress=show_progress,
            say=click.echo,
        )
    )


def prometheus_of(url: str | None, form: str) -> str:
    """Return the address to ask; raise ``click.UsageError`` where there is none, or the form is for figures only."""
    if form not in ("table", "json"):
        raise click.UsageError("--reconcile is said as table or json.")
    if url is None or not url.startswith(("http://", "https://")):
        raise click.UsageError("--reconcile needs --prometheus with an address such as http://127.0.0.1:9090.")
    return url
