"""``vitals dashboards push``: what reaches a server, and what is said where it does not."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from app.cli import main
from app.grafana import Settings
from app.grafana_server import holds
from dashboards.grafana.build import JSON_FOLDER
from tests.app.grafana_stub import TOKEN, Grafana, serving

UIDS = {json.loads(path.read_text("utf-8"))["uid"] for path in JSON_FOLDER.glob("*.json")}
ONE = "vitals-water"
PROVISIONING = Path(__file__).parents[2] / "deploy" / "grafana" / "provisioning"


def push(folder: Path, url: str, *arguments: str, token: str = TOKEN) -> Result:
    """Run the command against a server."""
    file = folder / "token"
    file.write_text(f"{token}\n", "utf-8")
    return CliRunner().invoke(main, ["dashboards", "push", "--url", url, "--token-file", str(file), *arguments])


def said_of(result: Result, uid: str) -> str:
    """Return the word that is said of a dashboard."""
    (line,) = (line for line in result.output.splitlines() if f" {uid} " in line)
    return line.split()[0]


def test_every_dashboard_arrives_in_a_folder_of_its_own(tmp_path: Path) -> None:
    """An empty server gets the folder and every dashboard, with the data sources that it has chosen to begin with."""
    grafana = Grafana()
    with serving(grafana) as url:
        result = push(tmp_path, url, "--vitals", "https://vitals.example.org/")
    assert result.exit_code == 0, result.output
    assert grafana.folders == {"vitals": "Vitals"}
    assert set(grafana.dashboards) == UIDS
    assert {said_of(result, uid) for uid in UIDS} == {"created"}
    for folder, dashboard in grafana.dashboards.values():
        variables = {variable["name"]: variable for variable in dashboard["templating"]["list"]}
        assert folder == "vitals"
        assert dashboard["id"] is None
        assert variables["influx"]["current"] == {"text": "Influx of the ministry", "value": "vitals-influxdb"}
        assert variables["vitals"]["query"] == "https://vitals.example.org"
    (mark,) = grafana.marks
    assert mark["tags"] == ["vitals", "dashboards"]


def test_only_these_paths_are_called_and_none_by_a_number(tmp_path: Path) -> None:
    """Six calls, all by uid: those that every server from 11 to 13 has."""
    grafana = Grafana()
    with serving(grafana) as url:
        push(tmp_path, url)
    paths = {(request.method, request.path.partition("?")[0]) for request in grafana.requests}
    assert paths == {
        ("GET", "/api/health"),
        ("GET", "/api/folders/vitals"),
        ("POST", "/api/folders"),
        ("GET", "/api/search"),
        ("GET", "/api/datasources/uid/vitals-influxdb"),
        ("GET", "/api/datasources/uid/vitals-prometheus"),
        ("POST", "/api/dashboards/db"),
        ("POST", "/api/annotations"),
        *(("GET", f"/api/dashboards/uid/{uid}") for uid in UIDS),
    }
    (body,) = (each.body for each in grafana.requests if each.body and each.body.get("dashboard", {}).get("uid") == ONE)
    assert {name: body[name] for name in body if name != "dashboard"} == {
        "folderUid": "vitals",
        "message": body["message"],
        "overwrite": True,
    }
    assert body["message"].startswith("Vitals ")


def test_a_second_push_writes_nothing(tmp_path: Path) -> None:
    """What is there already is left alone, though the server raised the format and numbered it."""
    grafana = Grafana()
    with serving(grafana) as url:
        push(tmp_path, url)
        grafana.requests.clear()
        result = push(tmp_path, url)
    assert result.exit_code == 0
    assert {said_of(result, uid) for uid in UIDS} == {"unchanged"}
    assert not [request for request in grafana.requests if request.method == "POST"]
    assert len(grafana.marks) == 1


def test_what_was_changed_or_moved_there_is_put_back(tmp_path: Path) -> None:
    """A panel that somebody deleted comes back, and a dashboard that was moved goes back to its folder."""
    grafana = Grafana()
    with serving(grafana) as url:
        push(tmp_path, url)
        grafana.dashboards[ONE][1]["panels"].pop()
        grafana.dashboards["vitals-power"] = ("elsewhere", grafana.dashboards["vitals-power"][1])
        result = push(tmp_path, url)
    changed = {uid for uid in UIDS if said_of(result, uid) == "changed"}
    assert changed == {ONE, "vitals-power"}
    assert grafana.dashboards["vitals-power"][0] == "vitals"


def test_a_folder_with_that_title_is_taken_whatever_its_uid(tmp_path: Path) -> None:
    """A folder that somebody made by hand is used, and no second one made; a title may hold what URLs part."""
    grafana = Grafana(folders={"abc": "Cold & warm", "other": "Cold & warm 2"})
    with serving(grafana) as url:
        result = push(tmp_path, url, "--folder", "Cold & warm")
    assert result.exit_code == 0, result.output
    assert {folder for folder, _ in grafana.dashboards.values()} == {"abc"}


def test_a_server_below_a_path_is_reached(tmp_path: Path) -> None:
    """Grafana often lives behind a proxy, below a path."""
    grafana = Grafana(prefix="/monitoring/grafana")
    with serving(grafana) as url:
        result = push(tmp_path, f"{url}/")
    assert result.exit_code == 0, result.output
    assert set(grafana.dashboards) == UIDS


def test_built_dashboards_of_a_folder_are_pushed(tmp_path: Path) -> None:
    """A deployment pushes what it built with its own limits."""
    own = tmp_path / "own"
    own.mkdir()
    shutil.copy(JSON_FOLDER / "water.json", own)
    grafana = Grafana()
    with serving(grafana) as url:
        result = push(tmp_path, url, "--from", str(own))
    assert result.exit_code == 0, result.output
    assert set(grafana.dashboards) == {ONE}


def test_what_is_in_the_folder_and_not_shipped_is_named_and_left(tmp_path: Path) -> None:
    """A dashboard of an earlier release, or somebody's own, is not deleted."""
    grafana = Grafana(dashboards={"vitals-old": ("vitals", {"title": "Old", "uid": "vitals-old"})})
    with serving(grafana) as url:
        result = push(tmp_path, url)
    assert said_of(result, "vitals-old") == "stays"
    assert "vitals-old" in grafana.dashboards


