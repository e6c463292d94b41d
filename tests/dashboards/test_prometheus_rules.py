"""Prometheus' rules as data: a group for each distinct promise, nothing that cannot be, help for whoever reads."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.prometheus_rules import rule_texts
from dashboards.prometheus.files import USUAL_TARGETS, rule_files
from dashboards.prometheus.rule import Setting
from dashboards.prometheus.slo import Promise, promises
from dashboards.prometheus.times import BURNS, duration
from dashboards.sla.targets import Target
from domain.episode import Severity
from domain.places import Service

ROOT = Path(__file__).parents[2]
RULES = ROOT / "deploy" / "prometheus" / "rules"


def alerts(files: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield every alert."""
    for document in files.values():
        for group in document["groups"]:
            yield from (rule for rule in group["rules"] if "alert" in rule)


def groups_of(*targets: Target) -> dict[str, Any]:
    """Return the groups about targets by name."""
    return {group["name"]: group for group in rule_files(targets)["targets.yml"]["groups"]}


def test_what_is_committed_is_what_the_code_writes() -> None:
    """A change of the generator without its files is seen here; what is written is what was meant."""
    texts = rule_texts(USUAL_TARGETS, Setting())
    assert texts == {path.name: path.read_text("utf-8") for path in RULES.iterdir()}
    assert {name: yaml.safe_load(text) for name, text in texts.items()} == rule_files(USUAL_TARGETS)


def test_ten_thousand_facilities_with_two_targets_are_two_groups() -> None:
    """Groups are made of distinct targets, so that their number does not grow with the nation."""
    targets = [
        Target(service=Service.POWER, facility=f"clinic-{number}", ratio=0.9 if number % 2 else 0.99)
        for number in range(10_000)
    ]
    assert set(groups_of(*targets)) == {
        "vitals-target-power-0.9", "vitals-target-power-0.99", "vitals-region-power", "vitals-targets",
    }  # fmt: skip
    assert rule_files(targets) == rule_files(targets[::-1])


def test_a_target_without_service_is_one_for_every_service() -> None:
    """And one that names its service says nothing about the others."""
    assert promises([Target(ratio=0.95), Target(ratio=0.9, service=Service.WATER)]) == [
        Promise(Service.POWER, 0.95), Promise(Service.COLD_CHAIN, 0.95), Promise(Service.WATER, 0.9),
        Promise(Service.WATER, 0.95), Promise(Service.MONITORING, 0.95),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("ratio", "windows"),
    [
        (0.999, ["1h", "6h", "1d", "3d"]),
        (0.95, ["1h", "6h", "1d", "3d"]),
        (0.9, ["down", "6h", "1d", "3d"]),
        (0.8, ["down", "1d", "3d"]),
        (0.5, ["down", "3d"]),
    ],
)
def test_what_cannot_be_reached_is_not_emitted(ratio: float, windows: list[str]) -> None:
    """A tenth of the time cannot be down 14 times too much: a plain alert on a whole hour stands there instead."""
    groups = groups_of(Target(ratio=ratio, service=Service.POWER))
    for name, kind in ((f"vitals-target-power-{ratio:g}", "Facility"), ("vitals-region-power", "Region")):
        found = [(rule["alert"], rule["labels"].get("window")) for rule in groups[name]["rules"]]
        wanted = [(f"Vitals{kind}{'Down' if each == 'down' else 'Burn'}", each) for each in windows]
        assert found == [(alert, None if window == "down" else window) for alert, window in wanted]


def test_limits_are_written_without_the_noise_of_floats() -> None:
    """0.72 is written as a person would; whoever reads a rule compares it with the documents."""
    assert [burn.threshold(0.95) for burn in BURNS] == [0.72, 0.3, 0.15, 0.05]
    assert "> 0.72" in rule_files(USUAL_TARGETS)["targets.yml"]["groups"][0]["rules"][0]["expr"]


def test_a_region_pages_and_a_facility_does_not() -> None:
    """One page for a region; at a facility its own people are told by Vitals itself."""
    severities = {(each["alert"], each["labels"]["severity"]) for each in alerts(rule_files([Target(ratio=0.9)]))}
    assert ("VitalsRegionDown", Severity.CRITICAL.label) in severities
    assert ("VitalsRegionBurn", Severity.CRITICAL.label) in severities
    assert not {name for name, severity in severities if name.startswith("VitalsFacility") and severity == "critical"}


def test_nothing_promised_is_nothing_told_of_promises() -> None:
    """Without targets only the alert stands that notices that there are some by now."""
    assert set(groups_of()) == {"vitals-targets"}


def test_time_in_rules_shrinks_with_the_pace() -> None:
    """Every window, wait and interval is so many times shorter; the names stay."""
    assert [duration(each) for each in (300, 3600, 5400, 86_400, 259_200, 45)] == ["5m", "1h", "90m", "1d", "3d", "45s"]
    assert duration(300, 60) == "5s"
    assert duration(300, 240) == "1250ms"
    quick = yaml.safe_dump(rule_files(USUAL_TARGETS, Setting(pace=60)))
    assert set(re.findall(r"\[(\w+)\]", quick)) == {
        "5s", "10s", "15s", "30s", "1m", "2m", "6m", "24m", "72m", "168m", "12h",
    }  # fmt: skip
    assert "ratio3d" in quick


def test_every_alert_says_what_and_what_to_do() -> None:
    """And links to a place in the documents that is there."""
    page = (ROOT / "docs" / "prometheus.md").read_text("utf-8")
    anchors = {heading.strip().lower() for heading in re.findall(r"^#+ (.+)$", page, re.MULTILINE)}
    for alert in alerts(rule_files([Target(ratio=0.95), Target(ratio=0.9)])):
        assert set(alert["annotations"]) == {"summary", "description", "runbook_url"}
        assert alert["annotations"]["description"].endswith(".")
        assert alert["labels"]["severity"] in {"none", *(each.label for each in Severity)}
        document, _, anchor = alert["annotations"]["runbook_url"].partition("#")
        assert document == "docs/prometheus.md"
        assert anchor == alert["alert"].lower()
        assert anchor in anchors


def test_every_metric_that_a_rule_asks_for_is_one_that_the_service_tells() -> None:
    """Its document is held to the code; an alert on a name that nobody tells would be silent for ever."""
    told = set(re.findall(r"^\| `(vitals_\w+)", (ROOT / "docs" / "metrics.md").read_text("utf-8"), re.MULTILINE))
    documents = rule_files([Target(ratio=0.95), Target(ratio=0.9)]).values()
    rules = [rule for document in documents for group in document["groups"] for rule in group["rules"]]
    asked = {name for rule in rules for name in re.findall(r"(?<![:\w])vitals_\w+(?![:\w])", rule["expr"])}
    assert "vitals_facility_up" in asked
    assert {name.removesuffix("_bucket") for name in asked} <= told
