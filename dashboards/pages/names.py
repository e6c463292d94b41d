"""What things are called: kinds of equipment, quantities, and the states of those that are a state; all in English."""

from __future__ import annotations

from typing import Final

from dashboards.pages.words import noop
from domain.places import EquipmentKind

KIND_NAMES: Final = {
    EquipmentKind.FRIDGE: noop("Fridge"),
    EquipmentKind.FREEZER: noop("Freezer"),
    EquipmentKind.COLD_ROOM: noop("Cold room"),
    EquipmentKind.COLD_BOX: noop("Cold box"),
    EquipmentKind.MAINS: noop("Mains"),
    EquipmentKind.GENERATOR: noop("Generator"),
    EquipmentKind.BATTERY: noop("Battery"),
    EquipmentKind.SOLAR: noop("Solar"),
    EquipmentKind.UPS: noop("UPS"),
    EquipmentKind.TANK: noop("Tank"),
    EquipmentKind.PUMP: noop("Pump"),
    EquipmentKind.TAP: noop("Tap"),
    EquipmentKind.ROOM: noop("Room"),
    EquipmentKind.GATEWAY: noop("Gateway"),
}

QUANTITY_NAMES: Final = {
    "temperature": noop("Temperature"),
    "humidity": noop("Humidity"),
    "voltage": noop("Voltage"),
    "current": noop("Current"),
    "power": noop("Power drawn"),
    "energy": noop("Energy"),
    "frequency": noop("Frequency"),
    "charge": noop("Charge"),
    "fuel_level": noop("Fuel level"),
    "tank_level": noop("Tank level"),
    "volume": noop("Volume"),
    "flow": noop("Flow"),
    "pressure": noop("Pressure"),
    "acidity": noop("Acidity"),
    "turbidity": noop("Turbidity"),
    "free_chlorine": noop("Free chlorine"),
    "runtime": noop("Runtime"),
    "signal_strength": noop("Signal strength"),
    "free_space": noop("Free space"),
    "queue_depth": noop("Queue depth"),
    "supply": noop("Supply"),
    "running": noop("Running"),
    "door": noop("Door"),
    "fault": noop("Fault"),
    "clock": noop("Clock"),
}

STATE_NAMES: Final = {
    "supply": (noop("off"), noop("on")),
    "running": (noop("stopped"), noop("running")),
    "door": (noop("closed"), noop("open")),
    "fault": (noop("no"), noop("yes")),
    "clock": (noop("right"), noop("wrong")),
}
"""The words for value 0, 1, ..."""