def test_missing_data_sources_and_marks_do_not_stop_a_push(tmp_path: Path) -> None:
    """A token that may not see data sources or set marks still brings the dashboards; what that means is said."""
    grafana = Grafana(sources={}, refusals={("POST", "/api/annotations"): (403, {"message": "no permission"})})
    grafana.refusals["GET", "/api/datasources/uid/vitals-prometheus"] = (403, {"message": "no permission"})
    with serving(grafana) as url:
        result = push(tmp_path, url)
    assert result.exit_code == 0, result.output
    assert "No data source vitals-influxdb" in result.output
    assert "No data source vitals-prometheus" in result.output
    assert "may not set marks" in result.output
    assert not any("current" in each for each in grafana.dashboards[ONE][1]["templating"]["list"][:2])


HTML = "<html><body>a message of a proxy</body></html>"


@pytest.mark.parametrize(
    ("path", "refusal", "code", "sentence"),
    [
        (("GET", "/api/folders/vitals"), (403, {"message": "no permission"}), 2, "an Editor"),
        (("POST", "/api/folders"), (409, {"message": "a folder with the same name exists"}), 2, "same name"),
        (("GET", "/api/health"), (502, HTML), 4, "cannot now (502)"),
        (("GET", "/api/health"), (200, HTML), 2, "is not Grafana"),
        (("GET", "/api/health"), (404, HTML), 2, "refused (404)"),
        (("POST", "/api/dashboards/db"), (500, {"message": "database is locked"}), 4, "database is locked"),
    ],
)
def test_a_refusal_ends_the_push_with_a_sentence(
    tmp_path: Path, path: tuple[str, str], refusal: tuple[int, Any], code: int, sentence: str
) -> None:
    """Whatever the server or a proxy before it answers, a person reads what it means; nothing is a traceback."""
    grafana = Grafana(refusals={path: refusal})
    with serving(grafana) as url:
        result = push(tmp_path, url)
    assert result.exit_code == code
    assert sentence in result.output
    assert not grafana.dashboards


