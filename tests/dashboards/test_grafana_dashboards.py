"""The Grafana dashboards: what is committed is what the code builds, and every panel explains itself."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml

from dashboards.grafana.build import JSON_FOLDER, as_text, build_all, write
from dashboards.grafana.limits import DEFAULT_LIMITS, limits_of
from domain.directory import Directory
from domain.places import Channel, Equipment, EquipmentKind
from domain.quantities import QUANTITIES

ROOT = Path(__file__).parents[2]
DASHBOARDS = sorted(path.stem for path in JSON_FOLDER.glob("*.json"))


def committed(name: str) -> dict[str, Any]:
    """Return a committed dashboard."""
    found: dict[str, Any] = json.loads((JSON_FOLDER / f"{name}.json").read_text("utf-8"))
    return found


def every(value: Any, key: str) -> Iterator[Any]:
    """Yield whatever stands under a key, at any depth."""
    if isinstance(value, dict):
        if key in value:
            yield value[key]
        for item in value.values():
            yield from every(item, key)
    elif isinstance(value, list):
        for item in value:
            yield from every(item, key)


def test_what_is_committed_is_what_the_code_builds() -> None:
    """A change of the code without ``vitals dashboards build`` is seen here."""
    built = build_all()
    assert sorted(built) == DASHBOARDS
    for name, dashboard in built.items():
        assert as_text(dashboard) == (JSON_FOLDER / f"{name}.json").read_text("utf-8")


def test_writing_gives_the_same_files_again(tmp_path: Path) -> None:
    """Building is repeatable: two runs differ in nothing."""
    first = {path.name: path.read_bytes() for path in write(tmp_path / "a")}
    assert first == {path.name: path.read_bytes() for path in write(tmp_path / "b")}


def test_without_the_sdk_the_package_works_and_building_says_what_is_missing() -> None:
    """Only building needs the development package; its absence is one sentence."""
    program = (
        "import sys; sys.modules['grafana_foundation_sdk'] = None\n"
        "from dashboards.grafana.build import build_all\n"
        "from domain.errors import OperatorError\n"
        "try: build_all()\n"
        "except OperatorError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "grafana-foundation-sdk" in done.stdout


@pytest.mark.parametrize("name", DASHBOARDS)
def test_panels_have_their_own_ids_and_places(name: str) -> None:
    """No two panels share an id or overlap, and none leaves the grid of 24 columns."""
    panels = committed(name)["panels"]
    ids = [panel["id"] for panel in panels]
    assert len(set(ids)) == len(ids)
    for place in (panel["gridPos"] for panel in panels):
        assert place["w"] > 0
        assert place["h"] > 0
        assert 0 <= place["x"] <= place["x"] + place["w"] <= 24
    for one, other in combinations((panel["gridPos"] for panel in panels), 2):
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        below = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert beside or below, (one, other)


@pytest.mark.parametrize("name", DASHBOARDS)
def test_every_panel_explains_itself(name: str) -> None:
    """Title, description, unit and words for no data stand on every panel, and every panel asks something."""
    for panel in committed(name)["panels"]:
        defaults = panel["fieldConfig"]["defaults"]
        assert panel["title"], panel["id"]
        assert len(panel["description"]) > 40, panel["title"]
        assert defaults["unit"], panel["title"]
        assert defaults["noValue"].endswith((".", "?")), panel["title"]
        assert panel["targets"], panel["title"]


@pytest.mark.parametrize("name", DASHBOARDS)
def test_data_sources_are_chosen_by_variable(name: str) -> None:
    """No dashboard knows a data source of one server: every reference is a variable that the dashboard defines."""
    dashboard = committed(name)
    defined = {variable["name"] for variable in dashboard["templating"]["list"] if variable["type"] == "datasource"}
    references = list(every(dashboard, "datasource"))
    assert references
    assert {reference["uid"] for reference in references} <= {f"${{{variable}}}" for variable in defined}


@pytest.mark.parametrize("name", DASHBOARDS)
def test_places_narrow_each_other(name: str) -> None:
    """Country, region, district and facility are chained: each list is narrowed by every place around it."""
    queries = {
        variable["name"]: variable["query"]
        for variable in committed(name)["templating"]["list"]
        if variable["type"] == "query"
    }
    places = list(queries)
    assert places == ["country", "region", "district", "facility"]
    for index, place in enumerate(places):
        assert [outer for outer in places if f"${{{outer}:regex}}" in queries[place]] == places[:index]


@pytest.mark.parametrize("name", DASHBOARDS)
def test_nothing_of_newer_formats_is_left(name: str) -> None:
    """Fields that the SDK adds for newer servers, or for other types of variables, are gone."""
    dashboard = committed(name)
    assert not list(every(dashboard, "auto_min"))
    assert "inControlsMenu" not in set(every(dashboard, "placement"))


def test_limit_lines_come_from_the_rows_passed_in() -> None:
    """A deployment with other limits gets other lines, and no line where there is no limit."""
    limits = {("temperature", EquipmentKind.FRIDGE): {"low": 1.5, "high": 9.5}}
    panels = {panel["title"]: panel for panel in build_all(limits)["facility"]["panels"]}
    cold = panels["Cold chain temperatures"]["fieldConfig"]["defaults"]
    assert [step["value"] for step in cold["thresholds"]["steps"]] == [None, 1.5, 9.5]
    voltage = panels["Mains voltage"]["fieldConfig"]["defaults"]
    assert [step["value"] for step in voltage["thresholds"]["steps"]] == [None]
    assert voltage["custom"]["thresholdsStyle"]["mode"] == "off"


def test_the_limits_of_a_registry_are_those_of_most_of_its_channels() -> None:
    """The lines follow the registered limits; one odd fridge does not move them."""
    fridge = Equipment("fridge", "f", EquipmentKind.FRIDGE, "Fridge")
    channel = Channel(
        "a", "f", "fridge", "n", "a", QUANTITIES["temperature"], timedelta(minutes=1), {"low": 2.0, "high": 8.0}
    )
    channels = [channel, replace(channel, id="b"), replace(channel, id="c", limits={"high": 25.0})]
    found = limits_of(Directory(equipment=[fridge], channels=channels))
    assert found == {("temperature", EquipmentKind.FRIDGE): {"low": 2.0, "high": 8.0}}


def test_default_limits_name_quantities_that_exist() -> None:
    """The committed limits are of known quantities and in the plausible range of each."""
    for (quantity, _), limits in DEFAULT_LIMITS.items():
        row = QUANTITIES[quantity]
        assert all(row.lowest <= limit <= row.highest for limit in limits.values())


def test_provisioning_files_offer_the_data_sources_that_dashboards_choose_from() -> None:
    """A data source of each type is provisioned, without a secret in the file, and the dashboards' folder is read."""
    folder = ROOT / "deploy" / "grafana" / "provisioning"
    sources = yaml.safe_load((folder / "datasources" / "vitals.yaml").read_text("utf-8"))["datasources"]
    wanted = {
        variable["query"]
        for name in DASHBOARDS
        for variable in committed(name)["templating"]["list"]
        if variable["type"] == "datasource"
    }
    assert {source["type"] for source in sources} == wanted
    for source in sources:
        assert all("${" in secret for secret in source.get("secureJsonData", {}).values())
    (provider,) = yaml.safe_load((folder / "dashboards" / "vitals.yaml").read_text("utf-8"))["providers"]
    assert provider["type"] == "file"
    assert provider["options"]["path"]
