"""What is kept, where, and moving it."""

from __future__ import annotations

import os
from pathlib import Path

import click

from app.cli.base import SERVICE_CONFIG, VitalsGroup

_FOLDER = click.Path(file_okay=False, path_type=Path)


@click.group(cls=VitalsGroup)
def store() -> None:
    """What is kept, where, and moving it."""  # noqa: D401 -- the help of a group names what it is about


@store.command()
@click.option("--month", help="One month that is over, whatever its age: 2026-08.")
@SERVICE_CONFIG
def archive(month: str | None, config_path: Path) -> None:
    """Move months that are over into Parquet files, and fold in what came late for them.

    The service does this by itself where `journal: {archive: {}}` stands in its configuration; by hand it is for a
    stopped service. Ctrl-C loses nothing, and the next run goes on. Needs: pip install 'vitals[server,archive]'
    """
    from app.config import read_config
    from app.process import run_until_stopped
    from app.store.archive import archive

    run_until_stopped(archive(read_config(config_path, os.environ), month, say=click.echo))


@store.command()
@click.option("--to", "folder", required=True, type=_FOLDER, help="Where backups are kept; each gets its own folder.")
@SERVICE_CONFIG
def backup(folder: Path, config_path: Path) -> None:
    """Copy journal, SQL database, archive and node keys, also while the service runs, and verify the copy.

    The copy appears under its name when it is complete. Not in it: the configuration, and a SQL database on a server.
    """
    from datetime import UTC, datetime

    from app.config import read_config
    from app.process import run_until_stopped
    from app.store.backup import backup

    run_until_stopped(backup(read_config(config_path, os.environ), folder, now=datetime.now(UTC), say=click.echo))


@store.command()
@click.argument("source", metavar="BACKUP", type=_FOLDER)
@SERVICE_CONFIG
def restore(source: Path, config_path: Path) -> None:
    """Make BACKUP the data of a service that has none; nothing that is there is ever written over."""
    from app.config import read_config
    from app.store.restore import restore

    restore(read_config(config_path, os.environ), source, say=click.echo)


@store.command()
@click.option("--from", "begin", required=True, help="2026-11-20 or 2026-11-20T12:00:00Z")
@click.option("--to", "end", required=True, help="The first moment that is not exported.")
@click.option("--facility", help="Only this facility, by its id.")
@click.option("--district", help="Only this district.")
@click.option("--channel", help="Only this channel, by its id.")
@click.option("--format", "kind", type=click.Choice(["parquet", "csv", "jsonl"]), default="csv", show_default=True)
@click.option("--out", "folder", required=True, type=_FOLDER, help="A folder; it gets a file for each month.")
@SERVICE_CONFIG
def export(
    begin: str,
    end: str,
    facility: str | None,
    district: str | None,
    channel: str | None,
    kind: str,
    folder: Path,
    config_path: Path,
) -> None:
    """Write readings with the names and units of the registry, a file for each month, also while the service runs.

    A month's file appears when it is whole; a second run with the same --out writes the months that are missing.
    """
    from app.config import read_config
    from app.process import run_until_stopped
    from app.store.export import Question, export, moment

    question = Question(moment(begin), moment(end), kind, facility, district, channel)
    run_until_stopped(export(read_config(config_path, os.environ), question, folder, say=click.echo))
