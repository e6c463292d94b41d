"""The rules in force: the catalogue, the operator's own, and what may not be."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from app.config import RulesSettings
from app.database import open_database
from app.rule_documents import CATALOGUE_SOURCE
from app.rule_versions import RuleVersions
from app.rulebook import Rulebook, read_rules, rule_texts
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


class _Heard:
    """Takes the rules that a rulebook tells."""

    def __init__(self) -> None:
        self.ids: list[list[str]] = []

    async def __call__(self, rules: Sequence[Rule]) -> None:
        self.ids.append([rule.id for rule in rules])


async def test_a_changed_file_is_in_force_without_a_restart(tmp_path: Path) -> None:
    """The rules are read again, whole, and whoever judges by them hears of it once."""
    path = written(tmp_path, "own.yaml", "first")
    settings = RulesSettings(catalogue=(), files=(path,))
    rulebook, heard = Rulebook(read_rules(settings), settings), _Heard()
    rulebook.on_change(heard)
    await rulebook.look()
    written(tmp_path, "own.yaml", "second", title="Another one")
    await rulebook.look()
    await rulebook.look()
    assert heard.ids == [["second"]]
    assert rulebook.texts["second"].title == "Another one"
    assert list(rulebook.by_id) == ["second"]


async def test_a_mistake_in_a_changed_file_leaves_the_rules_in_force(tmp_path: Path) -> None:
    """What was read before goes on judging, and the mistake is told until the file is mended."""
    path = written(tmp_path, "own.yaml", "first")
    settings = RulesSettings(catalogue=(), files=(path,))
    rulebook, heard = Rulebook(read_rules(settings), settings), _Heard()
    rulebook.on_change(heard)
    path.write_text("rules: nonsense\n", "utf-8")
    await rulebook.look()
    assert (heard.ids, list(rulebook.by_id)) == ([], ["first"])
    assert "own.yaml:1" in rulebook.trouble
    written(tmp_path, "own.yaml", "third")
    await rulebook.look()
    assert (heard.ids, rulebook.trouble) == ([["third"]], "")


async def test_a_file_added_to_a_folder_is_in_force(tmp_path: Path) -> None:
    """A folder of rules is looked at as a whole."""
    written(tmp_path, "more/a.yaml", "first")
    settings = RulesSettings(catalogue=(), files=(tmp_path / "more",))
    rulebook = Rulebook(read_rules(settings), settings)
    written(tmp_path, "more/b.yaml", "second")
    await rulebook.look()
    assert list(rulebook.by_id) == ["first", "second"]


async def test_every_wording_of_a_rule_is_kept(tmp_path: Path) -> None:
    """What a rule said at a moment is found again, also after it was changed, taken out, and put back."""
    async with open_database(f"sqlite+aiosqlite:///{tmp_path / 'vitals.db'}") as database:
        versions = RuleVersions(database)
        await versions.create_tables()
        settings = RulesSettings(catalogue=(), files=(written(tmp_path, "own.yaml", "mine", "First"),))
        await versions.note(read_rules(settings), 1_000)
        await versions.note(read_rules(settings), 2_000)
        written(tmp_path, "own.yaml", "mine", "Second")
        await versions.note(read_rules(settings), 3_000)
        await versions.note([], 4_000)
        await versions.note(read_rules(settings), 5_000)
        found = [await versions.at("mine", moment) for moment in (500, 1_000, 2_500, 3_000, 4_500, 6_000)]
        assert await versions.at("other", 6_000) is None
    titles = [version.rule.title if version and version.rule else None for version in found]
    assert titles == ["First", "First", "First", "Second", None, "Second"]
    assert [version.since_ms for version in found if version] == [1_000, 1_000, 1_000, 3_000, 4_000, 5_000]
    assert found[3] is not None
    assert found[5] is not None
    assert found[3].digest == found[5].digest


def test_an_explanation_can_be_said_from_either_side(tmp_path: Path) -> None:
    """What one rule names as its consequence is suppressed by it, beside what the other names itself."""
    cause = RULE.format(id="cause", title="Cause") + "    root_cause_of: [effect]\n"
    effect = RULE.format(id="effect", title="Effect") + "    suppressed_by: other\n"
    (tmp_path / "rules.yaml").write_text(cause + effect.removeprefix("rules:\n"), "utf-8")
    texts = rule_texts(read_rules(RulesSettings(catalogue=(), files=(tmp_path / "rules.yaml",))))
    assert texts["effect"].suppressed_by == ("cause", "other")
    assert texts["cause"].suppressed_by == ()


def test_a_rule_speaks_other_languages(tmp_path: Path) -> None:
    """What is translated is said in the language, what is not stays; a code that is none is refused."""
    french = "    translations: {fr: {title: Trop chaud}}\n"
    (tmp_path / "own.yaml").write_text(RULE.format(id="mine", title="Too warm") + french, "utf-8")
    settings = RulesSettings(catalogue=(), files=(tmp_path / "own.yaml",))
    said = rule_texts(read_rules(settings))["mine"].spoken("fr")
    assert (said.title, said.action) == ("Trop chaud", "Have a look.")
    (tmp_path / "own.yaml").write_text(RULE.format(id="mine", title="X") + french.replace("fr", "French"), "utf-8")
    with pytest.raises(DocumentError, match="French"):
        read_rules(settings)


async def test_who_could_not_be_told_is_told_at_the_next_look(tmp_path: Path) -> None:
    """Where the database is away when rules change, they are not half in force for good."""
    path = written(tmp_path, "own.yaml", "first")
    settings = RulesSettings(catalogue=(), files=(path,))
    rulebook, heard, away = Rulebook(read_rules(settings), settings), _Heard(), iter((True, False))

    async def note(rules: Sequence[Rule]) -> None:
        del rules
        if next(away):
            raise OSError("no route to host")

    rulebook.on_change(note)
    rulebook.on_change(heard)
    written(tmp_path, "own.yaml", "second", title="Another one")
    with pytest.raises(OSError, match="no route"):
        await rulebook.look()
    await rulebook.look()
    assert heard.ids == [["second"]]
