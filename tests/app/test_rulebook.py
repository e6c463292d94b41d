"""The rules in force: the catalogue, the operator's own, and what may not be."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.config import RulesSettings
from app.rule_documents import CATALOGUE_SOURCE
from app.rulebook import read_rules, rule_texts
from domain.episode import Severity
from domain.errors import DocumentError, OperatorError
from rules.catalogue import USUAL, load_catalogue
from rules.model import Rule

RULE = """\
rules:
  - id: {id}
    title: {title}
    severity: info
    applies_to: {{quantity: temperature}}
    when: {{above: {{limit: 9 °C, comparison: ">", for: 1h}}}}
    action: Have a look.
"""


def written(folder: Path, name: str, id_: str, title: str = "Mine") -> Path:
    """Return a file with one rule."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(RULE.format(id=id_, title=title), "utf-8")
    return path


def test_the_usual_documents_are_in_force_by_default() -> None:
    """Every rule of the documents that suit nearly everybody, once; those of the others only where they are named."""
    rules = read_rules(RulesSettings())
    assert {"who-heat", "who-freeze", "mains-lost", "tank-low", "node-silent"} <= {rule.id for rule in rules}
    assert len({rule.id for rule in rules}) == len(rules)
    assert sources(rules) == {f"{CATALOGUE_SOURCE}{name}.yaml" for name in USUAL}
    assert read_rules(RulesSettings.model_validate({"catalogue": True})) == rules


def sources(rules: list[Rule]) -> set[str]:
    """Return the documents that rules stand in."""
    return {rule.problem((), "", "").source for rule in rules}


@pytest.mark.parametrize("name", load_catalogue())
def test_a_document_of_the_catalogue_is_switched_on_by_its_name(name: str) -> None:
    """It alone, if it alone is named; and none says an id that another one says."""
    alone = read_rules(RulesSettings(catalogue=(name,)))
    assert sources(alone) == {f"{CATALOGUE_SOURCE}{name}.yaml"}
    others = read_rules(RulesSettings(catalogue=tuple(each for each in load_catalogue() if each != name)))
    assert not {rule.id for rule in alone} & {rule.id for rule in others}


def test_without_the_catalogue_only_ones_own(tmp_path: Path) -> None:
    """A file, or a folder of files in order of name."""
    written(tmp_path, "more/b.yaml", "second")
    written(tmp_path, "more/a.yaml", "first")
    settings = RulesSettings(catalogue=(), files=(written(tmp_path, "one.yaml", "mine"), tmp_path / "more"))
    assert [rule.id for rule in read_rules(settings)] == ["mine", "first", "second"]
    assert read_rules(RulesSettings(catalogue=())) == []


def test_a_rule_of_ones_own_takes_the_catalogues_place(tmp_path: Path) -> None:
    """The rule with the same id, and no other."""
    usual = {rule.id: rule for rule in read_rules(RulesSettings())}
    changed = read_rules(RulesSettings(files=(written(tmp_path, "own.yaml", "who-heat", "Our limit"),)))
    assert [rule.id for rule in changed] == list(usual)
    (heat,) = (rule for rule in changed if rule.id == "who-heat")
    assert (heat.title, heat.severity) == ("Our limit", Severity.INFO)
    assert [rule for rule in changed if rule.id != "who-heat"] == [
        rule for rule in usual.values() if rule.id != "who-heat"
    ]
    assert rule_texts(changed)["who-heat"].title == "Our limit"
    assert rule_texts(changed)["who-heat"].action == "Have a look."


def test_two_files_may_not_share_an_id(tmp_path: Path) -> None:
    """The second one is named with its place."""
    files = (written(tmp_path, "a.yaml", "mine"), written(tmp_path, "b.yaml", "mine"))
    with pytest.raises(DocumentError, match=r"b\.yaml:2:5: rules\.0\.id: found 'mine' again; allowed: an id that no"):
        read_rules(RulesSettings(files=files))


def test_the_mistakes_of_all_files_are_listed(tmp_path: Path) -> None:
    """Not only those of the first wrong file."""
    files = tuple(written(tmp_path, f"{name}.yaml", name.upper()) for name in ("a", "b"))
    with pytest.raises(DocumentError) as caught:
        read_rules(RulesSettings(files=files))
    assert [Path(problem.source).name for problem in caught.value.problems] == ["a.yaml", "b.yaml"]


def test_a_file_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    """A wrong path is the operator's to mend."""
    with pytest.raises(OperatorError, match="there is no such file"):
        read_rules(RulesSettings(files=(tmp_path / "nowhere.yaml",)))
