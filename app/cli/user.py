"""Who signs in."""

from __future__ import annotations

import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from app.cli.base import SERVICE_CONFIG, VitalsGroup

if TYPE_CHECKING:
    from app.user_commands import UserCommands
    from domain.access import Grant
    from domain.places import Place

NAME = click.argument("name")
ROLE = click.option(
    "--role",
    required=True,
    type=click.Choice(["viewer", "technician", "manager", "administrator"]),
    help="What is allowed; each role includes those before it.",
)
PASSWORD_FILE = click.option(
    "--password-file", type=click.File("r"), help="Read the password from this file (- for standard input)."
)


def placed(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that name a place; without any of them it is everywhere."""
    for part in ("facility", "district", "region", "country"):
        what = "this facility, by id" if part == "facility" else f"this {part}"
        command = click.option(f"--{part}", default="", help=f"Only for {what}.")(command)
    return command


@click.group(cls=VitalsGroup)
def user() -> None:
    """Users: who signs in to the pages, and what they may do where (docs/access.md).

    \b
    viewer          looks at facilities, readings, alerts and figures
    technician      also takes, shelves and closes alerts, and claims nodes
    manager         also changes equipment, limits, people, rosters and maintenance
    administrator   also looks after users, tokens and dead letters
    """  # noqa: D301 - click's mark for lines that stay as they are


@user.command("add")
@NAME
@ROLE
@placed
@click.option("--full-name", default="", help="What stands in records as who did something; default: NAME.")
@click.option("--language", default="", help="In which pages are shown, such as sw; default: as the browser asks.")
@PASSWORD_FILE
@click.option("--without-password", is_flag=True, help="Signs in through the single sign-on alone.")
@SERVICE_CONFIG
def user_add(
    name: str, role: str, full_name: str, language: str, password_file: TextIO | None, without_password: bool,
    config_path: Path, **place: str,
) -> None:  # fmt: skip
    """Let somebody sign in as NAME, with a role everywhere or in one place.

    The password is asked for twice; it is never given as an argument, where others on the machine could read it.
    """
    from datetime import UTC, datetime

    from registry.accounts import Account, sign_in_name

    id_, grant = sign_in_name(name), _grant(role, place)
    _require_place(config_path, grant.place)
    password = None if without_password else _password(password_file)
    new = Account(id_, full_name or name, frozenset({grant}), datetime.now(UTC), language=language)
    _run(config_path, lambda users: users.add(new, password))


@user.command("list")
@SERVICE_CONFIG
def user_list(config_path: Path) -> None:
    """Show who there is, what they may do where, and when they were last seen."""
    _run(config_path, lambda users: users.list())


@user.command("password")
@NAME
@PASSWORD_FILE
@SERVICE_CONFIG
def user_password(name: str, password_file: TextIO | None, config_path: Path) -> None:
    """Give NAME another password, asked for twice, and sign NAME out everywhere."""
    password = _password(password_file)
    _run(config_path, lambda users: users.password(name, password))


@user.command("grant")
@NAME
@ROLE
@placed
@SERVICE_CONFIG
def user_grant(name: str, role: str, config_path: Path, **place: str) -> None:
    """Give NAME a role, everywhere or in one place; it takes the place of another role there."""
    grant = _grant(role, place)
    _require_place(config_path, grant.place)
    _run(config_path, lambda users: users.grant(name, grant))


@user.command("revoke")
@NAME
@placed
@SERVICE_CONFIG
def user_revoke(name: str, config_path: Path, **place: str) -> None:
    """Take from NAME the role that was given for exactly this place, or without one, for everywhere."""
    from domain.places import Place

    where = Place(**place)
    _run(config_path, lambda users: users.revoke(name, where))


@user.command("disable")
@NAME
@SERVICE_CONFIG
def user_disable(name: str, config_path: Path) -> None:
    """Shut NAME out at once; what NAME did stays in the records."""
    _run(config_path, lambda users: users.disable(name))


@user.command("enable")
@NAME
@SERVICE_CONFIG
def user_enable(name: str, config_path: Path) -> None:
    """Let NAME sign in again."""
    _run(config_path, lambda users: users.enable(name))


@user.command("sign-out")
@NAME
@SERVICE_CONFIG
def user_sign_out(name: str, config_path: Path) -> None:
    """End every session of NAME, for example when a telephone was lost."""
    _run(config_path, lambda users: users.sign_out(name))


def _run(config_path: Path, deed: Callable[[UserCommands], Awaitable[None]]) -> None:
    import asyncio
    from datetime import UTC, datetime

    from app.config import read_config
    from app.user_commands import users_of

    async def run() -> None:
        config = read_config(config_path, os.environ)
        async with users_of(config, datetime.now(UTC).replace(microsecond=0), click.echo) as users:
            await deed(users)

    asyncio.run(run())


def _require_place(config_path: Path, place: Place) -> None:
    import asyncio

    from app.config import read_config
    from app.user_commands import require_place

    asyncio.run(require_place(read_config(config_path, os.environ), place))


def _grant(role: str, place: dict[str, str]) -> Grant:
    from domain.access import Grant, Role
    from domain.places import Place

    return Grant(Role[role.upper()], Place(**place))


def _password(file: TextIO | None) -> str:
    from domain.errors import OperatorError

    if file is not None:
        return file.read().rstrip("\r\n")
    if not sys.stdin.isatty():
        raise OperatorError("there is no terminal to ask for the password; give it with --password-file")
    password: str = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    return password
