"""A draft of how a node that nobody registered fits into the registry, guessed from what it sends. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from domain.directory import Directory
from domain.instant import format_duration
from domain.places import EquipmentKind, Facility
from domain.quantities import QUANTITIES
from domain.reading import Sample
from domain.units import UNITS_BY_SYMBOL
from registry.export import equipment_entry

UNKNOWN = "CHANGE-ME"
"""Stands where nothing can be guessed; an import refuses it with its place."""
_PARTS = re.compile(r"[/.:_]")
_WORDS = {
    "fridge": EquipmentKind.FRIDGE,
    "refrigerator": EquipmentKind.FRIDGE,
    "freezer": EquipmentKind.FREEZER,
    "coldroom": EquipmentKind.COLD_ROOM,
    "mains": EquipmentKind.MAINS,
    "grid": EquipmentKind.MAINS,
    "generator": EquipmentKind.GENERATOR,
    "genset": EquipmentKind.GENERATOR,
    "battery": EquipmentKind.BATTERY,
    "solar": EquipmentKind.SOLAR,
    "pv": EquipmentKind.SOLAR,
    "ups": EquipmentKind.UPS,
    "tank": EquipmentKind.TANK,
    "pump": EquipmentKind.PUMP,
    "tap": EquipmentKind.TAP,
    "room": EquipmentKind.ROOM,
    "node": EquipmentKind.GATEWAY,
    "gateway": EquipmentKind.GATEWAY,
}
_NATURAL = {
    "celsius": "temperature",
    "volts": "voltage",
    "amperes": "current",
    "watts": "power",
    "joules": "energy",
    "hertz": "frequency",
    "pascals": "pressure",
}
"""What a unit most likely measures where the name says nothing."""


def claim(
    node: str, samples: Iterable[Sample], facility: Facility, directory: Directory, interval: timedelta
) -> dict[str, Any]:
    """Return a registry document (YAML form, plain data) that adds the node and its channels to a facility."""
    equipment: dict[str, dict[str, Any]] = {}
    for sample in samples:
        item = equipment.setdefault(_equipment_id(sample.name), {"channels": []})
        item["channels"].append(
            {
                "quantity": guess_quantity(sample),
                "node": node,
                "name": sample.name,
                "interval": format_duration(interval).replace(" ", ""),
            }
        )
    place = {name: value for name, value in asdict(facility).items() if value not in ("", None)}
    listed = [_equipment(id_, facility, directory) | item for id_, item in equipment.items()]
    return {"facilities": [place | {"nodes": [{"id": node}], "equipment": listed}]}


def _equipment(id_: str, facility: Facility, directory: Directory) -> dict[str, Any]:
    known = directory.equipment.get(f"{facility.id}/{id_}")
    if known is not None:
        return equipment_entry(known)
    kind = guess_kind(id_)
    return {"id": id_, "kind": kind.value if kind else UNKNOWN, "name": id_.replace("-", " ").capitalize()}


def _equipment_id(name: str) -> str:
    first = _PARTS.split(name)[0].lower()
    return re.sub(r"[^a-z0-9-]+", "-", first).strip("-") or "equipment"


def guess_kind(equipment: str) -> EquipmentKind | None:
    """Return the kind that the id of a piece of equipment speaks of: ``fridge-1`` is a fridge."""
    words = re.split(r"[^a-z]+", equipment.lower())
    return next((kind for word, kind in _WORDS.items() if word in words), None)


def guess_quantity(sample: Sample) -> str:
    """Return the quantity that name and unit speak of, or ``UNKNOWN``."""
    unit = None if sample.unit is None else UNITS_BY_SYMBOL.get(sample.unit)
    fitting = [each for each in QUANTITIES.values() if unit is None or each.unit.name == unit.canonical]
    said = re.sub(r"[^a-z]+", "_", sample.name.lower())
    named = [each.name for each in fitting if each.name in said]
    if named:
        return max(named, key=len)
    if unit is not None and len(fitting) == 1:
        return fitting[0].name
    natural = None if unit is None else _NATURAL.get(unit.canonical)
    return natural or UNKNOWN
