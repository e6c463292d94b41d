"""Units, quantities, the directory and documents: the rows hold together."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.directory import Directory
from domain.document import Document
from domain.instant import parse_duration
from domain.people import Contact
from domain.places import Channel, Equipment, EquipmentKind, Facility, Node
from domain.quantities import QUANTITIES, Quantity
from domain.units import UNITS, UNITS_BY_SYMBOL, Unit


@pytest.mark.parametrize("unit", UNITS.values(), ids=lambda unit: unit.name)
def test_every_unit_leads_to_a_canonical_unit(unit: Unit) -> None:
    """A canonical unit converts to itself; every other one converts into a canonical unit of the table."""
    canonical = UNITS[unit.canonical]
    assert (canonical.canonical, canonical.scale, canonical.offset) == (canonical.name, 1.0, 0.0)


def test_symbols_are_unique() -> None:
    """Two units never share a symbol on the wire."""
    assert len(UNITS_BY_SYMBOL) == len(UNITS)


@pytest.mark.parametrize(
    ("unit", "value", "canonical"),
    [
        ("fahrenheit", 46.4, 8.0),
        ("fahrenheit", -40.0, -40.0),
        ("kelvin", 273.15, 0.0),
        ("percent", 82.0, 0.82),
        ("bar", 2.5, 250_000.0),
        ("kilograms_per_cubic_metre", 0.0005, 0.5),
    ],
)
def test_known_conversions(unit: str, value: float, canonical: float) -> None:
    """Points that everybody knows come out right."""
    assert UNITS[unit].to_canonical(value) == pytest.approx(canonical)


def test_quantities_are_shown_as_people_say_them() -> None:
    """A ratio is shown as percent, a state as its word, a missing value as such."""
    assert QUANTITIES["temperature"].format(9.44) == "9.4 °C"
    assert QUANTITIES["charge"].format(0.82) == "82 %"
    assert QUANTITIES["supply"].format(0.0) == "off"
    assert QUANTITIES["free_chlorine"].format(0.2) == "0.20 mg/L"
    assert QUANTITIES["acidity"].format(7.2) == "7.2 pH"
    assert QUANTITIES["temperature"].format(None) == "no value"


@pytest.mark.parametrize("quantity", QUANTITIES.values(), ids=lambda quantity: quantity.name)
def test_every_quantity_is_canonical_and_has_a_range(quantity: Quantity) -> None:
    """Values are kept in a canonical unit and a range is never empty."""
    assert quantity.unit.canonical == quantity.unit.name
    assert quantity.shown_as.canonical == quantity.unit.name
    assert quantity.lowest < quantity.highest


def test_the_directory_finds_what_is_registered_and_says_none_for_the_unknown() -> None:
    """An unknown node is told apart from a node without channels."""
    facility = Facility("hc3", "HC3", "Uganda", "Western", "Kasese")
    fridge = Equipment("hc3/fridge", "hc3", EquipmentKind.FRIDGE, "Fridge")
    channel = Channel(
        "hc3/fridge/temperature", "hc3", fridge.id, "n1", "fridge/t", QUANTITIES["temperature"], parse_duration("10min")
    )
    directory = Directory(
        facilities=[facility], equipment=[fridge], nodes=[Node("n1", "hc3"), Node("n2", "hc3")], channels=[channel]
    )
    assert directory.channels_of_node("n1") == {"fridge/t": channel}
    assert directory.channels_of_node("n2") == {}
    assert directory.channels_of_node("n3") is None
    assert directory.channels_of("hc3") == (channel,)
    assert directory.equipment_of("nowhere") == ()


def test_people_answer_for_a_facility_a_district_or_everything() -> None:
    """The narrowest place that a contact names decides."""
    facility = Facility("hc3", "HC3", "Uganda", "Western", "Kasese")
    assert Contact("a", "A", facilities=("hc3",)).answers_for(facility)
    assert not Contact("b", "B", facilities=("other",), district="Kasese").answers_for(facility)
    assert Contact("c", "C", district="Kasese").answers_for(facility)
    assert not Contact("d", "D", region="Eastern").answers_for(facility)
    assert Contact("e", "E").answers_for(facility)


@given(st.lists(st.one_of(st.text(max_size=5), st.integers(0, 5)), max_size=5).map(tuple))
def test_a_problem_always_names_a_place_in_the_file(path: tuple[str | int, ...]) -> None:
    """A value that does not stand in the file is reported at the nearest place above it."""
    document = Document("rules.yaml", {}, {("rules",): (2, 1), ("rules", 0): (3, 5)})
    problem = document.problem(path, "x", "y")
    assert (problem.line, problem.column) in {(1, 1), (2, 1), (3, 5)}
    assert str(problem).startswith(f"rules.yaml:{problem.line}:{problem.column}: ")
