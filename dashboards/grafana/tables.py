"""Tables: the worst first, each row a place or a thing, with links down from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from grafana_foundation_sdk.builders import common as common_builders
from grafana_foundation_sdk.builders import table as table_builders
from grafana_foundation_sdk.models import common, dashboard

from dashboards.grafana import links
from dashboards.grafana.looks import NEUTRAL, PLAIN, Look
from dashboards.grafana.panels import Card, Link, Target, Words, looking
from dashboards.grafana.promql import PromTarget
from dashboards.grafana.scopes import Scope


@dataclass(frozen=True)
class Column:
    """One column: the name of the field, its heading, how its values look, and where they lead."""

    name: str
    title: str = ""
    look: Look = PLAIN
    link: Link | None = None
    also: Link | None = None
    """A second link; Grafana then offers both."""
    wide: int = 0
    """In pixels; 0: as wide as it likes."""


def facility_column(scope: Scope, **fields: str) -> Column:
    """Return the column that leads to the facility's dashboard, and to its own page in Vitals."""
    link = links.to(links.FACILITY, "This facility", scope, **{"facility": "facility", **fields})
    return Column("facility", link=link, also=links.facility_page())


def figure(ref_id: str, title: str, look: Look, *, alone: bool = False, wide: int = 0) -> Column:
    """Return the column of a PromQL query's values; Grafana names it by the query where there are several."""
    return Column("Value" if alone else f"Value #{ref_id}", title, look, wide=wide)


def table(
    words: Words,
    columns: Sequence[Column],
    targets: Sequence[Target],
    *,
    sort: str,
    down: bool = False,
    wide: int = 24,
    tall: int = 10,
) -> Card:
    """Return a table with these columns in this order, sorted by the heading ``sort``, the least first or ``down``."""
    panel = looking(table_builders.Panel(), words, PLAIN, targets).show_header(True)
    panel = panel.cell_options(common.TableAutoCellOptions())
    if len(targets) > 1:
        panel = panel.with_transformation(dashboard.DataTransformerConfig("merge", options={}))
    panel = panel.with_transformation(dashboard.DataTransformerConfig("organize", options=_order(columns, targets)))
    for column in columns:
        panel = panel.override_by_name(column.name, _properties(column))
    panel = panel.sort_by([_sorted(sort, down)])
    return Card(panel, wide, tall)


def _order(columns: Sequence[Column], targets: Sequence[Target]) -> Mapping[str, object]:
    shown = {column.name: place for place, column in enumerate(columns)}
    # What Prometheus adds of itself; a table shows the columns it names.
    surplus = [] if "Time" in shown else ["Time"]
    if isinstance(targets[0], PromTarget):
        surplus += [name for name in ("__name__", "instance", "job") if name not in shown]
    return {"excludeByName": dict.fromkeys(surplus, True), "indexByName": shown, "renameByName": {}}


def _properties(column: Column) -> list[Any]:
    look = column.look
    found: dict[str, object] = {"displayName": column.title or column.name.capitalize(), "unit": look.unit}
    # What stands in an empty cell; the panel's own words are for an empty table.
    found["noValue"] = "–"
    if look.decimals is not None:
        found["decimals"] = look.decimals
    if look.mappings:
        found["mappings"] = list(look.mappings)
    if look.colored:
        found["custom.cellOptions"] = {"type": "color-text"}
    if look.colored and list(look.steps) != [(None, NEUTRAL)]:
        steps = [{"value": value, "color": color} for value, color in look.steps]
        found["thresholds"] = {"mode": "absolute", "steps": steps}
    if leads := [link for link in (column.link, column.also) if link is not None]:
        found["links"] = [
            {"title": title, "url": url, "targetBlank": url.startswith("${vitals}")} for title, url in leads
        ]
    if column.wide:
        found["custom.width"] = column.wide
    return [dashboard.DynamicConfigValue(id_val=name, value=value) for name, value in found.items()]


def _sorted(title: str, down: bool) -> Any:
    return common_builders.TableSortByFieldState().display_name(title).desc(down)
