"""The registry's SQL tables, and how each row becomes the domain's object and back.

Only what SQLite and PostgreSQL both do is used. ``position`` keeps the order of registration. A database of an older
Vitals is brought up to date by new tables alone, made where they are missing: no table here ever changes its columns.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import timedelta
from functools import cache
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import BigInteger, Column, Float, ForeignKey, Integer, MetaData, Row, String, Table, Text

from domain.errors import OperatorError
from domain.people import Contact
from domain.places import Channel, Equipment, EquipmentKind, Facility, LimitScope, Node
from domain.quantities import QUANTITIES
from registry.history import LimitChange, SharedLimitChange

metadata = MetaData()

version = Table(
    "registry_version",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("version", BigInteger, nullable=False),
)

configured = Table(
    "registry_configured",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("digest", String(64), nullable=False),  # of the documents that were imported at a start last
)

place = Table(
    "place",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("kind", String(20), nullable=False),
    Column("name", Text, nullable=False),
    Column("parent", Integer, ForeignKey("place.id")),
)

facility = Table(
    "facility",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("position", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("district", Integer, ForeignKey("place.id"), nullable=False),
    Column("timezone", Text, nullable=False),
    Column("latitude", Float(53)),
    Column("longitude", Float(53)),
)

equipment = Table(
    "equipment",
    metadata,
    Column("id", String(129), primary_key=True),
    Column("position", Integer, nullable=False),
    Column("facility", String(64), ForeignKey("facility.id"), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("name", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("serial", Text, nullable=False),
)

node = Table(
    "node",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("position", Integer, nullable=False),
    Column("facility", String(64), ForeignKey("facility.id"), nullable=False),
    Column("name", Text, nullable=False),
)

channel = Table(
    "channel",
    metadata,
    Column("id", String(194), primary_key=True),
    Column("position", Integer, nullable=False),
    Column("facility", String(64), ForeignKey("facility.id"), nullable=False),
    Column("equipment", String(129), ForeignKey("equipment.id"), nullable=False),
    Column("node", String(64), ForeignKey("node.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("quantity", String(64), nullable=False),
    Column("interval_ms", BigInteger, nullable=False),
    Column("limits", Text, nullable=False),  # JSON, its own: read as a whole with every channel, never searched
)

limit_change = Table(
    "limit_change",
    metadata,
    Column("id", Integer, primary_key=True),  # grows: the order in which things were said
    Column("channel", String(194), ForeignKey("channel.id"), nullable=False),
    Column("valid_from_ms", BigInteger, nullable=False),
    Column("limits", Text, nullable=False),  # JSON, as in channel
    Column("recorded_at_ms", BigInteger, nullable=False),
    Column("author", Text, nullable=False),
    Column("reason", Text, nullable=False),
)

shared_limit_change = Table(
    "shared_limit_change",
    metadata,
    Column("id", Integer, primary_key=True),  # grows, as in limit_change: of a scope the last row counts
    Column("quantity", String(64), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("model", Text, nullable=False),
    Column("facility", String(64), ForeignKey("facility.id")),
    Column("valid_from_ms", BigInteger, nullable=False),
    Column("limits", Text, nullable=False),  # JSON, null for a limit that is taken away
    Column("recorded_at_ms", BigInteger, nullable=False),
    Column("author", Text, nullable=False),
    Column("reason", Text, nullable=False),
)

contact = Table(
    "contact",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("position", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("email", Text, nullable=False),
    Column("phone", Text, nullable=False),
    Column("facilities", Text, nullable=False),  # JSON, in the order in which they were given
    Column("district", Text, nullable=False),
    Column("region", Text, nullable=False),
)

PLACE_KINDS: Final = ("country", "region", "district")
_MILLISECOND = timedelta(milliseconds=1)

Cells = dict[str, Any]
PlaceKey = tuple[str, ...]
"""A place by the names from the country down."""


def facility_cells(item: Facility, places: Mapping[PlaceKey, int]) -> Cells:
    """Return the row of a facility whose places are registered."""
    return {
        "id": item.id,
        "name": item.name,
        "district": places[item.country, item.region, item.district],
        "timezone": item.timezone,
        "latitude": item.latitude,
        "longitude": item.longitude,
    }


def equipment_cells(item: Equipment) -> Cells:
    """Return the row of a piece of equipment."""
    return {
        "id": item.id,
        "facility": item.facility,
        "kind": item.kind.value,
        "name": item.name,
        "model": item.model,
        "serial": item.serial,
    }


def node_cells(item: Node) -> Cells:
    """Return the row of a node."""
    return {"id": item.id, "facility": item.facility, "name": item.name}


def channel_cells(item: Channel) -> Cells:
    """Return the row of a channel."""
    return {
        "id": item.id,
        "facility": item.facility,
        "equipment": item.equipment,
        "node": item.node,
        "name": item.name,
        "quantity": item.quantity.name,
        "interval_ms": item.interval // _MILLISECOND,
        "limits": json.dumps(dict(item.own_limits)),
    }


def limit_change_cells(change: LimitChange) -> Cells:
    """Return the row of a change of limits; its number is the database's."""
    return {
        "channel": change.channel,
        "valid_from_ms": change.valid_from_ms,
        "limits": json.dumps(dict(change.limits)),
        "recorded_at_ms": change.recorded_at_ms,
        "author": change.author,
        "reason": change.reason,
    }


