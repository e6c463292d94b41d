"""PromQL: the expressions of our metrics that more than one dashboard asks, and the query that Grafana keeps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dashboards.grafana.influxql import PROMETHEUS
from dashboards.grafana.scopes import Scope
from dashboards.pages.status import ANSWERED_FOR, Status
from dashboards.prometheus.recording import TARGET, outage
from domain.episode import Severity
from domain.places import Service

PLACE = ("country", "region", "district", "facility")
"""Which labels a facility's series keep; instances of the service that are scraped side by side become one."""
EACH = (*PLACE, "service")
"""Which labels a service of a facility keeps."""
WORKING = {
    Service.MONITORING: "vitals_facility_up",
    Service.POWER: "vitals_facility_power_available",
    Service.COLD_CHAIN: "vitals_facility_cold_chain_ok",
    Service.WATER: "vitals_facility_water_available",
}
"""1 while a service of a facility works; 0 also while the facility is silent."""
_SILENCED = "|".join(sorted(state.value for state in ANSWERED_FOR))


class PromTarget:
    """One PromQL query of a panel; stands where the SDK wants a query and its builder."""

    def __init__(
        self, expr: str, ref_id: str = "A", legend: str = "", *, table: bool = False, now: bool = True
    ) -> None:
        """``now`` asks for one moment, the end of the chosen time; else for its course."""
        self._json = {
            "datasource": PROMETHEUS,
            "editorMode": "code",
            "expr": expr,
            "format": "table" if table else "time_series",
            "instant": now,
            "legendFormat": legend,
            "range": not now,
            "refId": ref_id,
        }

    def build(self) -> PromTarget:
        """Return the query: it is its own builder."""
        return self

    def to_json(self) -> dict[str, Any]:
        """Return the query as Grafana's Prometheus data source keeps it."""
        return self._json


def facilities(metric: str, scope: Scope, *matchers: str) -> str:
    """Return a facility's series, one for each."""
    return f"max by ({', '.join(PLACE)}) ({select(metric, scope, *matchers)})"


def select(metric: str, scope: Scope, *matchers: str) -> str:
    """Return the series of a metric in the places chosen."""
    wanted = ",".join(each for each in (scope.prom, *matchers) if each)
    return f"{metric}{{{wanted}}}"


def alerts(*matchers: str) -> str:
    """Return the alerts that say how their facility is (not those shelved, suppressed or out of service)."""
    return "vitals_alert_active{" + ",".join((*matchers, f'state!~"{_SILENCED}"')) + "}"


def status(scope: Scope) -> str:
    """Return how each facility is, as the rank of its status (0 is worst), as far as Prometheus is told.

    What the pages know besides, a single reading beyond its limit or a single silent sensor, is not told here.
    """
    up = facilities(WORKING[Service.MONITORING], scope)
    critical = alerts(f'severity="{Severity.CRITICAL.label}"')
    warning = alerts(f'severity="{Severity.WARNING.label}"')
    dark = f"({facilities(WORKING[Service.POWER], scope)} == 0)"
    ranked = (
        (f"{up} and on (facility) {critical}", Status.CRITICAL),
        (f"{up} == 0", Status.SILENT),
        (f"{up} and on (facility) ({warning} or {dark})", Status.WARNING),
        (up, Status.OK),
    )
    return " or ".join(f"(0 * ({which}) + {found.rank})" for which, found in ranked)


def need_help(scope: Scope, by: Sequence[str] = ()) -> str:
    """Return in how many facilities a critical alert goes on; 0 where in none, nothing where none is scraped."""
    up = facilities(WORKING[Service.MONITORING], scope)
    critical = alerts(f'severity="{Severity.CRITICAL.label}"')
    return f"count{_by(by)} ({up} and on (facility) {critical}) or 0 * count{_by(by)} ({up})"


def silent(scope: Scope, by: Sequence[str] = ()) -> str:
    """Return how many facilities are silent."""
    return f"sum{_by(by)} ({facilities(WORKING[Service.MONITORING], scope)} == bool 0)"


def fails(service: Service, scope: Scope) -> str:
    """Return 1 for each facility that is heard and in which a service does not work, else 0."""
    up = facilities(WORKING[Service.MONITORING], scope)
    return f"({facilities(WORKING[service], scope)} == bool 0) * {up}"


def working(service: Service, scope: Scope, by: Sequence[str] = ()) -> str:
    """Return the share of facilities in which a service works."""
    return f"avg{_by(by)} ({facilities(WORKING[service], scope)})"


def availability(scope: Scope, window: str, *matchers: str) -> str:
    """Return the share of the known time of a window (1d, 7d, 30d) in which each service of a facility was up.

    It is recorded by rules, with the labels of ``EACH`` and no others: the counters of a nation's month are more than
    Prometheus reads in one query.
    """
    return select(f"facility_service:vitals_availability:ratio{window}", scope, *matchers)


def promised(scope: Scope) -> str:
    """Return what is promised of each service of a facility."""
    return f"max by ({', '.join(EACH)}) ({select(TARGET, scope)})"


def burn(scope: Scope, window: str) -> str:
    """Return how many times faster than promised the allowance went in a window; 0 where nothing was down."""
    target = promised(scope)
    return f"{select(outage(window), scope)} / (1 - {target}) or 0 * {target}"


def quantile(share: float, histogram: str, by: Sequence[str] = (), *matchers: str) -> str:
    """Return the value that a share of what happened stayed below."""
    rate = f"rate({select(histogram + '_bucket', Scope(()), *matchers)}[$__rate_interval])"
    return f"histogram_quantile({share}, sum by ({', '.join(('le', *by))}) ({rate}))"


def _by(labels: Sequence[str]) -> str:
    return f" by ({', '.join(labels)})" if labels else ""
