"""What a period came to for one facility: cold chain, services, generators, and how much of it is known."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from dashboards.figures.watched import APPLIANCES
from dashboards.report.appliance import Appliance, appliance
from dashboards.sla.facility import Recorded, facility_figures
from dashboards.sla.figures import ServiceFigures
from dashboards.sla.spans import Spans, intersection, spans_of, total_ms
from dashboards.sla.timeline import covered, observed
from domain.directory import Directory
from domain.instant import HOUR_MS
from domain.places import Channel, Equipment, EquipmentKind, Facility, Service
from domain.reading import Reading
from domain.supplies import ON

LATE_MS: Final = HOUR_MS
"""A reading that arrived so much later than it was measured came late."""


@dataclass(frozen=True, slots=True)
class Generator:
    """What a generator did."""

    equipment: Equipment
    running_ms: int
    known_ms: int
    runs: int
    """Stretches of running; one that went on since before the period counts."""


@dataclass(frozen=True, slots=True)
class Heard:
    """How much of one channel is known."""

    channel: Channel
    equipment: str
    """The name of what it belongs to."""
    readings: int
    """Usable ones that were measured in the period."""
    known_ms: int
    late: int
    """Of the readings those that came late."""


@dataclass(frozen=True, slots=True)
class FacilityReport:
    """What a period came to."""

    facility: Facility
    services: Mapping[Service, ServiceFigures]
    appliances: tuple[Appliance, ...]
    generators: tuple[Generator, ...]
    heard: tuple[Heard, ...]


def facility_report(facility: Facility, directory: Directory, recorded: Recorded) -> FacilityReport:
    """Return what a period came to for a facility.

    Maintenance that was announced for all of a facility is left out of its services as in the contract figures; what
    its fridges went through counts nevertheless: the vaccines were in them.
    """
    probes: defaultdict[str, list[Channel]] = defaultdict(list)
    generators: list[Channel] = []
    for channel in directory.channels_of(facility.id):
        equipment = directory.equipment.get(channel.equipment)
        if equipment is None or channel.id not in recorded.readings:
            continue
        if channel.quantity.name == "temperature" and equipment.kind in APPLIANCES:
            probes[equipment.id].append(channel)
        elif channel.quantity.name == "running" and equipment.kind is EquipmentKind.GENERATOR:
            generators.append(channel)
    return FacilityReport(
        facility=facility,
        services=facility_figures(facility, directory, recorded),
        appliances=tuple(appliance(directory.equipment[id_], each, recorded) for id_, each in probes.items()),
        generators=tuple(_generator(directory.equipment[each.equipment], each, recorded) for each in generators),
        heard=tuple(_heard(each, directory, recorded) for each in directory.channels_of(facility.id)),
    )


def _generator(equipment: Equipment, channel: Channel, recorded: Recorded) -> Generator:
    said = observed(recorded.readings[channel.id], recorded.cover_ms[channel.id], lambda value: value >= ON)
    known = said.within((recorded.period,))
    return Generator(equipment, total_ms(known.up), total_ms(known.up) + total_ms(known.down), len(known.up))


def _heard(channel: Channel, directory: Directory, recorded: Recorded) -> Heard:
    equipment = directory.equipment.get(channel.equipment)
    readings = recorded.readings.get(channel.id, ())
    begin, end = recorded.period
    inside = [each for each in readings if each.quality.usable and begin <= each.measured_at_ms < end]
    return Heard(
        channel,
        equipment.name if equipment else channel.equipment,
        readings=len(inside),
        known_ms=total_ms(_known(readings, recorded.cover_ms[channel.id], (recorded.period,))),
        late=sum(each.received_at_ms - each.measured_at_ms > LATE_MS for each in inside),
    )


def _known(readings: Sequence[Reading], cover_ms: int, within: Spans) -> Spans:
    return intersection(spans_of(span for span, _ in covered(readings, cover_ms)), within)
