"""Recordings, sent as a node sends."""

from __future__ import annotations

from pathlib import Path

import click

from app.cli.base import EXISTING_FILE


@click.command()
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
