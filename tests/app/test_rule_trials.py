"""``vitals rules``: sentences and tests on the command line."""

from __future__ import annotations

import shutil
from pathlib import Path
from xml.etree import ElementTree as ET

from click.testing import CliRunner

from app.cli import main
from tests.cases.folders import CASES

RULES = """
rules:
  - id: warm
    title: Warm
    severity: warning
    applies_to: {quantity: temperature}
    when: {above: {limit: 8 °C, comparison: ">"}}
    tests:
      - {it: tells at once, readings: 5 9 5, episodes: [{start: 10min, end: 20min}]}
      - {it: is silent, readings: 5 9 5}
"""


def test_failed_tests_are_said_and_written(tmp_path: Path) -> None:
    """The exit code, the lines and the JUnit file agree."""
    (tmp_path / "rules.yaml").write_text(RULES, encoding="utf-8")
    arguments = ["rules", "test", str(tmp_path / "rules.yaml"), "--junit", str(tmp_path / "junit.xml")]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 1
    assert "ok     warm tells at once" in result.output
    assert "FAILED warm is silent\n       expected nothing; found from 10min" in result.output
    assert result.output.endswith("1 passed, 1 failed\n")
    suite = ET.parse(tmp_path / "junit.xml").getroot()  # noqa: S314 - our own file
    assert (suite.get("tests"), suite.get("failures")) == ("2", "1")
    assert [case.get("name") for case in suite.findall("testcase[failure]")] == ["is silent"]


def test_rules_that_come_with_vitals_pass() -> None:
    """Without files the catalogue is tried."""
    result = CliRunner().invoke(main, ["rules", "test"])
    assert result.exit_code == 0, result.output
    assert result.output.endswith(" 0 failed\n")


def test_rules_are_listed_as_sentences() -> None:
    """A manager reads what the catalogue does."""
    result = CliRunner().invoke(main, ["rules", "list"])
    assert "Alarm when the vaccine compartment of a fridge or a cold room is above 8 °C" in result.output


def test_a_story_is_played_through_the_service(tmp_path: Path) -> None:
    """It passes where it expects what came; without an expectation it fails and prints all that came."""
    story = CASES / "who-heat-not-at-exactly-8"
    known = CliRunner().invoke(main, ["rules", "test", str(story)])
    assert (known.exit_code, known.output.splitlines()[-1]) == (0, "1 passed, 0 failed")
    shutil.copytree(story, tmp_path / "stories" / "mine")
    shutil.copy(CASES / "clinic.yaml", tmp_path / "stories")
    (tmp_path / "stories" / "mine" / "expected.yaml").unlink()
    arguments = ["rules", "test", str(tmp_path), "--junit", str(tmp_path / "junit.xml")]
    unknown = CliRunner().invoke(main, arguments)
    assert unknown.exit_code == 1
    assert "there is no expected.yaml yet" in unknown.output
    assert "All that came, as expected.yaml:" in unknown.output
    (case,) = ET.parse(tmp_path / "junit.xml").getroot()  # noqa: S314 - our own file
    assert case.get("classname") == str(tmp_path / "stories" / "mine")


def test_a_story_with_a_mistake_is_one_sentence(tmp_path: Path) -> None:
    """A rule that is not in force is named with those that are."""
    folder = tmp_path / "mine"
    folder.mkdir()
    shutil.copy(CASES / "clinic.yaml", tmp_path)
    (folder / "story.yaml").write_text(
        "sentence: A story.\nstart: 2026-03-02T06:00:00Z\nonly: [who-haet]\nsteps: [{at: 0s, wait: 1h}]\n", "utf-8"
    )
    result = CliRunner().invoke(main, ["rules", "test", str(folder)])
    assert result.exit_code == 2
    assert "found 'who-haet'; allowed: " in result.output
    assert "did you mean who-heat?" in result.output
