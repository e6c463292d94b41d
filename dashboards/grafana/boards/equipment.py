"""One fridge, generator or tank: what it did, and for how long it was outside of its limits."""

from __future__ import annotations

from collections.abc import Sequence

from dashboards.grafana import links
from dashboards.grafana.board import Board
from dashboards.grafana.boards.readings import COLD, STORAGE, door_states, extremes, latest, power_states
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

_NOT_COLD = tuple(kind for kind in EquipmentKind if kind not in COLD)
_WATER = (EquipmentKind.TAP, EquipmentKind.TANK, EquipmentKind.PUMP)
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
    outside = Words(
        "Too cold, too warm, by day",
        "How long it was below the low and above the high limit in force, each day.",
        _UNJUDGED,
    )
    columns = f'{TOO_COLD} AS "too cold", {TOO_WARM} AS "too warm"'
    query = over_time(columns, measured("temperature", HOURS), where(EQUIPMENT, JUDGED))
    how = Course(bars=True, stacked=True, interval="1d", lowest=0, colors={"too cold": UNKNOWN, "too warm": BAD})
    return [
        _chart("Temperature of a fridge", "temperature", COLD, limits, tall=9),
        _chart("Temperature of anything else", "temperature", _NOT_COLD, {}, tall=9),
        course(outside, DURATION, [InfluxTarget(query, alias="$col")], how, wide=8, tall=9),
        door_states(EQUIPMENT, wide=24, tall=4),
    ]


def _power(limits: Limits) -> list[Card]:
    states = Words(
        "Supply and running",
        "Whether it gave power, and whether it ran. A gap is time of which nobody knows.",
        "No supply has been observed here in this time.",
    )
    mains = (EquipmentKind.MAINS,)
    charts: list[tuple[str, str, Sequence[EquipmentKind]]] = [
        ("Mains voltage", "voltage", mains),
        ("Other voltage", "voltage", [kind for kind in EquipmentKind if kind not in mains]),
        ("Current", "current", ()),
        ("Power", "power", ()),
        ("Charge", "charge", STORAGE),
        ("Fuel", "fuel_level", (EquipmentKind.GENERATOR,)),
    ]
    return [power_states(states, EQUIPMENT, wide=24, tall=5), *(_chart(*each, limits) for each in charts)]


def _water(limits: Limits) -> list[Card]:
    charts: list[tuple[str, str, Sequence[EquipmentKind]]] = [
        ("Tank level", "tank_level", (EquipmentKind.TANK,)),
        ("Flow", "flow", ()),
        ("Pressure", "pressure", ()),
        ("Turbidity", "turbidity", _WATER),
        ("Free chlorine", "free_chlorine", _WATER),
        ("Acidity", "acidity", _WATER),
    ]
    return [_chart(*each, limits) for each in charts]


def _chart(title: str, quantity: str, wanted: Sequence[EquipmentKind], limits: Limits, *, tall: int = 7) -> Card:
    words = Words(
        title,
        f"Lowest and highest {title.lower()} of each interval; dashed lines are limits. A gap is time unknown.",
        f"No {title.lower()} has been measured here in this time.",
    )
    return extremes(words, EQUIPMENT, quantity, limits, wanted, wide=8, tall=tall)
