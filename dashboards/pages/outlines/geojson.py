"""An operator's own outlines, e.g. districts, from GeoJSON (RFC 7946)."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from dashboards.pages.outlines.shape import Outline, Point, Ring
from dashboards.pages.outlines.simplify import simplified
from domain.document import Document
from domain.document import Path as Where
from domain.errors import OperatorError

MOST_BYTES: Final = 16 * 1024 * 1024
MOST_POINTS: Final = 4000
"""What is drawn at most, so that a page stays light; lines are simplified until they fit."""
_FINEST: Final = 1 / 2000
_NAMES: Final = ("name", "district", "shapename", "adm2_en", "adm1_en", "adm3_en", "name_2", "name_1", "name_en")
_SHAPES: Final = "Polygon or MultiPolygon"


def read_outlines(path: Path) -> tuple[Outline, ...]:
    """Return the outlines of a file, or of every ``.geojson`` file in a folder, simplified to what a page can carry.

    Raises ``OperatorError`` where there is no file to read and ``DocumentError`` where it is not such a document.
    """
    found = [outline for file in _files(path) for outline in parse_outlines(_read(file), str(file))]
    return lightened(found, MOST_POINTS)


def parse_outlines(text: str, source: str) -> list[Outline]:
    """Return what a GeoJSON document outlines; points and lines among its features are left out."""
    try:
        document = Document(source, json.loads(text))
    except ValueError as error:
        raise OperatorError(f"{source}: is not JSON: {error}") from None
    found = list(_outlines(document, document.data, ()))
    if not found:
        raise document.refuse((), "no outline", f"a FeatureCollection, Feature or geometry with a {_SHAPES}")
    return found


def lightened(outlines: Sequence[Outline], most_points: int) -> tuple[Outline, ...]:
    """Return the same outlines with at most so many points, or as few as closed lines can have."""
    points = [point for outline in outlines for ring in outline.rings for point in ring]
    spread = math.dist(*((min(axis), max(axis)) for axis in zip(*points, strict=True))) if points else 0.0
    tolerance, before = spread * _FINEST / 2, math.inf
    while True:
        found = tuple(_lighter(outline, tolerance) for outline in outlines)
        left = sum(len(ring) for outline in found for ring in outline.rings)
        if left <= most_points or (left == before and tolerance > spread):
            return found
        tolerance, before = tolerance * 1.5, left


def _lighter(outline: Outline, tolerance: float) -> Outline:
    rings = [tuple(simplified(ring, tolerance)) for ring in outline.rings]
    whole = [ring for ring in rings if len(ring) > 3]
    return Outline(outline.name, tuple(whole or sorted(rings, key=len)[-1:]))


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    files = sorted(file for file in path.iterdir() if file.suffix.lower() in {".geojson", ".json"})
    if not files:
        raise OperatorError(f"{path}: the folder holds no .geojson file")
    return files


def _read(path: Path) -> str:
    try:
        if path.stat().st_size > MOST_BYTES:
            limit = MOST_BYTES // 1024 // 1024
            raise OperatorError(f"{path}: is larger than {limit} MB; simplify it first, e.g. at mapshaper.org")
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise OperatorError(f"{path}: there is no such file") from None
    except UnicodeDecodeError:
        raise OperatorError(f"{path}: is not UTF-8, which GeoJSON has to be") from None
    except OSError as error:
        raise OperatorError(f"{path}: cannot be read: {error.strerror}") from error


def _outlines(document: Document, what: Any, where: Where, name: str = "") -> Iterator[Outline]:
    kind = what.get("type") if isinstance(what, dict) else None
    if kind == "FeatureCollection":
        for step, inner in enumerate(_listed(document, what.get("features"), (*where, "features"))):
            yield from _outlines(document, inner, (*where, "features", step))
    elif kind == "Feature":
        if what.get("geometry") is not None:
            yield from _outlines(document, what["geometry"], (*where, "geometry"), _name(what.get("properties")))
    elif kind == "GeometryCollection":
        for step, inner in enumerate(_listed(document, what.get("geometries"), (*where, "geometries"))):
            yield from _outlines(document, inner, (*where, "geometries", step), name)
    elif kind in ("Polygon", "MultiPolygon"):
        inside = (*where, "coordinates")
        parts = _listed(document, what.get("coordinates"), inside)
        rings = [parts] if kind == "Polygon" else [_listed(document, part, inside) for part in parts]
        yield Outline(name, tuple(_ring(document, ring, inside) for part in rings for ring in part))
    elif kind not in ("Point", "MultiPoint", "LineString", "MultiLineString"):
        raise document.refuse((*where, "type"), repr(kind), f"FeatureCollection, Feature, {_SHAPES}")


def _listed(document: Document, found: Any, where: Where) -> list[Any]:
    if not isinstance(found, list):
        raise document.refuse(where, type(found).__name__, "a list")
    return found


def _ring(document: Document, found: Any, where: Where) -> Ring:
    points = tuple(_point(document, each, where) for each in _listed(document, found, where))
    if len(points) < 4 or points[0] != points[-1]:
        raise document.refuse(
            where, f"a line of {len(points)} points", "closed lines: 4 points or more, the last the first"
        )
    return points


def _point(document: Document, found: Any, where: Where) -> Point:
    try:
        longitude, latitude = (float(each) for each in found[:2])
    except (TypeError, ValueError):
        raise document.refuse(where, repr(found)[:60], "[longitude, latitude] in degrees") from None
    if not (-180 <= longitude <= 180 and -90 <= latitude <= 90):
        allowed = "longitude -180 to 180, latitude -90 to 90; reproject the file to WGS 84 (EPSG:4326) first"
        raise document.refuse(where, f"[{longitude:g}, {latitude:g}]", allowed)
    return longitude, latitude


def _name(properties: Any) -> str:
    """Return the name under one of the keys that makers of such files use."""
    known = {str(key).lower(): value for key, value in properties.items()} if isinstance(properties, dict) else {}
    return next((str(known[key]).strip()[:80] for key in _NAMES if known.get(key)), "")
