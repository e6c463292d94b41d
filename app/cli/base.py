"""What the commands share: options, and errors as one clear message."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from domain.errors import DocumentError, Fault, VitalsError

EXISTING_FILE = click.Path(exists=False, dir_okay=False, path_type=Path)
SERVICE_CONFIG = click.option(
    "--config", "config_path", required=True, type=EXISTING_FILE, help="The service's YAML file."
)
EXIT_CODE = {Fault.OPERATOR: 2, Fault.SENDER: 3, Fault.PEER: 4, Fault.SERVICE: 1}


def show_progress(done: int, of: int, facility: str) -> None:
    """Show a person at a terminal how far long work is."""
    if sys.stderr.isatty():
        click.echo(f"\r\033[K{done} of {of} facilities: {facility}", nl=done == of, err=True)


class VitalsGroup(click.Group):
    """A group that turns errors raised on purpose into one clear message and an exit code."""

    def invoke(self, ctx: click.Context) -> object:
        """Run the command; print what a person can act on instead of a traceback."""
        try:
            return super().invoke(ctx)
        except DocumentError as error:
            click.secho("\n".join(str(problem) for problem in error.problems), err=True)
            sys.exit(EXIT_CODE[error.fault])
        except VitalsError as error:
            click.secho(f"vitals: {error}", err=True)
            sys.exit(EXIT_CODE[error.fault])
