"""``vitals rules backtest`` on the command line."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from app.cli import main
from app.stories.play import play
from tests.cases.folders import CASES

STORY = CASES / "who-freeze-includes-minus-0.5"
LOOSE = """
rules:
  - id: who-freeze
    title: Freezing
    severity: critical
    applies_to: {quantity: temperature, equipment: fridge}
    when: {below: {limit: -20 °C, comparison: "<"}}
"""


@pytest.fixture
async def stored(tmp_path: Path) -> tuple[Path, str, str]:
    """Return the configuration of a service that has lived through the story, and the day of it."""
    played = await play(STORY, tmp_path / "data")
    (tmp_path / "vitals.yaml").write_text("data: data\n", encoding="utf-8")
    day = datetime.fromtimestamp(played.start_ms / 1000, UTC)
    return tmp_path / "vitals.yaml", f"{day:%Y-%m-%d}", f"{day:%Y-%m}-{day.day + 2:02}"


def run(*arguments: str) -> tuple[int, str]:
    """Run the command and return its exit code and output."""
    result = CliRunner().invoke(main, ["rules", "backtest", *arguments])
    return result.exit_code, result.output


def test_a_report_in_three_forms(stored: tuple[Path, str, str], tmp_path: Path) -> None:
    """The table, the JSON and the page tell the same, and how other rules differ."""
    config, start, end = stored
    (tmp_path / "loose.yaml").write_text(LOOSE, encoding="utf-8")
    files = ("--json", str(tmp_path / "out.json"), "--html", str(tmp_path / "out.html"))
    code, output = run(
        *("--config", str(config), "--from", start, "--to", end, "--against", str(tmp_path / "loose.yaml")), *files
    )
    assert code == 0, output
    data = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    (found,) = [rule for rule in data["sets"][0]["rules"] if rule["id"] == "who-freeze"]
    assert found["episodes"] == found["told_at_once"] >= 1
    assert [each["rule"] for each in data["difference"]["gone"]].count("who-freeze") == found["episodes"]
    page = (tmp_path / "out.html").read_text(encoding="utf-8")
    assert found["sentence"] in page
    assert "no longer found" in page
    assert "who-freeze" in output
    assert "Amina" in output


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--from", "2026-13-01", "--to", "2026-12-02"), "found '2026-13-01'; allowed: 2026-11-01 or"),
        (("--from", "2026-12-02", "--to", "2026-12-01"), "one that begins before it ends"),
        (("--from", "2026-12-01", "--to", "2026-12-02", "--facility", "nowhere"), "found no such facility"),
    ],
)
def test_what_cannot_be_judged_is_said(stored: tuple[Path, str, str], options: tuple[str, ...], sentence: str) -> None:
    """One sentence, and whose mistake it is."""
    code, output = run("--config", str(stored[0]), *options)
    assert code == 2
    assert sentence in output
