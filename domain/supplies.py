"""Which channels tell whether a facility has power: one definition for alarms, figures and charts."""

from __future__ import annotations

from domain.directory import Directory
from domain.places import Channel, EquipmentKind

ON = 0.5
"""A supply is on from here; its states are 0 and 1."""


def is_supply(directory: Directory, channel: Channel) -> bool:
    """Tell whether the channel says that there is power: a supply that is on, or a generator that runs."""
    if channel.quantity.name == "supply":
        return True
    equipment = directory.equipment.get(channel.equipment)
    return channel.quantity.name == "running" and equipment is not None and equipment.kind is EquipmentKind.GENERATOR
