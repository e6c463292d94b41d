"""Writes countries.json, the outlines of all countries, from two packages of npm; run once, the result is committed.

    npm pack world-atlas@2.0.2 && tar xzf world-atlas-2.0.2.tgz --one-top-level=atlas
    npm pack i18n-iso-countries@7.14.0 && tar xzf i18n-iso-countries-7.14.0.tgz --one-top-level=names
    python -m dashboards.pages.outlines.convert atlas/package names/package

Source of the lines: Natural Earth, 1:10 million (public domain), as TopoJSON by world-atlas (ISC licence). Source of
the names: i18n-iso-countries (MIT licence). Borders are those of Natural Earth, which draws who governs; who needs
others drops a GeoJSON file in. Lines are simplified to a 220th of the side of a square as large as the country's
largest part, so that every country is drawn as finely as every other.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from dashboards.pages.outlines.shape import Point, Ring, encoded, plain_name
from dashboards.pages.outlines.simplify import simplified

LANGUAGES: Final = ("en", "fr", "es", "pt", "ar", "sw")
FINENESS: Final = 220
SPREAD: Final = 2000
"""Of countries of many small islands, their spread counts: no finer than this part of it."""
ISLANDS: Final = 12
"""As many of the largest parts are always there; further ones from a size that can be seen."""
WITHOUT_CODE: Final = {"Kosovo": "XK", "Somaliland": "Somaliland", "N. Cyprus": "Northern Cyprus"}


def convert(atlas: Path, names: Path) -> dict[str, object]:
    """Return what countries.json holds."""
    topology = json.loads((atlas / "countries-10m.json").read_text(encoding="utf-8"))
    codes = json.loads((names / "codes.json").read_text(encoding="utf-8"))
    by_number = {number: (two, three) for two, three, number, *_ in codes}
    languages = [json.loads((names / "langs" / f"{each}.json").read_text(encoding="utf-8")) for each in LANGUAGES]
    arcs = list(_arcs(topology))
    countries: dict[str, dict[str, object]] = {}
    # The largest first: of two with one code the later one is a remote dependency.
    shapes = [(each, _rings(each, arcs)) for each in topology["objects"]["countries"]["geometries"]]
    for shape, rings in sorted((each for each in shapes if each[1]), key=lambda each: -_area(each[1][0])):
        english = shape["properties"]["name"]
        two, three = by_number.get(shape.get("id", ""), (WITHOUT_CODE.get(english, ""), ""))
        if two and two not in countries:
            called = [english, three] + [name for each in languages for name in _listed(each["countries"].get(two))]
            plain = dict.fromkeys(plain_name(name) for name in called if name)
            countries[two] = {"names": list(plain), **_drawn(rings)}
    return dict(sorted(countries.items()))


def _listed(found: str | list[str] | None) -> list[str]:
    return [found] if isinstance(found, str) else found or []


def _arcs(topology: Mapping[str, Any]) -> Iterable[list[Point]]:
    (scale_x, scale_y), (left, bottom) = topology["transform"]["scale"], topology["transform"]["translate"]
    for arc in topology["arcs"]:
        x = y = 0
        line = []
        for dx, dy in arc:
            x, y = x + dx, y + dy
            line.append((x * scale_x + left, y * scale_y + bottom))
        yield line


def _rings(shape: Mapping[str, Any], arcs: Sequence[Sequence[Point]]) -> list[list[Point]]:
    """Return the closed lines of a country, the largest first."""
    parts = [shape["arcs"]] if shape["type"] == "Polygon" else shape.get("arcs", [])
    rings = []
    for number in (number for part in parts for number in part):
        ring: list[Point] = []
        for index in number:
            ring += arcs[index] if index >= 0 else arcs[~index][::-1]
        rings.append(ring)
    return sorted(rings, key=_area, reverse=True)


def _area(ring: Sequence[Point]) -> float:
    """Return the area in square degrees of latitude."""
    twice = sum(ax * by - bx * ay for (ax, ay), (bx, by) in zip(ring, [*ring[1:], ring[0]], strict=True))
    return abs(twice) / 2 * _narrowing(ring)


def _narrowing(ring: Sequence[Point]) -> float:
    return math.cos(math.radians(sum(y for _, y in ring) / len(ring)))


def _drawn(rings: Sequence[Sequence[Point]]) -> dict[str, object]:
    narrowing = _narrowing(rings[0])
    flat = [[(x * narrowing, y) for x, y in ring] for ring in rings]
    points = [point for ring in flat for point in ring]
    spread = math.dist(*zip(*((min(axis), max(axis)) for axis in zip(*points, strict=True)), strict=True))
    tolerance = max(math.sqrt(_area(rings[0])) / FINENESS, min(spread, 60) / SPREAD)
    step = float(f"{tolerance / 3:.1g}")
    kept = [ring for rank, ring in enumerate(flat) if rank < ISLANDS or _side(ring) > 6 * tolerance]
    lines: list[Ring] = [tuple((x / narrowing, y) for x, y in simplified(ring, tolerance)) for ring in kept]
    # A part that vanishes is an islet; a country that would vanish whole stays a dot of three corners.
    return {"step": step, "rings": [encoded(line, step) for line in lines if len(line) > 3 or line is lines[0]]}


def _side(ring: Sequence[Point]) -> float:
    twice = sum(ax * by - bx * ay for (ax, ay), (bx, by) in zip(ring, [*ring[1:], ring[0]], strict=True))
    return math.sqrt(abs(twice) / 2)


def main() -> None:
    """Write countries.json beside this file, one country a line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("atlas", type=Path)
    parser.add_argument("names", type=Path)
    arguments = parser.parse_args()
    countries = convert(arguments.atlas, arguments.names)
    lines = (
        f'"{code}":{json.dumps(what, ensure_ascii=False, separators=(",", ":"))}' for code, what in countries.items()
    )
    text = "{\n" + ",\n".join(lines) + "\n}\n"
    Path(__file__).with_name("countries.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
