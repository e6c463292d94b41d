"""The dashboard of one facility: is it cold, is there power, is there water, who is silent, what was alarmed."""

from __future__ import annotations

from typing import Any

from dashboards.grafana.influxql import InfluxTarget, alert_events, over_time
from dashboards.grafana.limits import Limits
from dashboards.grafana.panels import Place, Words, ages, lines, rows, states
from domain.places import EquipmentKind
from domain.quantities import QUANTITIES

UID = "vitals-facility"
SILENT_AFTER_SECONDS = 3600.0
"""A node that is silent for longer is shown in red."""

_COLD = (EquipmentKind.FRIDGE, EquipmentKind.COLD_ROOM, EquipmentKind.COLD_BOX)
_FROZEN = (EquipmentKind.FREEZER,)
_SUPPLIES = (EquipmentKind.MAINS, EquipmentKind.GENERATOR, EquipmentKind.UPS, EquipmentKind.SOLAR)
# The lowest and the highest of every interval: a mean would hide a short excursion.
_EXTREMES = 'min("value") AS "lowest", max("value") AS "highest"'
_BY_CHANNEL = '"channel"'
_OPEN_ALERT = ("Open the alert in Vitals", "${vitals}/alerts/${__value.raw}")


def facility_panels(limits: Limits) -> list[Any]:
    """Return the panels from top to bottom."""
    return [
        _cold_chain(limits),
        _freezers(limits),
        _power_supply(),
        _mains_voltage(limits),
        _tank_level(limits),
        _last_heard(),
        _alerts(),
    ]


def _cold_chain(limits: Limits) -> Any:
    words = Words(
        "Cold chain temperatures",
        "Lowest and highest temperature of each interval in fridges, cold rooms and cold boxes. The dashed lines are "
        "the limits; a reading above or below them harms vaccines in time. A gap is time without readings.",
        "No fridge, cold room or cold box has reported in this time.",
    )
    return _extremes(words, Place(0, 0, 16, 9), "temperature", _COLD, limits)


def _freezers(limits: Limits) -> Any:
    words = Words(
        "Freezer temperatures",
        "Lowest and highest temperature of each interval in freezers. A gap is time without readings.",
        "No freezer has reported in this time.",
    )
    return _extremes(words, Place(16, 0, 8, 9), "temperature", _FROZEN, limits)


def _power_supply() -> Any:
    words = Words(
        "Power supply",
        "Whether each supply gave power and whether the generator ran. A gap is time of which nobody knows: "
        "no reading is neither power nor a power cut.",
        "No supply has reported in this time.",
    )
    supply, running = QUANTITIES["supply"], QUANTITIES["running"]
    by = '"equipment"'
    targets = [
        InfluxTarget(over_time('last("value")', supply.measurement, _SUPPLIES, by=by), "A", "$tag_equipment supply"),
        InfluxTarget(over_time('last("value")', running.measurement, _SUPPLIES, by=by), "B", "$tag_equipment running"),
    ]
    return states(words, Place(0, 9, 12, 8), [supply, running], targets)


def _mains_voltage(limits: Limits) -> Any:
    words = Words(
        "Mains voltage",
        "Lowest and highest mains voltage of each interval. The dashed lines are the limits between which fridges and "
        "instruments may run.",
        "No mains voltage has been measured in this time.",
    )
    return _extremes(words, Place(12, 9, 12, 8), "voltage", (EquipmentKind.MAINS,), limits)


def _tank_level(limits: Limits) -> Any:
    words = Words(
        "Water in tanks",
        "How full each tank was at its lowest and highest in each interval. Below the dashed line water runs short.",
        "No tank has reported in this time.",
    )
    return _extremes(words, Place(0, 17, 12, 8), "tank_level", (EquipmentKind.TANK,), limits)


def _last_heard() -> Any:
    words = Words(
        "Nodes: last heard",
        "How long ago each node (edge gateway) of the facility was last heard. A silent node says nothing about the "
        "fridge behind it. A node that was never heard shows the time since 1970.",
        "Prometheus knows no node of this facility: is Vitals scraped?",
    )
    expression = 'time() - vitals_node_last_heard_timestamp_seconds{facility="${facility}"}'
    return ages(words, Place(12, 17, 12, 8), expression, "{{node}}", late_seconds=SILENT_AFTER_SECONDS)


def _alerts() -> Any:
    words = Words(
        "Alerts",
        "Every change of an alert of this facility in this time, newest first. The number opens the alert in Vitals.",
        "No alert of this facility has changed in this time.",
    )
    columns = '"severity"::tag, "state"::tag, "rule"::tag, "subject"::tag, "text", "alert_id"'
    target = InfluxTarget(alert_events(columns, 200), table=True)
    return rows(words, Place(0, 25, 24, 9), target, {"alert_id": _OPEN_ALERT})


def _extremes(words: Words, place: Place, quantity_name: str, kinds: tuple[EquipmentKind, ...], limits: Limits) -> Any:
    quantity = QUANTITIES[quantity_name]
    query = over_time(_EXTREMES, quantity.measurement, kinds, by=_BY_CHANNEL)
    return lines(
        words,
        place,
        quantity,
        [InfluxTarget(query, alias="$tag_channel $col")],
        limits.get((quantity_name, kinds[0]), {}),
    )
