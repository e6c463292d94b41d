"""The map: what is shown of a country, what stands together, and where each mark leads."""

from __future__ import annotations

import dataclasses
import math
import random
import re
from collections.abc import Sequence

import pytest

from dashboards.pages.clusters import CELL, clustered
from dashboards.pages.geography import (
    SMALLEST_DEGREES,
    WIDTH,
    Bounds,
    bounds_of,
    parse_bounds,
    projection,
    seam,
    unrolled,
)
from dashboards.pages.map import MapPage, MapQuery, drawn, lay_out, letters, map_page
from dashboards.pages.map_drawing import draw, scene
from dashboards.pages.map_marks import MOST_LISTED
from dashboards.pages.outlines.shape import Outline
from dashboards.pages.outlines.shipped import shipped_outlines
from dashboards.pages.status import FacilityStatus, Status
from dashboards.pages.words import ENGLISH, Words
from domain.places import Facility

NOW_MS = 1_790_000_000_000
UGANDA = shipped_outlines(["Uganda"])
SQUARE = Outline("Square", (((0.0, 0.0), (10.0, 0.0), (10.0, 10.0), (0.0, 10.0), (0.0, 0.0)),))


def a_status(
    id_: str,
    place: tuple[float, float] | None = None,
    overall: Status = Status.OK,
    region: str = "North",
    district: str = "Gulu",
) -> FacilityStatus:
    """Return how one facility is; ``place`` is longitude and latitude."""
    longitude, latitude = place or (None, None)
    facility = Facility(id_, id_.title(), "Uganda", region, district, "UTC", latitude, longitude)
    return FacilityStatus(facility, overall, (), None, 0, None)


def a_map(*statuses: FacilityStatus, query: MapQuery | None = None) -> MapPage:
    """Return the map of Uganda with these facilities."""
    worst_first = sorted(statuses, key=lambda each: each.overall.rank)
    return page_of(worst_first, UGANDA, query or MapQuery())


def page_of(worst_first: Sequence[FacilityStatus], outlines: Sequence[Outline], query: MapQuery) -> MapPage:
    """Return the page in its three steps."""
    layout = lay_out(worst_first, outlines, query)
    return map_page(layout, drawn(layout, query, ENGLISH), query, NOW_MS, ENGLISH)


def test_a_view_is_shown_whole_and_in_its_proportions() -> None:
    """A degree north is as long as a degree east times the cosine of the latitude, and nothing is cut off."""
    view = Bounds(20, 58, 30, 62)
    shown = projection(view)
    for corner in ((20, 58), (30, 58), (20, 62), (30, 62)):
        x, y = shown.place(*corner)
        assert 0 < x < WIDTH
        assert 0 < y < shown.height
    (x, y), (east, _), (_, north) = shown.place(25, 60), shown.place(26, 60), shown.place(25, 61)
    assert (x, y) == pytest.approx((WIDTH / 2, shown.height / 2))
    assert (east - x) / (y - north) == pytest.approx(math.cos(math.radians(60)))


@pytest.mark.parametrize("text", ["", "1,2,3", "a,b,c,d", "10,0,5,1", "0,5,1,4", "0,0,1,91", "nan,0,1,1", "0,0,inf,1"])
def test_a_box_that_is_none_is_refused_with_an_example(text: str) -> None:
    """Whoever wrote the address learns what is allowed."""
    with pytest.raises(ValueError, match=r"west,south,east,north in degrees, e\.g\. 29\.5,-1\.5,35,4\.2"):
        parse_bounds(text)


def test_a_box_is_read_as_it_is_written() -> None:
    """The address of a view leads to that view."""
    box = Bounds(29.5, -1.25, 35.0, 4.2)
    assert parse_bounds(str(box)) == box


def test_what_crosses_the_date_line_stays_in_one_piece() -> None:
    """Fiji is drawn as wide as it is, not as wide as the globe."""
    fiji = scene(shipped_outlines(["FJ"]), [(179.5, -16.5), (-179.5, -16.8)])
    assert fiji.whole is not None
    assert fiji.whole.width < 8
    assert fiji.places[1][0] - fiji.places[0][0] == pytest.approx(1.0)


