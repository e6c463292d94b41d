"""A region or a district: which facilities need somebody, and which districts do worse than others."""

from __future__ import annotations

from dashboards.grafana import links
from dashboards.grafana.board import Board
from dashboards.grafana.boards import glance
from dashboards.grafana.influxql import GRAIN
from dashboards.grafana.layout import Section
from dashboards.grafana.limits import Limits
from dashboards.grafana.scopes import DISTRICTS


def board(_: Limits) -> Board:
    """Return the dashboard; it reads roll-ups and Prometheus."""
    by = ("country", "region", "district")
    return Board(
        links.REGION,
        "Vitals: region and district",
        "Which facilities of the region or district need somebody now, and which districts do worse than others?",
        DISTRICTS,
        [
            Section("", glance.now(DISTRICTS, links.ALERTS, GRAIN)),
            Section("Where", [glance.worst(DISTRICTS), glance.parts(DISTRICTS, by, links.REGION)]),
            Section(
                "The course of time",
                [
                    glance.in_range_over_time(DISTRICTS, "district", GRAIN),
                    glance.over_time_now(DISTRICTS),
                    glance.alerts_over_time(DISTRICTS),
                    glance.outside_over_time(DISTRICTS, GRAIN),
                ],
            ),
        ],
        since="now-7d",
        page="/places",
    )
