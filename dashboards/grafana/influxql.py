"""InfluxQL for Grafana: the query type that the foundation SDK does not have, and the statements of our series."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Self

from domain.places import EquipmentKind

INFLUX = {"type": "influxdb", "uid": "${influx}"}
PROMETHEUS = {"type": "prometheus", "uid": "${prometheus}"}

PLACE_TAGS = ("country", "region", "district", "facility")
"""The chain of variables, each narrowing the next."""


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


def is_chosen(tag: str) -> str:
    """Return the condition that a tag has the value chosen in the variable of the same name."""
    return f'"{tag}" =~ /^${{{tag}:regex}}$/'


def kinds(wanted: Iterable[EquipmentKind]) -> str:
    """Return the condition that the equipment is of one of these kinds."""
    return f'"kind" =~ /^({"|".join(kind.value for kind in wanted)})$/'


def over_time(columns: str, measurement: str, wanted: Iterable[EquipmentKind], *, by: str) -> str:
    """Return a query of one facility's series over the chosen time.

    An interval without a reading is null; the panel decides how long a silence is still joined by a line.
    """
    where = f"$timeFilter AND {is_chosen('facility')} AND {kinds(wanted)}"
    grouped = f"GROUP BY time($__interval), {by} fill(null)"
    return f'SELECT {columns} FROM "{measurement}" WHERE {where} {grouped}'  # noqa: S608 -- constants of this package


def tag_values(tag: str) -> str:
    """Return the query for the values of a place's variable, narrowed by the places around it."""
    around = PLACE_TAGS[: PLACE_TAGS.index(tag)]
    narrowed = " AND ".join(is_chosen(outer) for outer in around)
    return f'SHOW TAG VALUES WITH KEY = "{tag}"' + (f" WHERE {narrowed}" if narrowed else "")


def alert_events(columns: str, limit: int) -> str:
    """Return the query for the newest changes of the facility's alerts."""
    where = f"$timeFilter AND {is_chosen('facility')}"
    return f'SELECT {columns} FROM "alert_events" WHERE {where} ORDER BY time DESC LIMIT {limit}'  # noqa: S608 -- as above
