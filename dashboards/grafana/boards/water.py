"""Water: who is without, which tanks run dry, whether the water is safe."""

from __future__ import annotations

from dashboards.grafana import links
from dashboards.grafana.board import Board
from dashboards.grafana.boards import glance
from dashboards.grafana.influxql import GRAIN, InfluxTarget, in_all, kinds, measured, of_each, over_time, where
from dashboards.grafana.layout import Section
from dashboards.grafana.limits import Limits
from dashboards.grafana.looks import DURATION, TROUBLES, Look, look_of, share
from dashboards.grafana.panels import Card, Course, Target, Words, course, lines, number
from dashboards.grafana.promql import PromTarget, availability, fails
from dashboards.grafana.scopes import FACILITIES
from dashboards.grafana.tables import Column, facility_column, table
from domain.places import EquipmentKind, Service
from domain.quantities import QUANTITIES

_TANKS = where(FACILITIES, kinds([EquipmentKind.TANK]))
_NO_TANK = "No roll-up of a tank's level lies in this time."
_WATER = f'service="{Service.WATER.value}"'


def board(limits: Limits) -> Board:
    """Return the dashboard; it reads roll-ups."""
    return Board(
        links.WATER,
        "Vitals: water",
        "Which facilities are without water, which tanks run dry, and is the water safe?",
        FACILITIES,
        [
            Section("", _figures(limits)),
            Section("Where", [_worst(limits), _tanks_over_time(limits)]),
            Section("Use", [_flow(), _pumps()]),
            Section("Quality", [_quality(*each, limits) for each in _QUALITIES]),
        ],
        since="now-7d",
        refresh="5m",
        page="/places",
    )


def _figures(limits: Limits) -> list[Card]:
    level = _level(limits)
    levels = measured("tank_level", GRAIN)
    asked: list[tuple[str, str, Look, Target, str]] = [
        ("Without water", "Facilities that are heard and have a critical alert on water now.", TROUBLES,
         PromTarget(f"sum ({fails(Service.WATER, FACILITIES)})"), glance.UNSCRAPED),
        ("Time with water", "The share of the known time of 7 days in which facilities had water, as the service "
         "saw it live: the mean of all.", share(), PromTarget(f"avg ({availability(FACILITIES, '7d', _WATER)})"),
         glance.UNRECORDED),
        ("Lowest tank", "The lowest level of any tank in this time.", level,
         InfluxTarget(in_all('min("min")', levels, _TANKS)), _NO_TANK),
        ("Time below limits", "For how long tanks were below their low limit, all together.", DURATION,
         InfluxTarget(in_all('sum("below_seconds")', levels, _TANKS)), _NO_TANK),
    ]  # fmt: skip
    return [number(Words(title, said, missing), look, [target], wide=6) for title, said, look, target, missing in asked]


def _worst(limits: Limits) -> Card:
    words = Words(
        "Tanks, lowest first",
        f"The {glance.ROWS} tanks that are lowest now (the end of the time chosen), the lowest they were, and for how "
        "long they were below their limit.",
        _NO_TANK,
    )
    columns = {"now": 'last("mean")', "lowest": 'min("min")', "below": 'sum("below_seconds")'}
    tags = ("district", "facility", "equipment")
    query = of_each(columns, measured("tank_level", GRAIN), _TANKS, tags, first="bottom", rows=glance.ROWS)
    thing = {"facility": "facility", "equipment": "equipment"}
    shown = [
        Column("district"),
        facility_column(FACILITIES),
        Column("equipment", link=links.to(links.EQUIPMENT, "This tank", FACILITIES, **thing)),
        Column("now", "Now", _level(limits)),
        Column("lowest", "Lowest", _level(limits)),
        Column("below", "Below its limit", DURATION),
    ]
    return table(words, shown, [InfluxTarget(query, table=True)], sort="Now", wide=12)


def _tanks_over_time(limits: Limits) -> Card:
    words = Words(
        "Lowest tank, by facility",
        "How full the emptiest tank of each facility was. Below the dashed line water runs short. "
        "Choose a district: a nation's lines do not fit here.",
        _NO_TANK,
    )
    query = over_time('min("min")', measured("tank_level", GRAIN), _TANKS, by="facility")
    found = limits.get(("tank_level", EquipmentKind.TANK), {})
    card = lines(words, QUANTITIES["tank_level"], [InfluxTarget(query, alias="$tag_facility")], found, wide=12, tall=10)
    return card._replace(panel=card.panel.span_nulls(False).min(0).max(1))


def _flow() -> Card:
    words = Words(
        "Lowest flow, by facility",
        "The lowest flow of each hour or day. Where it does not come down to nothing at night, water leaks.",
        "No flow has been measured in this time.",
    )
    query = over_time('min("min")', measured("flow", GRAIN), where(FACILITIES), by="facility")
    how = Course(gap_ms=False)
    return course(words, look_of(QUANTITIES["flow"]), [InfluxTarget(query, alias="$tag_facility")], how, wide=12)


def _pumps() -> Card:
    words = Words(
        "Pumps: share of the time running",
        "For which share of each hour or day pumps ran. A pump that runs on without a rising level runs dry.",
        "No pump has reported in this time.",
    )
    condition = where(FACILITIES, kinds([EquipmentKind.PUMP]))
    query = over_time('mean("mean")', measured("running", GRAIN), condition, by="facility")
    how = Course(lowest=0, highest=1, gap_ms=False)
    return course(words, share(decimals=0), [InfluxTarget(query, alias="$tag_facility")], how, wide=12)


_QUALITIES = (
    ("Turbidity", "turbidity", "Cloudy water hides germs from chlorine."),
    ("Free chlorine", "free_chlorine", "Too little leaves germs alive."),
    ("Acidity", "acidity", "Chlorine works badly in water that is not neutral."),
)


def _quality(title: str, name: str, why: str, limits: Limits) -> Card:
    words = Words(
        title,
        f"Lowest and highest of each hour or day in the places chosen. {why}",
        f"No {title.lower()} has been measured in this time.",
    )
    query = over_time('min("min") AS "lowest", max("max") AS "highest"', measured(name, GRAIN), where(FACILITIES))
    found = limits.get((name, EquipmentKind.TAP), {})
    card = lines(words, QUANTITIES[name], [InfluxTarget(query, alias="$col")], found, wide=8, tall=7)
    return card._replace(panel=card.panel.span_nulls(False))


def _level(limits: Limits) -> Look:
    return look_of(QUANTITIES["tank_level"], limits.get(("tank_level", EquipmentKind.TANK)))
