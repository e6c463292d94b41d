"""The MQTT broker between nodes and service."""

from __future__ import annotations

import os
from pathlib import Path

import click

from app.cli.base import SERVICE_CONFIG, VitalsGroup


@click.group(cls=VitalsGroup)
def broker() -> None:
    """Set up the broker between nodes and service."""


@broker.command("config")
@SERVICE_CONFIG
@click.option("--kind", default="mosquitto", show_default=True, help="Which broker.")
@click.option(
    "--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="Folder to write its files to."
)
@click.option(
    "--host", "hosts", multiple=True, required=True, help="Name or address under which nodes reach it; may be repeated."
)
@click.option("--folder", default="/etc/mosquitto/vitals", show_default=True, help="Where the files will lie.")
@click.option("--state", default="/var/lib/mosquitto", show_default=True, help="Where the broker keeps its state.")
@click.option("--certificate-port", default=8883, show_default=True, type=click.IntRange(1, 65535))
@click.option("--password-port", default=8884, show_default=True, type=click.IntRange(1, 65535))
@click.option("--service-port", default=1883, show_default=True, type=click.IntRange(1, 65535), help="On loopback.")
def broker_config(
    config_path: Path,
    kind: str,
    out: Path,
    hosts: tuple[str, ...],
    folder: str,
    state: str,
    certificate_port: int,
    password_port: int,
    service_port: int,
) -> None:
    """Write the configuration of a broker that lets in every node that was issued something, and the service.

    Each node is kept to its own topics; limits are explicit. Write it again after `vitals node add`, `rotate` or
    `revoke`, copy the files and restart the broker: nodes and service lose nothing by that.
    """
    import asyncio
    from datetime import UTC, datetime

    from app.config import read_config
    from app.issuing.broker import write_broker_config
    from app.issuing.mosquitto import Places

    asyncio.run(
        write_broker_config(
            read_config(config_path, os.environ),
            kind,
            out,
            hosts=list(hosts),
            places=Places(
                folder=folder,
                state=state,
                certificate_port=certificate_port,
                password_port=password_port,
                service_port=service_port,
            ),
            now=datetime.now(UTC),
            say=click.echo,
        )
    )
