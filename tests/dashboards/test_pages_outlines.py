"""Outlines: those of all countries, and an operator's own."""

from __future__ import annotations

import json
import math
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from dashboards.pages.geography import bounds_of
from dashboards.pages.outlines.geojson import MOST_BYTES, lightened, parse_outlines, read_outlines
from dashboards.pages.outlines.shape import Outline, decoded, encoded, plain_name
from dashboards.pages.outlines.shipped import COUNTRIES, country_code, shipped_outlines
from dashboards.pages.outlines.simplify import simplified
from dashboards.pages.outlines.source import outlines_from
from domain.errors import DocumentError, OperatorError

SQUARE = [[29.0, 0.0], [30.0, 0.0], [30.0, 1.0], [29.0, 1.0], [29.0, 0.0]]


def a_feature(name: str, *, rings: Any = None, kind: str = "Polygon") -> dict[str, Any]:
    """Return a feature of GeoJSON."""
    geometry = {"type": kind, "coordinates": [SQUARE] if rings is None else rings}
    return {"type": "Feature", "properties": {"NAME": name}, "geometry": geometry}


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("Uganda", "UG"), ("uganda ", "UG"), ("UG", "UG"), ("uga", "UG"), ("Ouganda", "UG"),
        ("Côte d’Ivoire", "CI"), ("Cote d'Ivoire", "CI"), ("Tanzania", "TZ"), ("The Gambia", "GM"),
        ("Democratic Republic of the Congo", "CD"), ("Viet Nam", "VN"), ("VN", "VN"), ("Kosovo", "XK"),
        ("Atlantis", ""), ("", ""),
    ],
)  # fmt: skip
def test_a_country_is_found_as_people_write_it(said: str, code: str) -> None:
    """By ISO code or name, whatever its capitals and accents."""
    assert country_code(said) == code


def test_every_country_is_there_where_it_lies_and_the_file_is_small() -> None:
    """All of them are closed lines on the globe; Uganda is between its neighbours."""
    assert COUNTRIES.stat().st_size < 300_000
    known = json.loads(COUNTRIES.read_text(encoding="utf-8"))
    assert len(known) > 235
    for outline in shipped_outlines(list(known)):
        assert outline.rings
        for ring in outline.rings:
            assert all(-180.5 <= x <= 180.5 and -90.5 <= y <= 90.5 for x, y in ring)
            assert math.dist(ring[0], ring[-1]) < 0.5
    (uganda,) = shipped_outlines(["Uganda", "UG"])
    box = bounds_of([point for ring in uganda.rings for point in ring])
    assert box is not None
    assert (box.west, box.south, box.east, box.north) == pytest.approx((29.6, -1.5, 35.0, 4.2), abs=0.1)


def test_a_ring_is_read_as_it_was_written() -> None:
    """To the step, whichever way its lines lead."""
    ring = ((29.5, -1.25), (-0.5, 30.0), (179.99, -89.0), (0.0, 0.0), (29.5, -1.25))
    for found, given in zip(decoded(encoded(ring, 0.01), 0.01), ring, strict=True):
        assert found == pytest.approx(given)
    assert encoded(((0.0, 0.0), (0.01, -0.01)), 0.01) == "AACB"


def test_a_simplified_line_stays_within_its_tolerance() -> None:
    """What is straight loses its points, what is not keeps them."""
    wave = [(x / 100, math.sin(x / 100)) for x in range(629)]
    found = simplified(wave, 0.01)
    assert (found[0], found[-1]) == (wave[0], wave[-1])
    assert len(found) < 40
    for x, y in wave:
        (ax, ay), (bx, by) = next(pair for pair in pairwise(found) if pair[0][0] <= x <= pair[1][0])
        assert abs(ay + (by - ay) * (x - ax) / (bx - ax) - y) < 0.02
    assert simplified([(0.0, 0.0), (1.0, 0.0), (2.0, 0.0)], 0.001) == [(0.0, 0.0), (2.0, 0.0)]


