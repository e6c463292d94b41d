"""What is guessed of a node that nobody registered."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.documents import parse_document
from app.yaml_document import render_document
from domain.errors import DocumentError
from domain.reading import Sample
from registry.checks import directory_of
from registry.claim import UNKNOWN, claim, guess_kind, guess_quantity

HERE = """
facilities:
  - id: clinic
    name: Clinic
    country: Uganda
    region: Western
    district: Kasese
    nodes: [{id: old}]
    equipment:
      - {id: fridge-1, kind: cold_room, name: The big one, model: MK 304, pqs_code: E003/007, installed: 2019-03-01}
"""


@pytest.mark.parametrize(
    ("name", "unit", "quantity"),
    [
        ("fridge-1/temperature", None, "temperature"),
        ("fridge-1/t", "Cel", "temperature"),
        ("DS18B20.Temperature", "Cel", "temperature"),
        ("mains/v", "V", "voltage"),
        ("mains/supply", None, "supply"),
        ("tank/tank_level", "%", "tank_level"),
        ("x", "%", UNKNOWN),
        ("x", None, UNKNOWN),
    ],
)
def test_a_quantity_is_guessed_from_name_and_unit(name: str, unit: str | None, quantity: str) -> None:
    """The name says more than the unit; what says nothing is left to a person."""
    assert guess_quantity(Sample(name, 0, 1.0, unit=unit)) == quantity


def test_a_kind_is_guessed_from_the_name() -> None:
    """Whole words only."""
    assert guess_kind("fridge-2") == "fridge"
    assert guess_kind("ups") == "ups"
    assert guess_kind("cupsize") is None


def test_a_claim_is_a_document_that_imports() -> None:
    """Equipment that is registered keeps its kind and name; the facility is not changed."""
    registered = directory_of(parse_document(HERE, "here"))
    samples = [Sample("fridge-1/temperature", 0, 4.5), Sample("mains/supply", 0, 1.0)]
    drafted = claim("pi-7", samples, registered.facilities["clinic"], registered, timedelta(minutes=5))
    directory = directory_of(parse_document(render_document(drafted), "claim"))
    assert directory.facilities == registered.facilities
    assert directory.equipment["clinic/fridge-1"] == registered.equipment["clinic/fridge-1"]
    channel = directory.channels["clinic/fridge-1/temperature"]
    assert (channel.node, channel.name, channel.interval) == ("pi-7", "fridge-1/temperature", timedelta(minutes=5))
    assert directory.channels["clinic/mains/supply"].quantity.name == "supply"


def test_what_cannot_be_guessed_is_refused_with_its_place() -> None:
    """An import of a draft that nobody looked at names what is left to do."""
    registered = directory_of(parse_document(HERE, "here"))
    drafted = claim("pi-7", [Sample("x1", 0, 4.5)], registered.facilities["clinic"], registered, timedelta(minutes=5))
    with pytest.raises(DocumentError) as refused:
        directory_of(parse_document(render_document(drafted), "claim"))
    assert sorted(problem.field.rsplit(".", 1)[-1] for problem in refused.value.problems) == ["kind", "quantity"]


def test_two_of_a_quantity_at_one_fridge_are_told_apart() -> None:
    """By the node's own names for them, and where those do not tell them apart by a number."""
    registered = directory_of(parse_document(HERE, "here"))
    names = ("fridge-1/top_temperature", "fridge-1/bottom_temperature", "fridge-1/x/bottom_temperature")
    samples = [Sample(name, 0, 4.5) for name in names]
    drafted = claim("pi-7", samples, registered.facilities["clinic"], registered, timedelta(minutes=5))
    directory = directory_of(parse_document(render_document(drafted), "claim"))
    assert {each.name: each.id.rpartition("/")[2] for each in directory.channels.values()} == {
        "fridge-1/top_temperature": "temperature",
        "fridge-1/bottom_temperature": "bottom-temperature",
        "fridge-1/x/bottom_temperature": "temperature-2",
    }


def test_a_node_that_takes_the_place_of_another_keeps_the_limits() -> None:
    """The channel is the same one, with its own limits, and reported by the new node from now on."""
    channels = "[{quantity: temperature, node: old, interval: 1min, limits: {low: 2, high: none}}]"
    text = HERE.replace("2019-03-01}", "2019-03-01, channels: " + channels + "}")
    registered = directory_of(parse_document(text, "here"))
    samples = [Sample("fridge-1/temperature", 0, 4.5)]
    drafted = claim("pi-7", samples, registered.facilities["clinic"], registered, timedelta(minutes=5))
    (channel,) = directory_of(parse_document(render_document(drafted), "claim")).channels.values()
    assert (channel.id, channel.node, channel.own_limits) == (
        "clinic/fridge-1/temperature",
        "pi-7",
        {"low": 2.0, "high": None},
    )
