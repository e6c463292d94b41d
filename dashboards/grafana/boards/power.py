"""Power: who is without, for how long it was gone, whether the voltage is fit for fridges, which generators ran."""

from __future__ import annotations

from dashboards.grafana import links
from dashboards.grafana.board import Board
from dashboards.grafana.boards import glance
from dashboards.grafana.boards.readings import STORAGE
from dashboards.grafana.influxql import (
    GRAIN,
    HOURS,
    ON_SHARE,
    InfluxTarget,
    in_all,
    kinds,
    measured,
    of_each,
    over_time,
    weighted,
    where,
)
from dashboards.grafana.layout import Section
from dashboards.grafana.limits import Limits
from dashboards.grafana.looks import DURATION, NUMBER, TROUBLES, Look, look_of, share
from dashboards.grafana.panels import Card, Course, Target, Words, course, number, states
from dashboards.grafana.promql import PromTarget, availability, fails, select
from dashboards.grafana.scopes import FACILITIES
from dashboards.grafana.tables import Column, facility_column, table
from domain.places import EquipmentKind, Service
from domain.quantities import QUANTITIES

_APPLIANCE = ("district", "facility", "equipment")
_POWER = f'service="{Service.POWER.value}"'
_MAINS = where(FACILITIES, kinds([EquipmentKind.MAINS]))
_NO_MAINS = "No roll-up of a mains supply lies in this time."
_TIMELINE_GAP_MS = 7_200_000
"""Two hours: roll-ups of an hour side by side are joined, a missing hour is not."""


def board(limits: Limits) -> Board:
    """Return the dashboard; it reads roll-ups."""
    return Board(
        links.POWER,
        "Vitals: power",
        "Which facilities are without power, for how long was the grid gone, and is its voltage fit for fridges?",
        FACILITIES,
        [
            Section("", _figures()),
            Section("Where", [_worst_mains(), _worst_voltage(limits)]),
            Section(
                "The course of time", [_timeline(), _grid_over_time(), _generators(), _voltage(limits), _charge(limits)]
            ),
        ],
        since="now-7d",
        refresh="5m",
        page="/places",
    )


def _figures() -> list[Card]:
    fuel = kinds([EquipmentKind.GENERATOR])
    week = availability(FACILITIES, "7d", _POWER)
    outages = f"sum (increase({select('vitals_facility_outages_total', FACILITIES, _POWER)}[1d]))"
    asked: list[tuple[str, str, Look, Target, str]] = [
        ("Without power", "Facilities that are heard and have neither grid nor backup now.", TROUBLES,
         PromTarget(f"sum ({fails(Service.POWER, FACILITIES)})"), glance.UNSCRAPED),
        ("Time with power", "The share of the known time of 7 days in which facilities had power from anywhere, as the "
         "service saw it live: the mean of all.", share(), PromTarget(f"avg ({week})"), glance.UNRECORDED),
        ("Least powered", "The same of the facility that was without power for longest.", share(),
         PromTarget(f"min ({week})"), glance.UNRECORDED),
        ("Outages, last day", "How often facilities lost all power in the last day, as the service saw it live.",
         NUMBER, PromTarget(outages), glance.UNSCRAPED),
        ("Grid on", "The share of the time with readings in which mains gave power, from stored readings.", share(),
         InfluxTarget(in_all(f'{ON_SHARE} AS "on"', weighted(measured("supply", GRAIN), _MAINS), "$timeFilter")),
         _NO_MAINS),
        ("Lowest fuel", "The emptiest fuel tank of a generator in this time.", share(decimals=0),
         InfluxTarget(in_all('min("min")', measured("fuel_level", GRAIN), where(FACILITIES, fuel))),
         "No fuel level has been measured in this time."),
    ]  # fmt: skip
    return [number(Words(title, said, missing), look, [target]) for title, said, look, target, missing in asked]


def _worst_mains() -> Card:
    words = Words(
        "Grid supply, worst first",
        f"The {glance.ROWS} mains supplies that were on for the smallest share of the time with readings. What stood "
        "in for them is not in this figure.",
        _NO_MAINS,
    )
    source = weighted(measured("supply", GRAIN), _MAINS)
    columns = {"on": ON_SHARE, "known": 'sum("known")'}
    query = of_each(columns, source, "$timeFilter", _APPLIANCE, first="bottom", rows=glance.ROWS)
    shown = [*_places(), Column("on", "Grid on", share()), Column("known", "Of time known", DURATION)]
    return table(words, shown, [InfluxTarget(query, table=True)], sort="Grid on", wide=12)


