"""InfluxQL for Grafana: the query type that the foundation SDK does not have, and the statements of our series.

A table that is grouped by two tags or more is not safe: Grafana's server walks the tags of each series in no order
(a map of Go's) and puts the district of one row under the facility of the next. ``of_each`` groups in a subquery and
selects its tags as columns: one series, in one order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from dashboards.grafana.scopes import PLACE_TAGS, Scope, is_chosen
from domain.places import EquipmentKind
from domain.quantities import QUANTITIES

INFLUX = {"type": "influxdb", "uid": "${influx}"}
PROMETHEUS = {"type": "prometheus", "uid": "${prometheus}"}
HOURS, DAYS = "_1h", "_1d"
"""Behind the measurement's name: its roll-ups (docs/influxdb.md)."""
GRAIN = "_${grain}"
"""The roll-ups that the variable ``grain`` names."""
JUDGED = '"judged_seconds" > 0'
"""Only where a limit was in force: InfluxQL divides by nothing without a word, and the result is 0."""
TOO_COLD = 'sum("below_seconds")'
TOO_WARM = 'sum("above_seconds")'
IN_RANGE = f'1 - ({TOO_COLD} + {TOO_WARM}) / sum("judged_seconds")'
"""The share of the time with a limit in force that was spent inside of it."""
ON_SHARE = 'sum("on") / sum("known")'
"""Of ``weighted``: the share of the time covered in which a state was 1."""


@dataclass(frozen=True)
class InfluxTarget:
    """One InfluxQL query of a panel; stands where the SDK wants a query and its builder."""

    query: str
    ref_id: str = "A"
    alias: str = ""
    table: bool = False

    def build(self) -> Self:
        """Return the query: it is its own builder."""
        return self

    def to_json(self) -> dict[str, Any]:
        """Return the query as Grafana's InfluxDB data source keeps it."""
        return {
            "alias": self.alias,
            "datasource": INFLUX,
            "query": self.query,
            "rawQuery": True,
            "refId": self.ref_id,
            "resultFormat": "table" if self.table else "time_series",
        }


def kinds(wanted: Iterable[EquipmentKind]) -> str:
    """Return the condition that the equipment is of one of these kinds."""
    return f'"kind" =~ /^({"|".join(kind.value for kind in wanted)})$/'


def measured(quantity: str, rollup: str = "") -> str:
    """Return the source that a quantity is, or that its hours or days are."""
    return f'"{QUANTITIES[quantity].measurement}{rollup}"'


def weighted(source: str, condition: str) -> str:
    """Return the source in which roll-ups of a state weigh what they cover: ``ON_SHARE`` of it is a share of time."""
    columns = '"mean" * "covered_seconds" AS "on", "covered_seconds" AS "known"'
    return f"(SELECT {columns} FROM {source} WHERE {condition})"  # noqa: S608 -- constants of this package


def where(scope: Scope, *conditions: str) -> str:
    """Return the conditions on time and place, and these."""
    return " AND ".join(("$timeFilter", scope.influx, *conditions))


def over_time(columns: str, source: str, condition: str, *, by: str = "", fill: str = "null") -> str:
    """Return a query of series over the chosen time, a series for each value of the tag ``by``.

    An interval without a reading is null; the panel decides how long a silence is still joined by a line.
    """
    tag = f', "{by}"' if by else ""
    interval = "${grain}" if GRAIN in source else "$__interval"
    return f"SELECT {columns} FROM {source} WHERE {condition} GROUP BY time({interval}){tag} fill({fill})"  # noqa: S608 -- as above


def in_all(columns: str, source: str, condition: str, *, by: str = "") -> str:
    """Return a query of what the chosen time comes to, once or for each value of one tag."""
    tag = f' GROUP BY "{by}"' if by else ""
    return f"SELECT {columns} FROM {source} WHERE {condition}{tag}"  # noqa: S608 -- as above


def of_each(
    columns: Mapping[str, str], source: str, condition: str, tags: Sequence[str], *, first: str, rows: int = 100
) -> str:
    """Return a query for a table with a row for each set of tags: those most extreme in the first column.

    ``first`` is ``top`` or ``bottom``.
    """
    chosen, *others = columns
    inner = ", ".join(f'{expression} AS "{name}"' for name, expression in columns.items())
    outer = "".join(f', "{name}"' for name in (*tags, *others))
    grouped = in_all(inner, source, condition) + " GROUP BY " + ", ".join(f'"{name}"' for name in tags)
    return f'SELECT {first}("{chosen}", {rows}) AS "{chosen}"{outer} FROM ({grouped})'  # noqa: S608 -- as above


def tag_values(tag: str) -> str:
    """Return the query for the values of a place's variable, narrowed by the places around it."""
    around = PLACE_TAGS[: PLACE_TAGS.index(tag)]
    narrowed = " AND ".join(is_chosen(outer) for outer in around)
    return f'SHOW TAG VALUES WITH KEY = "{tag}"' + (f" WHERE {narrowed}" if narrowed else "")


def alert_events(columns: str, scope: Scope, limit: int, *conditions: str) -> str:
    """Return the query for the newest changes of alerts."""
    places = Scope(scope.many, tuple(tag for tag in scope.one if tag != "equipment"))
    return f'SELECT {columns} FROM "alert_events" WHERE {where(places, *conditions)} ORDER BY time DESC LIMIT {limit}'  # noqa: S608 -- as above
