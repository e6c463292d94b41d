"""Registry documents: what they may say, and how every mistake is named with its place."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from app.documents import parse_csv, parse_document
from domain.directory import Directory
from domain.document import Document
from domain.errors import DocumentError, Problem
from domain.places import EquipmentKind
from registry.checks import directory_of

KASESE = """\
facilities:
  - id: kasese-hc3
    name: Kasese HC3
    country: Uganda
    region: Western
    district: Kasese
    timezone: Africa/Kampala
    latitude: 0.18
    longitude: 30.08
    nodes: [{id: kasese-hc3-1}]
    equipment:
      - id: fridge-2
        kind: fridge
        name: Fridge 2
        channels:
          - {quantity: temperature, node: kasese-hc3-1, interval: 10min, limits: {low: 2, high: 46 °F}}
          - {quantity: temperature, id: ambient, node: kasese-hc3-1, name: room, interval: 1h30min}
contacts:
  - {id: amina, name: Amina K., email: amina@example.org, phone: +256700000001, district: Kasese}
"""


def read(text: str) -> Directory:
    """Return what a YAML document registers."""
    return directory_of(parse_document(text, "registry.yaml"))


def mistakes(*documents: Document) -> tuple[Problem, ...]:
    """Return what is wrong with documents that cannot be used."""
    with pytest.raises(DocumentError) as caught:
        directory_of(*documents)
    return caught.value.problems


def mistakes_with(old: str, new: str) -> tuple[Problem, ...]:
    """Return what is wrong once a part of the good document is replaced."""
    assert old in KASESE
    return mistakes(parse_document(KASESE.replace(old, new), "registry.yaml"))


def test_ids_are_built_from_where_things_stand() -> None:
    """Equipment is named within its facility, a channel within its equipment by quantity or its own suffix."""
    directory = read(KASESE)
    assert list(directory.equipment) == ["kasese-hc3/fridge-2"]
    assert list(directory.channels) == ["kasese-hc3/fridge-2/temperature", "kasese-hc3/fridge-2/ambient"]
    assert set(directory.channels_of_node("kasese-hc3-1") or {}) == {"fridge-2/temperature", "room"}


def test_values_become_what_the_domain_counts_in() -> None:
    """Intervals, kinds and limits with a unit are converted once, here."""
    directory = read(KASESE)
    channel = directory.channels["kasese-hc3/fridge-2/temperature"]
    assert channel.interval == timedelta(minutes=10)
    assert channel.limits["low"] == 2.0
    assert channel.limits["high"] == pytest.approx(70 / 9)
    assert directory.equipment["kasese-hc3/fridge-2"].kind is EquipmentKind.FRIDGE
    assert directory.contacts_for(directory.facilities["kasese-hc3"])[0].phone == "+256700000001"


@pytest.mark.parametrize(
    ("old", "new", "line", "field", "said"),
    [
        ("id: kasese-hc3\n", "id: Kasese/../HC3\n", 2, "id", "small letters"),
        ("timezone: Africa/Kampala", "timezone: Africa/Kampalla", 7, "timezone", "Africa/Kampala"),
        ("timezone: Africa/Kampala", "timezone: ../../etc/passwd", 7, "timezone", "IANA"),
        ("latitude: 0.18", "latitude: 91", 8, "latitude", "90"),
        ("    district: Kasese\n", "", 2, "district", "required"),
        ("kind: fridge", "kind: frigde", 13, "kind", "did you mean fridge?"),
        ("kind: fridge", "colour: red\n        kind: fridge", 13, "colour", "only the fields"),
        ("{quantity: temperature, node", "{quantity: temprature, node", 16, "quantity", "did you mean temperature?"),
        ("interval: 10min", "interval: 10", 16, "interval", "10min"),
        ("interval: 10min", "interval: 10 parsecs", 16, "interval", "10min"),
        ("interval: 10min", "interval: 0s", 16, "interval", "1s to 7d"),
        ("high: 46 °F", "high: 46 %", 16, "limits.high", "°C"),
        ("high: 46 °F", "high: 460", 16, "limits.high", "-200 to 150"),
        ("high: 46 °F", "high: true", 16, "limits.high", "a number"),
        ("node: kasese-hc3-1, interval", "node: kasese-hc3-2, interval", 16, "node", "did you mean kasese-hc3-1?"),
        ("name: room", "name: fridge-2/temperature", 17, "name", "once on a node"),
        ("id: ambient", "id: temperature", 17, "id", "each id once"),
        ("name: room", "name: ' room'", 17, "name", "SenML"),
        ("phone: +256700000001", "phone: 0700000001", 19, "phone", "+256"),
        ("amina@example.org", "amina at example.org", 19, "email", "address"),
        (", district: Kasese}", ", district: Kassese}", 19, "district", "did you mean Kasese?"),
        (", district: Kasese}", ", facilities: [kasese]}", 19, "facilities", "kasese-hc3"),
        ("Amina K.", '"Amina\\0"', 19, "name", "NUL"),
    ],
)
def test_a_mistake_is_named_with_its_place(old: str, new: str, line: int, field: str, said: str) -> None:
    """Every mistake is one problem: line, field, and what is allowed there."""
    (problem,) = mistakes_with(old, new)
    assert (problem.source, problem.line) == ("registry.yaml", line)
    assert problem.field.endswith(field)
    assert said in problem.allowed


def test_all_mistakes_of_all_documents_are_listed() -> None:
    """Mistakes in several files come in one answer, each with its file."""
    table = parse_csv("facility,id\nnowhere,n1\n", "nodes.csv")
    tree = parse_document(KASESE.replace("10min", "soon").replace("0.18", "north"), "registry.yaml")
    sources = [problem.source for problem in mistakes(table, tree)]
    assert sorted(sources) == ["nodes.csv", "registry.yaml", "registry.yaml"]


def test_an_avalanche_of_mistakes_is_cut_short() -> None:
    """A document that is wrong everywhere is answered with a bounded list."""
    rows: list[dict[str, Any]] = [{"facility": "nowhere", "id": f"n{number}"} for number in range(5_000)]
    assert len(mistakes(Document("nodes.csv", rows))) == 100


TABLES = {
    "facilities.csv": "id,name,country,region,district,timezone,latitude,longitude\n"
    "kasese-hc3,Kasese HC3,Uganda,Western,Kasese,Africa/Kampala,0.18,30.08\n",
    "nodes.csv": "facility,id\nkasese-hc3,kasese-hc3-1\n",
    "equipment.csv": "facility,id,kind,name\nkasese-hc3,fridge-2,fridge,Fridge 2\n",
    "channels.csv": "facility,equipment,quantity,id,node,name,interval,limit.low,limit.high\n"
    "kasese-hc3,fridge-2,temperature,,kasese-hc3-1,,10min,2,46 °F\n"
    "kasese-hc3,fridge-2,temperature,ambient,kasese-hc3-1,room,1h30min,,\n",
    "contacts.csv": "id,name,email,phone,district\namina,Amina K.,amina@example.org,+256700000001,Kasese\n",
}


def tables(**replaced: str) -> list[Document]:
    """Return the tables of the sample, with some of them replaced."""
    texts = TABLES | {f"{name}.csv": text for name, text in replaced.items()}
    return [parse_csv(text, name) for name, text in texts.items()]


def test_tables_say_the_same_as_the_tree() -> None:
    """The five tables and the YAML document describe the same registry."""
    tree, flat = read(KASESE), directory_of(*tables())
    assert (flat.facilities, flat.equipment, flat.nodes) == (tree.facilities, tree.equipment, tree.nodes)
    assert (flat.channels, flat.contacts) == (tree.channels, tree.contacts)


def test_a_mistake_in_a_table_is_named_with_its_cell() -> None:
    """Line and column of the cell lead to the mistake, also for a limit."""
    text = TABLES["channels.csv"].replace("46 °F", "hot")
    (problem,) = mistakes(*tables(channels=text))
    assert (problem.source, problem.line) == ("channels.csv", 2)
    assert "°F" in problem.allowed


def test_an_unknown_table_is_refused_with_the_known_ones() -> None:
    """A header that names no kind of table is answered with the kinds."""
    (problem,) = mistakes(parse_csv("colour,size\nred,1\n", "things.csv"))
    assert "facilities" in problem.allowed


def test_a_contact_may_answer_for_several_facilities() -> None:
    """In a table, facilities are separated by blanks."""
    text = "id,name,facilities\namina,Amina K.,kasese-hc3 kasese-hc3\n"
    directory = directory_of(*tables(contacts=text))
    assert directory.contacts["amina"].facilities == ("kasese-hc3", "kasese-hc3")
