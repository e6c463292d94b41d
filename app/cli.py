"""The command line. Each command imports what it needs when it is called, so that a Pi loads no server package."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from domain.errors import DocumentError, Fault, VitalsError

if TYPE_CHECKING:
    from edge.settings import EdgeSettings

CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
EXISTING_FILE = click.Path(exists=False, dir_okay=False, path_type=Path)
EXIT_CODE = {Fault.OPERATOR: 2, Fault.SENDER: 3, Fault.PEER: 4, Fault.SERVICE: 1}


class VitalsGroup(click.Group):
    """A group that turns errors raised on purpose into one clear message and an exit code."""

    def invoke(self, ctx: click.Context) -> object:
        """Run the command; print what a person can act on instead of a traceback."""
        try:
            return super().invoke(ctx)
        except DocumentError as error:
            click.secho("\n".join(str(problem) for problem in error.problems), err=True)
            sys.exit(EXIT_CODE[error.fault])
        except VitalsError as error:
            click.secho(f"vitals: {error}", err=True)
            sys.exit(EXIT_CODE[error.fault])


@click.group(cls=VitalsGroup, context_settings=CONTEXT)
@click.version_option(package_name="vitals")
@click.option("-v", "--verbose", is_flag=True, help="Log what happens, not only what goes wrong.")
def main(verbose: bool) -> None:
    """Vitals watches the vital signs of health facilities: power, cold chain, water.

    Try `vitals demo` first: a simulated district, from sensor to screen, on this machine alone.
    """
    from app.process import configure_logging

    configure_logging(verbose=verbose)


@main.command()
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
    Ctrl-C stops everything; the next run continues where this one stopped.
    """
    from app.demo.run import run_demo
    from app.process import run_until_stopped

    run_until_stopped(run_demo(folder=data, port=port, seed=seed, speed=speed, say=click.echo))


@main.command()
@click.option("--config", "config_path", required=True, type=EXISTING_FILE, help="The service's YAML file.")
def run(config_path: Path) -> None:
    """Run the service: collector, rules, alerts, API and pages in one process, until Ctrl-C or SIGTERM."""
    from app.build import serve
    from app.config import read_config
    from app.process import run_until_stopped

    run_until_stopped(serve(read_config(config_path, os.environ), say=click.echo))


@main.command()
@click.option("--config", "config_path", required=True, type=EXISTING_FILE, help="The service's YAML file.")
def check(config_path: Path) -> None:
    """Check configuration, rules and registry without starting anything, and say what would run.

    Every mistake is named with its file, line and column, what was found and what is allowed. The exit code
    is 0 when the service would start, 2 when something needs a person.
    """
    import asyncio

    from app.check import check_everything
    from app.config import read_config

    asyncio.run(check_everything(read_config(config_path, os.environ), say=click.echo))


NODE_CONFIG = click.option("--config", "config_path", type=EXISTING_FILE, help="The node's YAML file.  [required]")


def _node_file(config_path: Path | None) -> Path:
    path = config_path or click.get_current_context().obj
    if path is None:
        raise click.UsageError("Missing option '--config'.")
    return Path(path)


def _edge_settings(config_path: Path | None) -> EdgeSettings:
    from app.edge import read_edge_in_use

    return read_edge_in_use(_node_file(config_path), os.environ)


@main.group(cls=VitalsGroup, invoke_without_command=True)
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


def _keyed(command: Callable[..., None]) -> Callable[..., None]:
    """Add what every command needs that speaks to a node."""
    for option in (
        click.option(
            "--key-file", type=EXISTING_FILE, help="The node's key; default: NODE.key in the folder node_keys."
        ),
        click.option("--config", "config_path", required=True, type=EXISTING_FILE, help="The service's YAML file."),
    ):
        command = option(command)
    return command


@main.group(cls=VitalsGroup)
def node() -> None:
    """Tell a node what to do, and what it is to measure."""