def test_own_districts_are_read_with_their_names(tmp_path: Path) -> None:
    """A collection, from a file with a byte order mark or a folder of files; points among them are left out."""
    point = {"type": "Feature", "properties": {}, "geometry": {"type": "Point", "coordinates": [1, 2]}}
    collection = {"type": "FeatureCollection", "features": [a_feature("Kasese"), point]}
    (tmp_path / "a.geojson").write_text("\ufeff" + json.dumps(collection), encoding="utf-8")
    many = a_feature("Islands", rings=[[SQUARE], [SQUARE]], kind="MultiPolygon")
    (tmp_path / "b.geojson").write_text(json.dumps(many), encoding="utf-8")
    (tmp_path / "notes.txt").write_text("not read", encoding="utf-8")
    found = outlines_from(tmp_path)(["Uganda"])
    assert [(each.name, len(each.rings)) for each in found] == [("Kasese", 1), ("Islands", 2)]
    assert found[0].rings[0][1] == (30.0, 0.0)
    assert [each.name for each in read_outlines(tmp_path / "a.geojson")] == ["Kasese"]


def test_without_a_file_the_country_is_drawn() -> None:
    """The default needs no setting."""
    assert outlines_from(None)(["Uganda"]) == shipped_outlines(["UG"])


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ({"type": "Topology"}, r"d\.geojson:1:1: type: found 'Topology'; allowed: FeatureCollection"),
        ([], "found None; allowed: FeatureCollection"),
        ({"type": "FeatureCollection", "features": {}}, "features: found dict; allowed: a list"),
        ({"type": "FeatureCollection", "features": []}, "found no outline; allowed: a FeatureCollection"),
        (a_feature("x", rings=[SQUARE[:3]]), r"geometry\.coordinates: found a line of 3 points; allowed: closed lines"),
        (a_feature("x", rings=[SQUARE[:4]]), "a line of 4 points; allowed: closed lines"),
        (
            a_feature("x", rings=[[[500000, 100000]] * 4]),
            r"allowed: .* reproject the file to WGS 84",
        ),
        (a_feature("x", rings=[[["a", "b"]] * 4]), r"allowed: \[longitude, latitude\] in degrees"),
        (a_feature("x", rings=[[[float("nan"), 1]] * 4]), "allowed: longitude -180 to 180"),
        (a_feature("x", rings=7), "found int; allowed: a list"),
    ],
)
def test_what_cannot_be_drawn_is_refused_with_its_place(what: Any, said: str, tmp_path: Path) -> None:
    """The operator learns where it stands and what is allowed."""
    with pytest.raises(DocumentError, match=said):
        parse_outlines(json.dumps(what), "d.geojson")


def test_files_that_cannot_be_read_are_refused_in_a_sentence(tmp_path: Path) -> None:
    """Missing, empty, not JSON, not text, too large."""
    (tmp_path / "words.geojson").write_text("districts", encoding="utf-8")
    (tmp_path / "bytes.geojson").write_bytes(b"\xff\xfe{}")
    with (tmp_path / "large.geojson").open("wb") as large:
        large.truncate(MOST_BYTES + 1)
    (tmp_path / "empty").mkdir()
    for name, said in (
        ("absent.geojson", "there is no such file"),
        ("words.geojson", "is not JSON"),
        ("bytes.geojson", "is not UTF-8"),
        ("large.geojson", "larger than 16 MB; simplify it first"),
        ("empty", "holds no .geojson file"),
    ):
        with pytest.raises(OperatorError, match=said):
            read_outlines(tmp_path / name)


def test_a_fine_outline_is_lightened_until_a_page_can_carry_it() -> None:
    """The shape stays; a district that cannot lose more stays a closed line."""
    circle = [(math.cos(turn / 5000 * math.tau), math.sin(turn / 5000 * math.tau)) for turn in range(5000)]
    ring = (*circle, circle[0])
    islets = [
        Outline(str(number), (((number, 5.0), (number + 0.1, 5.0), (number, 5.1), (number, 5.0)),))
        for number in range(9)
    ]
    found = lightened([Outline("round", (ring,)), *islets], 150)
    assert sum(len(each) for outline in found for each in outline.rings) <= 150
    assert [outline.name for outline in found] == ["round", *map(str, range(9))]
    assert all(each[0] == each[-1] for outline in found for each in outline.rings)
    assert all(math.hypot(*point) == pytest.approx(1, abs=0.01) for point in found[0].rings[0])


def test_names_are_compared_as_people_mean_them() -> None:
    """Accents, stops and articles make no difference."""
    assert plain_name("The  Côte-d’Ivoire.") == plain_name("cote d'ivoire")
