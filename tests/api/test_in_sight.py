"""What somebody who has a role in some places sees of alerting there, and may do."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import AsyncIterator, Mapping
from itertools import product
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.changes import Change
from api.events import Listener
from api.sight import narrowed, services_for
from dashboards.pages.overview_query import places_of
from dashboards.pages.search import index_of
from domain.access import Grant, Principal, Role
from domain.instant import format_rfc3339
from domain.places import Facility, Place
from tests.api.test_api_pages import HTML, Reader
from tests.api.two_districts import FAR, MARK, NEAR, NEAR_ALERT, NEXT, NEXT_ALERT, TOLD_NEAR, Districts, two_districts
from tests.api.world import World

API = "/api/v1"
KASESE = Place("Uganda", "West", "Kasese")
OWN = {"sec-fetch-site": "same-origin"}


@pytest.fixture
async def districts(tmp_path: Path) -> AsyncIterator[Districts]:
    """Give two districts on a fresh file."""
    async with two_districts(f"{tmp_path}/vitals.db") as both:
        yield both


def sign_in(districts: Districts, *grants: Grant) -> None:
    """Let Grace ask from now on."""
    districts.principal = Principal("user:grace", "Grace", frozenset(grants))


async def read(districts: Districts, path: str, **params: Any) -> Any:
    """Return what the API answers."""
    answer = await districts.client.get(f"{API}{path}", params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def announce(districts: Districts, **place: str) -> httpx.Response:
    """Announce maintenance."""
    said = {"reason": "works", "start": format_rfc3339(districts.judge.now), "rule": "another", **place}
    return await districts.client.post(f"{API}/silences", json=said)


async def test_incidents_are_those_of_ones_own_places(districts: Districts) -> None:
    """Everybody else's are not there, asked for by name or not."""
    sign_in(districts, Grant(Role.VIEWER, Place(facility=NEAR)))
    assert [each["facility"] for each in (await read(districts, "/incidents"))["incidents"]] == [NEAR]
    assert (await read(districts, "/incidents", facility=NEXT))["incidents"] == []


async def test_silences_that_hold_here_are_listed_with_those_that_reach_beyond(districts: Districts) -> None:
    """One for the whole country explains why nobody was told here, too."""
    sign_in(districts, Grant(Role.VIEWER, Place(facility=NEAR)))
    assert [each["reason"] for each in (await read(districts, "/silences"))["silences"]] == ["works", "all", "more"]
    sign_in(districts, Grant(Role.VIEWER, Place(facility=NEXT)))
    assert [each["reason"] for each in (await read(districts, "/silences"))["silences"]] == ["all"]


@pytest.mark.parametrize(
    ("place", "status"),
    [
        ({"facility": NEAR}, 201),
        ({"district": "Kasese"}, 201),
        ({"equipment": f"{NEXT}/fridge-0"}, 201),
        ({"facility": FAR}, 403),
        ({"facility": NEAR, "district": "Zebraland"}, 403),
        ({"equipment": f"{FAR}/fridge-0"}, 403),
        ({"equipment": f"{FAR}/fridge-0", "facility": NEAR}, 403),
        ({"country": "Uganda"}, 403),
        ({}, 403),
        ({"facility": "nowhere"}, 403),
    ],
)
async def test_maintenance_is_announced_for_what_one_manages(
    districts: Districts, place: Mapping[str, str], status: int
) -> None:
    """Signed by whoever is signed in; for anything that reaches beyond it is refused."""
    sign_in(districts, Grant(Role.MANAGER, KASESE))
    answer = await announce(districts, **place)
    assert answer.status_code == status, answer.text
    if status == 201:
        assert answer.json()["created_by"] == "Grace"


async def test_maintenance_is_taken_back_by_who_manages_all_of_it(districts: Districts) -> None:
    """One that reaches beyond is seen and refused, one elsewhere is not there."""
    sign_in(districts, Grant(Role.MANAGER, KASESE))
    by_number = {}
    for number in (1, 2, 3):
        answer = await districts.client.delete(f"{API}/silences/{number}", headers=OWN)
        by_number[number] = int(answer.status_code)
    assert by_number == {1: 204, 2: 404, 3: 403}