def _worst_voltage(limits: Limits) -> Card:
    words = Words(
        "Voltage outside of limits, worst first",
        f"The {glance.ROWS} mains supplies whose voltage was too low for the longest time. Low voltage destroys "
        "compressors; the limits are those in force at the time.",
        "No roll-up of a mains voltage lies in this time.",
    )
    columns = {
        "low": 'sum("below_seconds")',
        "high": 'sum("above_seconds")',
        "lowest": 'min("min")',
        "highest": 'max("max")',
    }
    query = of_each(columns, measured("voltage", GRAIN), _MAINS, _APPLIANCE, first="top", rows=glance.ROWS)
    volts = look_of(QUANTITIES["voltage"], limits.get(("voltage", EquipmentKind.MAINS)))
    shown = [
        *_places(),
        Column("low", "Too low for", DURATION),
        Column("high", "Too high for", DURATION),
        Column("lowest", "Lowest", volts),
        Column("highest", "Highest", volts),
    ]
    return table(words, shown, [InfluxTarget(query, table=True)], sort="Too low for", down=True, wide=12)


def _timeline() -> Card:
    words = Words(
        "Grid, hour by hour",
        "Whether the mains of each facility gave power; an hour in which it was off at any time is off. A gap is time "
        "of which nobody knows. Choose a district: a nation's rows do not fit here.",
        _NO_MAINS,
    )
    query = over_time('min("min")', measured("supply", HOURS), _MAINS, by="facility")
    target = InfluxTarget(query, alias="$tag_facility")
    return states(words, [(QUANTITIES["supply"], target)], wide=24, tall=9, interval="1h", gap_ms=_TIMELINE_GAP_MS)


def _grid_over_time() -> Card:
    words = Words(
        "Grid on, by district",
        "The share of the time with readings in which mains gave power. A gap is time without readings.",
        _NO_MAINS,
    )
    query = over_time(f'{ON_SHARE} AS "on"', weighted(measured("supply", GRAIN), _MAINS), "$timeFilter", by="district")
    how = Course(lowest=0, highest=1, gap_ms=False)
    return course(words, share(decimals=0), [InfluxTarget(query, alias="$tag_district")], how, wide=12)


def _generators() -> Card:
    words = Words(
        "Generators: hours run",
        "For how long generators ran, all together, by district. Fuel follows it.",
        "No generator has reported in this time.",
    )
    source = weighted(measured("running", GRAIN), where(FACILITIES, kinds([EquipmentKind.GENERATOR])))
    query = over_time('sum("on") AS "ran"', source, "$timeFilter", by="district", fill="0")
    how = Course(bars=True, stacked=True, lowest=0)
    return course(words, DURATION, [InfluxTarget(query, alias="$tag_district")], how, wide=12)


def _voltage(limits: Limits) -> Card:
    words = Words(
        "Mains voltage",
        "The lowest and the highest mains voltage of each hour or day in the places chosen.",
        "No roll-up of a mains voltage lies in this time.",
    )
    query = over_time('min("min") AS "lowest", max("max") AS "highest"', measured("voltage", GRAIN), _MAINS)
    look = look_of(QUANTITIES["voltage"], limits.get(("voltage", EquipmentKind.MAINS)))
    return course(words, look, [InfluxTarget(query, alias="$col")], Course(gap_ms=False), wide=12)


def _charge(limits: Limits) -> Card:
    words = Words(
        "Batteries: lowest charge, by district",
        "How full the emptiest battery of each district was.",
        "No battery has reported in this time.",
    )
    condition = where(FACILITIES, kinds(STORAGE))
    query = over_time('min("min")', measured("charge", GRAIN), condition, by="district")
    look = look_of(QUANTITIES["charge"], limits.get(("charge", EquipmentKind.BATTERY)))
    how = Course(lowest=0, highest=1, gap_ms=False)
    return course(words, look, [InfluxTarget(query, alias="$tag_district")], how, wide=12)


def _places() -> list[Column]:
    thing = {"facility": "facility", "equipment": "equipment"}
    return [
        Column("district"),
        facility_column(FACILITIES),
        Column("equipment", link=links.to(links.EQUIPMENT, "This supply", FACILITIES, **thing)),
    ]
