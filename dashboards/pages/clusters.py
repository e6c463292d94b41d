"""Facilities that would stand on each other in a drawing become one mark with a count."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

CELL: Final = 48
"""Side of a cell of the grid, and the least distance between two marks: on a phone half of it is what a thumb needs."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """What one mark stands for."""

    x: float
    y: float
    members: tuple[int, ...]
    """In the order in which they were given: worst first."""


def clustered(places: Iterable[tuple[float, float]], cell: float = CELL) -> list[Cluster]:
    """Return marks for places of a drawing, none nearer than a cell to another; the mark of the first place first.

    Places of one cell stand at their middle; a cell whose middle is too near to one before joins that one. Equal places
    give equal marks, in one pass over the places and one over the pairs of cells.
    """
    cells: defaultdict[tuple[float, float], list[tuple[int, float, float]]] = defaultdict(list)
    for number, (x, y) in enumerate(places):
        cells[x // cell, y // cell].append((number, x, y))
    middles: list[tuple[float, float]] = []
    members: list[list[int]] = []
    for inside in cells.values():
        numbers, across, down = zip(*inside, strict=True)
        x, y = sum(across) / len(inside), sum(down) / len(inside)
        near = next((at for at, (a, b) in enumerate(middles) if (a - x) ** 2 + (b - y) ** 2 < cell * cell), None)
        if near is None:
            middles.append((x, y))
            members.append(list(numbers))
        else:
            members[near] += numbers
    marks = [Cluster(x, y, tuple(sorted(own))) for (x, y), own in zip(middles, members, strict=True)]
    return sorted(marks, key=lambda mark: mark.members[0])
