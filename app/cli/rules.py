"""Rules: as sentences, tested, and tried on the past."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from app.cli.base import EXISTING_FILE, SERVICE_CONFIG, VitalsGroup, show_progress

if TYPE_CHECKING:
    from rules.model import Rule

PATH = click.Path(path_type=Path)
OUT = click.Path(dir_okay=False, path_type=Path)
FILES = click.argument("files", nargs=-1, metavar="[FILE]...", type=PATH)
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
    """Show each rule as a sentence: those in FILE, files or folders, else all that come with Vitals."""
    from app.rule_trials import list_rules

    list_rules(_rules(files, config_path), say=click.echo)


@rules.command("test")
@FILES
@CONFIG
@click.option("--junit", type=OUT, help="Also write the outcome as JUnit XML.")
def rules_test(files: tuple[Path, ...], config_path: Path | None, junit: Path | None) -> None:
    """Try the tests that stand in the rules: those in FILE, files or folders, else those that come with Vitals.

    Folders that hold a story.yaml are stories: they are played through the whole service, each on a clock of its own,
    and what comes of them has to be what their expected.yaml says (docs/stories.md).

    The exit code is 0 when everything does what its tests say, else 1.
    """
    from app.process import run_until_stopped
    from app.rule_trials import try_rules
    from app.stories.story import story_folders

    told = {file: story_folders(file) for file in files}
    stories = [folder for folders in told.values() for folder in folders]
    others = tuple(file for file, folders in told.items() if not folders)
    rules = [] if stories and not others and config_path is None else _rules(others, config_path)
    if not run_until_stopped(try_rules(rules, stories, junit=junit, say=click.echo)):
        sys.exit(1)


@rules.command("backtest")
@SERVICE_CONFIG
@click.option("--from", "start", required=True, metavar="TIME", help="RFC 3339, or a date: 2026-11-01.")
@click.option("--to", "end", required=True, metavar="TIME", help="Not part of the period.")
@click.option("--rules", "files", multiple=True, type=PATH, help="Judge by these instead of the rules in force.")
@click.option("--against", multiple=True, type=PATH, help="Judge by these as well, and show the difference.")
@click.option("--facility", "facilities", multiple=True, help="Only this facility; may be repeated.")
@click.option("--district", "districts", multiple=True, help="Only this district; may be repeated.")
@click.option("--json", "json_path", type=OUT, help="Also write it for programs.")
@click.option("--html", "html_path", type=OUT, help="Also write it as one page.")
def rules_backtest(
    config_path: Path,
    start: str,
    end: str,
    files: tuple[Path, ...],
    against: tuple[Path, ...],
    facilities: tuple[str, ...],
    districts: tuple[str, ...],
    json_path: Path | None,
    html_path: Path | None,
) -> None:
    """Show what rules would have found, and whom they would have told, on readings that are stored.

    Readings are judged in the order in which they arrived, late ones as late, by the engine of the service; what it
    finds goes through the life cycle and the routing of alerts. Nobody answers in a backtest, and nothing stored is
    changed. The service may run meanwhile.
    """
    from app.backtest_command import run_backtest
    from app.config import read_config
    from app.process import run_until_stopped

    config = read_config(config_path, os.environ)
    first = _rules(files, None if files else config_path)
    run_until_stopped(
        run_backtest(
            config,
            (start, end),
            rule_sets=[first, _rules(against, None)] if against else [first],
            facilities=frozenset(facilities),
            districts=frozenset(districts),
            outputs=(json_path, html_path),
            progress=show_progress,
            say=click.echo,
        )
    )


@rules.command("explain")
@click.argument("episode")
@SERVICE_CONFIG
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def rules_explain(episode: str, config_path: Path, as_json: bool) -> None:
    """Say why EPISODE is one: the rule and the limits of its time, and the readings that begin, confirm and end it.

    EPISODE is the number of an alert, as messages name it, or an episode's id. What is stored is judged once more, and
    whether that finds the same is said, too. Nothing is changed; the service may run meanwhile.
    """
    from datetime import UTC, datetime

    from app.config import read_config
    from app.explain_command import explain_episode
    from app.process import run_until_stopped

    config = read_config(config_path, os.environ)
    run_until_stopped(explain_episode(config, episode, now=datetime.now(UTC), as_json=as_json, say=click.echo))


def _rules(files: tuple[Path, ...], config_path: Path | None) -> list[Rule]:
    from app.config import read_config
    from app.rule_documents import every_rule, rules_of
    from app.rulebook import read_rules

    if files and config_path is not None:
        raise click.UsageError("Give either files or --config.")
    if config_path is not None:
        return read_rules(read_config(config_path, os.environ).rules)
    return rules_of(catalogue=(), files=files) if files else every_rule()