async def test_the_inbox_tells_of_ones_own_places_only(districts: Districts) -> None:
    """What somebody wrote who answers for others as well is shown where it is about alerts here."""
    sign_in(districts, Grant(Role.MANAGER, KASESE))
    assert tuple(each["text"] for each in (await read(districts, "/inbox"))["texts"]) == TOLD_NEAR
    first = await read(districts, "/inbox", limit=1)
    assert [each["text"] for each in first["texts"]] == [TOLD_NEAR[0]]
    rest = await read(districts, "/inbox", limit=1, before=first["next"])
    assert ([each["text"] for each in rest["texts"]], rest["next"]) == ([TOLD_NEAR[1]], None)


async def test_telephone_numbers_in_the_history_are_for_managers(districts: Districts) -> None:
    """Of what was answered by telephone others see the end of the number."""
    for role, shown in ((Role.TECHNICIAN, False), (Role.MANAGER, True)):
        sign_in(districts, Grant(role, KASESE))
        entries = (await read(districts, f"/alerts/{NEXT_ALERT}/history"))["entries"]
        said = " ".join(f"{each['origin']} {each['detail']}" for each in entries)
        assert ("sms +256700000002" in said, "0700 000 002" in said) == (shown, shown)
        assert ("…002" in said) is not shown


async def test_who_looks_is_offered_nothing_to_do(districts: Districts) -> None:
    """No button on any page and no action in the API; where the same person is a technician there are both."""
    for role, offered in ((Role.VIEWER, False), (Role.TECHNICIAN, True)):
        sign_in(districts, Grant(role, Place(facility=NEAR)), Grant(Role.VIEWER, KASESE))
        for path in (f"/alerts/{NEAR_ALERT}", "/alerts", f"/facilities/{NEAR}"):
            assert deeds_on(await districts.client.get(path, headers=HTML)) is offered, path
        assert bool((await read(districts, f"/alerts/{NEAR_ALERT}"))["allowed_actions"]) is offered
        assert (await read(districts, f"/alerts/{NEXT_ALERT}"))["allowed_actions"] == []
        assert not deeds_on(await districts.client.get(f"/alerts/{NEXT_ALERT}", headers=HTML))


def deeds_on(answer: httpx.Response) -> bool:
    """Tell whether a page has a form about an alert."""
    tags = Reader(answer.text).tags
    return any(tag == "form" and (attrs["action"] or "").startswith("/alerts/") for tag, attrs in tags)


async def test_a_deed_is_signed_by_who_is_signed_in(districts: Districts) -> None:
    """Whatever name a form or document brings along."""
    sign_in(districts, Grant(Role.TECHNICIAN, KASESE))
    await districts.client.post(f"/alerts/{NEAR_ALERT}/acknowledge", data={"by": "Mallory"}, headers=OWN)
    found = await districts.judge.store.audit(NEAR_ALERT)
    assert [each.who for each in found if each.what == "acknowledged"] == ["Grace"]
    assert "user:grace" in next(each.origin for each in found if each.what == "acknowledged")


async def test_measures_are_of_ones_own_place_unless_a_smaller_one_is_named(districts: Districts) -> None:
    """The district's manager gets the district's; for more they are refused."""
    sign_in(districts, Grant(Role.MANAGER, KASESE))
    own = await read(districts, "/measures")
    assert (own["raised"], own["place"]["district"]) == (2, "Kasese")
    assert (await read(districts, "/measures", facility=NEAR))["raised"] == 1
    for place, status in (({"country": "Uganda"}, 403), ({"district": "Zebraland"}, 422), ({"facility": FAR}, 422)):
        assert (await districts.client.get(f"{API}/measures", params=place)).status_code == status
    sign_in(districts, Grant(Role.VIEWER, Place(facility=NEAR)), Grant(Role.VIEWER, Place(facility=FAR)))
    assert (await read(districts, "/measures"))["raised"] == 2


async def test_who_is_on_call_is_known_where_others_stand_in(districts: Districts) -> None:
    """Those whom the chain of a place names are shown, whatever places they answer for themselves."""
    sign_in(districts, Grant(Role.VIEWER, Place(facility=NEAR)))
    found = await read(districts, "/on-call", facility=NEAR, severity="warning")
    assert [[each["contact"] for each in step["people"]] for step in found["steps"]] == [["amina"], ["joseph"]]


async def test_a_roster_is_changed_by_who_manages_all_that_it_is_for(districts: Districts) -> None:
    """A facility's manager sees the district's roster and cannot change it."""
    sent: dict[str, Any] = {"content": b"BEGIN:VCALENDAR", "headers": {"content-type": "text/calendar"}}
    for place, roster, status in (
        (KASESE, "near-duty", 200),
        (KASESE, "wide-duty", 403),
        (Place(facility=NEAR), "near-duty", 403),
        (KASESE, "far-duty", 404),
    ):
        sign_in(districts, Grant(Role.MANAGER, place))
        answer = await districts.client.put(f"{API}/rosters/{roster}.ics", **sent)
        assert answer.status_code == status, (place, roster)
    assert districts.taken == ["near-duty"]


