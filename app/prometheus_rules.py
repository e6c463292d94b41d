"""``vitals prometheus rules``: the rules for what the configuration promises, as files that Prometheus loads."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path

from app.yaml_document import render_document
from dashboards.prometheus.files import rule_files
from dashboards.prometheus.rule import Setting
from dashboards.sla.targets import Target
from domain.errors import OperatorError

_HEAD = "# Written by `vitals prometheus rules`: change the targets in vitals.yaml, not this file.\n"


def rule_texts(targets: Collection[Target], setting: Setting) -> dict[str, str]:
    """Return the text of each rule file by its name."""
    return {name: _HEAD + render_document(document) for name, document in rule_files(targets, setting).items()}


def tell_rules(targets: Collection[Target], setting: Setting, *, out: Path | None, say: Callable[[str], None]) -> None:
    """Write the files into a folder and say which, or without one say all rules as one file."""
    if out is None:
        groups = [each for document in rule_files(targets, setting).values() for each in document["groups"]]
        say(_HEAD + render_document({"groups": groups}).rstrip("\n"))
        return
    for path in write_rules(targets, setting, out):
        say(str(path))


def write_rules(targets: Collection[Target], setting: Setting, folder: Path) -> list[Path]:
    """Write the files and return them; raise ``OperatorError`` where that cannot be."""
    written = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in rule_texts(targets, setting).items():
            path = folder / name
            path.write_text(text, "utf-8")
            written.append(path)
    except OSError as error:
        raise OperatorError(f"rules cannot be written to {folder}: {error.strerror}") from error
    return written
