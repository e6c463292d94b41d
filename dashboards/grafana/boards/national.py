"""The country: how many facilities need help, in which regions, and whether it is getting better."""

from __future__ import annotations

from dashboards.grafana import links
from dashboards.grafana.board import Board
from dashboards.grafana.boards import glance
from dashboards.grafana.influxql import DAYS
from dashboards.grafana.layout import Section
from dashboards.grafana.limits import Limits
from dashboards.grafana.scopes import NATION


def board(_: Limits) -> Board:
    """Return the dashboard; it reads roll-ups of days and Prometheus, never the raw readings of a nation."""
    return Board(
        links.NATIONAL,
        "Vitals: country",
        "How many facilities need help now, in which regions, and is it getting better?",
        NATION,
        [
            Section("", glance.now(NATION, links.REGION, DAYS)),
            Section("Where", [glance.parts(NATION, ("country", "region"), links.REGION), glance.worst(NATION)]),
            Section(
                "The course of time",
                [
                    glance.in_range_over_time(NATION, "region"),
                    glance.over_time_now(NATION),
                    glance.alerts_over_time(NATION),
                    glance.outside_over_time(NATION, DAYS),
                ],
            ),
        ],
        since="now-30d",
        refresh="5m",
        page="/",
    )
