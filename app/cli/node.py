"""What the service tells one node."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import click

from app.cli.base import EXISTING_FILE, SERVICE_CONFIG, VitalsGroup


def _keyed(command: Callable[..., None]) -> Callable[..., None]:
    """Add what every command needs that speaks to a node."""
    for option in (
        click.option(
            "--key-file", type=EXISTING_FILE, help="The node's key; default: NODE.key in the folder node_keys."
        ),
        SERVICE_CONFIG,
    ):
        command = option(command)
    return command


@click.group(cls=VitalsGroup)
def node() -> None:
    """Nodes: take new ones up, tell them what to do and what to measure."""


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


@node.command("waiting")
@SERVICE_CONFIG
def node_waiting(config_path: Path) -> None:
    """Show nodes that send and are not in the registry, with the last value of each of their channels.

    What they send is kept, up to a limit, until they are registered.
    """
    import asyncio

    from app.claiming import show_waiting
    from app.config import read_config

    asyncio.run(show_waiting(read_config(config_path, os.environ), say=click.echo))


@node.command("claim")
@click.argument("node_name", metavar="NODE")
@SERVICE_CONFIG
@click.option("--facility", required=True, help="The facility where the node is.")
@click.option("--interval", default="1min", show_default=True, help="How often its channels are measured.")
@click.option("--yes", "at_once", is_flag=True, help="Import it at once instead of showing it.")
def node_claim(node_name: str, config_path: Path, facility: str, interval: str, at_once: bool) -> None:
    """Show how the waiting NODE fits into the registry, guessed from what it sends; with --yes register it so.

    Mend what was guessed wrong in a file, and import that with `vitals registry import`. The running service then
    takes up what the node has sent, and confirms it, within seconds.
    """
    import asyncio

    from app.claiming import claim_node
    from app.config import read_config
    from domain.errors import OperatorError
    from domain.instant import parse_duration

    try:
        every = parse_duration(interval)
    except ValueError as error:
        raise OperatorError(f"found interval {interval!r}; allowed: a duration such as 5min") from error
    config = read_config(config_path, os.environ)
    asyncio.run(claim_node(config, node_name, facility, every, at_once=at_once, say=click.echo))


BROKER = click.option("--broker", required=True, help="Where the node finds the broker: mqtts://broker.example:8883.")
BY_PASSWORD = click.option("--password", "by_password", is_flag=True, help="A password instead of a certificate.")
OUT = click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), help="Folder to write to; default: the node's name."
)


@node.command("add")
@click.argument("node_name", metavar="NODE")
@SERVICE_CONFIG
@BROKER
@BY_PASSWORD
@OUT
def node_add(node_name: str, config_path: Path, broker: str, by_password: bool, out: Path | None) -> None:
    """Issue what a new NODE needs to publish, and write it to a folder ready to be carried there.

    A certificate from the service's own authority (or a password), a token for HTTP, the key of its commands, and an
    edge.yaml that goes with them. What is issued lets nobody in before `vitals broker config` told the broker.
    """
    _issue(node_name, config_path, broker, by_password, out, None)


@node.command("rotate")
@click.argument("node_name", metavar="NODE")
@SERVICE_CONFIG
@BROKER
@BY_PASSWORD
@OUT
@click.option("--overlap", default="7d", show_default=True, help="How long the old certificate and token go on.")
def node_rotate(
    node_name: str, config_path: Path, broker: str, by_password: bool, out: Path | None, overlap: str
) -> None:
    """Issue everything of NODE anew; what it has goes on for a while, a password until the broker knows the new one."""
    _issue(node_name, config_path, broker, by_password, out, overlap)


def _issue(
    node_name: str, config_path: Path, broker: str, by_password: bool, out: Path | None, overlap: str | None
) -> None:
    import asyncio
    from datetime import UTC, datetime

    from app.config import read_config
    from app.issuing.provisioning import add_node
    from domain.errors import OperatorError
    from domain.instant import parse_duration

    try:
        lasting = None if overlap is None else parse_duration(overlap)
    except ValueError as error:
        raise OperatorError(f"found overlap {overlap!r}; allowed: a duration such as 7d") from error
    asyncio.run(
        add_node(
            read_config(config_path, os.environ),
            node_name,
            broker=broker,
            by_password=by_password,
            out=out or Path(node_name),
            now=datetime.now(UTC),
            overlap=lasting,
            say=click.echo,
        )
    )


@node.command("revoke")
@click.argument("node_name", metavar="NODE")
@SERVICE_CONFIG
def node_revoke(node_name: str, config_path: Path) -> None:
    """Let NODE in no more, for example when it was stolen."""
    import asyncio
    from datetime import UTC, datetime

    from app.config import read_config
    from app.issuing.provisioning import revoke_node

    asyncio.run(revoke_node(read_config(config_path, os.environ), node_name, now=datetime.now(UTC), say=click.echo))


@node.command("credentials")
@SERVICE_CONFIG
def node_credentials(config_path: Path) -> None:
    """Show what every node has, until when, and what is soon over."""
    import asyncio
    from datetime import UTC, datetime

    from app.config import read_config
    from app.issuing.provisioning import list_credentials

    asyncio.run(list_credentials(read_config(config_path, os.environ), now=datetime.now(UTC), say=click.echo))


@node.command("qr")
@click.argument("node_name", metavar="NODE")
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), help="Write an SVG or PNG instead, for a label."
)
@click.option("--address", default="", help="Under which telephones reach the pages: https://vitals.example.")
def node_qr(node_name: str, out: Path | None, address: str) -> None:
    """Draw the QR code for the label of NODE, with nothing secret in it.

    With --address it opens the page on which the node is claimed; without, it holds the node's name. The page
    /registry/nodes/labels prints many of them.
    """
    from app.issuing.label import draw_label

    draw_label(node_name, address, out, say=click.echo)
