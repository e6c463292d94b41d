"""The forms that registry documents take: what may stand in the YAML document and in each table.

What they say of people stands in ``registry.people_document``.

Every entry turns itself into the domain's object; where it stands in the document and whether it fits the others is
decided in ``registry.draft`` and ``registry.checks``.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from pydantic import Field

from domain.places import Channel, Equipment, EquipmentKind, Facility, LimitScope, Node, SharedLimits
from domain.quantities import QUANTITIES
from registry import fields
from registry.entry import Entry
from registry.fields import limit_value
from registry.people_document import ChainEntry, ContactEntry, RosterEntry, TeamEntry


class LimitedEntry(Entry):
    """What has limits of a quantity."""

    quantity: fields.QuantityName
    limits: dict[fields.LimitName, fields.LimitValue] = Field(default_factory=dict)

    def limit_errors(self) -> list[dict[str, Any]]:
        """Return what is wrong with the limits, in the shape of pydantic's own errors."""
        quantity, errors = QUANTITIES[self.quantity], []
        for name, written in self.limits.items():
            try:
                limit_value(quantity, written)
            except ValueError as error:
                errors.append({"loc": ("limits", name), "type": "value_error", "input": written, "msg": str(error)})
        return errors

    def limit_values(self) -> Mapping[str, float | None]:
        """Return the limits in the quantity's canonical unit, None where one is taken away."""
        quantity = QUANTITIES[self.quantity]
        return MappingProxyType({name: limit_value(quantity, written) for name, written in self.limits.items()})


class ChannelEntry(LimitedEntry):
    """One measured quantity of the equipment that it stands under."""

    node: fields.NodeId
    interval: fields.Interval
    name: fields.SensorName | None = None
    """The node's own name for it; by default ``<equipment>/<id>``."""
    id: fields.Id | None = None
    """By default the quantity; given where one equipment has two of a quantity."""

    def channel(self, facility: str, equipment: str) -> Channel:
        """Return the channel of ``equipment``, an id within ``facility``, with its own limits alone."""
        suffix = self.id or self.quantity
        return Channel(
            id=f"{facility}/{equipment}/{suffix}",
            facility=facility,
            equipment=f"{facility}/{equipment}",
            node=self.node,
            name=self.name or f"{equipment}/{suffix}",
            quantity=QUANTITIES[self.quantity],
            interval=self.interval,
            own_limits=self.limit_values(),
        )


class EquipmentFields(Entry):
    """What both forms say of a piece of equipment."""

    id: fields.Id
    kind: fields.Kind
    name: fields.Name
    model: fields.Text = ""
    serial: fields.Text = ""
    pqs_code: fields.PqsCode = ""
    installed: fields.Day | None = None

    def equipment(self, facility: str) -> Equipment:
        """Return the equipment of ``facility`` under its id in the whole registry."""
        return Equipment(
            id=f"{facility}/{self.id}",
            facility=facility,
            kind=EquipmentKind(self.kind),
            name=self.name,
            model=self.model,
            serial=self.serial,
            pqs_code=self.pqs_code,
            installed=self.installed,
        )


class EquipmentEntry(EquipmentFields):
    """A piece of equipment with its channels."""

    channels: tuple[ChannelEntry, ...] = ()


class NodeEntry(Entry):
    """An edge gateway."""

    id: fields.NodeId
    name: fields.Text = ""
    metrics: fields.HostAndPort = ""
    """Where the node's own exporter answers Prometheus, such as ``10.8.0.7:9100``."""

    def node(self, facility: str) -> Node:
        """Return the node of ``facility``."""
        return Node(self.id, facility, self.name, self.metrics)


class FacilityFields(Entry):
    """What both forms say of a facility."""

    id: fields.Id
    name: fields.Name
    country: fields.Name
    region: fields.Name
    district: fields.Name
    timezone: fields.TimeZone = "UTC"
    latitude: fields.Latitude | None = None
    longitude: fields.Longitude | None = None

    def facility(self) -> Facility:
        """Return the facility."""
        return Facility(
            self.id,
            self.name,
            self.country,
            self.region,
            self.district,
            self.timezone,
            self.latitude,
            self.longitude,
        )


class FacilityEntry(FacilityFields):
    """A facility with everything that stands in it."""

    nodes: tuple[NodeEntry, ...] = ()
    equipment: tuple[EquipmentEntry, ...] = ()


class SharedLimitsEntry(LimitedEntry):
    """Limits of a kind of equipment, of one model, at one facility; also a row of limits.csv."""

    equipment: fields.Kind
    model: fields.Text = ""
    facility: fields.Id | None = None

    def shared_limits(self) -> SharedLimits:
        """Return the limits and for which channels they are said."""
        scope = LimitScope(self.quantity, EquipmentKind(self.equipment), self.model, self.facility or "")
        return SharedLimits(scope, self.limit_values())


class RegistryDocument(Entry):
    """The YAML form."""

    limits: tuple[SharedLimitsEntry, ...] = ()
    facilities: tuple[FacilityEntry, ...] = ()
    contacts: tuple[ContactEntry, ...] = ()
    teams: tuple[TeamEntry, ...] = ()
    rosters: tuple[RosterEntry, ...] = ()
    escalation: tuple[ChainEntry, ...] = ()


class EquipmentRow(EquipmentFields):
    """A row of equipment.csv."""

    facility: fields.Id


class NodeRow(NodeEntry):
    """A row of nodes.csv."""

    facility: fields.Id


class ChannelRow(ChannelEntry):
    """A row of channels.csv; its columns ``limit.<name>`` are its limits."""

    facility: fields.Id
    equipment: fields.Id
