"""Changes of alerts, newest first, as a table."""

from __future__ import annotations

from dashboards.grafana import links
from dashboards.grafana.influxql import InfluxTarget, alert_events
from dashboards.grafana.looks import ALERT_STATE, MEMORABLE, SEVERITY
from dashboards.grafana.panels import Card, Words
from dashboards.grafana.scopes import Scope
from dashboards.grafana.tables import Column, facility_column, table


def changes(scope: Scope, *, limit: int = 200, tall: int = 10) -> Card:
    """Return every change of an alert in the places and the time chosen."""
    words = Words(
        "Changes of alerts",
        f"Every change of an alert in this time, newest first, {limit} at most. The number opens the alert in Vitals, "
        "where it can be answered.",
        "No alert has changed in this time.",
    )
    named = ["severity", "state", "rule", "subject"]
    place = [] if scope.one else ["district", "facility"]
    columns = ", ".join([*(f'"{name}"::tag' for name in (*place, *named)), '"text"', '"alert_id"'])
    facility = facility_column(scope)
    shown = [
        Column("Time", "When", MEMORABLE, wide=180),
        Column("severity", look=SEVERITY, wide=110),
        Column("state", look=ALERT_STATE, wide=230),
        *([Column("district"), facility] if place else []),
        Column("rule"),
        Column("subject"),
        Column("text", "What"),
        Column("alert_id", "Alert", link=links.alert_page(), wide=80),
    ]
    target = InfluxTarget(alert_events(columns, scope, limit), table=True)
    return table(words, shown, [target], sort="When", down=True, tall=tall)