def shared_limit_change_cells(change: SharedLimitChange) -> Cells:
    """Return the row of a change of shared limits; its number is the database's."""
    return {
        "quantity": change.scope.quantity,
        "kind": change.scope.kind.value,
        "model": change.scope.model,
        "facility": change.scope.facility or None,
        "valid_from_ms": change.valid_from_ms,
        "limits": json.dumps(dict(change.limits)),
        "recorded_at_ms": change.recorded_at_ms,
        "author": change.author,
        "reason": change.reason,
    }


def contact_cells(item: Contact) -> Cells:
    """Return the row of a contact."""
    return {
        "id": item.id,
        "name": item.name,
        "language": item.language,
        "email": item.email,
        "phone": item.phone,
        "facilities": json.dumps(item.facilities),
        "district": item.district,
        "region": item.region,
    }


def place_keys(rows: Iterable[Row[Any]]) -> dict[int, PlaceKey]:
    """Return each place by its id; parents stand before their children."""
    keys: dict[int, PlaceKey] = {}
    for row in rows:
        above = keys[row.parent] if row.parent is not None else ()
        keys[row.id] = (*above, row.name)
    return keys


def to_facility(row: Row[Any], places: Mapping[int, PlaceKey]) -> Facility:
    """Return the facility of a row."""
    country, region, district = places[row.district]
    return Facility(row.id, row.name, country, region, district, row.timezone, row.latitude, row.longitude)


def to_equipment(row: Row[Any]) -> Equipment:
    """Return the equipment of a row."""
    return Equipment(row.id, row.facility, EquipmentKind(row.kind), row.name, row.model, row.serial)


def to_node(row: Row[Any]) -> Node:
    """Return the node of a row."""
    return Node(row.id, row.facility, row.name)


def to_channel(row: Row[Any]) -> Channel:
    """Return the channel of a row with its own limits; which are in force follows from all that is registered.

    Raises ``OperatorError`` for a quantity of another version of Vitals.
    """
    quantity = QUANTITIES.get(row.quantity)
    if quantity is None:
        raise OperatorError(f"channel {row.id} measures {row.quantity!r}, which this version of Vitals does not know")
    interval, own = _interval(row.interval_ms), _limits(row.limits)
    return Channel(row.id, row.facility, row.equipment, row.node, row.name, quantity, interval, own_limits=own)


def to_limit_change(row: Row[Any]) -> LimitChange:
    """Return the change of limits of a row."""
    limits = _limits(row.limits)
    return LimitChange(row.channel, row.valid_from_ms, limits, row.recorded_at_ms, row.author, row.reason)


def to_shared_limit_change(row: Row[Any]) -> SharedLimitChange:
    """Return the change of shared limits of a row."""
    scope = LimitScope(row.quantity, EquipmentKind(row.kind), row.model, row.facility or "")
    limits = _limits(row.limits)
    return SharedLimitChange(scope, row.valid_from_ms, limits, row.recorded_at_ms, row.author, row.reason)


def to_contact(row: Row[Any]) -> Contact:
    """Return the contact of a row."""
    facilities = tuple(json.loads(row.facilities))
    return Contact(row.id, row.name, row.language, row.email, row.phone, facilities, row.district, row.region)


@cache
def _interval(milliseconds: int) -> timedelta:
    return timedelta(milliseconds=milliseconds)


@cache  # a nation's channels share a few dozen sets of limits
def _limits(text: str) -> Mapping[str, Any]:
    return MappingProxyType(json.loads(text))
