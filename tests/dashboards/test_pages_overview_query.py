"""What somebody asks the overview for, and where the rest of the list is."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

from dashboards.pages.overview import totals_of
from dashboards.pages.overview_query import PAGE, OverviewQuery, districts_in, places_of, regions_in
from dashboards.pages.search import SearchIndex
from domain.episode import Severity
from domain.places import Facility
from tests.api.world import World


def _world() -> World:
    world = World(days=0)
    for number in range(2 * PAGE):
        world.add_facility(f"post-{number}", f"Post {number}", district=f"District {number % 3}")
    world.facilities.append(Facility("far", "Far", "Uganda", "Karamoja & more", "Moroto", "Africa/Kampala"))
    world._directory = None
    return world


def test_region_district_and_search_narrow_together() -> None:
    """Each leaves out more; order stays."""
    world = _world()
    statuses, index = world.statuses(), SearchIndex(world.directory())
    query = OverviewQuery("Rwenzori", "District 1", "post 1")
    found = query.chosen(statuses, index)
    expected = {each.id for each in world.facilities if each.district == "District 1"}
    assert {each.facility.id for each in found} == expected
    assert found == [each for each in statuses if each in found]
    assert len(OverviewQuery("", "", "post 99").chosen(statuses, index)) == 1
    assert OverviewQuery("Karamoja & more", "Kasese").chosen(statuses, None) == []
    assert OverviewQuery().chosen(statuses, None) == statuses


def test_choices_have_counts_and_districts_follow_the_region() -> None:
    """In the order of the alphabet."""
    places = places_of(_world().directory())
    assert regions_in(places) == (("Karamoja & more", 1), ("Rwenzori", 2 * PAGE + 3))
    assert districts_in(places, "Karamoja & more") == (("Moroto", 1),)
    assert districts_in(places, "Rwenzori")[-1] == ("Kasese", 3)
    assert len(districts_in(places, "")) == 5


def test_the_address_keeps_everything_asked_for() -> None:
    """Whatever stands in it."""
    query = OverviewQuery("Karamoja & more", "", "é=?#", 1)
    assert parse_qs(urlsplit(query.on(3).address).query) == {
        "region": ["Karamoja & more"], "q": ["é=?#"], "page": ["3"],
    }  # fmt: skip
    assert OverviewQuery().on(1).address == "/"


def test_pages_follow_each_other_without_a_gap() -> None:
    """Together they are the list."""
    statuses = _world().statuses()
    pages = [OverviewQuery(page=number).shown(statuses) for number in (1, 2, 3, 4)]
    assert [len(page) for page in pages] == [PAGE, PAGE, 4, 0]
    assert [each for page in pages for each in page] == statuses


def test_troubled_places_are_said_where_there_are_several() -> None:
    """Regions first, districts within one, and nothing where all trouble is in one place."""
    world = _world()
    assert OverviewQuery().troubled(world.statuses()) == ()
    for number in (1, 2, 4):
        world.raise_alert("heat", Severity.CRITICAL, f"post-{number}", f"post-{number}-gw", timedelta(hours=number))
    found = OverviewQuery("Rwenzori").troubled(world.statuses())
    assert {each.name: each.facilities for each in found} == {"District 1": 2, "District 2": 1, "Kasese": 1}
    assert OverviewQuery("Rwenzori", "District 1").troubled(world.statuses()) == ()
    assert found[0].address == "/?region=Rwenzori&district=District+1"


def test_counting_a_sorted_list_counts_every_facility() -> None:
    """Each status as often as it stands there."""
    world = World(copies=4)
    world.add_facility("bare", "Nothing measured here")
    world.nodes.clear()
    world._directory = None
    statuses = world.statuses()
    assert +totals_of(statuses) == Counter(each.overall for each in statuses)
    assert totals_of([]).total() == 0
