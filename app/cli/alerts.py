"""What people are told."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from app.cli.alert_measures import alerts_measures
from app.cli.base import EXISTING_FILE, SERVICE_CONFIG, VitalsGroup


@click.group(cls=VitalsGroup)
def alerts() -> None:
    """Messages to people: how they read, and whether they arrive."""


alerts.add_command(alerts_measures)


@alerts.command("lint")
@click.option("--language", "chosen", multiple=True, help="Only this language; may be repeated.")
@click.option("--config", "config_path", type=EXISTING_FILE, help="The rules of this service's YAML file instead.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def alerts_lint(chosen: tuple[str, ...], config_path: Path | None, as_json: bool) -> None:
    """Compose what every rule would say and show what is too long, cut, missing or not translated.

    The exit code is 1 where there are errors: too many parts, no reference, no place, an unknown placeholder.
    """
    from alerts.words.language import languages
    from app.config import read_config
    from app.message_lint import lint, report
    from app.rule_documents import every_rule
    from app.rulebook import read_rules, rule_texts

    rules = read_rules(read_config(config_path, os.environ).rules) if config_path else every_rule()
    lines = list(lint(rule_texts(rules), chosen or languages()))
    if not report(lines, as_json=as_json, say=click.echo):
        sys.exit(1)


@alerts.command("send-test")
@click.argument("contact")
@click.option("--channel", help="Only over this one, such as email.")
@SERVICE_CONFIG
def alerts_send_test(contact: str, channel: str | None, config_path: Path) -> None:
    """Send CONTACT, by id, a test message and say what each channel answered; exit code 1 where one refused."""
    from datetime import UTC, datetime

    from app.config import read_config
    from app.process import run_until_stopped
    from app.send_test import send_test

    config = read_config(config_path, os.environ)
    if not run_until_stopped(send_test(config, contact, channel, now=datetime.now(UTC), echo=click.echo)):
        sys.exit(1)
