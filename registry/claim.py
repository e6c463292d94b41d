"""A draft of how a node that nobody registered fits into the registry, guessed from what it sends. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from itertools import count
from typing import Any

from domain.directory import Directory
from domain.instant import format_duration
from domain.places import EquipmentKind, Facility
from domain.quantities import QUANTITIES
from domain.reading import Sample
from domain.units import UNITS_BY_SYMBOL
from registry.export import channel_entry, equipment_entry

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


@dataclass(frozen=True, slots=True)
class Guess:
    """How one channel of a node fits into a facility."""

    name: str
    """The node's own name for it."""
    quantity: str
    """``UNKNOWN`` where nothing can be guessed, as for ``kind``."""
    equipment: str
    """Its id within the facility."""
    kind: str
    equipment_name: str
    suffix: str = ""
    """The channel's id within the equipment; empty: the quantity."""

    @property
    def channel(self) -> str:
        """Return the last part of the channel's id."""
        return self.suffix or self.quantity


def guesses(samples: Iterable[Sample], facility: Facility, directory: Directory) -> list[Guess]:
    """Return how each channel that a node sends fits into a facility."""
    found: list[Guess] = []
    for sample in samples:
        id_ = _equipment_id(sample.name)
        known = directory.equipment.get(f"{facility.id}/{id_}")
        kind = known.kind if known else guess_kind(id_)
        name = known.name if known else id_.replace("-", " ").capitalize()
        found.append(Guess(sample.name, guess_quantity(sample), id_, kind.value if kind else UNKNOWN, name))
    return distinct(found)


def distinct(found: Sequence[Guess]) -> list[Guess]:
    """Return the guesses with an id for each that measures what another before it measures at the same equipment."""
    taken: set[tuple[str, str]] = set()
    told_apart = []
    for each in found:
        suffix = next(one for one in _suffixes(each) if (each.equipment, one or each.quantity) not in taken)
        taken.add((each.equipment, suffix or each.quantity))
        told_apart.append(replace(each, suffix=suffix))
    return told_apart


def _suffixes(guess: Guess) -> Iterator[str]:
    """Give ids of a channel within its equipment, the best first."""
    yield guess.suffix
    if said := re.sub(r"[^a-z0-9-]+", "-", guess.name.lower().rpartition("/")[2]).strip("-"):
        yield said
    yield from (f"{guess.quantity}-{number}" for number in count(2))


def claim(
    node: str, samples: Iterable[Sample], facility: Facility, directory: Directory, interval: timedelta
) -> dict[str, Any]:
    """Return a registry document (YAML form, plain data) that adds the node and its channels to a facility."""
    written = format_duration(interval).replace(" ", "")
    return claim_document(node, guesses(samples, facility, directory), facility, directory, written)


def claim_document(
    node: str, found: Iterable[Guess], facility: Facility, directory: Directory, interval: str
) -> dict[str, Any]:
    """Return the document that says how a node's channels fit into a facility; what is registered stays what it is.

    A channel that another node reported so far goes on with its limits.
    """
    equipment: dict[str, dict[str, Any]] = {}
    for each in found:
        known = directory.equipment.get(f"{facility.id}/{each.equipment}")
        said = {"id": each.equipment, "kind": each.kind, "name": each.equipment_name}
        item = equipment.setdefault(each.equipment, (equipment_entry(known) if known else said) | {"channels": []})
        item["channels"].append(_channel(each, node, facility, directory) | {"interval": interval})
    place = {name: value for name, value in asdict(facility).items() if value not in ("", None)}
    return {"facilities": [place | {"nodes": [{"id": node}], "equipment": list(equipment.values())}]}


def _channel(guess: Guess, node: str, facility: Facility, directory: Directory) -> dict[str, Any]:
    known = directory.channels.get(f"{facility.id}/{guess.equipment}/{guess.channel}")
    said = {"quantity": guess.quantity} | ({"id": guess.suffix} if guess.suffix else {})
    if known is not None and known.quantity.name == guess.quantity:
        said = channel_entry(known)
    return said | {"node": node, "name": guess.name}


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
