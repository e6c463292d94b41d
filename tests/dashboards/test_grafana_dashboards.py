"""The Grafana dashboards: what is committed is what the code builds, and every panel explains itself."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import combinations
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml

from dashboards.grafana.build import JSON_FOLDER, as_text, build_all, write
from dashboards.grafana.limits import DEFAULT_LIMITS, limits_of
from dashboards.grafana.scopes import PLACE_TAGS
from dashboards.pages.status import Status
from domain.directory import Directory
from domain.places import Channel, Equipment, EquipmentKind
from domain.quantities import QUANTITIES
from rules.catalogue import load_catalogue

ROOT = Path(__file__).parents[2]
DASHBOARDS = sorted(path.stem for path in JSON_FOLDER.glob("*.json"))

SCHEMAS = {
    path.stem: json.loads(path.read_text("utf-8"))
    for path in sorted((ROOT / "tests" / "dashboards" / "grafana_schema").glob("*.json"))
}
"""By version of Grafana; ``grafana_schema/derive.py`` makes them from its published types."""


def committed(name: str) -> dict[str, Any]:
    """Return a committed dashboard."""
    found: dict[str, Any] = json.loads((JSON_FOLDER / f"{name}.json").read_text("utf-8"))
    return found


def asking(name: str) -> list[dict[str, Any]]:
    """Return the panels of a committed dashboard that ask a data source; headings and notes do not."""
    return [panel for panel in committed(name)["panels"] if panel["type"] not in ("row", "text")]


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
    for panel in asking(name):
        defaults = panel["fieldConfig"]["defaults"]
        assert panel["title"], panel["id"]
        assert len(panel["description"]) > 30, panel["title"]
        assert defaults["unit"], panel["title"]
        assert defaults["noValue"].endswith((".", "?")), panel["title"]
        assert panel["targets"], panel["title"]
        refs = [target["refId"] for target in panel["targets"]]
        assert len(set(refs)) == len(refs), panel["title"]


@pytest.mark.parametrize("name", DASHBOARDS)
def test_a_dashboard_answers_one_question_at_the_top(name: str) -> None:
    """Its description is a question, and figures stand above everything else."""
    dashboard = committed(name)
    assert dashboard["description"].endswith("?")
    assert [panel["type"] for panel in dashboard["panels"]][:3] == ["stat"] * 3


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
    """Country, region, district, facility and equipment are chained: each list is narrowed by every place around it."""
    queries = {
        variable["name"]: variable["query"]
        for variable in committed(name)["templating"]["list"]
        if variable["type"] == "query"
    }
    places = list(queries)
    assert places == list(PLACE_TAGS[: len(places)])
    for index, place in enumerate(places):
        assert [outer for outer in places if f"${{{outer}:regex}}" in queries[place]] == places[:index]


@pytest.mark.parametrize("name", DASHBOARDS)
def test_every_variable_that_is_used_is_defined(name: str) -> None:
    """A dashboard asks for no variable that it does not have; what Grafana itself knows begins with two underscores."""
    dashboard = committed(name)
    defined = {variable["name"] for variable in dashboard["templating"]["list"]}
    used = set(re.findall(r"\$\{([a-z][a-z_]*)", json.dumps(dashboard)))
    assert used <= defined
    assert {
        variable["name"] for variable in dashboard["templating"]["list"] if variable["type"] in ("query", "custom")
    } <= used


@pytest.mark.parametrize("name", DASHBOARDS)
def test_names_are_compared_so_that_any_of_them_is_found(name: str) -> None:
    """InfluxQL matches by Grafana's escaped form; PromQL by its own where all may be meant, else in quotes it sets."""
    dashboard = committed(name)
    offers_all = {each["name"]: each.get("includeAll", False) for each in dashboard["templating"]["list"]}
    for target in (target for panel in asking(name) for target in panel["targets"]):
        text = target.get("query") or target["expr"]
        for variable, form in re.findall(r"\$\{(?!grain)([a-z]+)(:[a-z]+)?\}", text):
            if "query" in target:
                assert form == ":regex", text
            else:
                assert form == ("" if offers_all[variable] else ":doublequote"), text


