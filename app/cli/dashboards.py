"""The Grafana dashboards."""

from __future__ import annotations

from pathlib import Path

import click

from app.cli.base import VitalsGroup


@click.group(cls=VitalsGroup)
def dashboards() -> None:
    """Grafana dashboards, made in code."""


@dashboards.command("build")
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), help="Folder to write to; default: inside the package."
)
def dashboards_build(out: Path | None) -> None:
    """Write the dashboards as JSON that Grafana loads."""
    from app.grafana import build_dashboards

    build_dashboards(out, say=click.echo)
