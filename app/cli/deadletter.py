"""What the collector refused."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from app.cli.base import SERVICE_CONFIG, VitalsGroup

if TYPE_CHECKING:
    from collector.journal import LetterFilter


def _filtered(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that say which letters are meant."""
    for option in (
        click.option("--since", metavar="TIME", help="Only what came since (2026-11-20T00:00:00Z)."),
        click.option("--node", help="Only of this node."),
        click.option("--reason", help="Only with this reason, such as unknown_channel."),
        SERVICE_CONFIG,
    ):
        command = option(command)
    return command


@click.group(cls=VitalsGroup)
def deadletter() -> None:
    """Payloads and records that were refused: why, from whom, and once more after a correction."""


@deadletter.command("list")
@_filtered
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 10_000), help="So many of the last.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def deadletter_list(
    config_path: Path, reason: str | None, node: str | None, since: str | None, limit: int, as_json: bool
) -> None:
    """Show how much was refused, by reason and node, and the last of it."""
    import asyncio

    from app.config import read_config
    from app.letters import list_letters

    wanted = _filter(reason, node, since)
    asyncio.run(
        list_letters(read_config(config_path, os.environ), wanted, limit=limit, as_json=as_json, say=click.echo)
    )


@deadletter.command("show")
@click.argument("number", metavar="LETTER", type=click.IntRange(1))
@SERVICE_CONFIG
@click.option("--raw", is_flag=True, help="Write the payload's bytes as they came, for a file or another program.")
def deadletter_show(number: int, config_path: Path, raw: bool) -> None:
    """Show one letter: where it came from, what was found and what is allowed, and what it says."""
    import asyncio

    from app.config import read_config
    from app.letters import show_letter

    write = sys.stdout.buffer.write
    asyncio.run(show_letter(read_config(config_path, os.environ), number, raw=raw, say=click.echo, write=write))


@deadletter.command("replay")
@click.argument("number", metavar="[LETTER]", required=False, type=click.IntRange(1))
@_filtered
def deadletter_replay(
    number: int | None, config_path: Path, reason: str | None, node: str | None, since: str | None
) -> None:
    """Send LETTER, or all letters that the options name, through once more, after what was wrong has been mended.

    The running service does it; without one this command does. What is stored, or refused anew, leaves its old place.
    A second run goes on where the first was stopped. The exit code is 0 when everything was taken, else 1.
    """
    from app.config import read_config
    from app.letters import replay_letters
    from app.process import run_until_stopped

    wanted = _filter(reason, node, since)
    if number is not None:
        wanted = wanted._replace(after_id=number - 1, upto_id=number)
    if run_until_stopped(replay_letters(read_config(config_path, os.environ), wanted, say=click.echo)) is not True:
        sys.exit(1)


def _filter(reason: str | None, node: str | None, since: str | None) -> LetterFilter:
    from collector.journal import LetterFilter
    from domain.errors import OperatorError
    from domain.instant import parse_rfc3339, to_ms
    from domain.rejection import Reason
    from domain.suggest import allowed_words

    if reason is not None and reason not in set(Reason):
        raise OperatorError(f"found reason {reason!r}; allowed: {allowed_words(reason, list(Reason))}")
    try:
        since_ms = 0 if since is None else to_ms(parse_rfc3339(since))
    except ValueError as error:
        raise OperatorError(f"found {since!r}; allowed: a time such as 2026-11-20T00:00:00Z") from error
    return LetterFilter(None if reason is None else Reason(reason), node, since_ms)
