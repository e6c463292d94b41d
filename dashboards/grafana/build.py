"""Builds every dashboard as classic JSON, the format that all versions of Grafana read and provision.

The foundation SDK (pinned, a development package) is imported only when something is built. What it lacks or adds
too much is mended here: panels get their ids, and fields of newer formats that older servers refuse are left out.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from dashboards.grafana.influxql import INFLUX, PLACE_TAGS, InfluxTarget, alert_events, tag_values
from dashboards.grafana.limits import DEFAULT_LIMITS, Limits
from domain.errors import OperatorError

JSON_FOLDER = Path(__file__).parent / "json"
"""Where the built dashboards are kept."""

# Where newer servers show a link or annotation, and what belongs to variables of another type (interval).
_NEWER = ("placement", "inControlsMenu")
_NOT_OURS = frozenset({"auto", "auto_count", "auto_min"})
_VITALS_URL = "http://127.0.0.1:8080"


def build_all(limits: Limits = DEFAULT_LIMITS) -> dict[str, dict[str, Any]]:
    """Return every dashboard by its name; raise ``OperatorError`` where the SDK is not installed."""
    try:
        import_module("grafana_foundation_sdk")
    except ModuleNotFoundError as error:
        raise OperatorError("building dashboards needs the Python package grafana-foundation-sdk==0.0.21") from error
    from dashboards.grafana import facility

    return {
        "facility": _dashboard(
            facility.UID,
            "Vitals: facility",
            "Power, cold chain and water of one health facility, its silent nodes and its alerts.",
            lambda: facility.facility_panels(limits),
        )
    }


def write(folder: Path = JSON_FOLDER, limits: Limits = DEFAULT_LIMITS) -> list[Path]:
    """Write every dashboard into the folder and return the files."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, dashboard in build_all(limits).items():
        path = folder / f"{name}.json"
        path.write_text(as_text(dashboard), encoding="utf-8")
        written.append(path)
    return written


def as_text(dashboard: dict[str, Any]) -> str:
    """Return the file's text: sorted and indented, so that a change reads as a change."""
    return json.dumps(dashboard, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _dashboard(uid: str, title: str, description: str, panels: Callable[[], Sequence[Any]]) -> dict[str, Any]:
    from grafana_foundation_sdk.builders import dashboard as builders
    from grafana_foundation_sdk.cog.encoder import JSONEncoder
    from grafana_foundation_sdk.models import dashboard as models

    board = builders.Dashboard(title).uid(uid).description(description).tags(["vitals"]).editable()
    board = board.time("now-24h", "now").refresh("1m").timezone("browser")
    board = board.tooltip(models.DashboardCursorSync.CROSSHAIR)
    for variable in _variables():
        board = board.with_variable(variable)
    board = board.annotation(_alert_annotation()).link(_link_to_vitals())
    for number, panel in enumerate(panels(), start=1):
        board = board.with_panel(panel.id(number))
    found: dict[str, Any] = _classic(json.loads(json.dumps(board.build(), cls=JSONEncoder)))
    return found


def _variables() -> Iterator[Any]:
    from grafana_foundation_sdk.builders import dashboard as builders
    from grafana_foundation_sdk.models import common
    from grafana_foundation_sdk.models import dashboard as models

    yield builders.DatasourceVariable("influx").label("InfluxDB").type("influxdb")
    yield builders.DatasourceVariable("prometheus").label("Prometheus").type("prometheus")
    for tag in PLACE_TAGS:
        variable = builders.QueryVariable(tag).label(tag.capitalize()).query(tag_values(tag))
        variable = variable.datasource(common.DataSourceRef(INFLUX["type"], INFLUX["uid"]))
        yield variable.refresh(models.VariableRefresh.ON_TIME_RANGE_CHANGED).sort(
            models.VariableSort.ALPHABETICAL_CASE_INSENSITIVE_ASC
        )
    yield builders.ConstantVariable("vitals").label("Address of Vitals").value(_VITALS_URL)


def _alert_annotation() -> Any:
    from grafana_foundation_sdk.builders import dashboard as builders
    from grafana_foundation_sdk.models import common

    columns = '"text", "rule"::tag, "severity"::tag, "state"::tag'
    query = builders.AnnotationQuery().name("Alerts").icon_color("red").enable(True)
    return query.datasource(common.DataSourceRef(INFLUX["type"], INFLUX["uid"])).target(
        _AnnotationTarget(alert_events(columns, 500), "Anno", table=True)
    )


class _AnnotationTarget(InfluxTarget):
    """A query whose rows are marks on every chart."""

    def to_json(self) -> dict[str, Any]:
        """Return the query with the columns that Grafana's annotations read."""
        columns = {"textColumn": "text", "titleColumn": "rule", "tagsColumn": "severity,state", "timeEndColumn": ""}
        return {**super().to_json(), **columns, "fromAnnotations": True, "queryType": "tags"}


def _link_to_vitals() -> Any:
    from grafana_foundation_sdk.builders import dashboard as builders
    from grafana_foundation_sdk.models import dashboard as models

    link = builders.DashboardLink("Open in Vitals").type(models.DashboardLinkType.LINK).icon("external link")
    return (
        link.url("${vitals}/facilities/${facility:percentencode}").tooltip("The facility's own page").target_blank(True)
    )


def _classic(value: Any) -> Any:
    if isinstance(value, dict):
        kept = {key: item for key, item in value.items() if key not in _NOT_OURS and (key, item) != _NEWER}
        return {key: _classic(item) for key, item in kept.items()}
    return [_classic(item) for item in value] if isinstance(value, list) else value
