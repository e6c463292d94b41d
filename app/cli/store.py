"""What is kept."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from app.cli.base import SERVICE_CONFIG, VitalsGroup


@click.group(cls=VitalsGroup)
def store() -> None:
    """Keep, copy and move what is stored."""


@store.command("backup")
@SERVICE_CONFIG
@click.option("--to", required=True, type=click.Path(file_okay=False, path_type=Path), help="Folder to put it into.")
def store_backup(config_path: Path, to: Path) -> None:
    """Copy everything that the service keeps into a new folder below TO; the service may run and goes on writing.

    Journal, SQL database (where it is SQLite; back up PostgreSQL with its own tools), command keys, the authority. A
    backup holds secrets: keep it where only you can read it. What is complete and checked has its final name.
    """
    from datetime import UTC, datetime

    from app.backups import back_up
    from app.config import read_config

    done = back_up(read_config(config_path, os.environ), to, now=datetime.now(UTC), progress=_show_progress)
    click.echo(f"{done.folder}: {done.readings:,} readings up to now")


@store.command("restore")
@click.argument("backup", type=click.Path(exists=False, file_okay=False, path_type=Path))
@SERVICE_CONFIG
def store_restore(backup: Path, config_path: Path) -> None:
    """Put BACKUP into the service's data folder, which must hold no data; the service must not run.

    Then start the service, and have the nodes send again what came since:
    `vitals node command NODE resend from=TIME to=TIME`.
    """
    from app.backups import restore
    from app.config import read_config

    done = restore(read_config(config_path, os.environ), backup, progress=_show_progress)
    click.echo(f"{done.folder}: {done.readings:,} readings")


def _show_progress(name: str, share: float) -> None:
    if sys.stderr.isatty():
        click.echo(f"\r\033[K{name}: {share:.0%}", nl=share >= 1, err=True)
