"""The district of the demonstration: its registry document and its nodes, both from one table of sites."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from app.demo.sites import CONTACTS, COUNTRY, DISTRICT, REGION, SITES, TIMEZONE, Site
from domain.places import EquipmentKind
from edge.drivers.simulator import SimulatorSettings, story_of
from edge.simulation.profile import ClimateProfile, FacilityProfile
from edge.simulation.sensors import Sensor, sensors_of
from edge.simulation.story import Story

INTERVAL: Final = "1min"
_EQUIPMENT_NAMES: Final = {
    "mains": "Mains supply",
    "generator": "Generator",
    "solar": "Solar panels",
    "battery": "Battery",
    "room": "Vaccine room",
    "tank": "Water tank",
    "pump": "Water pump",
    "gateway": "Gateway",
}
_LIMITS: Final = {
    (EquipmentKind.FRIDGE, "temperature"): {"low": 2, "high": 8},
    (EquipmentKind.MAINS, "voltage"): {"low": 216, "high": 264},
    (EquipmentKind.GENERATOR, "fuel_level"): {"low": "20 %"},
    (EquipmentKind.BATTERY, "charge"): {"low": "20 %"},
    (EquipmentKind.TANK, "tank_level"): {"low": "20 %"},
}


@dataclass(frozen=True, slots=True)
class District:
    """The demonstration's registry and nodes."""

    registry: dict[str, Any]
    """The registry document, as plain data."""
    nodes: tuple[dict[str, Any], ...]
    """For each node what its settings say of itself (``node``, ``interval``, ``drivers``); the broker and the place of
    the outbox are whoever starts it to add.
    """
    roles: Mapping[str, str]
    """The facility of each node, as the story calls it."""
    story: Story

    def silent(self, node: str, now_ms: int) -> bool:
        """Tell whether the story cuts the node off from the network at this moment."""
        return self.story.silent(self.roles[node], now_ms)


def district(seed: int, story_start: datetime | None = None) -> District:
    """Return the district in which, from ``story_start`` on, the story of the simulation happens."""
    profiles = [(site, _profile(site)) for site in SITES]
    return District(
        registry={
            "facilities": [_facility(site, profile) for site, profile in profiles],
            "contacts": [dict(contact) for contact in CONTACTS],
        },
        nodes=tuple(_node(site, profile, seed, story_start) for site, profile in profiles),
        roles={_node_id(site): site.role for site in SITES},
        story=story_of(seed, story_start),
    )


def _profile(site: Site) -> FacilityProfile:
    climate = ClimateProfile(mean_celsius=site.mean_celsius, longitude=site.longitude)
    return FacilityProfile(facility=site.role, area=site.area, climate=climate, **site.has)


def _node_id(site: Site) -> str:
    return f"{site.id}-1"


def _node(site: Site, profile: FacilityProfile, seed: int, story_start: datetime | None) -> dict[str, Any]:
    driver = SimulatorSettings(profile=profile, seed=seed, story_start=story_start)
    return {"node": _node_id(site), "interval": INTERVAL, "drivers": [driver.model_dump(mode="json")]}


def _facility(site: Site, profile: FacilityProfile) -> dict[str, Any]:
    return {
        "id": site.id,
        "name": site.name,
        "country": COUNTRY,
        "region": REGION,
        "district": DISTRICT,
        "timezone": TIMEZONE,
        "latitude": site.latitude,
        "longitude": site.longitude,
        "nodes": [{"id": _node_id(site), "name": f"Gateway at {site.name}"}],
        "equipment": list(_equipment(site, profile)),
    }


def _equipment(site: Site, profile: FacilityProfile) -> Iterator[dict[str, Any]]:
    sensors = sensors_of(profile)
    models = {f"fridge-{number}": fridge.model for number, fridge in enumerate(profile.fridges, start=1)}
    for equipment, kind in dict.fromkeys((sensor.equipment, sensor.kind) for sensor in sensors):
        name = _EQUIPMENT_NAMES.get(equipment) or equipment.replace("-", " ").capitalize()
        channels = [_channel(site, sensor) for sensor in sensors if sensor.equipment == equipment]
        model = {"model": models[equipment]} if equipment in models else {}
        yield {"id": equipment, "kind": kind.value, "name": name, **model, "channels": channels}


def _channel(site: Site, sensor: Sensor) -> dict[str, Any]:
    limits = _LIMITS.get((sensor.kind, sensor.quantity))
    said = {"quantity": sensor.quantity, "node": _node_id(site), "name": sensor.name, "interval": INTERVAL}
    return {**said, "limits": limits} if limits else said
