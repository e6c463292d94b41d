"""The Grafana dashboards."""

from __future__ import annotations

from pathlib import Path

import click

from app.cli.base import EXISTING_FILE, VitalsGroup


@click.group(cls=VitalsGroup)
def dashboards() -> None:
    """Grafana dashboards, made in code."""


@dashboards.command("build")
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), help="Folder to write to; default: inside the package."
)
@click.option(
    "--config",
    "config_path",
    type=EXISTING_FILE,
    help="The service's YAML file: limit lines are those of most of its channels, links lead to its public_url.",
)
def dashboards_build(out: Path | None, config_path: Path | None) -> None:
    """Write the dashboards as JSON that Grafana loads."""
    import asyncio
    import os

    from app.config import read_config
    from app.grafana import build_dashboards

    config = read_config(config_path, os.environ) if config_path else None
    asyncio.run(build_dashboards(out, config, say=click.echo))


@dashboards.command("push")
@click.option("--url", required=True, help="Address of Grafana, such as https://grafana.example.org.")
@click.option(
    "--token-file", required=True, type=EXISTING_FILE, help="File with the token of a service account (Editor)."
)
@click.option("--folder", default="Vitals", show_default=True, help="Title of the folder, made where there is none.")
@click.option(
    "--from",
    "source",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder that `build` wrote; default: the dashboards that come with Vitals.",
)
@click.option("--vitals", "vitals_url", default="", help="Where the pages of Vitals are, for links from Grafana.")
@click.option("--influxdb", default="vitals-influxdb", show_default=True, help="Uid of the data source.")
@click.option("--prometheus", default="vitals-prometheus", show_default=True, help="Uid of the data source.")
def dashboards_push(
    url: str,
    token_file: Path,
    folder: str,
    source: Path | None,
    vitals_url: str,
    influxdb: str,
    prometheus: str,
) -> None:
    """Bring the dashboards to a Grafana server, and say what became of each.

    A second push changes nothing. What somebody changed in Grafana is put back to what is shipped; Grafana keeps the
    versions before.
    """
    from app.grafana import Settings, push_dashboards, read_token
    from app.grafana_server import GrafanaServer

    server = GrafanaServer(url, read_token(token_file))
    push_dashboards(server, folder, source, Settings(vitals_url, influxdb, prometheus), say=click.echo)
