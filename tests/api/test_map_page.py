"""The map over HTTP: drawn for whoever looks, light for a nation, and honest about what it cannot show."""

from __future__ import annotations

import gzip
import re

import httpx
import pytest

from api.create import create_api
from dashboards.pages.outlines.geojson import parse_outlines
from domain.access import Grant, Principal, Role
from domain.places import EquipmentKind, Place
from tests.api.test_api_pages import FIRST_VIEW_BYTES, HTML, Reader
from tests.api.world import World

SQUARE = "[[29,-1],[31,-1],[31,1],[29,1],[29,-1]]"
DISTRICT = f"""{{"type": "Feature", "properties": {{"name": "<Kasese>"}},
"geometry": {{"type": "Polygon", "coordinates": [{SQUARE}]}}}}"""


def client_of(world: World, **more: object) -> httpx.AsyncClient:
    """Return a client of a world's pages."""
    transport = httpx.ASGITransport(create_api(world.services(**more)))
    return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1")


async def test_marks_and_lines_of_the_list_lead_to_each_other(client: httpx.AsyncClient) -> None:
    """Every address on the page that stays on the page leads to something there."""
    page = Reader((await client.get("/map?bbox=29.7,0,30.2,0.3")).text)
    ids = {attributes["id"] for _, attributes in page.tags if "id" in attributes}
    inside = [each[1:] for each in page.links() if each.startswith("#") and not each.startswith(("#i-", "#m-"))]
    assert set(inside) <= ids
    assert {"at-kasese-hc3", "on-kasese-hc3"} <= set(inside)
    labels = [attributes["aria-label"] for tag, attributes in page.tags if tag == "a" and "aria-label" in attributes]
    assert labels[0] == "Kasese Health Centre III: Needs help"
    assert "1 of 3 facilities in sight needs help." in page.text


async def test_a_status_is_told_by_shape_and_letter(client: httpx.AsyncClient) -> None:
    """The legend shows each letter beside its word; a mark uses the shape of its state."""
    text = (await client.get("/map?bbox=29.7,0,30.2,0.3")).text
    symbols = re.findall(r'<symbol id="m-(\w+)".*?class="letter[^"]*">(.)</text>', text)
    assert symbols == [("critical", "N"), ("silent", "S"), ("warning", "A"), ("ok", "O"), ("not_monitored", "–")]
    mark = re.search(r'<a id="on-bwera-hospital".*?</a>', text)
    assert mark is not None
    assert 'href="#m-silent"' in mark[0]


async def test_a_part_of_the_map_is_a_fragment(client: httpx.AsyncClient) -> None:
    """An open map replaces the drawing and the list, not the form in which somebody chooses."""
    part = Reader((await client.get("/map", params={"part": "live"})).text)
    live = [attributes["id"] for _, attributes in part.tags if "data-live" in attributes]
    assert live == ["waiting", "headline", "map", "places", "updated"]
    assert not {"select", "header"} & {tag for tag, _ in part.tags}


@pytest.mark.parametrize("box", ["1,2,3", "30,0,29,1", "x"])
async def test_a_box_that_is_none_is_an_error_page(client: httpx.AsyncClient, box: str) -> None:
    """It says what to write."""
    answer = await client.get("/map", params={"bbox": box}, headers=HTML)
    assert answer.status_code == 422
    assert "bbox has to be west,south,east,north in degrees" in answer.text


async def test_a_view_far_from_everything_is_an_empty_map(client: httpx.AsyncClient) -> None:
    """With the way back."""
    page = Reader((await client.get("/map?bbox=100,0,101,1")).text)
    assert "No facility is in sight." in page.text
    assert any(each.startswith("/map?bbox=29.") for each in page.links())


async def test_somebody_sees_the_facilities_that_are_theirs(world: World) -> None:
    """Also in what can be chosen."""
    world.add_facility("gulu", "Gulu Hospital", district="Gulu", place=(2.77, 32.3))
    amina = Principal("user:amina", "Amina", frozenset({Grant(Role.VIEWER, Place(district="Gulu"))}))

    async def recognise(_: object) -> Principal:
        return amina

    transport = httpx.ASGITransport(create_api(world.services(), recognise=recognise))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        text = (await client.get("/map")).text
    assert "Gulu Hospital" in text
    assert "Kasese" not in text


async def test_own_districts_are_drawn_with_their_names(world: World) -> None:
    """Escaped, as every name."""
    own = parse_outlines(DISTRICT, "d.geojson")
    async with client_of(world, outlines=lambda _: own) as client:
        text = (await client.get("/map?bbox=29,-1,31,1")).text
    assert ">&lt;Kasese&gt;</text>" in text
    assert re.search(r'<g class="land" aria-hidden="true"><path d="M[^"]*z"/></g>', text)


async def test_ten_thousand_facilities_are_a_light_page() -> None:
    """Each view of it, with style and script, within the weight of a first view."""
    world = World(days=0)
    for number in range(10_000):
        latitude = None if number % 50 == 7 else -1.4 + 5.5 * (number * 0.618 % 1)
        place = (latitude, 29.6 + 5.3 * (number * 0.755 % 1))
        world.add_facility(f"hc/{number}", f"Health Post {number}", f"District {number % 150}", place=place)
        if number % 3 == 0:
            world.add_channel(f"hc/{number}", EquipmentKind.FRIDGE, "Fridge", "temperature")
    async with client_of(world) as client:
        static = [each for each in Reader((await client.get("/map")).text).links() if each.startswith("/static/")]
        beside = sum([len(gzip.compress((await client.get(each)).content, 6)) for each in static])
        for path in ("/map", "/map?bbox=30,0,31,1", "/map?district=District+7"):
            answer = await client.get(path)
            assert len(gzip.compress(answer.content, 6)) + beside <= FIRST_VIEW_BYTES
        assert "200 facilities have no coordinates." in (await client.get("/map")).text
