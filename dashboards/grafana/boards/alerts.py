"""Alerts and response: which go on, which nobody has answered, which rules cry most, and whether messages arrive."""

from __future__ import annotations

from dashboards.grafana import links
from dashboards.grafana.board import Board
from dashboards.grafana.boards.alert_rows import changes
from dashboards.grafana.boards.glance import ROWS, UNSCRAPED, alerts_over_time
from dashboards.grafana.influxql import InfluxTarget, of_each, over_time, where
from dashboards.grafana.layout import Section
from dashboards.grafana.limits import Limits
from dashboards.grafana.looks import ALERT_STATE, DURATION, NUMBER, SEVERITY, TROUBLES, Look, late
from dashboards.grafana.panels import Card, Course, Words, course, number
from dashboards.grafana.promql import PromTarget, alerts, facilities, quantile
from dashboards.grafana.scopes import PLACES
from dashboards.grafana.tables import Column, facility_column, figure, table
from domain.alert import AlertState
from domain.episode import Severity

_HERE = facilities("vitals_facility_up", PLACES)
_UNANSWERED = f'state="{AlertState.UNACKNOWLEDGED.value}"'
_QUARTER_OF_AN_HOUR = 900.0
"""A critical alert that nobody has answered for longer is shown in red: the usual first step of escalation."""


def board(_: Limits) -> Board:
    """Return the dashboard."""
    return Board(
        links.ALERTS,
        "Vitals: alerts and response",
        "Which alerts go on, which has nobody answered, which rules cry most, and do messages arrive?",
        PLACES,
        [
            Section("", _figures()),
            Section("Now", [_active()]),
            Section("What happened", [changes(PLACES), _rules(), _places()]),
            Section("The course of time", [alerts_over_time(PLACES), _answers()]),
            Section("Messages", [_sent(), _delivery(), _waiting(), _lost()]),
        ],
        since="now-7d",
        page="/alerts",
    )


def _figures() -> list[Card]:
    critical = f'severity="{Severity.CRITICAL.label}"'
    warning = f'severity="{Severity.WARNING.label}"'
    here = f"and on (facility) ({_HERE})"
    asked = [
        ("Critical", "Critical alerts that go on in the places chosen.", TROUBLES,
         f"sum ({alerts(critical)} {here}) or vector(0)"),
        ("Warnings", "Warnings that go on in the places chosen.", NUMBER,
         f"sum ({alerts(warning)} {here}) or vector(0)"),
        ("Nobody has answered", "Alerts that go on and that nobody has answered.", TROUBLES,
         f"sum ({alerts(_UNANSWERED)} {here}) or vector(0)"),
        ("Oldest critical unanswered", "For how long the oldest critical alert waits for an answer, in all places.",
         late(_QUARTER_OF_AN_HOUR), "max (vitals_alert_oldest_unanswered_critical_seconds)"),
        ("Messages waiting", "Messages still to be sent, on all channels.", NUMBER,
         "sum (vitals_notifications_waiting)"),
        ("Messages lost", "Messages that could not be delivered in the time chosen.", TROUBLES,
         "sum (increase(vitals_notifications_undeliverable_total[$__range]))"),
    ]  # fmt: skip
    return [number(Words(title, said, UNSCRAPED), look, [PromTarget(expr)]) for title, said, look, expr in asked]


def _active() -> Card:
    words = Words(
        "Alerts that go on",
        "How many alerts of each rule go on at each facility, and what was done about them. The facility's name leads "
        "to its dashboard, and to its page, where they are answered.",
        "No alert goes on here.",
    )
    labels = "facility, rule, severity, state"
    # A facility that is silent has its alerts all the same: they are multiplied by one, and not by whether it is up.
    place = f"* on (facility) group_left (country, region, district) (0 * {_HERE} + 1)"
    expr = f"sum by ({labels}) (vitals_alert_active) {place}"
    shown = [
        Column("severity", look=SEVERITY, wide=110),
        Column("country"),
        Column("region"),
        Column("district"),
        facility_column(PLACES),
        Column("rule"),
        Column("state", look=ALERT_STATE),
        figure("A", "Alerts", NUMBER, alone=True, wide=80),
    ]
    return table(words, shown, [PromTarget(expr, table=True)], sort="Severity")


