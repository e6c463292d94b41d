"""One facility: whether it is cold, has power and water, who is silent, what was alarmed."""

from __future__ import annotations

from dashboards.grafana import links
from dashboards.grafana.board import Board
from dashboards.grafana.boards.alert_rows import changes
from dashboards.grafana.boards.glance import UNSCRAPED
from dashboards.grafana.boards.readings import COLD, FROZEN, STORAGE, door_states, extremes, latest, power_states
from dashboards.grafana.layout import Section
from dashboards.grafana.limits import Limits
from dashboards.grafana.looks import STATUS, TROUBLES, WORKS, late
from dashboards.grafana.panels import Card, Words, number
from dashboards.grafana.promql import WORKING, PromTarget, facilities, select, status
from dashboards.grafana.scopes import FACILITY
from dashboards.pages.wording import SERVICE_WORDS
from domain.places import EquipmentKind, Service

SILENT_AFTER_SECONDS = 3600.0
"""A node that is silent for longer is shown in red."""


def board(limits: Limits) -> Board:
    """Return the dashboard; of one facility the raw readings are few enough."""
    return Board(
        links.FACILITY,
        "Vitals: facility",
        "Is it cold, is there power, is there water, who is silent, and what was alarmed?",
        FACILITY,
        [
            Section("", [*_now(), latest(FACILITY, wide=16), _nodes()]),
            Section("Cold chain", _cold_chain(limits)),
            Section("Power", _power(limits)),
            Section("Water", _water(limits)),
            Section("Alerts", [changes(FACILITY)]),
        ],
        page="/facilities/${facility:percentencode}",
    )


def _now() -> list[Card]:
    services = [
        number(
            Words(
                SERVICE_WORDS[service],
                f"{said} It says no while the facility is silent: nobody knows then.",
                UNSCRAPED if service is Service.MONITORING else "Nothing of this kind is registered, or none scraped.",
            ),
            WORKS,
            [PromTarget(facilities(metric, FACILITY))],
        )
        for (service, metric), said in zip(WORKING.items(), _SAID, strict=True)
    ]
    how = Words("Now", "How the facility is, as far as Prometheus is told; its page in Vitals knows more.", UNSCRAPED)
    alerts = Words(
        "Alerts that go on",
        "Alerts of this facility whose cause goes on, whoever has answered them.",
        "Prometheus knows no alert: is Vitals scraped?",
    )
    open_alerts = f"sum ({select('vitals_alert_active', FACILITY)}) or vector(0)"
    return [
        number(how, STATUS, [PromTarget(status(FACILITY))]),
        *services,
        number(alerts, TROUBLES, [PromTarget(open_alerts)]),
    ]


_SAID = (
    "Whether anything of the facility is heard.",
    "Whether any supply gives power.",
    "Whether no alert on the cold chain is critical.",
    "Whether no alert on water is critical.",
)


def _nodes() -> Card:
    words = Words(
        "Nodes: last heard ago",
        "How long ago each node (edge gateway) of the facility was last heard. A silent node says nothing about the "
        "fridge behind it. A node that was never heard shows the time since 1970.",
        "Prometheus knows no node of this facility: is Vitals scraped?",
    )
    expr = f"time() - {select('vitals_node_last_heard_timestamp_seconds', FACILITY)}"
    return number(words, late(SILENT_AFTER_SECONDS), [PromTarget(expr, legend="{{node}}")], wide=8, tall=8)


def _cold_chain(limits: Limits) -> list[Card]:
    fridges = Words(
        "Cold chain temperatures",
        "Lowest and highest temperature of each interval in fridges, cold rooms and cold boxes. The dashed lines are "
        "the limits; a reading above or below them harms vaccines in time. A gap is time without readings.",
        "No fridge, cold room or cold box has reported in this time.",
    )
    freezers = Words(
        "Freezer temperatures",
        "Lowest and highest temperature of each interval in freezers. A gap is time without readings.",
        "No freezer has reported in this time.",
    )
    return [
        extremes(fridges, FACILITY, "temperature", limits, COLD, wide=16),
        extremes(freezers, FACILITY, "temperature", limits, FROZEN, wide=8),
        door_states(FACILITY, wide=24, tall=6),
    ]


def _power(limits: Limits) -> list[Card]:
    supplies = Words(
        "Power supply",
        "Whether each supply gave power and whether the generator ran. A gap is time of which nobody knows: "
        "no reading is neither power nor a power cut.",
        "No supply has reported in this time.",
    )
    voltage = Words(
        "Mains voltage",
        "Lowest and highest mains voltage of each interval. The dashed lines are the limits between which fridges and "
        "instruments may run.",
        "No mains voltage has been measured in this time.",
    )
    charge = Words(
        "Batteries",
        "How full each battery was at its lowest and highest in each interval.",
        "No battery has reported in this time.",
    )
    fuel = Words(
        "Fuel",
        "How full each fuel tank was. A fall while the generator stands is worth a question.",
        "No fuel level has been measured in this time.",
    )
    return [
        power_states(supplies, FACILITY, wide=12, tall=8),
        extremes(voltage, FACILITY, "voltage", limits, (EquipmentKind.MAINS,), wide=12, tall=8),
        extremes(charge, FACILITY, "charge", limits, STORAGE, wide=12, tall=7),
        extremes(fuel, FACILITY, "fuel_level", limits, (EquipmentKind.GENERATOR,), wide=12, tall=7),
    ]


def _water(limits: Limits) -> list[Card]:
    tanks = Words(
        "Water in tanks",
        "How full each tank was at its lowest and highest in each interval. Below the dashed line water runs short.",
        "No tank has reported in this time.",
    )
    flow = Words(
        "Flow",
        "Lowest and highest flow of each interval. Flow that never stops at night is a leak.",
        "No flow has been measured in this time.",
    )
    return [
        extremes(tanks, FACILITY, "tank_level", limits, (EquipmentKind.TANK,), wide=12, tall=8),
        extremes(flow, FACILITY, "flow", limits, (), wide=12, tall=8),
    ]