@pytest.mark.parametrize(
    ("status", "message"),
    [(400, "Cannot save provisioned dashboard"), (403, "no permission"), (412, "plugin-dashboard")],
)
def test_a_refused_dashboard_does_not_stop_the_others_and_fails_the_command(
    tmp_path: Path, status: int, message: str
) -> None:
    """Each refusal is said beside its dashboard; the command fails in the end."""
    grafana = Grafana(refusals={("POST", "/api/dashboards/db"): (status, {"message": message})})
    grafana.dashboards[ONE] = ("vitals", json.loads((JSON_FOLDER / "water.json").read_text("utf-8")))
    with serving(grafana) as url:
        result = push(tmp_path, url, "--influxdb", "unknown", "--prometheus", "unknown")
    assert result.exit_code == 2
    assert said_of(result, ONE) == "unchanged"
    assert said_of(result, "vitals-power") == "failed"
    assert message in result.output
    assert f"{len(UIDS) - 1} of {len(UIDS)} dashboards were not pushed" in result.output


def test_a_wrong_token_is_named_as_such(tmp_path: Path) -> None:
    """The token is the operator's; it is not shown."""
    with serving(Grafana()) as url:
        result = push(tmp_path, url, token="glsa_of-another-server")
    assert result.exit_code == 2
    assert "does not know the token" in result.output
    assert "glsa" not in result.output


@pytest.mark.parametrize("content", ["", "two words", "zwei\nzeilen", "tökén"])
def test_a_file_without_a_token_is_refused(tmp_path: Path, content: str) -> None:
    """What cannot be a token is not sent."""
    result = push(tmp_path, "http://127.0.0.1:9", token=content)
    assert result.exit_code == 2
    assert "holds no token" in result.output


def test_an_older_server_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    """Grafana 10 would show half of it."""
    grafana = Grafana(version="10.4.2")
    with serving(grafana) as url:
        result = push(tmp_path, url)
    assert result.exit_code == 2
    assert "10.4.2 is too old" in result.output
    assert [request.path for request in grafana.requests] == ["/api/health"]


@pytest.mark.parametrize("version", ["14.0.0", ""])
def test_a_newer_or_unknown_server_is_tried(tmp_path: Path, version: str) -> None:
    """What nobody has tried may work; it is said."""
    grafana = Grafana(version=version)
    with serving(grafana) as url:
        result = push(tmp_path, url)
    assert result.exit_code == 0
    assert ("newer" if version else "does not tell its version") in result.output


def test_a_redirect_is_not_followed(tmp_path: Path) -> None:
    """A POST that is sent on becomes a GET and seems to succeed: the right address is asked for instead."""
    grafana = Grafana(moved_to="https://grafana.example.org/")
    with serving(grafana) as url:
        result = push(tmp_path, url)
    assert result.exit_code == 2
    assert "https://grafana.example.org/" in result.output
    assert len(grafana.requests) == 1


def test_nobody_there_is_said(tmp_path: Path) -> None:
    """A server that is away is the server's fault."""
    with serving(Grafana()) as url:
        pass
    result = push(tmp_path, url)
    assert result.exit_code == 4
    assert "no answer from" in result.output


@pytest.mark.parametrize("url", ["grafana.example.org", "ftp://grafana", "http://", "http://grafana?x=1"])
def test_what_is_no_address_is_refused(tmp_path: Path, url: str) -> None:
    """An address names protocol and host."""
    result = push(tmp_path, url)
    assert result.exit_code == 2
    assert "is no address" in result.output


def test_a_push_begins_with_the_data_sources_that_are_provisioned() -> None:
    """Both ways into a server name the data sources alike."""
    provisioned = yaml.safe_load((PROVISIONING / "datasources" / "vitals.yaml").read_text("utf-8"))["datasources"]
    uids = {source["type"]: source["uid"] for source in provisioned}
    assert uids == {"influxdb": Settings().influxdb, "prometheus": Settings().prometheus}


@pytest.mark.parametrize(
    ("theirs", "ours", "same"),
    [
        ({"a": 1, "more": 2}, {"a": 1}, True),
        ({"a": 1.0}, {"a": 1, "b": None, "c": []}, True),
        ({"a": 2}, {"a": 1}, False),
        ({"a": [1, 2]}, {"a": [1]}, False),
        ({"a": [{"b": 1, "c": 2}]}, {"a": [{"b": 1}]}, True),
        ({}, {"a": {"b": 1}}, False),
        (None, {"b": None}, False),
    ],
)
def test_a_server_may_add_fields_and_leave_out_empty_ones(theirs: Any, ours: Any, same: bool) -> None:
    """What was sent counts as there where each of its values is."""
    assert holds(theirs, ours) is same
