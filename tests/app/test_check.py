"""``vitals check``: what would run, what is worth a look, and what would not start."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from app.cli import main

REGISTRY = """\
facilities:
  - id: clinic
    name: Clinic
    country: Uganda
    region: Western
    district: Kasese
    nodes: [{id: clinic-1}]
    equipment:
      - id: fridge
        kind: fridge
        name: Fridge
        channels: [{quantity: temperature, node: clinic-1, interval: 10min, limits: {high: 8}}]
"""
MORE = """\
facilities: []
contacts: [{id: amina, name: Amina, email: amina@example.org, facilities: [clinic]}]
"""
RULE = """\
rules:
  - id: far-too-warm
    title: Far too warm
    severity: critical
    applies_to: {quantity: temperature}
    when: {above: {limit: $limits.highest, comparison: ">", for: 30s}}
"""


def vitals(*arguments: str | Path) -> Result:
    """Return what the command answers."""
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def check(folder: Path, text: str) -> Result:
    """Check a configuration with this text."""
    path = folder / "vitals.yaml"
    path.write_text(text, "utf-8")
    return vitals("check", "--config", path)


def test_it_says_what_would_run(tmp_path: Path) -> None:
    """Broker, data, registry, rules, notifiers and pages, and nothing is made on disk."""
    (tmp_path / "registry.yaml").write_text(REGISTRY, "utf-8")
    result = check(tmp_path, "registry: registry.yaml\nmqtt: {url: 'mqtt://broker:1884'}\nlisten: {port: 8081}\n")
    assert result.exit_code == 0
    said = " ".join(result.output.split())
    assert "The service would start: broker broker:1884" in said
    assert f"data {tmp_path}/vitals-data influxdb not used" in said
    assert "registry 1 facilities, 1 nodes, 1 channels, 0 contacts" in said
    assert "notifiers console pages http://127.0.0.1:8081, for those who sign in" in said
    assert "Worth a look" not in said
    assert not (tmp_path / "vitals-data").exists()


def test_it_finds_what_cannot_work_as_meant(tmp_path: Path) -> None:
    """A limit that no channel has, named with its place; the service would start all the same."""
    (tmp_path / "registry.yaml").write_text(REGISTRY, "utf-8")
    (tmp_path / "rules.yaml").write_text(RULE, "utf-8")
    result = check(tmp_path, "registry: registry.yaml\nrules: {files: [rules.yaml]}\n")
    assert result.exit_code == 0
    findings = result.output.partition("Worth a look:\n")[2].splitlines()
    assert any("rules.yaml:6:" in line and "$limits.highest" in line for line in findings)


def test_reports_of_no_place_and_without_a_printer_are_worth_a_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Long before the month is over."""
    monkeypatch.setitem(sys.modules, "weasyprint", None)
    (tmp_path / "registry.yaml").write_text(REGISTRY, "utf-8")
    answer = check(
        tmp_path,
        "registry: registry.yaml\nalerts: {notifiers: {email: {host: localhost, sender: a@example.org}}}\n"
        "reports: {monthly: [{to: [a@example.org], of: [{district: Kasesse}, {facility: clinic}]}]}\n",
    )
    assert answer.exit_code == 0, answer.output
    assert "reports.monthly: no such district" in answer.output
    assert "reports.monthly: PDF needs the extra report" in answer.output
    assert answer.output.count("reports.monthly") == 2


def test_a_service_for_others_is_told_its_names(tmp_path: Path) -> None:
    """Listening for other machines it would answer none of them by the names of this one alone."""
    (tmp_path / "registry.yaml").write_text(REGISTRY, "utf-8")
    for_others = "registry: registry.yaml\nlisten: {host: 0.0.0.0}\n"
    assert "api.hosts names this machine alone" in check(tmp_path, for_others).output
    assert "Worth a look" not in check(tmp_path, for_others + "api: {hosts: [vitals.example.org]}\n").output


COMPANION = """\
rules:
  - id: mine
    title: Warm without power
    severity: critical
    applies_to: {quantity: temperature}
    when: {all: [{above: {limit: 8, comparison: ">"}}, {is: {state: off}, of: {quantity: supply}}]}
"""


def test_only_a_rule_of_ones_own_needs_its_companions(tmp_path: Path) -> None:
    """No clinic has all that the catalogue knows of; where a person's rule looks at nothing, that is worth a look."""
    (tmp_path / "registry.yaml").write_text(REGISTRY, "utf-8")
    (tmp_path / "rules.yaml").write_text(COMPANION, "utf-8")
    assert "Worth a look" not in check(tmp_path, "registry: registry.yaml\n").output
    said = check(tmp_path, "registry: registry.yaml\nrules: {files: [rules.yaml]}\n").output
    assert "no supply there for clinic/fridge/temperature: the rule does not judge it" in said


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("dta: x", "vitals.yaml:1:1: dta: found the unknown field 'dta'"),
        ("rules: {files: [nowhere.yaml]}", "nowhere.yaml: there is no such file"),
        ("registry: nowhere.yaml", "nowhere.yaml: there is no such file"),
        ("listen: {host: 0.0.0.0}\naccess: {open: true}", "listen.host is 0.0.0.0, which others can reach"),
        (
            "mqtt: {url: 'mqtts://b', ca_file: nowhere.pem}",
            "the certificate files of the broker connection cannot be used",
        ),
        ("database: nonsense", "database: "),
        ("database: sqlite+aiosqlite:////nowhere/at/all.db", "cannot be used: unable to open database file"),
    ],
)
def test_what_would_not_start_is_exit_code_2(tmp_path: Path, text: str, sentence: str) -> None:
    """One clear message and no traceback."""
    result = check(tmp_path, text)
    assert result.exit_code == 2
    assert sentence in result.output
    assert "Traceback" not in result.output


def test_documents_may_refer_to_what_was_imported_before(tmp_path: Path) -> None:
    """What a start would accept, the check accepts."""
    (tmp_path / "registry.yaml").write_text(REGISTRY, "utf-8")
    (tmp_path / "more.yaml").write_text(MORE, "utf-8")
    assert "found 'clinic'" in check(tmp_path, "registry: more.yaml\n").output
    imported = vitals("registry", "import", tmp_path / "registry.yaml", "--config", tmp_path / "vitals.yaml")
    assert (imported.exit_code, "facilities: 1 added" in imported.output) == (0, True)
    result = check(tmp_path, "registry: more.yaml\n")
    assert (result.exit_code, "1 nodes, 1 channels, 1 contacts" in result.output) == (0, True)


def test_a_data_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    """Also for the import."""
    (tmp_path / "file").write_text("", "utf-8")
    (tmp_path / "registry.yaml").write_text(REGISTRY, "utf-8")
    (tmp_path / "vitals.yaml").write_text("data: file/data\n", "utf-8")
    result = vitals("registry", "import", tmp_path / "registry.yaml", "--config", tmp_path / "vitals.yaml")
    assert result.exit_code == 2
    assert result.output == f"vitals: the data folder {tmp_path}/file/data cannot be made: Not a directory\n"
