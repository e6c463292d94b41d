"""Where values lead: to the other dashboards, by uid, with the places chosen and the time shown; and to Vitals."""

from __future__ import annotations

from dashboards.grafana.panels import Link
from dashboards.grafana.scopes import Scope

NATIONAL, REGION, FACILITY, EQUIPMENT = "vitals-national", "vitals-region", "vitals-facility", "vitals-equipment"
COLD_CHAIN, POWER, WATER, SLA = "vitals-cold-chain", "vitals-power", "vitals-water", "vitals-sla"
QUALITY, ALERTS, SERVICE = "vitals-data-quality", "vitals-alerts", "vitals-service"
"""The uids of the dashboards; they never change, for people keep addresses."""


def to(uid: str, title: str, scope: Scope, **fields: str) -> Link:
    """Return a link from a dashboard with this scope; ``fields`` takes variables from columns of the row.

    What is chosen on the dashboard goes along; a variable that it does not have would stay unreplaced.
    """
    chosen = [f"${{{name}:queryparam}}" for name in ("influx", "prometheus", *scope.tags) if name not in fields]
    taken = [f"var-{name}=${{__data.fields.{column}:percentencode}}" for name, column in fields.items()]
    return title, "/d/" + uid + "?" + "&".join(("${__url_time_range}", *chosen, *taken))


def facility_page(column: str = "facility") -> Link:
    """Return the link to a facility's own page in Vitals."""
    return "Open in Vitals", f"${{vitals}}/facilities/${{__data.fields.{column}:percentencode}}"


def alert_page() -> Link:
    """Return the link to an alert in Vitals, where it can be answered; for the cell that holds its number."""
    return "Open the alert in Vitals", "${vitals}/alerts/${__value.raw}"