@pytest.mark.parametrize(("longitudes", "expected"), [([], -180), ([10, 20], -180), ([-179, 179], 179), ([5], -180)])
def test_the_seam_lies_in_the_widest_gap(longitudes: list[float], expected: float) -> None:
    """Where nothing is, nothing is cut."""
    start = seam(longitudes)
    assert start == expected
    moved = [unrolled(each, start) for each in longitudes]
    assert max(moved, default=0) - min(moved, default=0) <= 180


@pytest.mark.parametrize("seed", range(5))
def test_no_mark_touches_another_and_none_is_lost(seed: int) -> None:
    """Every place is in one mark; marks stand a cell apart; the mark of the first place comes first."""
    chance = random.Random(seed)
    places = [(chance.uniform(0, 600), chance.gauss(300, 90)) for _ in range(chance.choice((1, 60, 3000)))]
    marks = clustered(places)
    assert sorted(number for mark in marks for number in mark.members) == list(range(len(places)))
    assert 0 in marks[0].members
    for number, mark in enumerate(marks):
        for other in marks[number + 1 :]:
            assert math.dist((mark.x, mark.y), (other.x, other.y)) >= CELL


def test_equal_places_give_equal_marks_whatever_else_moves() -> None:
    """An open page that is drawn again shows its marks where they were."""
    places = [(10.0, 10.0), (12.0, 14.0), (300.0, 300.0)]
    assert clustered(places) == clustered(list(places))
    assert clustered([*places, (500.0, 20.0)])[:2] == clustered(places)


def test_a_lone_facility_and_its_line_lead_to_each_other() -> None:
    """The mark names the facility and its state, and leads to the list; the line there leads back."""
    page = a_map(a_status("gulu", (32.3, 2.8), Status.CRITICAL), a_status("mbale", (34.2, 1.1)))
    mark, row = page.sheet.marks[0], page.rows[0]
    assert (mark.label, mark.address, mark.id) == ("Gulu: Needs help", "#at-gulu", row.mark)
    assert (row.anchor, row.id) == ("at-gulu", "gulu")


def test_facilities_near_each_other_are_one_mark_with_the_worst_state() -> None:
    """It says how many, and leads to a view in which they stand apart."""
    one, other = a_status("a", (32.3, 2.8), Status.CRITICAL), a_status("b", (32.31, 2.81))
    page = a_map(one, other, a_status("c", (30.1, -0.9)), a_status("d", (34.5, 4.0)))
    mark = page.sheet.marks[0]
    assert (mark.count, mark.status) == (2, Status.CRITICAL)
    assert mark.label == "2 facilities, 1 of them: Needs help"
    nearer = a_map(one, other, query=MapQuery(view=parse_bounds(mark.address.removeprefix("/map?bbox="))))
    assert [each.count for each in nearer.sheet.marks] == [1, 1]
    assert {row.mark for row in page.rows[:1]} == {mark.id}


def test_facilities_at_one_place_lead_to_the_list_when_no_view_is_nearer() -> None:
    """There is no endless way inward."""
    place = (32.3, 2.8)
    near = Bounds(place[0], place[1], place[0], place[1]).grown(0)
    page = a_map(a_status("a", place), a_status("b", place), query=MapQuery(view=near))
    assert near.height == pytest.approx(SMALLEST_DEGREES)
    assert page.sheet.marks[0].address == "#at-a"


def test_ten_thousand_facilities_are_few_marks_and_a_short_list() -> None:
    """The page stays light: the worst are listed, and every mark leads to something."""
    chance = random.Random(1)
    many = [
        a_status(f"f{number}", (chance.uniform(29.6, 35), chance.uniform(-1.4, 4.2)), chance.choice(list(Status)))
        for number in range(10_000)
    ]
    page = a_map(*many)
    assert len(page.sheet.marks) < 200
    assert sum(mark.count for mark in page.sheet.marks) == 10_000
    assert page.left_out == 10_000 - len(page.rows)
    assert {row.overall for row in page.rows[:MOST_LISTED]} == {Status.CRITICAL}
    anchors = {row.anchor for row in page.rows}
    assert all(mark.address[1:] in anchors for mark in page.sheet.marks if mark.address.startswith("#"))