async def test_a_stream_tells_of_what_is_in_sight_and_ends_with_the_session() -> None:
    """Changes elsewhere are kept from it; a session that is over ends it at a heartbeat, however busy it is."""
    listener, asked = Listener(None, {NEAR}.__contains__), iter((True, True, False))

    async def happen() -> None:
        while True:
            listener.offer(Change(FAR, b"elsewhere"))
            listener.offer(Change(NEAR, b"here"))
            await asyncio.sleep(0.005)

    async def goes_on() -> bool:
        return next(asked)

    happening = asyncio.create_task(happen())
    async with asyncio.timeout(30):
        frames = {each async for each in listener.frames(0.1, goes_on)}
    happening.cancel()
    assert next(asked, "spent") == "spent"
    assert b"here" in frames
    assert b"elsewhere" not in frames


async def test_a_stream_of_a_facility_out_of_sight_is_not_there(districts: Districts) -> None:
    """As if there were no such facility; and an open one ends when the grants change."""
    sign_in(districts, Grant(Role.VIEWER, KASESE))
    assert (await districts.client.get(f"{API}/events", params={"facility": FAR})).status_code == 404
    answer = await districts.client.get(f"{API}/events")
    assert answer.text.startswith("retry:")
    assert MARK not in answer.text


COUNTRIES, REGIONS, DISTRICTS = ("U", "K"), ("N", "S"), ("A", "B")
FACILITIES = [
    Facility(f"{country}{region}{district}{number}", "x", country, region, district)
    for country, region, district, number in product(COUNTRIES, REGIONS, DISTRICTS, (1, 2))
]
PLACES = st.builds(
    Place,
    country=st.sampled_from(("", *COUNTRIES)),
    region=st.sampled_from(("", *REGIONS)),
    district=st.sampled_from(("", *DISTRICTS)),
    facility=st.sampled_from(("", *(each.id for each in FACILITIES[:6]), "gone")),
)
GRANTS = st.frozensets(st.builds(Grant, st.sampled_from(Role), PLACES), max_size=4)


@given(grants=GRANTS, role=st.sampled_from(Role))
@settings(max_examples=200, deadline=None)
def test_what_is_listed_is_what_the_principal_may_see(grants: frozenset[Grant], role: Role) -> None:
    """For any grants the narrowed directory, and what may be acted on, are what ``Principal.may`` says of each one."""
    principal = Principal("user:x", "X", grants)
    world = World(days=0)
    world.facilities = list(FACILITIES)
    world._directory = None
    seen = services_for(principal, role, world.services())
    assert set(seen.directory().facilities) == {each.id for each in FACILITIES if principal.may(role, each)}
    acts = {each.id for each in FACILITIES if seen.may_act(each.id)}
    assert acts == {each.id for each in FACILITIES if principal.may(Role.TECHNICIAN, each)}
    if set(seen.directory().facilities) == {each.id for each in FACILITIES} and not principal.may_everywhere(role):
        assert seen.directory() is not world.directory()


async def test_an_alert_of_a_facility_that_is_gone_belongs_to_those_who_see_all(districts: Districts) -> None:
    """Nobody else can say whether it was theirs."""
    directory = districts.world.directory()
    districts.world.facilities = [each for each in districts.world.facilities if each.id != NEXT]
    districts.world._directory = None
    assert districts.world.directory() is not directory
    for place, status in ((KASESE, 404), (Place(facility=NEXT), 404), (Place(), 200)):
        sign_in(districts, Grant(Role.VIEWER, place))
        assert (await districts.client.get(f"{API}/alerts/{NEXT_ALERT}")).status_code == status


def test_a_registry_that_was_replaced_is_let_go() -> None:
    """A nation's registry is large: what was narrowed, searched or counted of an old one does not keep it."""
    world = World()
    directory = world.directory()
    principal = Principal("user:a", "A", frozenset({Grant(Role.VIEWER, Place(district="Kasese"))}))
    part = narrowed(directory, principal, Role.VIEWER)
    assert narrowed(directory, principal, Role.VIEWER) is part
    assert index_of(directory) is index_of(directory)
    places_of(directory)
    old = weakref.ref(directory)
    world._directory = None
    del directory
    gc.collect()
    assert old() is None
