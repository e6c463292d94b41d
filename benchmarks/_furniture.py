"""What stands in the facilities of a nation, and what is measured there."""

from __future__ import annotations

from typing import NamedTuple

from domain.places import EquipmentKind


class Furniture(NamedTuple):
    """A piece of equipment that a facility has, with its channels: quantity, usual value, limits."""

    kind: EquipmentKind
    name: str
    channels: tuple[tuple[str, float, dict[str, float]], ...]


def _cold(kind: EquipmentKind, name: str, usual: float) -> Furniture:
    limits = {"low": usual - 3, "high": usual + 3}
    return Furniture(kind, name, (("temperature", usual, limits), ("door", 0.0, {})))


_BATTERY = Furniture(EquipmentKind.BATTERY, "Battery", (("charge", 0.9, {"low": 0.3}), ("voltage", 12.8, {})))
_TANK = Furniture(EquipmentKind.TANK, "Roof tank", (("tank_level", 0.7, {"low": 0.2}),))
HEALTH_CENTRE = (
    *(_cold(EquipmentKind.FRIDGE, f"Fridge {number}", 5.0) for number in range(1, 5)),
    _cold(EquipmentKind.FREEZER, "Freezer", -20.0),
    Furniture(
        EquipmentKind.MAINS,
        "Grid",
        (("voltage", 231.0, {"low": 207.0, "high": 253.0}), ("supply", 1.0, {}), ("power", 400.0, {})),
    ),
    _BATTERY,
    Furniture(EquipmentKind.GENERATOR, "Generator", (("running", 0.0, {}), ("fuel_level", 0.8, {"low": 0.1}))),
    _TANK,
    Furniture(EquipmentKind.TAP, "Tap", (("flow", 0.1, {}),)),
    Furniture(EquipmentKind.GATEWAY, "Gateway", (("free_space", 11e9, {}),)),
)
"""Twenty channels."""
CLINIC = (
    Furniture(EquipmentKind.FRIDGE, "Fridge", (("temperature", 5.0, {"low": 2.0, "high": 8.0}),)),
    Furniture(EquipmentKind.MAINS, "Grid", (("voltage", 231.0, {"low": 207.0, "high": 253.0}),)),
    Furniture(EquipmentKind.BATTERY, "Battery", (("charge", 0.9, {"low": 0.3}),)),
    _TANK,
)
"""Four channels: a page with four charts."""
