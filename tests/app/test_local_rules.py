"""The rules that a node chooses: by id, from the catalogue or its own files, and only those that find something."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.edge import read_edge_config
from app.local_rules import local_rules
from domain.document import Document
from domain.errors import DocumentError

NODE = """\
node: pi-1
broker: mqtt://127.0.0.1
outbox: outbox.sqlite
drivers: [{driver: ds18b20, probes: {28-000000000001: fridge}}]
local_alarms:
  place: Bukasa HC3
  rule_files: [rules]
  channels:
    fridge: {channel: clinic/fridge-1/temperature, quantity: temperature, equipment: fridge, limits: {low: 2}}
  rules:
    - {rule: who-heat, when: always}
    - {rule: RULE}
"""
OWN = """\
rules:
  - id: mine
    title: Mine
    severity: info
    applies_to: {quantity: temperature}
    when: {above: {limit: 30 °C, comparison: ">"}}
"""


def node_file(folder: Path, rule: str) -> Path:
    """Return a node's file that names this rule, with a folder of own rules beside it."""
    (folder / "rules").mkdir()
    (folder / "rules" / "mine.yaml").write_text(OWN, "utf-8")
    path = folder / "edge.yaml"
    path.write_text(NODE.replace("RULE", rule), "utf-8")
    return path


@pytest.mark.parametrize("rule", ["mine", "who-freeze"])
def test_rules_come_from_the_catalogue_and_from_files_beside_the_nodes_own(rule: str, tmp_path: Path) -> None:
    """Those that are chosen, in the order of the file."""
    settings = read_edge_config(node_file(tmp_path, rule), {})
    assert [each.id for each in local_rules(settings, Document("edge.yaml", {}))] == ["who-heat", rule]


@pytest.mark.parametrize(
    ("rule", "allowed"),
    [
        ("who-hot", "did you mean who-heat"),
        ("node-silent", "which a node cannot say of itself"),
        ("mains-lost", "it judges none of the channels"),
        ("compartment-warm", "it asks for a limit that fridge has not"),
        ("who-heat", "every rule once"),
    ],
)
def test_a_rule_that_finds_nothing_here_is_named_with_its_place(rule: str, allowed: str, tmp_path: Path) -> None:
    """A technician learns it at the desk, not at the first alarm that does not come."""
    with pytest.raises(DocumentError) as refused:
        read_edge_config(node_file(tmp_path, rule), {})
    (problem,) = refused.value.problems
    assert allowed in str(problem)
    assert problem.source.endswith("edge.yaml")
    assert problem.line >= 5
