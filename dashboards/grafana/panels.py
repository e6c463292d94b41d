"""Panels with our manner: described, with a unit, with words where there is no data, with gaps left as gaps.

Only what builds dashboards imports this: it needs the Grafana foundation SDK, which is a development package.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from dashboards.grafana.influxql import InfluxTarget
from dashboards.grafana.looks import Look, Step, look_of, words_of
from dashboards.grafana.promql import PromTarget
from domain.quantities import Quantity

with warnings.catch_warnings():
    # The classic format is what every Grafana reads; the SDK would rather have us write the new one.
    warnings.simplefilter("ignore", DeprecationWarning)
    from grafana_foundation_sdk.builders import common as common_builders
    from grafana_foundation_sdk.builders import dashboard as dashboard_builders
    from grafana_foundation_sdk.builders import stat, statetimeline, text, timeseries
    from grafana_foundation_sdk.models import common, dashboard
    from grafana_foundation_sdk.models import text as text_models

GAP_MS = 3_600_000
"""Readings further apart than this are not joined: nobody knows what was between them."""

Target = InfluxTarget | PromTarget
Link = tuple[str, str]
"""Title and address."""


class Card(NamedTuple):
    """A panel and the room it takes on the grid of 24 columns."""

    panel: Any
    wide: int
    tall: int


@dataclass(frozen=True)
class Words:
    """What a panel says of itself."""

    title: str
    description: str
    no_data: str


def number(
    words: Words, look: Look, targets: Sequence[Target], *, wide: int = 4, tall: int = 4, links: Sequence[Link] = ()
) -> Card:
    """Return figures, large: one for each series."""
    named = any(_legend_of(target) for target in targets)
    panel = looking(stat.Panel(), words, look, targets).color_mode(common.BigValueColorMode.VALUE)
    panel = panel.graph_mode(common.BigValueGraphMode.NONE)
    panel = panel.text_mode(common.BigValueTextMode.VALUE_AND_NAME if named else common.BigValueTextMode.VALUE)
    panel = panel.reduce_options(common_builders.ReduceDataOptions().calcs(["lastNotNull"]).values(False))
    return Card(panel.data_links([_data_link(*link) for link in links]), wide, tall)


def lines(
    words: Words,
    quantity: Quantity,
    targets: Sequence[Target],
    limits: Mapping[str, float],
    *,
    wide: int,
    tall: int = 9,
) -> Card:
    """Return a chart of one quantity over time, with its limits as lines and its gaps as gaps."""
    panel = looking(timeseries.Panel(), words, look_of(quantity, limits), targets)
    panel = _drawn(panel).span_nulls(GAP_MS)
    mode = common.GraphThresholdsStyleMode.DASHED if limits else common.GraphThresholdsStyleMode.OFF
    return Card(panel.thresholds_style(common_builders.GraphThresholdsStyleConfig().mode(mode)), wide, tall)


@dataclass(frozen=True)
class Course:
    """How a chart over time is drawn."""

    stacked: bool = False
    bars: bool = False
    interval: str = ""
    """No finer than this: what the stored series has."""
    lowest: float | None = None
    highest: float | None = None
    colors: Mapping[str, str] | None = None
    """By name of the series."""
    gap_ms: int | bool = GAP_MS


def course(
    words: Words, look: Look, targets: Sequence[Target], how: Course = Course(), *, wide: int, tall: int = 8
) -> Card:
    """Return a chart of counts or shares over time."""
    panel = _drawn(looking(timeseries.Panel(), words, look, targets)).span_nulls(how.gap_ms)
    if how.bars:
        panel = panel.draw_style(common.GraphDrawStyle.BARS).fill_opacity(70)
    if how.stacked:
        panel = panel.stacking(common_builders.StackingConfig().mode(common.StackingMode.NORMAL).group("A"))
        panel = panel.fill_opacity(60)
    if how.interval:
        panel = panel.interval(how.interval)
    if how.lowest is not None:
        panel = panel.min(how.lowest)
    if how.highest is not None:
        panel = panel.max(how.highest)
    for name, color in (how.colors or {}).items():
        panel = panel.override_by_name(name, [_property("color", {"mode": "fixed", "fixedColor": color})])
    return Card(panel, wide, tall)


def states(
    words: Words,
    targets: Sequence[tuple[Quantity, Target]],
    *,
    wide: int,
    tall: int = 8,
    interval: str = "",
    gap_ms: int = GAP_MS,
) -> Card:
    """Return a timeline of states, one row a series, in the words of each quantity; a gap stays a gap."""
    panel = looking(statetimeline.Panel(), words, Look(), [target for _, target in targets])
    panel = panel.span_nulls(gap_ms).merge_values(True).row_height(0.8).show_value(common.VisibilityMode.AUTO)
    for quantity, target in targets:
        panel = panel.override_by_query(target.to_json()["refId"], [_property("mappings", [words_of(quantity)])])
    return Card(panel.interval(interval) if interval else panel, wide, tall)


def note(title: str, markdown: str, *, wide: int = 24, tall: int = 4) -> Card:
    """Return words that stand among the panels."""
    panel = text.Panel().title(title).mode(text_models.TextMode.MARKDOWN).content(markdown)
    return Card(panel, wide, tall)


def looking(panel: Any, words: Words, look: Look, targets: Sequence[Target]) -> Any:
    """Return the panel with its words, its queries and its look."""
    source = targets[0].to_json()["datasource"]
    panel = panel.title(words.title).description(words.description).no_value(words.no_data)
    panel = panel.datasource(common.DataSourceRef(source["type"], source["uid"])).targets(list(targets))
    panel = panel.unit(look.unit).thresholds(thresholds(look.steps)).mappings(list(look.mappings))
    return panel if look.decimals is None else panel.decimals(look.decimals)


def thresholds(steps: Sequence[Step]) -> Any:
    """Return thresholds as the SDK wants them."""
    found = [dashboard.Threshold(value=value, color=color) for value, color in steps]
    return dashboard_builders.ThresholdsConfig().mode(dashboard.ThresholdsMode.ABSOLUTE).steps(found)


def _drawn(panel: Any) -> Any:
    legend = common_builders.VizLegendOptions().display_mode(common.LegendDisplayMode.LIST)
    tooltip = common_builders.VizTooltipOptions().mode(common.TooltipDisplayMode.MULTI)
    panel = panel.line_width(1).fill_opacity(0).show_points(common.VisibilityMode.AUTO)
    panel = panel.legend(legend.placement(common.LegendPlacement.BOTTOM).show_legend(True))
    return panel.tooltip(tooltip.sort(common.SortOrder.DESCENDING))


def _legend_of(target: Target) -> str:
    found = target.to_json()
    return str(found.get("legendFormat") or found.get("alias") or "")


def _property(name: str, value: object) -> Any:
    return dashboard.DynamicConfigValue(id_val=name, value=value)


def _data_link(title: str, url: str) -> Any:
    link = dashboard_builders.DashboardLink(title).type(dashboard.DashboardLinkType.LINK)
    return link.url(url).target_blank(url.startswith("${vitals}"))
