"""``vitals prometheus rules``: files for a folder, or one file to look at."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from app.cli import main
from app.prometheus_rules import write_rules
from dashboards.prometheus.rule import Setting
from domain.errors import OperatorError


def asked(folder: Path, *arguments: str) -> Result:
    """Run the command with a target of 0.9 for water."""
    config = folder / "vitals.yaml"
    config.write_text("sla: {targets: [{ratio: 0.9, service: water}]}\n", "utf-8")
    return CliRunner().invoke(main, ["prometheus", "rules", "--config", str(config), *arguments])


def test_the_files_are_for_what_the_configuration_promises(tmp_path: Path) -> None:
    """Each file is named; links lead to where the page is served."""
    out = tmp_path / "new" / "rules"
    result = asked(tmp_path, "--out", str(out), "--runbooks", "https://example.org/p.md")
    assert result.exit_code == 0
    assert result.output.split() == [str(out / f"{name}.yml") for name in ("recording", "targets", "service")]
    groups = yaml.safe_load((out / "targets.yml").read_text("utf-8"))["groups"]
    assert [group["name"] for group in groups] == ["vitals-target-water-0.9", "vitals-region-water", "vitals-targets"]
    assert groups[0]["rules"][0]["annotations"]["runbook_url"] == "https://example.org/p.md#vitalsfacilitydown"


def test_without_a_folder_all_rules_are_one_file(tmp_path: Path) -> None:
    """What is shown could be loaded as it stands."""
    shown = asked(tmp_path)
    assert shown.exit_code == 0
    names = [group["name"] for group in yaml.safe_load(shown.output)["groups"]]
    assert {"vitals-slices", "vitals-target-water-0.9", "vitals-alive"} <= set(names)
    assert len(names) == len(set(names))


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    """It names the folder and the reason."""
    (tmp_path / "file").write_text("", "utf-8")
    with pytest.raises(OperatorError, match="file/rules: Not a directory"):
        write_rules((), Setting(), tmp_path / "file" / "rules")
