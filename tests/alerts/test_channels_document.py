"""The document of the channels tells the truth: every row is in it, and its settings are valid."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from alerts.notifiers.table import NOTIFIERS
from alerts.settings import AlertsSettings

DOCUMENT = (Path(__file__).parents[2] / "docs/channels.md").read_text("utf-8")


def test_every_channel_of_ours_is_in_the_document() -> None:
    """With its medium."""
    for row in NOTIFIERS:
        assert re.search(rf"^\| `{row.name}` \| {row.medium}\b", DOCUMENT, re.MULTILINE), row.name


def test_the_settings_in_the_document_are_valid() -> None:
    """All of them, with secrets in place."""
    for block in re.findall(r"```yaml\n(.*?)```", DOCUMENT, re.DOTALL):
        text = re.sub(r"\{env: \w+\}", "0123456789abcdef", block)
        found = yaml.safe_load(text)
        notifiers = found["alerts"]["notifiers"] if "alerts" in found else found
        AlertsSettings.model_validate({"notifiers": notifiers})
