"""Writes the icons that phones want as PNG, from the line of static/icon.svg; run once, the results are committed.

python -m dashboards.pages.icons
"""

from __future__ import annotations

import math
import struct
import zlib
from itertools import pairwise
from pathlib import Path
from typing import Final

from dashboards.pages.assets import STATIC_FOLDER

Colour = tuple[int, int, int]
GROUND: Final[Colour] = (0x0F, 0x5C, 0x63)
INK: Final[Colour] = (0xFF, 0xFF, 0xFF)
SIDE: Final = 32.0
"""Of the drawing in icon.svg."""
LINE: Final = ((4.0, 17.0), (9.0, 17.0), (12.5, 8.0), (18.5, 25.0), (22.0, 17.0), (28.0, 17.0))
HALF_STROKE: Final = 1.5
ROUNDING: Final = 7.0
SAFE_SHARE: Final = 0.72
"""A maskable icon may lose its edge: its line is this much of its usual size."""


def icon(pixels: int, *, maskable: bool) -> bytes:
    """Return the icon as PNG; a maskable one fills its square, any other has round corners on nothing."""
    rows = bytearray()
    for row in range(pixels):
        rows.append(0)  # this row is not filtered
        for column in range(pixels):
            rows += _pixel((column + 0.5) * SIDE / pixels, (row + 0.5) * SIDE / pixels, pixels, maskable)
    head = struct.pack(">2I5B", pixels, pixels, 8, 6, 0, 0, 0)
    parts = ((b"IHDR", head), (b"IDAT", zlib.compress(bytes(rows), 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, content) for kind, content in parts)


def _pixel(x: float, y: float, pixels: int, maskable: bool) -> bytes:
    share = SAFE_SHARE if maskable else 1.0
    at = (SIDE / 2 + (x - SIDE / 2) / share, SIDE / 2 + (y - SIDE / 2) / share)
    to_line = min(_to_segment(at, start, end) for start, end in pairwise(LINE)) * share
    ink = _covered(HALF_STROKE * share - to_line, pixels)
    opaque = 1.0 if maskable else _covered(-_to_tile(x, y), pixels)
    colour = (round(ground + (line - ground) * ink) for ground, line in zip(GROUND, INK, strict=True))
    return bytes((*colour, round(255 * opaque)))


def _covered(inside: float, pixels: int) -> float:
    """Return how much of a pixel lies within an edge that is so far away."""
    return min(max(inside * pixels / SIDE + 0.5, 0.0), 1.0)


def _to_segment(point: tuple[float, float], start: tuple[float, float], end: tuple[float, float]) -> float:
    (x, y), (ax, ay), (bx, by) = point, start, end
    dx, dy = bx - ax, by - ay
    share = min(max(((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy), 0.0), 1.0)
    return math.hypot(x - ax - share * dx, y - ay - share * dy)


def _to_tile(x: float, y: float) -> float:
    """Return the distance to the tile with round corners, negative inside."""
    dx, dy = (abs(each - SIDE / 2) - (SIDE / 2 - ROUNDING) for each in (x, y))
    return math.hypot(max(dx, 0.0), max(dy, 0.0)) + min(max(dx, dy), 0.0) - ROUNDING


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def write_icons(folder: Path) -> None:
    """Write the three icons."""
    for name, pixels, maskable in (
        ("icon-192.png", 192, False),
        ("icon-512.png", 512, False),
        ("icon-maskable-512.png", 512, True),
    ):
        (folder / name).write_bytes(icon(pixels, maskable=maskable))


if __name__ == "__main__":
    write_icons(STATIC_FOLDER)
