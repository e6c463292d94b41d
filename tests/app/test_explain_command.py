"""``vitals rules explain``: an episode, and what it rests on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from app.cli import main
from app.stories.play import play
from tests.cases.folders import CASES

STORIES = [
    "who-freeze-includes-minus-0.5",
    "duplicates-and-reordered-arrivals",
    "silent-node-comes-back-with-its-backlog",
    "mains-lost-and-back",
]


@pytest.fixture
async def config(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Return the configuration of a service that has lived through a story."""
    await play(CASES / request.param, tmp_path / "data")
    (tmp_path / "vitals.yaml").write_text("data: data\n", encoding="utf-8")
    return tmp_path / "vitals.yaml"


def explained(named: str, config: Path, *options: str) -> tuple[int, str]:
    """Run the command and return its exit code and output."""
    result = CliRunner().invoke(main, ["rules", "explain", named, "--config", str(config), *options])
    return result.exit_code, result.output


def document(named: str, config: Path) -> Any:
    """Return what the command tells programs."""
    code, output = explained(named, config, "--json")
    assert code == 0, output
    return json.loads(output)


@pytest.mark.parametrize("config", STORIES, indirect=True)
def test_every_alert_of_a_story_is_found_again(config: Path) -> None:
    """Judging what is stored once more finds each episode that was told, and the readings it names are stored ones."""
    told = 0
    while (answer := explained(str(told + 1), config, "--json"))[0] == 0:
        told += 1
        found = json.loads(answer[1])
        assert found["again"]["same"], found
        assert all(mark["readings"] for mark in found["marks"])
        whats = [mark["what"] for mark in found["marks"]]
        assert not whats or "begins it" in whats
    assert told > 0


@pytest.mark.parametrize("config", ["who-freeze-includes-minus-0.5"], indirect=True)
def test_it_is_told_to_a_person(config: Path) -> None:
    """Place, rule as a sentence with its wording, clock, and who was told stand in it; id and number name the same."""
    code, output = explained("1", config)
    assert code == 0, output
    assert "Alarm when the vaccine compartment of a fridge or a cold room is at or below -0.5 °C" in output
    assert "wording " in output
    assert "is the worst: -0.5 °C" in output
    assert "finds the same" in output
    assert explained(document("1", config)["episode"]["id"], config) == (0, output)


@pytest.mark.parametrize("config", ["mains-lost-and-back"], indirect=True)
def test_what_is_no_episode_is_one_sentence(config: Path) -> None:
    """A number that no alert has, a word, and a number too long for any database."""
    for named in ("4711", "who-heat", "9" * 40):
        code, output = explained(named, config)
        assert code == 2
        assert f"found '{named}', which is no episode" in output
