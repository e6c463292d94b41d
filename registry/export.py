"""From a directory to the YAML form of a registry document, as plain data."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from domain.directory import Directory
from domain.places import Channel, Equipment, Facility, Node, SharedLimits
from registry.fields import NO_LIMIT
from registry.people_export import duration_text, exported_people, person_entry, said


def exported(directory: Directory) -> dict[str, Any]:
    """Return the document that describes the directory; fields at their default are left out."""
    channels: defaultdict[str, list[Channel]] = defaultdict(list)
    for channel in directory.channels.values():
        channels[channel.equipment].append(channel)
    return {
        "limits": [_shared_limits(limits) for limits in directory.shared_limits.values()],
        "facilities": [_facility(facility, directory, channels) for facility in directory.facilities.values()],
        **exported_people(directory),
    }


def entry_of(item: Any) -> dict[str, Any]:
    """Return the entry of one item, without what stands in it."""
    if isinstance(item, Facility):
        return said(**asdict(item))
    if isinstance(item, Node):
        return said(facility=item.facility, id=item.id, name=item.name, metrics=item.metrics)
    if isinstance(item, Equipment):
        return equipment_entry(item)
    return channel_entry(item) if isinstance(item, Channel) else person_entry(item)


def _facility(facility: Facility, directory: Directory, channels: dict[str, list[Channel]]) -> dict[str, Any]:
    nodes = [said(id=node.id, name=node.name, metrics=node.metrics) for node in directory.nodes_of(facility.id)]
    equipment = [
        said(**equipment_entry(item), channels=[channel_entry(each) for each in channels.get(item.id, [])])
        for item in directory.equipment_of(facility.id)
    ]
    return said(**asdict(facility), nodes=nodes, equipment=equipment)


def equipment_entry(item: Equipment) -> dict[str, Any]:
    """Return the entry of a piece of equipment, without its channels."""
    return said(
        id=item.id.removeprefix(f"{item.facility}/"),
        kind=item.kind.value,
        name=item.name,
        model=item.model,
        serial=item.serial,
        pqs_code=item.pqs_code,
        installed=item.installed.isoformat() if item.installed else "",
    )


def channel_entry(channel: Channel) -> dict[str, Any]:
    """Return the entry of a channel with its own limits."""
    suffix = channel.id.removeprefix(f"{channel.equipment}/")
    return said(
        quantity=channel.quantity.name,
        id=suffix if suffix != channel.quantity.name else "",
        node=channel.node,
        name=channel.name,
        interval=duration_text(channel.interval),
        limits=_limits(channel.own_limits),
    )


def _shared_limits(limits: SharedLimits) -> dict[str, Any]:
    scope = limits.id
    return said(
        quantity=scope.quantity,
        equipment=scope.kind.value,
        model=scope.model,
        facility=scope.facility,
        limits=_limits(limits.limits),
    )


def _limits(limits: Mapping[str, float | None]) -> dict[str, float | str]:
    return {name: NO_LIMIT if value is None else value for name, value in limits.items()}
