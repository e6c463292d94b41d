"""The drawing of a map: which part is shown, the land under it, and a mark for every facility or group of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from dashboards.pages.clusters import Cluster, clustered
from dashboards.pages.geography import WIDTH, Bounds, Projection, bounds_of, projection, seam, unrolled
from dashboards.pages.outlines.shape import Outline, Point

LOCATOR_WIDTH: Final = 120
_NEARBY: Final = 0.4
"""Facilities that take up less than this of their country's width and height are shown nearer than the country."""
_AROUND: Final = 0.2
_LETTER_UNITS: Final = 8
_MOST_NAMES: Final = 80


@dataclass(frozen=True, slots=True)
class Label:
    """A name written on the land."""

    x: int
    y: int
    text: str


@dataclass(frozen=True, slots=True)
class Locator:
    """A small drawing of the whole that says which part the large one shows."""

    height: int
    land: tuple[str, ...]
    box: tuple[int, int, int, int]
    """x, y, width, height of the part that is shown."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What there is to draw, with longitudes counted from one seam."""

    outlines: tuple[Outline, ...]
    boxes: tuple[Bounds, ...]
    """One for each outline."""
    places: tuple[Point, ...]
    seam: float
    land: Bounds | None
    """The box around all outlines."""
    near: tuple[int, ...]
    """The numbers of the places that are not so far from the land that their coordinates must be wrong."""
    near_box: Bounds | None
    """The box around those."""

    @property
    def whole(self) -> Bounds | None:
        """Return the box that shows everything: the land, and the places near it."""
        return _joined([each for each in (self.land, self.near_box) if each is not None])


def scene(outlines: Sequence[Outline], places: Sequence[Point]) -> Scene:
    """Return outlines and places so that what crosses the date line stays in one piece."""
    on_land = [x for outline in outlines for ring in outline.rings for x, _ in ring]
    start = seam(on_land or (x for x, _ in places))
    moved = [
        Outline(each.name, tuple(tuple((unrolled(x, start), y) for x, y in ring) for ring in each.rings))
        for each in outlines
    ]
    boxes = [bounds_of([point for ring in each.rings for point in ring]) for each in moved]
    drawn = [(outline, box) for outline, box in zip(moved, boxes, strict=True) if box is not None]
    moved_places = tuple((x + 360, y) if x < start else (x, y) for x, y in places)
    land = _joined([box for _, box in drawn])
    near = tuple(_near(moved_places, land))
    return Scene(
        outlines=tuple(outline for outline, _ in drawn),
        boxes=tuple(box for _, box in drawn),
        places=moved_places,
        seam=start,
        land=land,
        near=near,
        near_box=bounds_of([moved_places[number] for number in near]),
    )


def _near(places: Sequence[Point], land: Bounds | None) -> Iterable[int]:
    """Return the numbers of the places that are no farther from the land than its own size; all where there is none."""
    if land is None:
        return range(len(places))
    reach = land.grown(1.0)
    west, south, east, north = reach.west, reach.south, reach.east, reach.north
    return [number for number, (x, y) in enumerate(places) if west <= x <= east and south <= y <= north]


def first_view(scene: Scene, *, chosen: bool) -> Bounds | None:
    """Return what a map shows that nobody zoomed; ``chosen`` where its facilities are those of a region or district."""
    whole, near = scene.whole, scene.near_box
    if whole is None or near is None:
        return whole
    small = near.width < _NEARBY * whole.width and near.height < _NEARBY * whole.height
    return near.grown(_AROUND) if small or chosen else whole


@dataclass(frozen=True, slots=True)
class Canvas:
    """The part that is shown, drawn."""

    projection: Projection
    land: tuple[str, ...]
    """Data of an SVG path for each outline that is in sight."""
    labels: tuple[Label, ...]
    marks: tuple[Cluster, ...]
    """Members are numbers of the scene's places."""
    locator: Locator | None


def draw(scene: Scene, view: Bounds) -> Canvas:
    """Return the drawing of a part of a scene."""
    shown = projection(view)
    bounds = shown.bounds
    near_box, inside = scene.near_box, scene.near
    if near_box is not None and near_box.joined(bounds) != bounds:
        inside = tuple(number for number in scene.near if bounds.holds(*scene.places[number]))
    marks = clustered(shown.places([scene.places[number] for number in inside]))
    land = [outline for outline, box in zip(scene.outlines, scene.boxes, strict=True) if box.meets(bounds)]
    return Canvas(
        projection=shown,
        land=tuple(_path(outline, shown, 1.0) for outline in land),
        labels=tuple(_labels(land, shown)),
        marks=tuple(Cluster(each.x, each.y, tuple(inside[member] for member in each.members)) for each in marks),
        locator=_locator(scene, bounds),
    )


def _path(outline: Outline, shown: Projection, scale: float) -> str:
    """Return an outline as SVG path data in whole units; points that fall on each other are written once."""
    parts = []
    for ring in outline.rings:
        places = [shown.place(*point) for point in ring]
        corners = [(round(x * scale), round(y * scale)) for x, y in places]
        steps, before = [], corners[0]
        for corner in corners[1:]:
            if corner != before:
                steps.append(f"{corner[0] - before[0]} {corner[1] - before[1]}")
                before = corner
        if steps:
            parts.append(f"M{corners[0][0]} {corners[0][1]}l{' '.join(steps)}z".replace(" -", "-"))
    return "".join(parts)


def _labels(land: Iterable[Outline], shown: Projection) -> Iterable[Label]:
    """Return the names that fit on what they name."""
    named = [outline for outline in land if outline.name]
    for outline in named[:_MOST_NAMES]:
        box = max(
            (found for ring in outline.rings if (found := bounds_of(ring))), key=lambda box: box.width * box.height
        )
        (left, top), (right, bottom) = (
            shown.place(box.west, box.north),
            shown.place(box.east, box.south),
        )
        x, y = round((left + right) / 2), round((top + bottom) / 2)
        fits = right - left > len(outline.name) * _LETTER_UNITS and bottom - top > 2 * _LETTER_UNITS
        if fits and 0 < x < WIDTH and 0 < y < shown.height:
            yield Label(x, y, outline.name)


def _locator(scene: Scene, bounds: Bounds) -> Locator | None:
    """Return the small drawing, unless most of the land is shown anyway."""
    land = scene.land
    if land is None or bounds.width > land.width * 0.7 or bounds.height > land.height * 0.7:
        return None
    shown, scale = projection(land), LOCATOR_WIDTH / WIDTH
    (left, top), (right, bottom) = shown.place(bounds.west, bounds.north), shown.place(bounds.east, bounds.south)
    box = (left * scale, top * scale, max((right - left) * scale, 6), max((bottom - top) * scale, 6))
    land_paths = tuple(filter(None, (_path(outline, shown, scale) for outline in scene.outlines)))
    x, y, width, height = (round(each) for each in box)
    return Locator(round(shown.height * scale), land_paths, (x, y, width, height))


def _joined(boxes: Sequence[Bounds]) -> Bounds | None:
    found: Bounds | None = None
    for box in boxes:
        found = box if found is None else found.joined(box)
    return found