@node.command("command")
@click.argument("node_name", metavar="NODE")
@click.argument("name")
@click.argument("arguments", nargs=-1, metavar="[NAME=VALUE]...")
@click.option("--timeout", default=60.0, show_default=True, help="Seconds to wait for the reply.")
@_keyed
def node_command(
    node_name: str, name: str, arguments: tuple[str, ...], timeout: float, config_path: Path, key_file: Path | None
) -> None:
    r"""Tell NODE to do one thing, and show its reply.

    \b
    sample_now                     read every sensor now
    identify [seconds=30]          be seen or heard
    restart                        start the agent's process anew
    resend from=TIME to=TIME       send what was measured then again (2026-11-20T00:00:00Z)

    The exit code is 0 when the node did it, 1 when it did not, 4 when it did not reply.
    """
    from datetime import timedelta

    from app.config import read_config
    from app.node_commands import read_key, send_command
    from app.process import run_until_stopped

    config = read_config(config_path, os.environ)
    key, patience = read_key(config.key_folder, node_name, key_file), timedelta(seconds=timeout)
    sending = send_command(config.mqtt, node_name, key, name, arguments, patience=patience, say=click.echo)
    if run_until_stopped(sending) is not True:
        sys.exit(1)


@node.command("config")
@click.argument("node_name", metavar="NODE")
@click.argument("document", metavar="FILE", type=EXISTING_FILE)
@click.option("--timeout", default=900.0, show_default=True, help="Seconds to wait until it is kept or refused.")
@_keyed
def node_config(node_name: str, document: Path, timeout: float, config_path: Path, key_file: Path | None) -> None:
    """Give NODE the configuration in FILE, and show what becomes of it.

    Each top-level key in FILE, such as drivers or interval, takes the place of the same key in the node's own file; a
    file with {} gives the node its own back. The node tries it, and goes back by itself when nothing is measured and
    confirmed with it. The broker keeps it for a node that is away.

    The exit code is 0 when the node keeps it, 1 when it does not, 4 when it did not say so in time.
    """
    from datetime import timedelta

    from app.config import read_config
    from app.node_commands import read_key, send_config
    from app.process import run_until_stopped

    config = read_config(config_path, os.environ)
    key, patience = read_key(config.key_folder, node_name, key_file), timedelta(seconds=timeout)
    sending = send_config(config.mqtt, node_name, key, document, patience=patience, say=click.echo)
    if run_until_stopped(sending) is not True:
        sys.exit(1)


@main.command()
@click.argument("files", nargs=-1, required=True, type=EXISTING_FILE)
@click.option("--node", required=True, help="The node that the recording is published as.")
@click.option("--broker", required=True, help="Where to publish: mqtt://host:port or mqtts://user:password@host:port.")
@click.option(
    "--speed", type=click.FloatRange(min=0, min_open=True), help="Times as fast as recorded; default: at once."
)
@click.option("--format", "format_name", help="A known format (qtag, esmi); default: recognised by its columns.")
@click.option("--time", help="Column with the time.")
@click.option("--value", help="Column with the value.")
@click.option("--channel", help="The node's name for the channel of every row ...")
@click.option("--channel-column", help="... or the column that names it.")
@click.option("--where", multiple=True, metavar="COLUMN=TEXT", help="Only rows with this text; may be repeated.")
@click.option("--zone", help="Time zone of times that name none, e.g. Asia/Kolkata.")
@click.option("--unit", help="SenML unit symbol of the values, e.g. Cel, V.")
def replay(
    files: tuple[Path, ...], node: str, broker: str, speed: float | None, format_name: str | None, **columns: object
) -> None:
    """Publish recorded readings from CSV FILES with their own times, and wait until all of them are stored.

    Replaying the same file twice changes nothing: a reading is its channel and its time.
    """
    from app.process import run_until_stopped
    from app.replay import replay_files

    fields = {name: value for name, value in columns.items() if value not in (None, ())}
    run_until_stopped(
        replay_files(
            files, node=node, broker=broker, speed=speed, format_name=format_name, fields=fields, say=click.echo
        )
    )


@main.group(cls=VitalsGroup)
def registry() -> None:
    """Facilities, equipment, nodes, channels and people."""


@registry.command("import")
@click.argument("source", type=click.Path(path_type=Path))
@click.option("--config", "config_path", required=True, type=EXISTING_FILE, help="The service's YAML file.")
def registry_import(source: Path, config_path: Path) -> None:
    """Bring the registry up to date from SOURCE: a YAML file, a CSV file, or a folder of CSV files.

    All or nothing: one mistake anywhere, and nothing changes. Importing the same file again changes nothing.
    """
    import asyncio

    from app.config import read_config
    from app.registry_commands import import_registry

    asyncio.run(import_registry(read_config(config_path, os.environ), source, say=click.echo))


@main.group(cls=VitalsGroup)
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


if __name__ == "__main__":
    main()
