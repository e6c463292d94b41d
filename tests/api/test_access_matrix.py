"""Who gets what from every route: roles times routes times places, from one table; and that nothing leaks."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.access.desk import AccessDesk
from api.access.settings import AccessSettings
from api.create import create_api
from api.services import Services
from api.sight import services_for
from domain.access import Grant, Principal, Role
from domain.places import EVERYWHERE as WHOLE
from domain.places import Facility, Place
from tests.api.routes import EVERYWHERE, FAR_OFF, NEAR_BY, NOWHERE, PUBLIC, Fill, Route, routes_of
from tests.api.two_districts import FAR, MARK, NEAR, NEXT, Districts, a_world, two_districts
from tests.api.world import World

KASESE = Place("Uganda", "West", "Kasese")
SCOPES = {
    "everywhere": (WHOLE,),
    "right district": (KASESE,),
    "other district": (Place("Uganda", "Zebra Region", "Zebraland"),),
    "right facility": (Place(facility=NEAR),),
    "other facility": (Place(facility=NEXT),),
    "other district, and looks here": (Place(district="Zebraland"), Place(district="Kasese")),
}
PEOPLE = [pytest.param(role, places, id=f"{role.word} {name}") for role in Role for name, places in SCOPES.items()]
_NOTHING: Any = None
SIGNING_IN = AccessDesk(AccessSettings(), World(days=0).clock, _NOTHING, _NOTHING, _NOTHING, str)
"""Enough for its routes to be there; ``tests.api.test_sign_in`` and its siblings ask them."""
ALL_ROUTES = routes_of(create_api(World(days=0).services(), access=SIGNING_IN, link_key=b"key"))
ROUTES = routes_of(create_api(World(days=0).services()))
FACILITIES = {each.id: each for each in a_world().facilities}
OK = 200


@pytest.fixture
async def districts(tmp_path: Path) -> AsyncIterator[Districts]:
    """Give two districts on a fresh file."""
    async with two_districts(f"{tmp_path}/vitals.db") as both:
        yield both


def somebody(role: Role, places: tuple[Place, ...]) -> Principal:
    """Return who has a role in the first place and looks at the others."""
    first, *others = places
    grants = {Grant(role, first), *(Grant(Role.VIEWER, place) for place in others)}
    return Principal("user:grace", "Grace", frozenset(grants))


async def ask(districts: Districts, route: Route, fill: Fill, accept: str = "application/json") -> httpx.Response:
    """Send one request."""
    method, address, sent = route.request(fill)
    sent["headers"]["accept"] = accept
    return await districts.client.request(method, address, **sent)


def expected(principal: Principal, route: Route) -> int:
    """Return the status of an answer about what is near by; ``OK`` for any that is no refusal."""
    role, near = route.role, FACILITIES[NEAR]
    assert role is not None
    if not principal.may_somewhere(role):
        return 403
    if route.key in EVERYWHERE:
        return OK if principal.may_everywhere(role) else 403
    return OK if not is_placed(route) else _expected_there(principal, role, route, near)


def _expected_there(principal: Principal, role: Role, route: Route, near: Facility) -> int:
    if "contact" in route.parameters:
        return OK if principal.may(role, near) else 404
    if "roster" in route.parameters:
        if route.method == "PUT" and principal.may(role, FACILITIES[NEAR]) != principal.may(role, FACILITIES[NEXT]):
            return 403  # the roster is for both
        return OK if principal.may(role, FACILITIES[NEAR]) or principal.may(role, FACILITIES[NEXT]) else 404
    if principal.may(role, near):
        return OK
    if route.key == ("POST", "/api/v1/silences"):
        return 403
    # What somebody sees and may not change is refused; what they do not see is not there.
    changes = {"alert_id", "number"}.intersection(route.parameters)
    return 403 if changes and principal.may(Role.VIEWER, near) else 404


def is_placed(route: Route) -> bool:
    """Tell whether the request names a place, or something that stands in one."""
    placed = {"facility", "channel", "alert_id", "roster", "contact", "node", "entry"}
    named = {
        ("POST", "/api/v1/silences"),
        ("DELETE", "/api/v1/silences/{number}"),
        ("POST", "/maintenance/{number}/end"),
        ("GET", "/api/v1/on-call"),
        ("POST", "/claim/{waiting}"),
        ("POST", "/sla"),
        ("POST", "/reports"),
        ("POST", "/api/v1/sla"),
        ("POST", "/api/v1/reports"),
    }
    reports = ("/sla/", "/reports/")
    ordered = {"number"}.intersection(route.parameters) and route.path.removeprefix("/api/v1").startswith(reports)
    return bool(placed.intersection(route.parameters) or ordered) or route.key in named


def fits(status: int, wanted: int) -> bool:
    """Tell whether a status is the one that is wanted."""
    return status not in (401, 403, 404, 405) and status < 500 if wanted == OK else status == wanted


@pytest.mark.parametrize("route", ALL_ROUTES, ids=lambda each: f"{each.method} {each.path}")
def test_every_route_says_who_may_use_it(route: Route) -> None:
    """By a role, or by standing in the short list of those that are for everybody, with a reason."""
    assert (route.role is None) == (route.key in PUBLIC), "declare Viewing, Acting, Managing or Administering"


def test_the_tables_name_nothing_that_is_not_there() -> None:
    """A route that is gone leaves no hole behind."""
    assert (PUBLIC.keys() | EVERYWHERE) <= {route.key for route in ALL_ROUTES}


async def test_nobody_gets_nothing(districts: Districts) -> None:
    """Whoever did not say who they are is asked to, by every route that declares a role."""
    for route in ROUTES:
        if route.role is not None:
            answer = await ask(districts, route, NEAR_BY)
            assert answer.status_code == 401, route
            assert "near" not in answer.text.replace(NEAR, "").replace("near-duty", "").lower()


@pytest.mark.parametrize(("role", "places"), PEOPLE)
async def test_everybody_gets_what_the_table_says(districts: Districts, role: Role, places: tuple[Place, ...]) -> None:
    """Allowed, refused, or not there; deeds are done only where they are allowed."""
    districts.principal = somebody(role, places)
    wrong = []
    for route in ROUTES:
        if route.role is not None:
            wanted = expected(districts.principal, route)
            answer = await ask(districts, route, NEAR_BY)
            if not fits(answer.status_code, wanted):
                wrong.append((route.method, route.path, answer.status_code, wanted, answer.text[:200]))
    assert wrong == []


@pytest.mark.parametrize("places", [SCOPES["right district"], SCOPES["right facility"]], ids=["district", "facility"])
@pytest.mark.parametrize("role", Role, ids=lambda each: each.word)
async def test_nothing_of_another_district_is_in_any_answer(
    districts: Districts, role: Role, places: tuple[Place, ...]
) -> None:
    """No name of a facility, a person, a thing or an alert there; and asking for it is like asking for nothing."""
    districts.principal = somebody(role, places)
    leaks = []
    for route in ROUTES:
        if route.role is None:
            continue
        for accept in ("application/json", "text/html"):
            answers = [await ask(districts, route, fill, accept) for fill in (NEAR_BY, FAR_OFF)]
            if any(leaks_in(answer) for answer in answers):
                leaks.append(route)
        elsewhere, nowhere = answers[1], await ask(districts, route, NOWHERE, "text/html")
        assert elsewhere.status_code == nowhere.status_code, route
    assert leaks == []


async def test_the_marks_are_found_where_they_may_be(districts: Districts) -> None:
    """Whoever sees all finds the other district nearly everywhere, so that the test above can fail."""
    districts.principal = somebody(Role.ADMINISTRATOR, (WHOLE,))
    found = {
        route.path
        for route in ROUTES
        for fill in (NEAR_BY, FAR_OFF)
        if route.role is not None and leaks_in(await ask(districts, route, fill, "text/html"))
    }
    assert {
        "/", "/alerts", "/alerts/{alert_id}", "/facilities/{facility:path}", "/metrics", "/api/v1/alerts",
        "/metrics/equipment", "/api/v1/facilities", "/api/v1/channels", "/api/v1/deadletters", "/api/v1/inbox",
        "/api/v1/incidents",
        "/api/v1/on-call", "/api/v1/silences", "/api/v1/measures", "/api/v1/alerts/{alert_id}/history",
        "/api/v1/alerts/{alert_id}/notifications", "/api/v1/rosters/{roster:path}.ics",
    } <= found  # fmt: skip


def leaks_in(answer: httpx.Response) -> bool:
    """Tell whether an answer names anything of the other district but what was asked for."""
    text = answer.text.lower()
    for sent in sorted({str(each) for each in FAR_OFF}, key=len, reverse=True):
        if sent in str(answer.request.url):
            text = text.replace(sent, "")
    return MARK in text or "far-" in text or FAR in text


def test_what_routes_may_call_is_narrowed_or_the_same_for_everybody() -> None:
    """A new service that forgets to be narrowed fails here."""
    same = {"clock", "describe", "parts", "notice", "hear_callback", "outlines"}
    optional = {"intake", "rosters", "alert_desk", "measures", "rules", "registry", "reports"}
    everything = World().services()
    viewer = somebody(Role.VIEWER, SCOPES["right district"])
    seen = services_for(viewer, Role.VIEWER, everything)
    unchanged = {
        each.name
        for each in dataclasses.fields(Services)
        if getattr(seen, each.name) is getattr(everything, each.name) and getattr(seen, each.name) is not None
    }
    assert unchanged - same == set()
    absent = {each.name for each in dataclasses.fields(Services) if getattr(everything, each.name) is None}
    assert absent <= optional | {"hear_callback"}
