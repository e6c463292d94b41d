"""Who changed what in the registry: one entry for every item that was added or became another, never changed itself."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import BigInteger, Column, Index, Integer, Row, String, Table, Text, select
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.instant import to_datetime
from registry.export import entry_of
from registry.history import Occasion
from registry.tables import Cells, metadata

_LONGEST_VALUE: Final = 2_000
"""Of a value as JSON; a roster's overrides may run to thousands."""

_FACILITIES_A_QUERY: Final = 500

registry_change = Table(
    "registry_change",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at_ms", BigInteger, nullable=False),
    Column("author", Text, nullable=False),
    Column("origin", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("kind", String(20), nullable=False),
    Column("item", String(194), nullable=False),
    Column("facility", String(64), nullable=False),  # empty for what belongs to no facility
    Column("before", Text),  # JSON of the fields that became others; NULL: was not there
    Column("after", Text),  # likewise; NULL beside NULL: as the next entry says it was before, or as it is
    Index("registry_change_by_item", "kind", "item", "id"),
    Index("registry_change_by_facility", "facility", "id"),
)


@dataclass(frozen=True, slots=True)
class RegistryChange:
    """One item that was added, or whose fields became others."""

    id: int
    at: datetime
    author: str
    """Empty for an import at the service's start."""
    origin: str
    reason: str
    kind: str
    """``facilities``, ``equipment``, ``channels``, ..."""
    item: str
    facility: str
    added: bool
    before: Mapping[str, Any] = field(default_factory=dict)
    """The fields that became others, as documents say them; one that was not said is left out."""
    after: Mapping[str, Any] = field(default_factory=dict)


def change_cells(kind: str, before: Any | None, after: Any, occasion: Occasion) -> Cells:
    """Return the row of a change of an item from ``before`` (None: it is new) to ``after``."""
    facility = after.id if kind == "facilities" else getattr(after, "facility", "")
    old, new = ({}, {}) if before is None else (entry_of(before), entry_of(after))
    names = [name for name in {**old, **new} if old.get(name) != new.get(name)]
    return {
        "at_ms": occasion.at_ms,
        "author": occasion.author,
        "origin": occasion.origin,
        "reason": occasion.reason,
        "kind": kind,
        "item": after.id,
        "facility": facility,
        "before": None if before is None else _json(old, names),
        "after": None if before is None else _json(new, names),
    }


class ChangeLog:
    """Reads what ``registry.writing`` has noted."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def changes(
        self,
        *,
        limit: int,
        within: Collection[str] | None = None,
        facility: str | None = None,
        item: tuple[str, str] | None = None,
    ) -> Sequence[RegistryChange]:
        """Return the last changes, newest first.

        ``within``: only what belongs to these facilities; ``item``: of one thing alone, by its kind and id.
        """
        table = registry_change.c
        query = select(registry_change).order_by(table.id.desc())
        if facility is not None:
            query = query.where(table.facility == facility)
        if item is not None:
            query = query.where(table.kind == item[0], table.item == item[1])
        found: list[RegistryChange] = []
        if within is not None and len(within) <= _FACILITIES_A_QUERY:
            query = query.where(table.facility.in_(sorted(within)))
        query = query.execution_options(yield_per=500)
        async with self._engine.connect() as connection, connection.stream(query) as rows:
            # SQL takes no list of thousands; whoever sees so much of the country finds enough soon.
            async for row in rows:
                if within is None or row.facility in within:
                    found.append(_change(row))
                if len(found) == limit:
                    break
        return found


def _change(row: Row[Any]) -> RegistryChange:
    return RegistryChange(
        id=row.id,
        at=to_datetime(row.at_ms),
        author=row.author,
        origin=row.origin,
        reason=row.reason,
        kind=row.kind,
        item=row.item,
        facility=row.facility,
        added=row.before is None,
        before=json.loads(row.before or "{}"),
        after=json.loads(row.after or "{}"),
    )


def _json(entry: Mapping[str, Any], names: Sequence[str]) -> str:
    return json.dumps({name: _short(entry[name]) for name in names if name in entry})


def _short(value: Any) -> Any:
    length = len(json.dumps(value))
    return value if length <= _LONGEST_VALUE else f"({length} characters)"
