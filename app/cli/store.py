"""What is kept, where, and moving it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from app.cli.base import SERVICE_CONFIG, VitalsGroup

_SIDE = click.Choice(["journal", "influxdb"])
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
@click.option("--without-server", is_flag=True, help="Leave a SQL database on a server out; run pg_dump yourself.")
@SERVICE_CONFIG
def backup(folder: Path, without_server: bool, config_path: Path) -> None:
    """Copy journal, SQL database, archive and node keys, also while the service runs, and verify the copy.

    The copy appears under its name when it is complete. Not in it: the configuration. A database on a PostgreSQL server
    is copied by pg_dump, of the Debian package postgresql-client.
    """
    from datetime import UTC, datetime

    from app.config import read_config
    from app.process import run_until_stopped
    from app.store.backup import backup

    config = read_config(config_path, os.environ)
    run_until_stopped(backup(config, folder, now=datetime.now(UTC), say=click.echo, without_server=without_server))


@store.command()
@click.argument("source", metavar="BACKUP", type=_FOLDER)
@SERVICE_CONFIG
def restore(source: Path, config_path: Path) -> None:
    """Make BACKUP the data of a service that has none; nothing that is there is ever written over."""
    import asyncio

    from app.config import read_config
    from app.store.restore import restore

    asyncio.run(restore(read_config(config_path, os.environ), source, say=click.echo))


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


@store.command()
@click.option(
    "--from", "source", required=True, type=click.Choice(["journal", "influxdb"]), help="The store that has it."
)
@click.option(
    "--to", "target", required=True, type=click.Choice(["journal", "influxdb"]), help="The store that gets it."
)
@click.option("--since", default="2010-01-01", show_default=True, help="Measured from here on ...")
@click.option("--until", required=True, help="... and before this moment: 2026-11-20 or 2026-11-20T12:00:00Z.")
@click.option("--facility", help="Only this facility, by its id.")
@SERVICE_CONFIG
def copy(source: str, target: str, since: str, until: str, facility: str | None, config_path: Path) -> None:
    """Bring readings from one store into the other: a pilot's into InfluxDB, or a clinic's back.

    Into InfluxDB it goes while the service runs, with the roll-ups, and counts at the end. Into the journal only while
    no service writes it. What is there already changes nothing; a second run goes on where the first was stopped.
    """
    from app.config import read_config
    from app.process import run_until_stopped
    from app.store.export import moment
    from app.store.transfer import Side, copy

    config = read_config(config_path, os.environ)
    copying = copy(config, Side(source), Side(target), moment(since), moment(until), facility=facility, say=click.echo)
    done = run_until_stopped(copying)
    if done is not None:
        click.echo(f"{done.readings:,} readings of {done.channels} channels copied, {done.refused} refused for good")


@store.command()
@SERVICE_CONFIG
def check(config_path: Path) -> None:
    """Try the configured InfluxDB: write, read back, refusals, clock, retention, rate; it cleans up after itself.

    The exit code is 0 when everything holds that Vitals relies on, or cannot be told, else 1.
    """
    from datetime import UTC, datetime

    from app.config import read_config
    from app.process import run_until_stopped
    from app.store.probe import check_store

    trying = check_store(read_config(config_path, os.environ), now=lambda: datetime.now(UTC), say=click.echo)
    if run_until_stopped(trying) is not True:
        sys.exit(1)
