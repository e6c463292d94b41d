"""What is registered as rows of the tables that documents take: what a form shows, and what an edit is said against."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from domain.people import Contact
from domain.places import Channel, Equipment, Facility, Node
from registry.fields import NO_LIMIT
from registry.people_export import duration_text

Row = Mapping[str, str]
"""The cells of a row by column; what is not said is empty."""


def facility_row(item: Facility) -> Row:
    """Return the row of facilities.csv."""
    return {
        "id": item.id,
        "name": item.name,
        "country": item.country,
        "region": item.region,
        "district": item.district,
        "timezone": item.timezone,
        "latitude": _number(item.latitude),
        "longitude": _number(item.longitude),
    }


def equipment_row(item: Equipment) -> Row:
    """Return the row of equipment.csv."""
    return {
        "facility": item.facility,
        "id": item.id.removeprefix(f"{item.facility}/"),
        "kind": item.kind.value,
        "name": item.name,
        "model": item.model,
        "serial": item.serial,
        "pqs_code": item.pqs_code,
        "installed": item.installed.isoformat() if item.installed else "",
    }


def node_row(item: Node) -> Row:
    """Return the row of nodes.csv."""
    return {"facility": item.facility, "id": item.id, "name": item.name, "metrics": item.metrics}


def channel_row(item: Channel) -> Row:
    """Return the row of channels.csv, with the channel's own limits."""
    limits = {f"limit.{name}": NO_LIMIT if value is None else repr(value) for name, value in item.own_limits.items()}
    return {
        "facility": item.facility,
        "equipment": item.equipment.removeprefix(f"{item.facility}/"),
        "quantity": item.quantity.name,
        "id": item.id.removeprefix(f"{item.equipment}/"),
        "node": item.node,
        "name": item.name,
        "interval": duration_text(item.interval),
        **limits,
    }


def contact_row(item: Contact) -> Row:
    """Return the row of contacts.csv."""
    quiet = item.quiet
    hours = (
        {
            "quiet.from": f"{quiet.start:%H:%M}",
            "quiet.to": f"{quiet.end:%H:%M}",
            "quiet.timezone": quiet.timezone,
            "quiet.woken_from": quiet.woken_from.label,
        }
        if quiet
        else {}
    )
    return {
        "id": item.id,
        "name": item.name,
        "language": item.language,
        "phone": item.phone,
        "email": item.email,
        "facilities": " ".join(item.facilities),
        "district": item.district,
        "region": item.region,
        "channels": " ".join(item.channels),
        **{f"address.{medium}": address for medium, address in item.addresses.items()},
        **hours,
    }


_ROW_OF: Final[Mapping[str, Callable[[Any], Row]]] = {
    "facilities": facility_row,
    "equipment": equipment_row,
    "nodes": node_row,
    "channels": channel_row,
    "contacts": contact_row,
}


def row_of(kind: str, item: Any) -> Row:
    """Return the row of an item; ``kind`` names its table: ``equipment``."""
    return _ROW_OF[kind](item)


def mark_of(row: Row) -> str:
    """Return a short text that is another for every other content of a row."""
    said = {name: cell for name, cell in row.items() if cell}
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:20]


def _number(value: float | None) -> str:
    return "" if value is None else repr(value)
