"""What Prometheus is given."""

from __future__ import annotations

import os
from pathlib import Path

import click

from app.cli.base import SERVICE_CONFIG, VitalsGroup


@click.group(cls=VitalsGroup)
def prometheus() -> None:
    """Rules for Prometheus, made from what the configuration promises."""


@prometheus.command("rules")
@SERVICE_CONFIG
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Folder to write the rule files to.")
@click.option(
    "--runbooks", default="docs/prometheus.md", show_default=True, metavar="URL",
    help="Where the page that says what to do is served; alerts link to its anchors.",
)  # fmt: skip
def prometheus_rules(config_path: Path, out: Path | None, runbooks: str) -> None:
    """Write recording rules and alerts for the targets under `sla.targets`, and alerts on Vitals itself.

    Without --out everything is shown as one file. Run it again when the targets change: new facilities need no new
    rules.
    """
    from app.config import read_config
    from app.prometheus_rules import tell_rules
    from dashboards.prometheus.rule import Setting

    config = read_config(config_path, os.environ)
    tell_rules(config.sla.targets, Setting(runbooks=runbooks), out=out, say=click.echo)
