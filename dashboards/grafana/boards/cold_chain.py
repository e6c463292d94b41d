"""The cold chain: whether vaccines were kept well, where not, and whether it was cold or heat."""

from __future__ import annotations

from dashboards.grafana import links
from dashboards.grafana.board import Board
from dashboards.grafana.boards import glance
from dashboards.grafana.influxql import (
    GRAIN,
    IN_RANGE,
    TOO_COLD,
    TOO_WARM,
    InfluxTarget,
    in_all,
    measured,
    of_each,
)
from dashboards.grafana.layout import Section
from dashboards.grafana.limits import Limits
from dashboards.grafana.looks import DURATION, TROUBLES, Look, look_of, share
from dashboards.grafana.panels import Card, Words, number
from dashboards.grafana.promql import PromTarget, fails, select
from dashboards.grafana.scopes import FACILITIES
from dashboards.grafana.tables import Column, facility_column, table
from domain.places import EquipmentKind, Service
from domain.quantities import QUANTITIES

_UNJUDGED = "No roll-up of a temperature with a limit lies in this time."
_APPLIANCE = ("region", "district", "facility", "equipment")


def board(limits: Limits) -> Board:
    """Return the dashboard; it reads roll-ups."""
    return Board(
        links.COLD_CHAIN,
        "Vitals: cold chain",
        "Were vaccines kept within their limits, where not, and was it cold or heat?",
        FACILITIES,
        [
            Section("", _figures()),
            Section("Where", [_worst(limits)]),
            Section(
                "The course of time",
                [
                    glance.in_range_over_time(FACILITIES, "district", GRAIN),
                    glance.outside_over_time(FACILITIES, GRAIN),
                ],
            ),
        ],
        since="now-7d",
        refresh="5m",
        page="/places",
    )


def _figures() -> list[Card]:
    trouble = Words(
        "Facilities in trouble",
        "Facilities that are heard and have a critical alert on a fridge or freezer now.",
        glance.UNSCRAPED,
    )
    live = Words(
        "Within limits, last hour",
        "The share of the last hour in which appliances were within their limits, all together, as the service saw it "
        "live: late readings are not in it.",
        "No cold chain has been watched in the last hour: is Vitals scraped?",
    )
    inside, seen = (
        f"sum (increase({select(name, FACILITIES)}[1h]))"
        for name in ("vitals_cold_chain_in_range_seconds_total", "vitals_cold_chain_observed_seconds_total")
    )
    trouble_now = f"sum ({fails(Service.COLD_CHAIN, FACILITIES)})"
    return [
        number(
            trouble, TROUBLES, [PromTarget(trouble_now)], links=[links.to(links.ALERTS, "Which alerts?", FACILITIES)]
        ),
        number(live, share(), [PromTarget(f"{inside} / ({seen} > 0)")]),
        glance.in_range(FACILITIES, GRAIN),
        *(_total(*each) for each in _TOTALS),
    ]


_TOTALS = (
    ("Too cold", "For how long fridges and freezers were below their low limit, all together.", TOO_COLD, DURATION),
    ("Too warm", "For how long fridges and freezers were above their high limit, all together.", TOO_WARM, DURATION),
    ("Appliance time judged", "For how long readings with a limit stand, all appliances together.",
     'sum("judged_seconds")', DURATION),
)  # fmt: skip


def _total(title: str, said: str, expression: str, look: Look) -> Card:
    query = in_all(f'{expression} AS "time"', measured("temperature", GRAIN), glance.cold(FACILITIES))
    return number(Words(title, said, _UNJUDGED), look, [InfluxTarget(query)])


def _worst(limits: Limits) -> Card:
    words = Words(
        "Appliances, worst first",
        f"The {glance.ROWS} appliances that were outside of their limits for the largest share of the time, with the "
        "lowest and highest temperature. The name leads to the appliance's dashboard.",
        _UNJUDGED,
    )
    columns = {
        "in range": IN_RANGE,
        "too cold": TOO_COLD,
        "too warm": TOO_WARM,
        "lowest": 'min("min")',
        "highest": 'max("max")',
    }
    source, condition = measured("temperature", GRAIN), glance.cold(FACILITIES)
    query = of_each(columns, source, condition, _APPLIANCE, first="bottom", rows=glance.ROWS)
    thing = {"facility": "facility", "equipment": "equipment"}
    degrees = look_of(QUANTITIES["temperature"], limits.get(("temperature", EquipmentKind.FRIDGE)))
    shown = [
        *(Column(name) for name in _APPLIANCE[:-2]),
        facility_column(FACILITIES),
        Column("equipment", link=links.to(links.EQUIPMENT, "This appliance", FACILITIES, **thing)),
        Column("in range", "Within limits", share()),
        Column("too cold", "Too cold", DURATION),
        Column("too warm", "Too warm", DURATION),
        Column("lowest", "Lowest", degrees._replace(colored=False)),
        Column("highest", "Highest", degrees._replace(colored=False)),
    ]
    return table(words, shown, [InfluxTarget(query, table=True)], sort="Within limits", tall=14)
