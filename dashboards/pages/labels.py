"""Labels for nodes: a QR code that holds the address at which a node is claimed, and nothing secret. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

import segno


@dataclass(frozen=True, slots=True)
class Label:
    """One label."""

    node: str
    address: str
    size: int
    """Width and height of the drawing, its white margin included."""
    path: str
    """The dark squares, as an SVG path says them."""


def claim_address(service: str, node: str) -> str:
    """Return the address at which a node is claimed, of a service at ``https://vitals.example``."""
    return f"{service.rstrip('/')}/claim/{quote(node, safe='')}"


def label_of(service: str, node: str) -> Label:
    """Return the label of a node."""
    address = claim_address(service, node)
    code, margin = segno.make(address, error="m", micro=False), 4
    rows = [
        f"M{column + margin} {line + margin}h1v1h-1z"
        for line, row in enumerate(code.matrix)
        for column, dark in enumerate(row)
        if dark
    ]
    return Label(node, address, len(code.matrix) + 2 * margin, "".join(rows))
