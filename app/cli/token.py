"""Tokens of programs that ask the API."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from app.cli.base import SERVICE_CONFIG, VitalsGroup
from app.cli.user import ROLE, placed

if TYPE_CHECKING:
    from app.user_commands import TokenCommands


@click.group(cls=VitalsGroup)
def token() -> None:
    """Tokens: let a program ask the API, such as Prometheus or a script (docs/access.md).

    The program sends it as `Authorization: Bearer vt_...`.
    """


@token.command("add")
@click.argument("name")
@ROLE
@placed
@click.option("--expires", default="365d", show_default=True, help="How long it is valid; `never` for ever.")
@SERVICE_CONFIG
def token_add(name: str, role: str, expires: str, config_path: Path, **place: str) -> None:
    """Make a token for the program NAME and show it, this once: only its hash is kept.

    NAME stands in records as who did something, unless the program says for whom it does it.
    """
    import asyncio

    from app.config import read_config
    from app.user_commands import require_place
    from domain.access import Grant, Role
    from domain.errors import OperatorError
    from domain.instant import parse_duration
    from domain.places import Place

    try:
        lasting = None if expires == "never" else parse_duration(expires)
    except ValueError as error:
        raise OperatorError(f"found expires {expires!r}; allowed: a duration such as 90d, or never") from error
    grant = Grant(Role[role.upper()], Place(**place))
    asyncio.run(require_place(read_config(config_path, os.environ), grant.place))
    _run(config_path, lambda tokens: tokens.add(name, grant, lasting))


@token.command("list")
@SERVICE_CONFIG
def token_list(config_path: Path) -> None:
    """Show every token that was issued: its number, whose it is, what it allows, until when."""
    _run(config_path, lambda tokens: tokens.list())


@token.command("revoke")
@click.argument("number", type=int)
@SERVICE_CONFIG
def token_revoke(number: int, config_path: Path) -> None:
    """Let the token of this NUMBER in no more, at once."""
    _run(config_path, lambda tokens: tokens.revoke(number))


def _run(config_path: Path, deed: Callable[[TokenCommands], Awaitable[None]]) -> None:
    import asyncio
    from datetime import UTC, datetime

    from app.config import read_config
    from app.user_commands import tokens_of

    async def run() -> None:
        config = read_config(config_path, os.environ)
        async with tokens_of(config, datetime.now(UTC).replace(microsecond=0), click.echo) as tokens:
            await deed(tokens)

    asyncio.run(run())
