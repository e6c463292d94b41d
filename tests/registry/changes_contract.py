"""How edits are kept on every database: logged, against what was seen, within reach; a subclass gives ``database``."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.document import Document
from domain.errors import DocumentError
from domain.places import Facility
from registry.changes import ChangeLog
from registry.guards import ChangedMeanwhileError, OutOfReachError, adds_only, only_within, seen
from registry.history import Occasion
from registry.rows import equipment_row, facility_row, mark_of
from registry.store import RegistryStore
from tests.registry.upkeep_contract import REGISTRY

BY_AMINA = Occasion(1_795_000_000_000, author="Amina", reason="renamed", origin="page 10.0.0.7 user:amina")


async def a_registry(database: AsyncEngine) -> RegistryStore:
    """Return a registry of three facilities of Kasese."""
    store = RegistryStore(database)
    await store.create_tables()
    await store.import_document(Document("registry.yaml", REGISTRY), occasion=Occasion(1))
    return store


def facility(**changes: Any) -> Document:
    """Return what is said of Kasese."""
    place = {"country": "Uganda", "region": "Western", "district": "Kasese"}
    return Document("page", {"facilities": [{"id": "kasese", "name": "kasese", **place, **changes}]})


def fridge(**changes: Any) -> Document:
    """Return what is said of the fridge of Kasese, as a table says it."""
    row = {"facility": "kasese", "id": "fridge", "kind": "fridge", "name": "F", "pqs_code": "E003/045"}
    return Document("page", [{**row, "installed": "2024-05-31", **changes}])


def in_kasese(facility: Facility) -> bool:
    """Tell whether a facility is in the district of Kasese."""
    return facility.district == "Kasese"


class ChangesContract:
    """The behaviour of edits."""

    async def test_what_becomes_another_is_logged_with_both_values(self, database: AsyncEngine) -> None:
        """Who, when, from where, why, and only the fields that changed; what is added is noted as such."""
        store, log = await a_registry(database), ChangeLog(database)
        await store.import_document(facility(name="Kasese HC III", latitude=0.18), occasion=BY_AMINA)
        await store.import_document(facility(name="Kasese HC III", latitude=0.18), occasion=BY_AMINA)
        (change,) = await log.changes(limit=1)
        assert (change.author, change.reason, change.origin) == ("Amina", "renamed", "page 10.0.0.7 user:amina")
        assert (change.kind, change.item, change.facility, change.added) == ("facilities", "kasese", "kasese", False)
        assert change.before == {"name": "kasese"}
        assert change.after == {"name": "Kasese HC III", "latitude": 0.18}
        assert [each.added for each in await log.changes(limit=9, item=("facilities", "kasese"))] == [False, True]

    async def test_the_log_is_read_by_place_and_by_thing(self, database: AsyncEngine) -> None:
        """What belongs to a facility is found with it, also its equipment, and nothing of others."""
        store, log = await a_registry(database), ChangeLog(database)
        await store.import_document(fridge(name="Fridge of the ward"), occasion=BY_AMINA)
        newest = (await log.changes(limit=9, facility="kasese"))[0]
        assert (newest.kind, newest.item, newest.after) == (
            "equipment",
            "kasese/fridge",
            {"name": "Fridge of the ward"},
        )
        assert {each.facility for each in await log.changes(limit=9, within={"bwera"})} == {"bwera"}
        assert await log.changes(limit=9, within=()) == []
        many = {"bwera", *(f"unknown-{number}" for number in range(1_200))}
        assert await log.changes(limit=9, within=many) == await log.changes(limit=9, within={"bwera"})

    async def test_an_edit_against_what_is_no_more_is_refused_with_what_is(self, database: AsyncEngine) -> None:
        """The second of two who looked at the same thing learns the first one's values, and nothing is lost."""
        store = await a_registry(database)
        known = (await store.load_directory()).facilities["kasese"]
        against = seen("facilities", "kasese", mark_of(facility_row(known)))
        await store.import_document(facility(name="First"), occasion=BY_AMINA, guard=against)
        with pytest.raises(ChangedMeanwhileError) as refused:
            await store.import_document(facility(name="Second"), occasion=BY_AMINA, guard=against)
        assert refused.value.now is not None
        assert refused.value.now["name"] == "First"
        now = seen("facilities", "kasese", mark_of(refused.value.now))
        await store.import_document(facility(name="Second"), occasion=BY_AMINA, guard=now)
        assert (await store.load_directory()).facilities["kasese"].name == "Second"

    async def test_of_edits_at_once_one_is_kept(self, database: AsyncEngine) -> None:
        """However many people save what they made of the same state at the same time."""
        store = await a_registry(database)
        known = (await store.load_directory()).equipment["kasese/fridge"]
        against = seen("equipment", "kasese/fridge", mark_of(equipment_row(known)))
        edits = [
            store.import_document(fridge(name=f"Edit {number}"), occasion=BY_AMINA, guard=against)
            for number in range(4)
        ]
        answers = await asyncio.gather(*edits, return_exceptions=True)
        assert sum(isinstance(each, ChangedMeanwhileError) for each in answers) == 3

    async def test_what_is_added_must_not_be_there(self, database: AsyncEngine) -> None:
        """A new facility under an id that is taken is refused."""
        store = await a_registry(database)
        with pytest.raises(ChangedMeanwhileError):
            await store.import_document(facility(name="New"), occasion=BY_AMINA, guard=seen("facilities", "kasese", ""))

    async def test_nothing_leaves_a_district_or_comes_into_another(self, database: AsyncEngine) -> None:
        """Whoever may change things in one district neither moves a facility out nor one of elsewhere in."""
        store, reach = await a_registry(database), only_within(in_kasese)
        with pytest.raises(OutOfReachError):
            await store.import_document(facility(district="Gulu"), occasion=BY_AMINA, guard=reach)
        await store.import_document(facility(district="Gulu"), occasion=BY_AMINA)
        for said in (
            facility(),
            fridge(name="Mine"),
            Document("page", [{"facility": "kasese", "id": "pi-1"}]),
            Document("page", {"contacts": [{"id": "a", "name": "A"}]}),
            Document("page", [{"quantity": "temperature", "equipment": "fridge", "limit.high": "8"}]),
        ):
            with pytest.raises(OutOfReachError):
                await store.import_document(said, occasion=BY_AMINA, guard=reach)
        assert (await store.load_directory()).facilities["kasese"].district == "Gulu"

    async def test_nobody_takes_the_readings_of_a_node_elsewhere(self, database: AsyncEngine) -> None:
        """A channel names a node within reach, and a node that stands elsewhere is not moved in."""
        store, reach = await a_registry(database), only_within(in_kasese)
        await store.import_document(Document("page", [{"facility": "bwera", "id": "pi-2"}]), occasion=BY_AMINA)
        await store.import_document(
            Document("page", {"facilities": [{**REGISTRY["facilities"][1], "district": "Gulu"}]}), occasion=BY_AMINA
        )
        channel = {"facility": "kasese", "equipment": "fridge", "quantity": "temperature", "interval": "1min"}
        for row in ({**channel, "node": "pi-2"}, {"facility": "kasese", "id": "pi-2"}):
            with pytest.raises(OutOfReachError):
                await store.import_document(Document("page", [row]), occasion=BY_AMINA, guard=reach)

    async def test_what_only_adds_changes_nothing_that_is_there(self, database: AsyncEngine) -> None:
        """Facility and equipment as they are named may stand in a draft; as somebody renamed them meanwhile not."""
        store = await a_registry(database)
        await store.import_document(facility(), fridge(), occasion=BY_AMINA, guard=adds_only)
        for changed in (facility(name="Other"), fridge(model="Other")):
            with pytest.raises(ChangedMeanwhileError):
                await store.import_document(changed, occasion=BY_AMINA, guard=adds_only)

    async def test_the_configured_documents_do_not_undo_what_people_changed(self, database: AsyncEngine) -> None:
        """The same document at the next start is passed over; one that somebody edited is imported."""
        store = await a_registry(database)
        for expected in (False, True):
            report = await store.import_configured(facility(), occasion=Occasion(2))
            assert (report is None) is expected
        await store.import_document(facility(name="Renamed on a page"), occasion=BY_AMINA)
        assert await store.import_configured(facility(), occasion=Occasion(3)) is None
        assert (await store.load_directory()).facilities["kasese"].name == "Renamed on a page"
        assert await store.import_configured(facility(name="In the file"), occasion=Occasion(4)) is not None
        assert (await store.load_directory()).facilities["kasese"].name == "In the file"
        with pytest.raises(DocumentError):
            await store.import_configured(facility(country=""), occasion=Occasion(5))
