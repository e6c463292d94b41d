"""The registry in SQL: imports are whole, repeatable and noticed; exports import back to the same."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from app.documents import parse_document, render_document
from domain.directory import Directory
from domain.document import Document
from domain.errors import DocumentError, OperatorError
from registry.checks import directory_of
from registry.export import exported
from registry.history import Occasion
from registry.store import RegistryStore
from registry.tables import channel as channel_table
from registry.writing import Counts

HOSTILE = Path(__file__).parents[2] / "../shared/data/hostile/blns.json"
TODAY = Occasion(1_795_000_000_000)
KINDS = ("facilities", "equipment", "nodes", "channels", "contacts")


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    """Return an engine on a file of its own."""
    engine = create_async_engine(f"sqlite+aiosqlite:///{tmp_path / 'registry.db'}")
    yield engine
    await engine.dispose()


@pytest.fixture
async def store(engine: AsyncEngine) -> RegistryStore:
    """Return an empty registry."""
    store = RegistryStore(engine)
    await store.create_tables()
    return store


def facility(number: int = 1, **replaced: Any) -> dict[str, Any]:
    """Return the entry of a facility with one node, one fridge and two channels."""
    id_ = f"site-{number}"
    channel = {"node": f"{id_}-n", "interval": "10min", "quantity": "temperature"}
    channels = [{**channel, "limits": {"low": 2, "high": 8}}, {**channel, "id": "ambient", "name": "room"}]
    place = {"country": "Uganda", "region": f"Region {number % 2}", "district": f"District {number % 3}"}
    equipment = [{"id": "fridge-1", "kind": "fridge", "name": "Fridge 1", "channels": channels}]
    return {
        "id": id_,
        "name": f"Site {number}",
        **place,
        "nodes": [{"id": f"{id_}-n"}],
        "equipment": equipment,
    } | replaced


def document(*facilities: dict[str, Any], contacts: list[dict[str, Any]] | None = None) -> Document:
    """Return a registry document."""
    return Document("registry.yaml", {"facilities": list(facilities), "contacts": contacts or []})


def content(directory: Directory) -> list[list[Any]]:
    """Return everything in a directory, in its order."""
    return [list(getattr(directory, kind).values()) for kind in KINDS]


async def test_an_import_is_read_back_as_it_was_said(store: RegistryStore) -> None:
    """The directory from SQL is the directory of the document, in the same order."""
    said = document(*map(facility, (3, 1, 2)), contacts=[{"id": "amina", "name": "Amina", "facilities": ["site-2"]}])
    await store.import_document(said, occasion=TODAY)
    assert content(await store.load_directory()) == content(directory_of(said))


async def test_importing_again_changes_nothing(store: RegistryStore) -> None:
    """The second import of the same document reports everything unchanged and keeps the version."""
    first = await store.import_document(document(facility()), occasion=TODAY)
    version = await store.version()
    second = await store.import_document(document(facility()), occasion=TODAY)
    assert (first.counts["channels"], second.counts["channels"]) == (Counts(added=2), Counts(unchanged=2))
    assert (first.changed, second.changed) == (True, False)
    assert await store.version() == version


async def test_an_import_adds_and_changes_and_removes_nothing(store: RegistryStore) -> None:
    """A later document with other facilities leaves the earlier ones in place."""
    await store.import_document(document(facility(1), facility(2)), occasion=TODAY)
    before = await store.version()
    report = await store.import_document(
        document(facility(2, name="Renamed", district="Elsewhere"), facility(3)), occasion=TODAY
    )
    assert report.counts["facilities"] == Counts(added=1, changed=1)
    directory = await store.load_directory()
    assert list(directory.facilities) == ["site-1", "site-2", "site-3"]
    assert directory.facilities["site-2"].district == "Elsewhere"
    assert await store.version() > before


async def test_a_refused_import_leaves_no_trace(store: RegistryStore) -> None:
    """One bad channel among good facilities keeps all of them out."""
    await store.import_document(document(facility(1)), occasion=TODAY)
    before = await store.version(), content(await store.load_directory())
    bad = facility(3)
    bad["equipment"][0]["channels"][0]["node"] = "nobody"
    with pytest.raises(DocumentError, match="nobody"):
        await store.import_document(document(facility(1, name="Renamed"), facility(2), bad), occasion=TODAY)
    assert (await store.version(), content(await store.load_directory())) == before


async def test_documents_may_refer_to_what_is_registered(store: RegistryStore) -> None:
    """A table of nodes alone finds its facility in the registry, and a taken name is refused across imports."""
    await store.import_document(document(facility(1)), occasion=TODAY)
    await store.import_document(
        Document("nodes.csv", [{"facility": "site-1", "id": "second", "name": "Annex"}]), occasion=TODAY
    )
    assert [node.id for node in (await store.load_directory()).nodes_of("site-1")] == ["site-1-n", "second"]
    taken = {"facility": "site-1", "equipment": "fridge-1", "quantity": "door", "node": "site-1-n", "name": "room"}
    with pytest.raises(DocumentError, match="once on a node"):
        await store.import_document(Document("channels.csv", [{**taken, "interval": "1min"}]), occasion=TODAY)


async def test_what_equipment_is_beside_its_row_can_change_and_go(store: RegistryStore) -> None:
    """PQS code and day of installation are read back, changed, and gone where a later document leaves them out."""
    for details in ({"pqs_code": "E003/045", "installed": "2024-05-31"}, {"pqs_code": "E003/046"}, {}):
        said = facility()
        said["equipment"][0] |= details
        report = await store.import_document(document(said), occasion=TODAY)
        assert report.changed
        assert content(await store.load_directory()) == content(directory_of(document(said)))


async def test_where_a_node_has_metrics_can_change_and_go(store: RegistryStore) -> None:
    """An address is read back, changed, and gone where a later document leaves it out; the change is on record."""
    for details in ({}, {"metrics": "10.8.0.7:9100"}, {"metrics": "[fd00::7]:9100"}, {}):
        said = facility()
        said["nodes"][0] |= details
        report = await store.import_document(document(said), occasion=TODAY)
        assert report.changed
        assert content(await store.load_directory()) == content(directory_of(document(said)))


@pytest.mark.parametrize(
    "written",
    ["pi-7", "pi-7:", ":9100", "pi-7:0", "pi-7:65536", "http://pi-7:9100", "pi 7:9100", "a@b:1", "fd00::7:9100"],
)
def test_an_address_that_cannot_be_is_refused(written: str) -> None:
    """The refusal says what one looks like."""
    said = facility()
    said["nodes"][0]["metrics"] = written
    with pytest.raises(DocumentError, match="a host and a port such as"):
        directory_of(document(said))


@pytest.mark.parametrize(
    ("field", "written", "allowed"),
    [
        ("pqs_code", "fridge", "a WHO PQS code such as E003/045"),
        ("installed", "31.5.2024", "a day such as 2024-05-31"),
        ("installed", "2024-02-30", "a day such as 2024-05-31"),
        ("installed", "1066-10-14", "1900 or later"),
        ("installed", 20240531, "a day such as 2024-05-31"),
    ],
)
def test_details_that_cannot_be_are_refused(field: str, written: object, allowed: str) -> None:
    """The refusal says what a code or a day looks like."""
    said = facility()
    said["equipment"][0][field] = written
    with pytest.raises(DocumentError, match=allowed):
        directory_of(document(said))


async def test_imports_at_once_stand_in_line(store: RegistryStore) -> None:
    """Two imports of different facilities at the same time both last."""
    await asyncio.gather(*(store.import_document(document(facility(number)), occasion=TODAY) for number in range(1, 5)))
    assert len((await store.load_directory()).facilities) == 4
    assert await store.version() == 4


async def test_creating_tables_again_keeps_what_is_there(store: RegistryStore, engine: AsyncEngine) -> None:
    """A second start finds the registry of the first."""
    await store.import_document(document(facility()), occasion=TODAY)
    again = RegistryStore(engine)
    await again.create_tables()
    assert (await again.version(), list((await again.load_directory()).facilities)) == (1, ["site-1"])


async def test_a_quantity_of_another_version_is_the_operators(store: RegistryStore, engine: AsyncEngine) -> None:
    """A database written by a newer Vitals is refused with a sentence, not with a traceback."""
    await store.import_document(document(facility()), occasion=TODAY)
    async with engine.begin() as connection:
        await connection.execute(channel_table.update().values(quantity="magic"))
    with pytest.raises(OperatorError, match="magic"):
        await store.load_directory()


@pytest.mark.skipif(not HOSTILE.exists(), reason="the folder of recorded data is not beside the project")
async def test_hostile_names_survive_unchanged(store: RegistryStore) -> None:
    """Naughty strings as names come back as they went, through YAML, SQL and the export."""
    names = [name for name in json.loads(HOSTILE.read_text(encoding="utf-8")) if name]
    said = document(*(facility(number, name=name, district=name) for number, name in enumerate(names)))
    await store.import_document(parse_document(render_document(said.data), "registry.yaml"), occasion=TODAY)
    exported_text = render_document(await store.export_document())
    directory = directory_of(parse_document(exported_text, "export.yaml"))
    assert [facility.name for facility in directory.facilities.values()] == names
    assert [facility.district for facility in directory.facilities.values()] == names


NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=20)


PQS_CODES = st.from_regex(r"[A-Z][0-9]{3}/[0-9]{1,4}(-[0-9A-Z]{1,4})?", fullmatch=True) | st.just("")
ADDRESSES = st.from_regex(r"[a-z0-9]{1,9}:[1-9][0-9]{0,3}", fullmatch=True) | st.just("")
DAYS = st.dates(date(1900, 1, 1)).map(str) | st.none()


@given(
    name=NAMES,
    model=NAMES,
    low=st.floats(-200, 150),
    seconds=st.integers(1, 604_800),
    latitude=st.floats(-90, 90),
    pqs_code=PQS_CODES,
    installed=DAYS,
    metrics=ADDRESSES,
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_an_export_says_what_was_said(
    name: str, model: str, low: float, seconds: int, latitude: float, pqs_code: str, installed: str | None, metrics: str
) -> None:
    """Whatever may be registered, its export describes the same registry."""
    entry = facility(name=name, latitude=latitude, timezone="Africa/Kampala")
    entry["nodes"][0] |= {"name": name, "metrics": metrics}
    entry["equipment"][0] |= {"model": model, "pqs_code": pqs_code, "installed": installed}
    entry["equipment"][0]["channels"][0] |= {"limits": {"low": low}, "interval": f"{seconds}s"}
    contact = {"id": "amina", "name": name, "language": "fr-CD", "phone": "+256700000001", "district": "District 1"}
    directory = directory_of(document(entry, contacts=[contact]))
    assert content(directory_of(Document("export", exported(directory)))) == content(directory)