def _rules() -> Card:
    words = Words(
        "Rules that cry most",
        f"How often each rule raised an alert in the places and the time chosen, {ROWS} at most. One that cries daily "
        "and is answered by nobody needs another limit.",
        "No alert was raised in this time.",
    )
    raised = where(PLACES, f"\"state\" = '{AlertState.UNACKNOWLEDGED.value}'")
    columns = {"raised": 'count("alert_id")'}
    query = of_each(columns, '"alert_events"', raised, ("rule", "severity"), first="top", rows=ROWS)
    shown = [Column("rule"), Column("severity", look=SEVERITY), Column("raised", "Raised", NUMBER)]
    return table(words, shown, [InfluxTarget(query, table=True)], sort="Raised", down=True, wide=12)


def _places() -> Card:
    words = Words(
        "Facilities with most alerts",
        f"How many alerts were raised at each facility in the time chosen, {ROWS} facilities at most.",
        "No alert was raised in this time.",
    )
    raised = where(PLACES, f"\"state\" = '{AlertState.UNACKNOWLEDGED.value}'")
    columns = {"raised": 'count("alert_id")'}
    query = of_each(columns, '"alert_events"', raised, ("district", "facility"), first="top", rows=ROWS)
    shown = [
        Column("district"),
        facility_column(PLACES),
        Column("raised", "Raised", NUMBER),
    ]
    return table(words, shown, [InfluxTarget(query, table=True)], sort="Raised", down=True, wide=12)


def _answers() -> Card:
    words = Words(
        "Changes of state",
        "How many alerts came into each state, each day: raised, being handled, put aside, over. Where far more are "
        "raised than handled, nobody reads them any more. How fast people answer is measured in Vitals itself.",
        "No alert has changed in this time.",
    )
    query = over_time('count("alert_id")', '"alert_events"', where(PLACES), by="state", fill="0")
    how = Course(bars=True, stacked=True, interval="1d", lowest=0)
    return course(words, NUMBER, [InfluxTarget(query, alias="$tag_state")], how, wide=12)


def _sent() -> Card:
    words = Words(
        "Messages, by channel and outcome",
        "Attempts to notify, a second, by channel and outcome.",
        "Prometheus knows no message yet: none was sent, or Vitals is not scraped.",
    )
    rate = "sum by (channel, state) (rate(vitals_notifications_total[$__rate_interval]))"
    return course(
        words,
        Look("reqps", 3),
        [PromTarget(rate, legend="{{channel}} {{state}}", now=False)],
        Course(lowest=0),
        wide=12,
    )


def _delivery() -> Card:
    words = Words(
        "Time to delivery",
        "How long 95 of 100 messages took from the decision to send them until the channel took them.",
        "No message has been delivered yet, or Vitals is not scraped.",
    )
    expr = quantile(0.95, "vitals_notification_delivery_seconds", ("channel",))
    target = PromTarget(expr, legend="{{channel}}", now=False)
    return course(words, DURATION._replace(decimals=1), [target], Course(lowest=0), wide=12)


def _waiting() -> Card:
    words = Words("Waiting messages", "Messages still to be sent, by channel.", UNSCRAPED)
    expr = "sum by (channel) (vitals_notifications_waiting)"
    return course(words, NUMBER, [PromTarget(expr, legend="{{channel}}", now=False)], Course(lowest=0), wide=12)


def _lost() -> Card:
    words = Words(
        "Lost messages",
        "Messages that could not be delivered in the day before each moment, by channel.",
        UNSCRAPED,
    )
    expr = "sum by (channel) (increase(vitals_notifications_undeliverable_total[1d]))"
    return course(words, NUMBER, [PromTarget(expr, legend="{{channel}}", now=False)], Course(lowest=0), wide=12)
