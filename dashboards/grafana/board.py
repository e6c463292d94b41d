"""One dashboard as classic JSON, the format that all versions of Grafana read and provision.

What the foundation SDK lacks or adds too much is mended here: panels get their ids, fields of newer formats that older
servers refuse are left out, and the version of the format is that of the oldest server wanted, which newer ones raise.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from dashboards.grafana.influxql import INFLUX, InfluxTarget, alert_events
from dashboards.grafana.layout import Section, flow
from dashboards.grafana.scopes import Scope
from dashboards.grafana.variables import variables

SCHEMA_VERSION = 39
"""Of Grafana 11.0: later servers bring it up to theirs when they load it."""
# Where newer servers show a link or annotation.
_NEWER = ("placement", "inControlsMenu")
# What belongs to variables of another type (interval), and the foot of tables, which 12 moved to their columns.
_NOT_OURS = frozenset({"auto", "auto_count", "auto_min", "footer"})


@dataclass(frozen=True)
class Board:
    """What a dashboard is."""

    uid: str
    title: str
    question: str
    """What it answers; its description."""
    scope: Scope
    sections: Sequence[Section]
    since: str = "now-24h"
    refresh: str = "1m"
    page: str = ""
    """The address of what is shown in Vitals itself, behind the service's own address."""


def as_json(board: Board, vitals_url: str) -> dict[str, Any]:
    """Return the dashboard as Grafana keeps it."""
    from grafana_foundation_sdk.builders import dashboard as builders
    from grafana_foundation_sdk.cog.encoder import JSONEncoder
    from grafana_foundation_sdk.models import dashboard as models

    made = builders.Dashboard(board.title).uid(board.uid).description(board.question).tags(["vitals"]).editable()
    made = made.time(board.since, "now").refresh(board.refresh).timezone("browser")
    made = made.tooltip(models.DashboardCursorSync.CROSSHAIR)
    for variable in variables(board.scope, vitals_url):
        made = made.with_variable(variable)
    if board.scope.tags:
        made = made.annotation(_alert_annotation(board.scope))
    for link in _links(board):
        made = made.link(link)
    for number, panel in enumerate(_placed(board.sections), start=1):
        made = made.with_panel(panel.id(number))
    found: dict[str, Any] = _classic(json.loads(json.dumps(made.build(), cls=JSONEncoder)))
    # Grafana looks into the list of annotations without asking whether there is one.
    return {**found, "annotations": {"list": found["annotations"].get("list", [])}, "schemaVersion": SCHEMA_VERSION}


def _placed(sections: Sequence[Section]) -> Iterator[Any]:
    from grafana_foundation_sdk.builders import dashboard as builders
    from grafana_foundation_sdk.models import dashboard as models

    top = 0
    for section in sections:
        if section.title:
            yield builders.Row(section.title).grid_pos(models.GridPos(h=1, w=24, x=0, y=top))
            top += 1
        for card, spot in flow(section.cards, top):
            yield card.panel.grid_pos(models.GridPos(h=spot.tall, w=spot.wide, x=spot.x, y=spot.y))
            top = max(top, spot.y + spot.tall)


def _alert_annotation(scope: Scope) -> Any:
    from grafana_foundation_sdk.builders import dashboard as builders
    from grafana_foundation_sdk.models import common

    columns = '"text", "rule"::tag, "severity"::tag, "state"::tag'
    # Of a whole country the marks would be a curtain: only what became critical is marked.
    most = () if scope.one else ("\"severity\" = 'critical'", "\"state\" = 'unacknowledged'")
    query = builders.AnnotationQuery().name("Alerts").icon_color("red").enable(bool(scope.one))
    return query.datasource(common.DataSourceRef(INFLUX["type"], INFLUX["uid"])).target(
        _AnnotationTarget(alert_events(columns, scope, 500, *most), "Anno", table=True)
    )


class _AnnotationTarget(InfluxTarget):
    """A query whose rows are marks on every chart."""

    def to_json(self) -> dict[str, Any]:
        """Return the query with the columns that Grafana's annotations read."""
        columns = {"textColumn": "text", "titleColumn": "rule", "tagsColumn": "severity,state", "timeEndColumn": ""}
        return {**super().to_json(), **columns, "fromAnnotations": True, "queryType": "tags"}


def _links(board: Board) -> Iterator[Any]:
    from grafana_foundation_sdk.builders import dashboard as builders
    from grafana_foundation_sdk.models import dashboard as models

    others = builders.DashboardLink("Dashboards of Vitals").type(models.DashboardLinkType.DASHBOARDS)
    yield others.tags(["vitals"]).as_dropdown(True).include_vars(True).keep_time(True).icon("external link")
    own = builders.DashboardLink("Open in Vitals").type(models.DashboardLinkType.LINK).icon("external link")
    yield own.url("${vitals}" + (board.page or "/")).tooltip("The same in the service's own pages").target_blank(True)


def _classic(value: Any) -> Any:
    if isinstance(value, dict):
        kept = {key: item for key, item in value.items() if key not in _NOT_OURS and (key, item) != _NEWER}
        return {key: _classic(item) for key, item in kept.items()}
    return [_classic(item) for item in value] if isinstance(value, list) else value