@pytest.mark.parametrize("name", DASHBOARDS)
def test_links_lead_to_dashboards_that_are_there(name: str) -> None:
    """Every link goes to a shipped dashboard with variables that it has, or to a page of Vitals."""
    shipped = {committed(other)["uid"]: committed(other) for other in DASHBOARDS}
    urls = [url for url in every(committed(name), "url") if url]
    assert urls
    for url in urls:
        if url.startswith("${vitals}"):
            continue
        uid, _, rest = url.removeprefix("/d/").partition("?")
        defined = {variable["name"] for variable in shipped[uid]["templating"]["list"]}
        assert set(re.findall(r"var-([a-z]+)=", rest)) <= defined, url
        assert "${__url_time_range}" in rest


@pytest.mark.parametrize("name", DASHBOARDS)
def test_a_facility_in_a_table_leads_to_its_dashboard_and_to_its_page(name: str) -> None:
    """Whoever sees what is wrong goes on looking in Grafana, or goes to where it is answered."""
    for panel in (panel for panel in asking(name) if panel["type"] == "table"):
        for override in panel["fieldConfig"]["overrides"]:
            if override["matcher"]["options"] == "facility":
                (links,) = (found["value"] for found in override["properties"] if found["id"] == "links")
                assert [link["url"].partition("?")[0] for link in links] == [
                    "/d/vitals-facility",
                    "${vitals}/facilities/${__data.fields.facility:percentencode}",
                ]


def test_every_dashboard_is_led_to() -> None:
    """From some other dashboard a value leads to each; the dropdown at the top names all."""
    led_to = {
        url.removeprefix("/d/").partition("?")[0]
        for name in DASHBOARDS
        for url in every(committed(name), "url")
        if url and url.startswith("/d/") and committed(name)["uid"] not in url
    }
    ends = {"vitals-national", "vitals-service"}
    assert {committed(name)["uid"] for name in DASHBOARDS} - ends <= led_to
    for name in DASHBOARDS:
        (menu,) = (link for link in committed(name)["links"] if link["type"] == "dashboards")
        assert menu["tags"] == ["vitals"]
        assert menu["includeVars"] is menu["keepTime"] is True
        assert "vitals" in committed(name)["tags"]


@pytest.mark.parametrize("name", DASHBOARDS)
def test_tables_are_sorted_by_a_column_that_they_have(name: str) -> None:
    """A table begins with the worst: what it is sorted by is the heading of one of its columns."""
    for panel in (panel for panel in asking(name) if panel["type"] == "table"):
        headings = {
            found["value"]
            for override in panel["fieldConfig"]["overrides"]
            for found in override["properties"]
            if found["id"] == "displayName"
        }
        (sort,) = panel["options"]["sortBy"]
        assert sort["displayName"] in headings, panel["title"]


@pytest.mark.parametrize("name", DASHBOARDS)
def test_a_table_from_influxdb_is_one_series(name: str) -> None:
    """No table is grouped by tags at its outside: Grafana's server mixes up the tags of several series."""
    for panel in asking(name):
        for target in panel["targets"]:
            if target.get("resultFormat") == "table":
                assert "GROUP BY" not in target["query"].rpartition(")")[2], panel["title"]


@pytest.mark.parametrize("name", ["national", "region", "cold_chain", "power", "water"])
def test_nobody_asks_for_the_raw_readings_of_a_nation(name: str) -> None:
    """What may span a country reads roll-ups and changes of alerts only."""
    measurements = {
        found
        for panel in asking(name)
        for target in panel["targets"]
        for found in re.findall(r'FROM "([^"]+)"', target.get("query", ""))
    }
    assert measurements
    assert all(found == "alert_events" or found.endswith(ROLLUPS) for found in measurements), measurements


@pytest.mark.parametrize("name", DASHBOARDS)
def test_counters_of_facilities_are_read_over_a_day_at_most(name: str) -> None:
    """A month of a nation's counters is more than Prometheus reads in one query: that is recorded by rules."""
    for panel in asking(name):
        for target in panel["targets"]:
            for over in re.findall(
                r"vitals_(?:facility|cold_chain)_\w+_total[^\[]*\[([^\]]+)\]", target.get("expr", "")
            ):
                assert over in ("1h", "6h", "1d"), panel["title"]


@pytest.mark.parametrize("name", DASHBOARDS)
def test_nothing_of_newer_formats_is_left(name: str) -> None:
    """Fields that the SDK adds for newer servers, or for other types of variables, are gone; Grafana 11 reads it."""
    dashboard = committed(name)
    assert not list(every(dashboard, "auto_min"))
    assert "inControlsMenu" not in set(every(dashboard, "placement"))
    assert dashboard["schemaVersion"] == 39
    assert "__inputs" not in dashboard
    assert "id" not in dashboard


