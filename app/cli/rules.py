"""Rules: as sentences, tested."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from app.cli.base import EXISTING_FILE, VitalsGroup

if TYPE_CHECKING:
    from rules.model import Rule

FILES = click.argument("files", nargs=-1, metavar="[FILE]...", type=click.Path(path_type=Path))
CONFIG = click.option(
    "--config", "config_path", type=EXISTING_FILE, help="Take the rules in force with this service's YAML file."
)


@click.group(cls=VitalsGroup)
def rules() -> None:
    """Rules: what they say, and whether they do what they are meant to do."""


@rules.command("list")
@FILES
@CONFIG
def rules_list(files: tuple[Path, ...], config_path: Path | None) -> None:
    """Show each rule as a sentence: those in FILE, files or folders, else those that come with Vitals."""
    from app.rule_trials import list_rules

    list_rules(_rules(files, config_path), say=click.echo)


@rules.command("test")
@FILES
@CONFIG
@click.option("--junit", type=click.Path(dir_okay=False, path_type=Path), help="Also write the outcome as JUnit XML.")
def rules_test(files: tuple[Path, ...], config_path: Path | None, junit: Path | None) -> None:
    """Try the tests that stand in the rules: those in FILE, files or folders, else those that come with Vitals.

    The exit code is 0 when every rule does what its tests say, else 1.
    """
    from app.rule_trials import try_rules

    if not try_rules(_rules(files, config_path), junit=junit, say=click.echo):
        sys.exit(1)


def _rules(files: tuple[Path, ...], config_path: Path | None) -> list[Rule]:
    from app.config import read_config
    from app.rule_documents import rules_of
    from app.rulebook import read_rules

    if files and config_path is not None:
        raise click.UsageError("Give either files or --config.")
    if config_path is not None:
        return read_rules(read_config(config_path, os.environ).rules)
    return rules_of(catalogue=not files, files=files)
