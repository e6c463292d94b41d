"""Fewer points for the same line: Douglas and Peucker, 1973."""

from __future__ import annotations

import math
from collections.abc import Sequence

from dashboards.pages.outlines.shape import Point


def simplified(line: Sequence[Point], tolerance: float) -> list[Point]:
    """Return a line that stays within a tolerance of the given one, with both of its ends."""
    kept, spans = {0, len(line) - 1}, [(0, len(line) - 1)]
    while spans:
        first, last = spans.pop()
        far, farthest = first, tolerance
        for index in range(first + 1, last):
            distance = _distance(line[index], line[first], line[last])
            if distance > farthest:
                far, farthest = index, distance
        if far != first:
            kept.add(far)
            spans += [(first, far), (far, last)]
    return [line[index] for index in sorted(kept)]


def _distance(point: Point, start: Point, end: Point) -> float:
    """Return the distance from a segment."""
    (x, y), (ax, ay), (bx, by) = point, start, end
    dx, dy = bx - ax, by - ay
    length = dx * dx + dy * dy
    share = 0.0 if length == 0 else min(max(((x - ax) * dx + (y - ay) * dy) / length, 0.0), 1.0)
    return math.hypot(x - ax - share * dx, y - ay - share * dy)
