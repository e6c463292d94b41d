"""What the sensors of a simulated facility see of it: one row per sensor, with its noise and its resolution."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from domain.places import EquipmentKind
from domain.reading import Sample
from edge.simulation.chance import chance
from edge.simulation.facility import FacilityModel
from edge.simulation.power import mains_volts
from edge.simulation.profile import FacilityProfile, FridgeProfile, MainsProfile

DS18B20_CELSIUS: Final = 0.0625
"""The step of its twelve-bit conversion."""


@dataclass(frozen=True, slots=True)
class Sensor:
    """One channel of a simulated facility."""

    equipment: str
    kind: EquipmentKind
    quantity: str
    value: Callable[[FacilityModel], float]
    """The truth, in the quantity's canonical unit."""
    noise: float = 0.0
    """Standard deviation."""
    resolution: float = 1.0

    @property
    def name(self) -> str:
        """Return the node's name for the channel."""
        return f"{self.equipment}/{self.quantity}"

    def sample(self, model: FacilityModel, seed: int, at_ms: int) -> Sample:
        """Return what the sensor says of the model at this moment."""
        value = self.value(model)
        if self.noise and value:  # an instrument without input shows a clean zero
            value += chance(seed, model.profile.facility, self.name, at_ms).gauss(0.0, self.noise)
        return Sample(self.name, at_ms, round(round(value / self.resolution) * self.resolution, 6))


def observe(model: FacilityModel, sensors: tuple[Sensor, ...], at_ms: int) -> list[Sample]:
    """Return what all the sensors say of the model, as measured at ``at_ms``."""
    return [sensor.sample(model, model.seed, at_ms) for sensor in sensors]


def sensors_of(profile: FacilityProfile) -> tuple[Sensor, ...]:
    """Return the sensors that a facility with this profile has."""
    return tuple(_sensors(profile))


def _sensors(profile: FacilityProfile) -> Iterator[Sensor]:
    if profile.mains:
        yield from _mains(profile.mains)
    if profile.generator:
        yield from _GENERATOR
    if profile.solar:
        yield from _SOLAR
    for number, fridge in enumerate(profile.fridges):
        yield from _fridge(number, fridge)
    yield _ROOM
    if profile.water:
        yield from _WATER
    if profile.reports_signal:
        yield _SIGNAL


def _mains(mains: MainsProfile) -> Iterator[Sensor]:
    def volts(model: FacilityModel) -> float:
        return mains_volts(mains, model.power.mains_on, model.hour)

    yield Sensor("mains", EquipmentKind.MAINS, "voltage", volts, 1.8, 0.1)
    yield Sensor("mains", EquipmentKind.MAINS, "supply", lambda model: float(model.power.mains_on))


def _fridge(index: int, fridge: FridgeProfile) -> Iterator[Sensor]:
    name, kind = f"fridge-{index + 1}", EquipmentKind.FRIDGE
    yield Sensor(name, kind, "temperature", lambda model: model.fridges[index].celsius, 0.03, DS18B20_CELSIUS)
    yield Sensor(name, kind, "door", lambda model: float(model.fridges[index].door_open))
    if fridge.reports_compressor:
        yield Sensor(name, kind, "running", lambda model: float(model.fridges[index].cooling))


_GENERATOR: Final = (
    Sensor("generator", EquipmentKind.GENERATOR, "running", lambda model: float(model.power.generator_running)),
    Sensor("generator", EquipmentKind.GENERATOR, "fuel_level", lambda model: model.power.fuel_ratio, 0.0, 0.01),
)
_SOLAR: Final = (
    Sensor("solar", EquipmentKind.SOLAR, "power", lambda model: model.power.solar_watts, 0.0, 1.0),
    Sensor("battery", EquipmentKind.BATTERY, "voltage", lambda model: model.power.battery_volts(), 0.02, 0.01),
    Sensor("battery", EquipmentKind.BATTERY, "charge", lambda model: model.power.charge_ratio, 0.0, 0.01),
)
_ROOM: Final = Sensor(
    "room", EquipmentKind.ROOM, "temperature", lambda model: model.room_celsius, 0.05, DS18B20_CELSIUS
)
_WATER: Final = (
    Sensor(
        "tank",
        EquipmentKind.TANK,
        "tank_level",
        lambda model: model.water.level_ratio if model.water else 0.0,
        0.0,
        0.005,
    ),
    Sensor("pump", EquipmentKind.PUMP, "running", lambda model: float(model.water is not None and model.water.pumping)),
)
_SIGNAL: Final = Sensor("gateway", EquipmentKind.GATEWAY, "signal_strength", lambda model: -71.0, 4.0, 1.0)
