"""Which channels of a facility its figures are made from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from domain.channel_day import ChannelDay
from domain.directory import Directory
from domain.instant import to_ms
from domain.places import Channel, EquipmentKind, Service
from domain.supplies import is_supply

APPLIANCES = frozenset({EquipmentKind.FRIDGE, EquipmentKind.FREEZER, EquipmentKind.COLD_ROOM, EquipmentKind.COLD_BOX})
"""What vaccines are kept in; the room around them is none of them."""
NEARLY_EMPTY_RATIO = 0.1
"""A tank that stays below is as good as empty: where the rule ``tank-nearly-empty`` calls it critical."""

_WATER: Final[Mapping[str, Callable[[float, float], bool]]] = {
    "tank_level": lambda _, highest: highest >= NEARLY_EMPTY_RATIO,
    "flow": lambda _, highest: highest > 0,
    "volume": lambda lowest, highest: highest > lowest,
}


@dataclass(frozen=True, slots=True)
class Watched:
    """The channels of one facility, by what they tell."""

    facility: str
    probes: Mapping[str, str] = field(default_factory=dict)
    """Temperature channels, with the appliances that they are in."""
    limited: frozenset[str] = frozenset()
    """Appliances that have limits now."""
    retired: Mapping[str, int] = field(default_factory=dict)
    """Appliances that are out of service, with the moment since when."""
    supplies: frozenset[str] = frozenset()
    generators: frozenset[str] = frozenset()
    """Channels that say that a generator runs."""
    water: Mapping[str, str] = field(default_factory=dict)
    """Channels that tell of water, with their quantities."""

    @property
    def channels(self) -> frozenset[str]:
        """Return all of them."""
        return frozenset(self.probes) | self.supplies | self.generators | frozenset(self.water)


def watch(directory: Directory, facility: str) -> Watched:
    """Return what tells how a facility does: whatever is registered there now, wherever it was before."""
    probes, limited, supplies, generators, water = (
        dict[str, str](),
        set[str](),
        set[str](),
        set[str](),
        dict[str, str](),
    )
    for channel in directory.channels_of(facility):
        equipment, quantity = directory.equipment.get(channel.equipment), channel.quantity.name
        if is_supply(directory, channel):
            (supplies if quantity == "supply" else generators).add(channel.id)
        elif equipment is None:
            continue
        elif quantity == "temperature" and equipment.kind in APPLIANCES:
            probes[channel.id] = equipment.id
            if channel.limits.keys() & {"low", "high"}:
                limited.add(equipment.id)
        elif quantity in _WATER and equipment.kind.service is Service.WATER:
            water[channel.id] = quantity
    return Watched(
        facility=facility,
        probes=probes,
        limited=frozenset(limited),
        retired={
            appliance: to_ms(directory.upkeep[appliance].since)
            for appliance in directory.out_of_service.intersection(probes.values())
        },
        supplies=frozenset(supplies),
        generators=frozenset(generators),
        water=water,
    )


def is_probe(channel: Channel, directory: Directory) -> bool:
    """Tell whether a channel says how warm it is in an appliance that has to be kept within limits."""
    equipment = directory.equipment.get(channel.equipment)
    if channel.quantity.name != "temperature" or equipment is None or equipment.kind not in APPLIANCES:
        return False
    return bool(channel.limits.keys() & {"low", "high"})


def shows_water(quantity: str, day: ChannelDay) -> bool:
    """Tell whether a channel shows that there was water at some time of a day."""
    return day.maximum is not None and day.minimum is not None and _WATER[quantity](day.minimum, day.maximum)
