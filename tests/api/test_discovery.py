"""Where Prometheus finds nodes that have metrics of their own."""

from __future__ import annotations

import dataclasses

import httpx

from api.create import create_api
from domain.access import EVERYBODY, Grant, Principal, Role
from domain.places import Place
from tests.api.world import World

FOUND = {
    "targets": ["10.8.0.7:9100"],
    "labels": {
        "__meta_vitals_node": "kasese-hc3-gw",
        "__meta_vitals_node_name": "Gateway",
        "__meta_vitals_facility": "kasese-hc3",
        "__meta_vitals_facility_name": "Kasese Health Centre III",
        "__meta_vitals_country": "Uganda",
        "__meta_vitals_region": "Rwenzori",
        "__meta_vitals_district": "Kasese",
    },
}


def exporting() -> World:
    """Return a world of which one node has an exporter."""
    world = World()
    world.nodes = [
        dataclasses.replace(node, name="Gateway", metrics="10.8.0.7:9100") if node.id == "kasese-hc3-gw" else node
        for node in world.nodes
    ]
    return world


async def found_by(principal: Principal) -> object:
    """Return what somebody is told."""

    async def recognise(_: object) -> Principal:
        return principal

    transport = httpx.ASGITransport(create_api(exporting().services(), recognise=recognise))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        answer = await client.get("/sd/nodes")
    assert answer.headers["content-type"] == "application/json"
    return answer.json()


async def test_only_nodes_with_an_exporter_are_told_of() -> None:
    """Each with what a relabelling may want to know of its place."""
    assert await found_by(EVERYBODY) == [FOUND]


async def test_a_token_for_a_place_finds_what_stands_there() -> None:
    """What is elsewhere is not there."""

    def viewer(place: Place) -> Principal:
        return Principal("token:p", "Prometheus", frozenset({Grant(Role.VIEWER, place)}), is_program=True)

    assert await found_by(viewer(Place(facility="kasese-hc3"))) == [FOUND]
    assert await found_by(viewer(Place(facility="kilembe-hc2"))) == []
