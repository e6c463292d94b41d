"""What is deployed for Prometheus and Alertmanager, read by their own tools: every kind of alert reaches somebody."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from alerts.mirrors.alertmanager import labels_of
from dashboards.prometheus.files import rule_files
from dashboards.prometheus.service import JOB, SAMPLE_LIMIT
from dashboards.sla.targets import Target
from domain.episode import Severity
from tests.alerts.test_mirrors import ALERT, the_state
from tests.system.servers import require

pytestmark = pytest.mark.system

DEPLOY = Path(__file__).parents[2] / "deploy"
ALERTMANAGER = DEPLOY / "alertmanager" / "alertmanager.yml"


def run(*command: str, package: str) -> str:
    """Run a tool that must be content, and return what it says."""
    binary = require(command[0], package=package)
    ran = subprocess.run([binary, *command[1:]], capture_output=True, text=True, check=False, timeout=60)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def told(labels: Mapping[str, str]) -> list[str]:
    """Return the receivers of an alert."""
    said = [f"{name}={value}" for name, value in labels.items()]
    command = ("amtool", "config", "routes", "test", f"--config.file={ALERTMANAGER}", *said)
    return run(*command, package="prometheus-alertmanager").strip().split(",")


def test_the_configuration_of_prometheus_is_read_with_its_rules(tmp_path: Path) -> None:
    """Beside its rules and its token, as the page says; limits and job are those that the rules speak of."""
    shutil.copytree(DEPLOY / "prometheus", tmp_path, dirs_exist_ok=True)
    (tmp_path / "vitals-token").write_text("vt_x", "utf-8")
    assert "3 rule files found" in run(
        "promtool", "check", "config", str(tmp_path / "prometheus.yml"), package="prometheus"
    )
    jobs = {
        each["job_name"]: each for each in yaml.safe_load((tmp_path / "prometheus.yml").read_text())["scrape_configs"]
    }
    assert jobs[JOB]["sample_limit"] == SAMPLE_LIMIT
    assert {jobs[name]["metrics_path"] for name in (JOB, "vitals-equipment")} == {"/metrics", "/metrics/equipment"}
    for name in (JOB, "vitals-equipment"):
        assert {"sample_limit", "label_limit", "label_value_length_limit", "authorization"} <= set(jobs[name])


def test_rules_for_unlike_targets_are_whole(tmp_path: Path) -> None:
    """Also those that the committed files do not have; the tool's lint finds no two rules alike."""
    for name, document in rule_files([Target(ratio=ratio) for ratio in (0.5, 0.8, 0.9, 0.95, 0.999)]).items():
        (tmp_path / name).write_text(yaml.safe_dump(document), "utf-8")
        assert "SUCCESS" in run("promtool", "check", "rules", str(tmp_path / name), package="prometheus")


def test_the_configuration_of_alertmanager_is_read() -> None:
    """Its own tool finds nothing to complain of, and no secret stands in it."""
    assert "SUCCESS" in run("amtool", "check-config", str(ALERTMANAGER), package="prometheus-alertmanager")
    text = ALERTMANAGER.read_text("utf-8")
    assert "password:" not in text
    assert "credentials:" not in text


def expected(name: str, severity: str) -> list[str]:
    """Return who should be told of a rule of ours, as docs/prometheus.md has it."""
    if name == "VitalsWatchdog":
        return ["outside"]
    critical = severity == Severity.CRITICAL.label
    if name.startswith(("VitalsRegion", "VitalsFacility")):
        return ["duty"] if critical else ["facilities"]
    return ["duty", "operators"] if critical else ["operators"]


def test_every_alert_of_the_rules_reaches_whom_it_should() -> None:
    """Each name with each of its severities."""
    files = rule_files([Target(ratio=0.95), Target(ratio=0.9)])
    kinds = {
        (rule["alert"], rule["labels"]["severity"])
        for document in files.values()
        for group in document["groups"]
        for rule in group["rules"]
        if "alert" in rule
    }
    assert {name for name, _ in kinds} > {"VitalsFacilityDown", "VitalsRegionDown", "VitalsDown", "VitalsWatchdog"}
    for name, severity in kinds:
        assert told({"alertname": name, "severity": severity}) == expected(name, severity), name


@pytest.mark.parametrize("severity", list(Severity))
def test_what_vitals_sends_itself_is_told_by_facility(severity: Severity) -> None:
    """With the labels that the mirror puts on; critical ones go to the duty too; a rule may be called Vitals..."""
    for rule in ("heat", "VitalsHeat"):
        (shown,) = the_state(replace(ALERT, severity=severity, rule=rule))
        labels = dict(labels_of(shown, {"service": "vitals"}))
        assert told(labels) == (["duty", "facilities"] if severity is Severity.CRITICAL else ["facilities"])


def test_what_is_none_of_ours_goes_to_the_operators() -> None:
    """Nothing is lost between the routes."""
    assert told({"alertname": "DiskFull", "severity": "warning"}) == ["operators"]
