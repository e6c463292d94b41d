"""Panels with our manner: described, with a unit, with words where there is no data, with gaps left as gaps.

Only ``build`` imports this: it needs the Grafana foundation SDK, which is a development package.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dashboards.grafana.influxql import INFLUX, PROMETHEUS, InfluxTarget
from domain.quantities import Quantity

with warnings.catch_warnings():
    # The classic format is what every Grafana reads; the SDK would rather have us write the new one.
    warnings.simplefilter("ignore", DeprecationWarning)
    from grafana_foundation_sdk.builders import common as common_builders
    from grafana_foundation_sdk.builders import dashboard as dashboard_builders
    from grafana_foundation_sdk.builders import prometheus, stat, statetimeline, table, timeseries
    from grafana_foundation_sdk.models import common, dashboard

GAP_MS = 3_600_000
"""Readings further apart than this are not joined: nobody knows what was between them."""

_GRAFANA_UNITS = {"celsius": "celsius", "volts": "volt", "ratio": "percentunit", "seconds": "s", "count": "short"}
_GOOD, _BAD, _NEUTRAL = "green", "red", "text"


@dataclass(frozen=True)
class Place:
    """Where a panel stands on the grid of 24 columns."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True)
class Words:
    """What a panel says of itself."""

    title: str
    description: str
    no_data: str


def lines(
    words: Words, place: Place, quantity: Quantity, targets: Sequence[InfluxTarget], limits: Mapping[str, float]
) -> Any:
    """Return a chart of one quantity over time with its limits as lines."""
    panel = _started(timeseries.Panel(), words, place, INFLUX, targets)
    panel = panel.unit(_GRAFANA_UNITS[quantity.unit.name]).decimals(quantity.decimals)
    panel = panel.span_nulls(GAP_MS).line_width(1).fill_opacity(0)
    panel = panel.show_points(common.VisibilityMode.AUTO).legend(_legend()).tooltip(_tooltip())
    return panel.thresholds(_limit_steps(limits)).thresholds_style(_as_lines(bool(limits)))


def states(words: Words, place: Place, quantities: Sequence[Quantity], targets: Sequence[InfluxTarget]) -> Any:
    """Return a timeline of states, one row per piece of equipment; the words are the quantities' own.

    The first quantity belongs to the first target, and so on.
    """
    panel = _started(statetimeline.Panel(), words, place, INFLUX, targets)
    panel = panel.unit("none").span_nulls(GAP_MS).merge_values(True).row_height(0.8)
    panel = panel.show_value(common.VisibilityMode.AUTO).thresholds(_steps([(None, _NEUTRAL)]))
    for quantity, target in zip(quantities, targets, strict=True):
        mapping = dashboard.DynamicConfigValue(id_val="mappings", value=[_words_of(quantity)])
        panel = panel.override_by_query(target.ref_id, [mapping])
    return panel


def ages(words: Words, place: Place, expression: str, legend: str, *, late_seconds: float) -> Any:
    """Return how long ago something was last heard, as a number each."""
    query = prometheus.Dataquery().expr(expression).legend_format(legend).instant().ref_id("A")
    query = query.datasource(common.DataSourceRef(PROMETHEUS["type"], PROMETHEUS["uid"]))
    panel = _started(stat.Panel(), words, place, PROMETHEUS, [query]).unit("s").decimals(0)
    panel = panel.thresholds(_steps([(None, _GOOD), (late_seconds, _BAD)])).color_mode(common.BigValueColorMode.VALUE)
    panel = panel.graph_mode(common.BigValueGraphMode.NONE).text_mode(common.BigValueTextMode.VALUE_AND_NAME)
    return panel.reduce_options(common_builders.ReduceDataOptions().calcs(["lastNotNull"]).values(False))


def rows(words: Words, place: Place, target: InfluxTarget, links: Mapping[str, tuple[str, str]]) -> Any:
    """Return a table; ``links`` gives a column a link: title and address."""
    panel = _started(table.Panel(), words, place, INFLUX, [target]).unit("none").show_header(True)
    for column, (title, url) in links.items():
        value = [{"title": title, "url": url, "targetBlank": True}]
        panel = panel.override_by_name(column, [dashboard.DynamicConfigValue(id_val="links", value=value)])
    return panel.thresholds(_steps([(None, _NEUTRAL)]))


def _started(panel: Any, words: Words, place: Place, source: Mapping[str, str], targets: Sequence[Any]) -> Any:
    panel = panel.title(words.title).description(words.description).no_value(words.no_data)
    panel = panel.datasource(common.DataSourceRef(source["type"], source["uid"])).targets(list(targets))
    return panel.grid_pos(dashboard.GridPos(x=place.x, y=place.y, w=place.width, h=place.height))


def _limit_steps(limits: Mapping[str, float]) -> Any:
    low, high = limits.get("low"), limits.get("high")
    steps: list[tuple[float | None, str]] = [(None, _BAD if low is not None else _GOOD)]
    if low is not None:
        steps.append((low, _GOOD))
    if high is not None:
        steps.append((high, _BAD))
    return _steps(steps)


def _steps(steps: Sequence[tuple[float | None, str]]) -> Any:
    thresholds = [dashboard.Threshold(value=value, color=color) for value, color in steps]
    return dashboard_builders.ThresholdsConfig().mode(dashboard.ThresholdsMode.ABSOLUTE).steps(thresholds)


def _as_lines(shown: bool) -> Any:
    mode = common.GraphThresholdsStyleMode.DASHED if shown else common.GraphThresholdsStyleMode.OFF
    return common_builders.GraphThresholdsStyleConfig().mode(mode)


def _words_of(quantity: Quantity) -> dict[str, Any]:
    colors = (_BAD, _GOOD) if quantity.name == "supply" else (_NEUTRAL, _GOOD)
    options = {
        str(value): {"text": word, "color": colors[min(value, 1)], "index": value}
        for value, word in enumerate(quantity.states)
    }
    return {"type": "value", "options": options}


def _legend() -> Any:
    legend = common_builders.VizLegendOptions().display_mode(common.LegendDisplayMode.LIST)
    return legend.placement(common.LegendPlacement.BOTTOM).show_legend(True)


def _tooltip() -> Any:
    return common_builders.VizTooltipOptions().mode(common.TooltipDisplayMode.MULTI).sort(common.SortOrder.DESCENDING)
