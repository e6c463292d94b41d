"""The SQL table of what the registry knows of nodes beside their own rows; nothing is ever removed from it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy import Column, ForeignKey, Integer, Row, String, Table, Text

from domain.places import Node
from registry.tables import Cells, metadata

node_detail = Table(
    "node_detail",
    metadata,
    Column("id", String(64), ForeignKey("node.id"), primary_key=True),
    Column("position", Integer, nullable=False),
    Column("metrics", Text, nullable=False),
)


def has_detail(item: Node) -> bool:
    """Tell whether there is anything to keep of a node beside its own row."""
    return bool(item.metrics)


def detail_cells(item: Node) -> Cells:
    """Return the row of what is known of a node beside its own row."""
    return {"id": item.id, "metrics": item.metrics}


def with_detail(item: Node, row: Row[Any] | None) -> Node:
    """Return a node with what its second row, where it has one, says."""
    return item if row is None else replace(item, metrics=row.metrics)
