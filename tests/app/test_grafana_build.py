"""``vitals dashboards build``: a deployment's own limits and address in its dashboards."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from app.cli import main
from dashboards.grafana.build import JSON_FOLDER

REGISTRY = """\
facilities:
  - id: clinic
    name: Clinic
    country: Uganda
    region: Western
    district: Kasese
    nodes: [{id: node}]
    equipment:
      - id: fridge
        kind: fridge
        name: Fridge
        channels: [{quantity: temperature, node: node, interval: 1min, limits: {low: 3, high: 7}}]
"""


def run(*arguments: str) -> None:
    """Run a command that has to succeed."""
    result = CliRunner().invoke(main, list(arguments))
    assert result.exit_code == 0, result.output


def steps(folder: Path, title: str) -> list[float | None]:
    """Return where the colours of a chart change, on the facility's dashboard."""
    dashboard: dict[str, Any] = json.loads((folder / "facility.json").read_text("utf-8"))
    (panel,) = (panel for panel in dashboard["panels"] if panel["title"] == title)
    return [step["value"] for step in panel["fieldConfig"]["defaults"]["thresholds"]["steps"]]


def test_the_committed_dashboards_are_written_by_default(tmp_path: Path) -> None:
    """Without a configuration the files are those that are committed."""
    run("dashboards", "build", "--out", str(tmp_path))
    for path in JSON_FOLDER.glob("*.json"):
        assert (tmp_path / path.name).read_bytes() == path.read_bytes()


def test_a_deployment_builds_with_its_own_limits_and_address(tmp_path: Path) -> None:
    """Lines are the registry's limits where it has any, links lead to the service's public address."""
    config, registry, out = tmp_path / "vitals.yaml", tmp_path / "registry.yaml", tmp_path / "out"
    config.write_text(f"data: {tmp_path / 'data'}\npublic_url: https://vitals.example.org\n", "utf-8")
    registry.write_text(REGISTRY, "utf-8")
    run("registry", "import", str(registry), "--config", str(config))
    run("dashboards", "build", "--config", str(config), "--out", str(out))
    assert steps(out, "Cold chain temperatures") == [None, 3.0, 7.0]
    assert steps(out, "Mains voltage") == steps(JSON_FOLDER, "Mains voltage") == [None, 216.0, 264.0]
    for path in out.glob("*.json"):
        variables = json.loads(path.read_text("utf-8"))["templating"]["list"]
        assert [each["query"] for each in variables if each["name"] == "vitals"] == ["https://vitals.example.org"]
