"""Facilities are found by what people call them, however they write it."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards.pages.search import SearchIndex, index_of, plain
from domain.places import EquipmentKind
from tests.api.world import World


def _index() -> tuple[SearchIndex, list[str]]:
    world = World(days=0)
    world.add_facility("sn-1", "Poste de Santé Élinkine", district="Oussouye")
    world.add_facility("eg-1", "مستشفى الإسكندرية", district="الأزهر")
    world.add_channel("sn-1", EquipmentKind.FRIDGE, "Frigo", "temperature")
    world.equipment[-1] = dataclasses.replace(world.equipment[-1], serial="SN-0042-X")
    directory = world.directory()
    return SearchIndex(directory), list(directory.facilities)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("elinkine", ["sn-1"]),
        ("ÉLINKINE santé", ["sn-1"]),
        ("sante oussouye", ["sn-1"]),
        ("0042-x", ["sn-1"]),
        ("sn-1-gw", ["sn-1"]),
        ("الاسكندريه", ["eg-1"]),
        ("الأسكندرية مستشفي", ["eg-1"]),
        ("مُسْتَشْفَى", ["eg-1"]),
        ("kasese iii", ["kasese-hc3"]),
        ("kasese", ["kasese-hc3", "bwera-hospital", "kilembe-hc2"]),
        ("kasese nowhere", []),
        ("100%_", []),
    ],
)
def test_every_word_has_to_stand_somewhere(query: str, found: list[str]) -> None:
    """In name, id, place, node or equipment; case, accents and Arabic spelling do not matter."""
    index, facilities = _index()
    assert list(index.find(query, facilities)) == found


def test_only_those_are_found_that_are_asked_about() -> None:
    """Whoever sees a part of the country finds nothing else, and in the order of the list."""
    index, facilities = _index()
    assert list(index.find("kasese", ["kilembe-hc2", "unknown", "kasese-hc3"])) == ["kilembe-hc2", "kasese-hc3"]
    assert list(index.find("  ", facilities)) == facilities


@given(st.text(max_size=30))
def test_what_is_written_as_it_stands_is_found(name: str) -> None:
    """Whatever a facility is called, its own name finds it."""
    world = World(days=0)
    world.add_facility("odd", name)
    assert "odd" in SearchIndex(world.directory()).find(name, ["odd"])
    assert plain(plain(name)) == plain(name)


def test_the_index_of_a_directory_is_made_once() -> None:
    """Another directory has another index."""
    world = World(days=0)
    first = world.directory()
    assert index_of(first) is index_of(first)
    world.add_facility("new", "New")
    assert list(index_of(world.directory()).find("new", ["new"])) == ["new"]
