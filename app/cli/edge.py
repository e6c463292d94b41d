"""The agent of one node, and what a technician asks of it on the node itself."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from app.cli.base import EXISTING_FILE, VitalsGroup

if TYPE_CHECKING:
    from edge.settings import EdgeSettings


NODE_CONFIG = click.option("--config", "config_path", type=EXISTING_FILE, help="The node's YAML file.  [required]")


def _node_file(config_path: Path | None) -> Path:
    path = config_path or click.get_current_context().obj
    if path is None:
        raise click.UsageError("Missing option '--config'.")
    return Path(path)


def _edge_settings(config_path: Path | None) -> EdgeSettings:
    from app.edge import read_edge_in_use

    return read_edge_in_use(_node_file(config_path), os.environ)


@click.group(cls=VitalsGroup, invoke_without_command=True)
@NODE_CONFIG
@click.pass_context
def edge(context: click.Context, config_path: Path | None) -> None:
    """Run the agent of one node: read its sensors and publish what they say, until Ctrl-C or SIGTERM.

    Every reading is kept on disk until the collector has said that it is stored; without a network the agent
    goes on measuring. The commands below say, on the node itself, what its sensors measure and how it fares.
    """
    context.obj = config_path
    if context.invoked_subcommand is not None:
        return
    from app.edge import run_agent
    from app.process import restart_process, run_until_stopped

    if run_until_stopped(run_agent(_node_file(config_path), os.environ, say=click.echo)) is not None:
        restart_process()


@edge.command("sensors")
@NODE_CONFIG
@click.option("--watch", is_flag=True, help="Show them again and again, until Ctrl-C.")
@click.option(
    "--timeout", default=10.0, show_default=True, type=click.FloatRange(0.1, 60), help="Seconds that a driver has."
)
def edge_sensors(config_path: Path | None, watch: bool, timeout: float) -> None:
    """Read every sensor once and show what it says: the first thing to do after plugging one in.

    Also lists 1-wire probes that are attached and stand in no settings. Nothing is stored or sent, and the agent may
    run meanwhile; what only one process can use at a time, such as a serial port, is then shown as a bus error.
    The exit code is 0 when every channel has a value, else 1.
    """
    from app.edge_commands import show_sensors
    from app.process import run_until_stopped

    showing = show_sensors(
        _edge_settings(config_path), timeout_seconds=timeout, watch=watch, say=click.echo, clear=click.clear
    )
    if run_until_stopped(showing) is False:
        sys.exit(1)


@edge.command("status")
@NODE_CONFIG
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def edge_status(config_path: Path | None, as_json: bool) -> None:
    """Show whether the agent runs, what waits to be sent, and the state of link, clock and disk.

    The exit code is 0 when all is well, else 1.
    """
    from app.edge_commands import show_status

    if not show_status(_edge_settings(config_path), as_json=as_json, say=click.echo):
        sys.exit(1)


@edge.command("alarms")
@NODE_CONFIG
@click.option("--sms", is_flag=True, help="Send a test message to every number as well.")
@click.option("--seconds", type=click.FloatRange(min=0.1, max=60), default=6.0, show_default=True, help="For how long.")
def edge_alarms(config_path: Path | None, sms: bool, seconds: float) -> None:
    """Try the local alarms: each output as for a warning, then as for a critical alarm.

    Stop the agent first, for it holds the pins. The exit code is 0 when everything worked, else 1.
    """
    import asyncio

    from app.edge_alarm_trial import try_alarms

    settings = _edge_settings(config_path)
    if not asyncio.run(try_alarms(settings, sms=sms, seconds=seconds, say=click.echo)):
        sys.exit(1)
