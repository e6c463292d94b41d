"""The service and its demo."""

from __future__ import annotations

import os
from pathlib import Path

import click

from app.cli.base import SERVICE_CONFIG


@click.command()
@click.option("--port", default=8080, show_default=True, type=click.IntRange(0, 65535), help="Port of the pages.")
@click.option("--seed", default=1, show_default=True, help="Another seed, another weather and other faults.")
@click.option(
    "--speed", default=120.0, show_default=True, type=click.FloatRange(1, 600), help="How many times faster time runs."
)
@click.option(
    "--data", default=Path("demo-data"), show_default=True, type=click.Path(file_okay=False, path_type=Path),
    help="Where to keep what is measured; a second run continues from it.",
)  # fmt: skip
def demo(port: int, seed: int, speed: float, data: Path) -> None:
    """Run a simulated district of 12 facilities, from sensor to screen.

    Starts an MQTT broker on loopback, 12 edge agents with simulated sensors, the collector, the rules, the
    alerts and the pages. Time runs faster, and a story unfolds: a grid outage, a fridge that warms, a
    generator that starts and one that does not, a tank that runs dry, a node that goes silent, recovery.
    Where Prometheus is installed it runs beside, with rules for what is promised (docs/prometheus.md).
    Ctrl-C stops everything; the next run continues where this one stopped.
    """
    import shutil

    from app.demo.run import run_demo
    from app.process import run_until_stopped

    beside = shutil.which("prometheus")
    run_until_stopped(run_demo(folder=data, port=port, seed=seed, speed=speed, say=click.echo, prometheus=beside))


@click.command()
@SERVICE_CONFIG
def run(config_path: Path) -> None:
    """Run the service: collector, rules, alerts, API and pages in one process, until Ctrl-C or SIGTERM."""
    from app.build import serve
    from app.config import read_config
    from app.process import run_until_stopped

    run_until_stopped(serve(read_config(config_path, os.environ), say=click.echo))


@click.command()
@SERVICE_CONFIG
def check(config_path: Path) -> None:
    """Check configuration, rules and registry without starting anything, and say what would run.

    Every mistake is named with its file, line and column, what was found and what is allowed. The exit code
    is 0 when the service would start, 2 when something needs a person.
    """
    import asyncio
    from datetime import UTC, datetime

    from app.check import check_everything
    from app.config import read_config

    asyncio.run(check_everything(read_config(config_path, os.environ), now=datetime.now(UTC), say=click.echo))
