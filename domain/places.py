"""Places and things: facility, equipment, node, channel, as the registry knows them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

from domain.quantities import Quantity


class Service(StrEnum):
    """What a facility cannot work without; every kind of equipment serves one of them."""

    POWER = "power"
    COLD_CHAIN = "cold_chain"
    WATER = "water"
    MONITORING = "monitoring"


class EquipmentKind(StrEnum):
    """What a piece of equipment is; rules select by it."""

    FRIDGE = "fridge"
    FREEZER = "freezer"
    COLD_ROOM = "cold_room"
    COLD_BOX = "cold_box"
    MAINS = "mains"
    GENERATOR = "generator"
    BATTERY = "battery"
    SOLAR = "solar"
    UPS = "ups"
    TANK = "tank"
    PUMP = "pump"
    TAP = "tap"
    ROOM = "room"
    GATEWAY = "gateway"

    @property
    def service(self) -> Service:
        """Return the service that this kind of equipment is part of."""
        return _SERVICE_OF_KIND[self]


_SERVICE_OF_KIND = {
    EquipmentKind.FRIDGE: Service.COLD_CHAIN,
    EquipmentKind.FREEZER: Service.COLD_CHAIN,
    EquipmentKind.COLD_ROOM: Service.COLD_CHAIN,
    EquipmentKind.COLD_BOX: Service.COLD_CHAIN,
    EquipmentKind.MAINS: Service.POWER,
    EquipmentKind.GENERATOR: Service.POWER,
    EquipmentKind.BATTERY: Service.POWER,
    EquipmentKind.SOLAR: Service.POWER,
    EquipmentKind.UPS: Service.POWER,
    EquipmentKind.TANK: Service.WATER,
    EquipmentKind.PUMP: Service.WATER,
    EquipmentKind.TAP: Service.WATER,
    EquipmentKind.ROOM: Service.COLD_CHAIN,
    EquipmentKind.GATEWAY: Service.MONITORING,
}


@dataclass(frozen=True, slots=True)
class Facility:
    """A health facility and its place: country > region > district."""

    id: str
    name: str
    country: str
    region: str
    district: str
    timezone: str = "UTC"
    """IANA name; screens and messages show times in it."""
    latitude: float | None = None
    longitude: float | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Which facilities are meant; an empty part means all."""

    country: str = ""
    region: str = ""
    district: str = ""
    facility: str = ""

    def covers(self, facility: Facility | None) -> bool:
        """Tell whether a facility is meant; one that is not registered any more is meant only by everywhere."""
        if facility is None:
            return self == EVERYWHERE
        wanted = (self.country, self.region, self.district, self.facility)
        found = (facility.country, facility.region, facility.district, facility.id)
        return all(not part or part == is_ for part, is_ in zip(wanted, found, strict=True))


EVERYWHERE = Place()


@dataclass(frozen=True, slots=True)
class Equipment:
    """A fridge, a mains supply, a tank: something that can fail."""

    id: str
    facility: str
    kind: EquipmentKind
    name: str
    model: str = ""
    serial: str = ""
    pqs_code: str = ""
    """Under which WHO prequalified the model: ``E003/045``."""
    installed: date | None = None


@dataclass(frozen=True, slots=True)
class Node:
    """An edge gateway: one identity at the broker."""

    id: str
    facility: str
    name: str = ""
    metrics: str = ""
    """Host and port at which an exporter of its own answers Prometheus; empty: it has none."""


class PastLimits(NamedTuple):
    """Named limits that were in force until a moment, and since that of the entry before."""

    until_ms: int
    limits: Mapping[str, float]


class LimitScope(NamedTuple):
    """For which channels limits are said: of a quantity at a kind of equipment, of one model, at one facility."""

    quantity: str
    kind: EquipmentKind
    model: str = ""
    facility: str = ""

    def __str__(self) -> str:
        where = f" at {self.facility}" if self.facility else ""
        return f"{self.quantity} of every {self.kind.value}{where}" + (f", model {self.model}" if self.model else "")


@dataclass(frozen=True, slots=True)
class SharedLimits:
    """Named limits said once for every channel in a scope; None takes away what a wider scope says."""

    id: LimitScope
    limits: Mapping[str, float | None]


@dataclass(frozen=True, slots=True)
class Channel:
    """One measured quantity of one piece of equipment, and the node that reports it under ``name``."""

    id: str
    facility: str
    equipment: str
    node: str
    name: str
    """The node's own name for the channel: the SenML name on the wire."""
    quantity: Quantity
    interval: timedelta
    """How often a reading is expected."""
    limits: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    """Named limits in the canonical unit (``low``, ``high``, ...) that rules refer to as ``$limits.high``.

    They are in force whoever said them: of the channel itself, its facility, its model or its kind of equipment.
    """
    past_limits: tuple[PastLimits, ...] = field(default=(), compare=False)
    """Limits that were in force before these, in order of time; what was measured then is judged by them."""
    own_limits: Mapping[str, float | None] = field(default_factory=lambda: MappingProxyType({}))
    """What the registry says of this channel alone; None takes away a limit that is said of more than this channel."""