@pytest.mark.parametrize("version", SCHEMAS)
@pytest.mark.parametrize("name", DASHBOARDS)
def test_dashboards_have_the_shape_that_grafana_publishes(name: str, version: str) -> None:
    """No field is missing or unknown, of the oldest and of the newest version that is held."""
    schemas, dashboard = SCHEMAS[version], committed(name)
    for note in dashboard["annotations"]["list"]:
        del note["target"]  # the types know no queries but those of Grafana's own annotations
    assert troubles(schemas["dashboard"], dashboard) == []
    for panel in dashboard["panels"]:
        if panel["type"] == "row":
            continue
        assert troubles(schemas[f"{panel['type']} Options"], panel["options"]) == [], panel["title"]
        fields = dict(panel.get("fieldConfig", {}).get("defaults", {}).get("custom") or {})
        if panel["type"] == "state-timeline":
            fields.pop("spanNulls")  # which every version has, and none of the published types
        if fields:
            assert troubles(schemas[f"{panel['type']} FieldConfig"], fields) == [], panel["title"]


def troubles(schema: dict[str, Any], document: object) -> list[str]:
    """Return what of a document a schema does not allow."""
    return [
        f"{error.instance_path}: {error.message}" for error in jsonschema_rs.validator_for(schema).iter_errors(document)
    ]


def test_the_published_shapes_refuse_what_is_wrong() -> None:
    """A panel with an unknown option, and a dashboard with a wrong type, are found."""
    schemas = SCHEMAS["11.6.0"]
    (stat, *_) = asking("national")
    assert troubles(schemas["stat Options"], {**stat["options"], "footer": {}})
    assert troubles(schemas["dashboard"], {**committed("national"), "refresh": 5})


def test_status_is_told_in_the_words_of_the_pages() -> None:
    """A facility's status is a word and a colour, the same words as on the pages, for every status there is."""
    (now,) = (panel for panel in asking("facility") if panel["title"] == "Now")
    (mapping,) = now["fieldConfig"]["defaults"]["mappings"]
    assert {value: said["text"] for value, said in mapping["options"].items()} == {
        str(status.rank): status.word for status in Status
    }
    assert len({said["color"] for said in mapping["options"].values()}) == len(Status)


@pytest.mark.parametrize("name", DASHBOARDS)
def test_a_gap_of_power_stays_a_gap(name: str) -> None:
    """No timeline joins what is further apart than two hours."""
    for panel in (panel for panel in asking(name) if panel["type"] == "state-timeline"):
        assert 0 < panel["fieldConfig"]["defaults"]["custom"]["spanNulls"] <= 7_200_000
        assert panel["fieldConfig"]["overrides"], panel["title"]


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


ROLLUPS = ("_1h", "_1d", "_${grain}")
RULES_SAY = {
    "who-heat": ("temperature", EquipmentKind.FRIDGE),
    "freezer-warm": ("temperature", EquipmentKind.FREEZER),
    "tank-low": ("tank_level", EquipmentKind.TANK),
    "fuel-low": ("fuel_level", EquipmentKind.GENERATOR),
    "battery-low": ("charge", EquipmentKind.BATTERY),
    "turbidity-high": ("turbidity", EquipmentKind.TAP),
    "chlorine-low": ("free_chlorine", EquipmentKind.TAP),
    "ph-out-of-range": ("acidity", EquipmentKind.TAP),
}
"""Rules that come with Vitals and say a number, and the line that stands for it."""


@pytest.mark.parametrize("rule_id", RULES_SAY)
def test_default_limits_are_those_of_the_rules_that_come_with_vitals(rule_id: str) -> None:
    """A line is drawn where the shipped rule of that quantity judges."""
    documents = [yaml.safe_load(text) for text in load_catalogue().values()]
    (rule,) = (rule for document in documents for rule in document["rules"] if rule["id"] == rule_id)
    when = rule["when"].get("outside", rule["when"])
    sides = {"above": "high", "high": "high", "below": "low", "low": "low"}
    quantity, kind = RULES_SAY[rule_id]
    for name, side in sides.items():
        if name in when:
            said = float(str(when[name]["limit"]).split()[0]) * QUANTITIES[quantity].shown_as.scale
            assert DEFAULT_LIMITS[quantity, kind][side] == pytest.approx(said)
    assert set(when) & set(sides)


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
