"""From the globe to a flat drawing: which part of it is shown, and where a place stands in it.

The projection is equirectangular with the longitudes narrowed by the cosine of the middle latitude. Within one country
it is as true as any other, straight in both directions (a box of coordinates is a box of the drawing), and two
multiplications.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from dashboards.pages.outlines.shape import Point

WIDTH: Final = 640
"""Of the drawing in its own units; about a pixel each on a desktop, half of one on a phone."""
MARGIN: Final = 30
FLATTEST, TALLEST = 0.55, 1.25
"""Height of the drawing in parts of its width."""
SMALLEST_DEGREES: Final = 0.02
"""No view is smaller: about two kilometres."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """A box in degrees; ``east`` may be beyond 180 where the box crosses the date line."""

    west: float
    south: float
    east: float
    north: float

    @property
    def narrowing(self) -> float:
        """Return how long a degree of longitude is in degrees of latitude."""
        return max(math.cos(math.radians((self.south + self.north) / 2)), 0.05)

    @property
    def width(self) -> float:
        """Return the width in degrees of latitude."""
        return (self.east - self.west) * self.narrowing

    @property
    def height(self) -> float:
        """Return the height in degrees."""
        return self.north - self.south

    def joined(self, other: Bounds) -> Bounds:
        """Return the smallest box around both."""
        return Bounds(
            min(self.west, other.west),
            min(self.south, other.south),
            max(self.east, other.east),
            max(self.north, other.north),
        )

    def grown(self, share: float) -> Bounds:
        """Return the box with this share of its longer side more all around; never less than the smallest view."""
        side = max(self.width, self.height, SMALLEST_DEGREES)
        up = max(side * share, (SMALLEST_DEGREES - self.height) / 2, 0)
        across = max(side * share, (SMALLEST_DEGREES - self.width) / 2, 0) / self.narrowing
        return Bounds(self.west - across, max(self.south - up, -90), self.east + across, min(self.north + up, 90))

    def holds(self, longitude: float, latitude: float) -> bool:
        """Tell whether a place lies inside."""
        return self.west <= longitude <= self.east and self.south <= latitude <= self.north

    def meets(self, other: Bounds) -> bool:
        """Tell whether the boxes share anything."""
        beside = other.east < self.west or other.west > self.east
        return not (beside or other.north < self.south or other.south > self.north)

    def __str__(self) -> str:
        return ",".join(
            f"{each:.4f}".rstrip("0").rstrip(".") for each in (self.west, self.south, self.east, self.north)
        )


def parse_bounds(text: str) -> Bounds:
    """Return the box that ``str`` wrote; a text that is none raises ``ValueError`` with a sentence for its writer."""
    try:
        west, south, east, north = (float(part) for part in text.split(","))
    except ValueError:
        west = south = east = north = math.nan
    if not (-180 <= west < east <= 540 and east - west <= 360 and -90 <= south < north <= 90):
        raise ValueError("bbox has to be west,south,east,north in degrees, e.g. 29.5,-1.5,35,4.2")
    return Bounds(west, south, east, north)


def bounds_of(points: Sequence[Point]) -> Bounds | None:
    """Return the smallest box around places; None around none."""
    if not points:
        return None
    longitudes, latitudes = zip(*points, strict=True)
    return Bounds(min(longitudes), min(latitudes), max(longitudes), max(latitudes))


def seam(longitudes: Iterable[float]) -> float:
    """Return the longitude from which to count eastwards, so that what crosses the date line stays in one piece."""
    known = sorted(set(longitudes))
    if not known:
        return -180.0
    gap, start = max(((b - a, b) for a, b in pairwise(known)), default=(0.0, known[0]))
    return start if gap > known[0] + 360 - known[-1] else -180.0


def unrolled(longitude: float, seam_: float) -> float:
    """Return a longitude counted eastwards from the seam."""
    return longitude + 360 if longitude < seam_ else longitude


@dataclass(frozen=True, slots=True)
class Projection:
    """Where places stand in a drawing of ``WIDTH`` by ``height`` units."""

    left: float
    top: float
    scale_x: float
    scale_y: float
    height: int

    def place(self, longitude: float, latitude: float) -> tuple[float, float]:
        """Return the place in the drawing, from its upper left corner."""
        return (longitude - self.left) * self.scale_x, (self.top - latitude) * self.scale_y

    def places(self, points: Iterable[Point]) -> list[tuple[float, float]]:
        """Return the places of many."""
        left, top, scale_x, scale_y = self.left, self.top, self.scale_x, self.scale_y
        return [((longitude - left) * scale_x, (top - latitude) * scale_y) for longitude, latitude in points]

    @property
    def bounds(self) -> Bounds:
        """Return the box that the whole drawing shows."""
        right, bottom = self.left + WIDTH / self.scale_x, self.top - self.height / self.scale_y
        return Bounds(self.left, max(bottom, -90), right, min(self.top, 90))


def projection(wanted: Bounds) -> Projection:
    """Return the projection that shows a box whole, with a margin, in the middle."""
    width, height = max(wanted.width, 1e-6), max(wanted.height, 1e-6)
    drawn = round(WIDTH * min(max(height / width, FLATTEST), TALLEST))
    scale = min((WIDTH - 2 * MARGIN) / width, (drawn - 2 * MARGIN) / height)
    scale_x = scale * wanted.narrowing
    return Projection(
        left=(wanted.west + wanted.east) / 2 - WIDTH / 2 / scale_x,
        top=(wanted.south + wanted.north) / 2 + drawn / 2 / scale,
        scale_x=scale_x,
        scale_y=scale,
        height=drawn,
    )
