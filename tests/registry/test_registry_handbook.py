"""The handbook's samples are documents: they import, and both forms say the same."""

from __future__ import annotations

import re
from pathlib import Path

from app.documents import parse_csv, parse_document
from registry.checks import directory_of

HANDBOOK = (Path(__file__).parents[2] / "docs/registry.md").read_text(encoding="utf-8")


def samples(language: str) -> list[str]:
    """Return the code blocks in a language."""
    return re.findall(rf"```{language}\n(.*?)```", HANDBOOK, re.DOTALL)


def test_the_samples_of_both_forms_describe_one_registry() -> None:
    """Whoever copies the YAML sample or the tables gets the same facility."""
    tree = directory_of(*(parse_document(text, "sample.yaml") for text in samples("yaml")))
    flat = directory_of(*(parse_csv(text, f"table {number}") for number, text in enumerate(samples("csv"), start=1)))
    assert list(tree.channels) == ["kasese-hc3/fridge-2/temperature", "kasese-hc3/fridge-2/freezer"]
    assert (tree.facilities, tree.equipment, tree.nodes) == (flat.facilities, flat.equipment, flat.nodes)
    assert (tree.channels, tree.contacts) == (flat.channels, flat.contacts)
    assert tree.teams == flat.teams != {}
    assert tree.shared_limits == flat.shared_limits != {}
