"""One fridge, generator or tank: what it did, and for how long it was outside of its limits."""

from __future__ import annotations

from dashboards.grafana import links
from dashboards.grafana.board import Board
from dashboards.grafana.boards.glance import grain
from dashboards.grafana.boards.readings import door_states, extremes, latest, power_states
from dashboards.grafana.influxql import (
    HOURS,
    IN_RANGE,
    JUDGED,
    TOO_COLD,
    TOO_WARM,
    InfluxTarget,
    in_all,
    measured,
    over_time,
    where,
)
from dashboards.grafana.layout import Section
from dashboards.grafana.limits import Limits
from dashboards.grafana.looks import BAD, DURATION, UNKNOWN, share
from dashboards.grafana.panels import Card, Course, Words, course, number
from dashboards.grafana.scopes import EQUIPMENT
from domain.places import EquipmentKind

_UNJUDGED = "No temperature with a limit has been measured here in this time."


def board(limits: Limits) -> Board:
    """Return the dashboard; it suits every kind of equipment, and says where one measures nothing of a kind."""
    return Board(
        links.EQUIPMENT,
        "Vitals: equipment",
        "What did this fridge, generator or tank do, and for how long was it outside of its limits?",
        EQUIPMENT,
        [
            Section("", [*_figures(), latest(EQUIPMENT, wide=12)]),
            Section("Cold chain", _cold_chain(limits)),
            Section("Power", _power(limits)),
            Section("Water", _water(limits)),
        ],
        page="/facilities/${facility:percentencode}",
    )


def _figures() -> list[Card]:
    source, condition = measured("temperature", HOURS), where(EQUIPMENT, JUDGED)
    figures = [
        ("Time within limits", "The share of the time with readings that it was within the limits in force.",
         f'{IN_RANGE} AS "in range"', share()),
        ("Too cold", "For how long in all it was below the low limit in force.",
         f'{TOO_COLD} AS "too cold"', DURATION),
        ("Too warm", "For how long in all it was above the high limit in force.",
         f'{TOO_WARM} AS "too warm"', DURATION),
    ]  # fmt: skip
    return [
        number(Words(title, said, _UNJUDGED), look, [InfluxTarget(in_all(columns, source, condition))], tall=8)
        for title, said, columns, look in figures
    ]


def _cold_chain(limits: Limits) -> list[Card]:
    temperature = Words(
        "Temperature",
        "Lowest and highest temperature of each interval; the dashed lines are the limits of vaccine storage. "
        "A gap is time without readings.",
        "No temperature has been measured here in this time.",
    )
    outside = Words(
        "Too cold, too warm, by day",
        "How long it was below the low and above the high limit in force, each day.",
        _UNJUDGED,
    )
    columns = f'{TOO_COLD} AS "too cold", {TOO_WARM} AS "too warm"'
    query = over_time(columns, measured("temperature", HOURS), where(EQUIPMENT, JUDGED))
    how = Course(
        bars=True, stacked=True, interval=grain("_1d"), lowest=0, colors={"too cold": UNKNOWN, "too warm": BAD}
    )
    return [
        extremes(temperature, EQUIPMENT, "temperature", limits, wide=16, limited_as=EquipmentKind.FRIDGE),
        course(outside, DURATION, [InfluxTarget(query, alias="$col")], how, wide=8, tall=9),
        door_states(EQUIPMENT, wide=24, tall=4),
    ]


def _power(limits: Limits) -> list[Card]:
    states = Words(
        "Supply and running",
        "Whether it gave power, and whether it ran. A gap is time of which nobody knows.",
        "No supply has been observed here in this time.",
    )
    charts = [
        ("Voltage", "voltage", EquipmentKind.MAINS),
        ("Current", "current", None),
        ("Power", "power", None),
        ("Frequency", "frequency", EquipmentKind.MAINS),
        ("Charge", "charge", EquipmentKind.BATTERY),
        ("Fuel", "fuel_level", EquipmentKind.GENERATOR),
    ]
    return [power_states(states, EQUIPMENT, wide=24, tall=5), *(_chart(*each, limits) for each in charts)]


def _water(limits: Limits) -> list[Card]:
    charts = [
        ("Tank level", "tank_level", EquipmentKind.TANK),
        ("Flow", "flow", None),
        ("Pressure", "pressure", None),
        ("Turbidity", "turbidity", EquipmentKind.TAP),
        ("Free chlorine", "free_chlorine", EquipmentKind.TAP),
        ("Acidity", "acidity", EquipmentKind.TAP),
    ]
    return [_chart(*each, limits) for each in charts]


def _chart(title: str, quantity: str, kind: EquipmentKind | None, limits: Limits) -> Card:
    words = Words(
        title,
        f"Lowest and highest {title.lower()} of each interval; dashed lines are limits. A gap is time unknown.",
        f"No {title.lower()} has been measured here in this time.",
    )
    return extremes(words, EQUIPMENT, quantity, limits, wide=8, tall=7, limited_as=kind)
