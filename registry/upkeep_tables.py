"""The SQL tables of what the registry knows of equipment beside its own row, and of what was done to all of it.

Nothing is ever removed from them and nothing in the logs is ever changed; no table changes its columns.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, Row, String, Table, Text

from domain.instant import to_datetime, to_ms
from domain.places import Equipment
from domain.upkeep import Upkeep, UpkeepState, Visit
from registry.tables import Cells, metadata

equipment_detail = Table(
    "equipment_detail",
    metadata,
    Column("id", String(129), ForeignKey("equipment.id"), primary_key=True),
    Column("position", Integer, nullable=False),
    Column("pqs_code", Text, nullable=False),
    Column("installed", String(10), nullable=False),  # ISO 8601, empty where nobody said
)

upkeep = Table(
    "equipment_upkeep",
    metadata,
    Column("id", Integer, primary_key=True),  # grows: of a piece of equipment the last row counts
    Column("equipment", String(129), ForeignKey("equipment.id"), nullable=False),
    Column("state", String(20), nullable=False),
    Column("since_ms", BigInteger, nullable=False),
    Column("said_at_ms", BigInteger, nullable=False),
    Column("author", Text, nullable=False),
    Column("why", Text, nullable=False),
    Index("equipment_upkeep_by_equipment", "equipment", "id"),
)

visit = Table(
    "facility_visit",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("facility", String(64), ForeignKey("facility.id"), nullable=False),
    Column("equipment", String(129), ForeignKey("equipment.id")),  # NULL: all of it
    Column("at_ms", BigInteger, nullable=False),
    Column("visitor", Text, nullable=False),
    Column("found", Text, nullable=False),
    Column("done", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("said_at_ms", BigInteger, nullable=False),
    Column("author", Text, nullable=False),
    Column("corrects", Integer, ForeignKey("facility_visit.id"), unique=True),
    Column("withdrawn", Boolean, nullable=False),
    Index("facility_visit_by_time", "facility", "at_ms"),
)


def has_detail(item: Equipment) -> bool:
    """Tell whether there is anything to keep of a piece of equipment beside its own row."""
    return bool(item.pqs_code or item.installed)


def detail_cells(item: Equipment) -> Cells:
    """Return the row of what is known of a piece of equipment beside its own row."""
    return {
        "id": item.id,
        "pqs_code": item.pqs_code,
        "installed": item.installed.isoformat() if item.installed else "",
    }


def with_detail(item: Equipment, row: Row[Any] | None) -> Equipment:
    """Return a piece of equipment with what its second row, where it has one, says."""
    if row is None:
        return item
    installed = date.fromisoformat(row.installed) if row.installed else None
    return replace(item, pqs_code=row.pqs_code, installed=installed)


def upkeep_cells(said: Upkeep) -> Cells:
    """Return the row of what was said of a piece of equipment; its number is the database's."""
    return {
        "equipment": said.equipment,
        "state": said.state.value,
        "since_ms": to_ms(said.since),
        "said_at_ms": to_ms(said.said_at),
        "author": said.by,
        "why": said.why,
    }


def to_upkeep(row: Row[Any]) -> Upkeep:
    """Return what a row says of a piece of equipment."""
    since, said_at = to_datetime(row.since_ms), to_datetime(row.said_at_ms)
    return Upkeep(row.equipment, UpkeepState(row.state), since, said_at, row.author, row.why, row.id)


def visit_cells(entry: Visit) -> Cells:
    """Return the row of an entry of the visit log; its number is the database's."""
    return {
        "facility": entry.facility,
        "equipment": entry.equipment or None,
        "at_ms": to_ms(entry.at),
        "visitor": entry.by,
        "found": entry.found,
        "done": entry.done,
        "note": entry.note,
        "said_at_ms": to_ms(entry.said_at),
        "author": entry.said_by,
        "corrects": entry.corrects or None,
        "withdrawn": entry.withdrawn,
    }


def to_visit(row: Row[Any]) -> Visit:
    """Return the entry of the visit log in a row."""
    return Visit(
        facility=row.facility,
        equipment=row.equipment or "",
        at=to_datetime(row.at_ms),
        by=row.visitor,
        found=row.found,
        done=row.done,
        note=row.note,
        said_at=to_datetime(row.said_at_ms),
        said_by=row.author,
        corrects=row.corrects or 0,
        withdrawn=bool(row.withdrawn),
        id=row.id,
    )