def test_a_region_or_district_is_shown_near_and_alone() -> None:
    """Choosing keeps the choice in every address of the page."""
    statuses = [
        a_status("a", (30.0, 0.2), region="West", district="Kasese"),
        a_status("b", (30.4, 0.4), region="West", district="Kabarole"),
        a_status("c", (33.0, 3.0), region="North", district="Kitgum"),
    ]
    page = a_map(*statuses, query=MapQuery(region="West"))
    assert {row.id for row in page.rows} == {"a", "b"}
    assert (page.title, page.regions, page.districts) == ("Map of West", ("North", "West"), ("Kabarole", "Kasese"))
    assert page.sheet.farther.startswith("/map?region=West&bbox=")
    assert page.sheet.canvas is not None
    assert page.sheet.canvas.locator is not None
    assert page.sheet.canvas.projection.bounds.width < 2
    assert not a_map(*statuses, query=MapQuery(region="West", district="Kitgum")).rows


def test_facilities_without_coordinates_are_listed_and_counted() -> None:
    """Nobody is left out because a number is missing."""
    half = a_status("half", (32.0, 1.0))
    half = dataclasses.replace(half, facility=dataclasses.replace(half.facility, latitude=None))
    page = a_map(a_status("a", (32.3, 2.8)), a_status("lost", None, Status.CRITICAL), half)
    assert [row.id for row in page.unplaced] == ["lost", "half"]
    assert page.unplaced_sentence == "2 facilities have no coordinates."
    assert [row.id for row in page.rows] == ["a"]


def test_facilities_outside_of_the_outline_show_and_far_ones_are_told_apart() -> None:
    """One across the border is drawn; one in the sea off Africa, at 0, 0, does not shrink the country to a dot."""
    page = a_map(a_status("inside", (32.3, 2.8)), a_status("across", (36.5, 1.0)), a_status("nowhere", (0.0, 0.0)))
    assert {row.id for row in page.rows} == {"inside", "across"}
    assert [row.id for row in page.unplaced] == ["nowhere"]
    assert page.unplaced_sentence == "1 facility lies so far off that its coordinates must be wrong."


def test_without_an_outline_facilities_are_drawn_by_themselves() -> None:
    """A country that nobody knows still has places; without places nothing is drawn, and the list is there."""
    page = page_of([a_status("a", (1.0, 1.0)), a_status("b", (2.0, 2.0))], (), MapQuery())
    assert [mark.count for mark in page.sheet.marks] == [1, 1]
    assert page.sheet.canvas is not None
    assert page.sheet.canvas.land == ()
    empty = page_of([a_status("a")], (), MapQuery())
    assert empty.sheet.canvas is None
    assert [row.id for row in empty.unplaced] == ["a"]


def test_facilities_in_a_corner_of_the_country_are_shown_near() -> None:
    """A district's service opens on the district, with the country small in the corner."""
    page = a_map(a_status("a", (30.0, 0.2)), a_status("b", (30.1, 0.3)))
    assert page.sheet.canvas is not None
    assert page.sheet.canvas.locator is not None
    assert len(page.sheet.marks) == 2
    whole = a_map(a_status("a", (30.0, 0.2)), a_status("b", (33.9, 3.5)))
    assert whole.sheet.canvas is not None
    assert (whole.sheet.canvas.locator, whole.sheet.whole) == (None, "")


def test_the_outline_is_drawn_where_it_lies() -> None:
    """A square on the equator becomes a square path, closed; its name is written in its middle."""
    canvas = draw(scene([SQUARE], []), Bounds(0, 0, 10, 10))
    numbers = [int(each) for each in re.findall(r"-?\d+", canvas.land[0])]
    assert canvas.land[0].endswith("z")
    assert bounds_of([(numbers[0], numbers[1])]) is not None
    side = WIDTH - 60
    assert numbers[2] == pytest.approx(side, abs=12)
    assert [label.text for label in canvas.labels] == ["Square"]
    assert (canvas.labels[0].x, canvas.labels[0].y) == (WIDTH // 2, canvas.projection.height // 2)


def test_each_status_has_a_letter_of_its_own_in_every_language() -> None:
    """The first of its word that no worse status has."""
    assert letters(ENGLISH) == {
        Status.CRITICAL: "N",
        Status.SILENT: "S",
        Status.WARNING: "A",
        Status.OK: "O",
        Status.NOT_MONITORED: "–",
    }
    for said in ("Same", "", "١٢"):
        found = letters(Words(gettext=lambda _, said=said: said))  # type: ignore[misc]
        assert len(set(found.values())) == len(Status)
