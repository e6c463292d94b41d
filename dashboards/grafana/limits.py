"""Where the limit lines of the dashboards come from: rows of (quantity, kind of equipment), in canonical units."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from domain.directory import Directory
from domain.places import EquipmentKind

LimitKey = tuple[str, EquipmentKind]
Limits = Mapping[LimitKey, Mapping[str, float]]
"""Named limits (``low``, ``high``) of a quantity on one kind of equipment."""

DEFAULT_LIMITS: Limits = {
    # Vaccine storage at +2 to +8 °C (WHO).
    ("temperature", EquipmentKind.FRIDGE): {"low": 2.0, "high": 8.0},
    ("temperature", EquipmentKind.COLD_ROOM): {"low": 2.0, "high": 8.0},
    ("temperature", EquipmentKind.COLD_BOX): {"low": 2.0, "high": 8.0},
    ("temperature", EquipmentKind.FREEZER): {"high": -15.0},
    # A dip is below 90 %, a swell above 110 % of nominal 240 V.
    ("voltage", EquipmentKind.MAINS): {"low": 216.0, "high": 264.0},
    ("tank_level", EquipmentKind.TANK): {"low": 0.25},
    ("fuel_level", EquipmentKind.GENERATOR): {"low": 0.25},
    ("charge", EquipmentKind.BATTERY): {"low": 0.2},
    ("turbidity", EquipmentKind.TAP): {"high": 5.0},
    ("free_chlorine", EquipmentKind.TAP): {"low": 0.2},
    ("acidity", EquipmentKind.TAP): {"low": 6.5, "high": 8.5},
}
"""For the dashboards that are committed: what the rules that come with Vitals say, where they say a number.

A deployment passes ``limits_of`` its own directory.
"""


def limits_of(directory: Directory) -> Limits:
    """Return the most frequent limits of each quantity and kind of equipment that the registry holds.

    A dashboard shows one facility after the other with the same lines, so they have to be those of most.
    """
    seen: dict[LimitKey, Counter[frozenset[tuple[str, float]]]] = {}
    for channel in directory.channels.values():
        equipment = directory.equipment.get(channel.equipment)
        if equipment is not None and channel.limits:
            counted = seen.setdefault((channel.quantity.name, equipment.kind), Counter())
            counted[frozenset(channel.limits.items())] += 1
    return {key: dict(counted.most_common(1)[0][0]) for key, counted in seen.items()}
