"""The registry."""

from __future__ import annotations

import os
from pathlib import Path

import click

from app.cli.base import SERVICE_CONFIG, VitalsGroup


@click.group(cls=VitalsGroup)
def registry() -> None:
    """Facilities, equipment, nodes, channels and people."""


@registry.command("import")
@click.argument("source", type=click.Path(path_type=Path))
@SERVICE_CONFIG
def registry_import(source: Path, config_path: Path) -> None:
    """Bring the registry up to date from SOURCE: a YAML file, a CSV file, or a folder of CSV files.

    All or nothing: one mistake anywhere, and nothing changes. Importing the same file again changes nothing.
    """
    import asyncio

    from app.config import read_config
    from app.registry_commands import import_registry

    asyncio.run(import_registry(read_config(config_path, os.environ), source, say=click.echo))
