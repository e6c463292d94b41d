"""How the state of equipment and the visit log are kept on every database; a subclass gives the ``database``."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.document import Document
from domain.upkeep import Upkeep, UpkeepState, Visit
from registry.history import Occasion
from registry.store import RegistryStore
from registry.upkeep import UpkeepError, UpkeepStore

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
DAY = timedelta(days=1)
FRIDGE = "kasese/fridge"
REGISTRY = {
    "facilities": [
        {
            "id": name,
            "name": name,
            "country": "Uganda",
            "region": "Western",
            "district": "Kasese",
            "equipment": [
                {"id": "fridge", "kind": "fridge", "name": "F", "pqs_code": "E003/045", "installed": "2024-05-31"}
            ],
        }
        for name in ("kasese", "bwera", "kilembe")
    ]
}


async def a_store(database: AsyncEngine) -> UpkeepStore:
    """Return both logs, empty, beside a registry of three facilities."""
    registry = RegistryStore(database)
    await registry.create_tables()
    await registry.import_document(Document("registry.yaml", REGISTRY), occasion=Occasion(1))
    return UpkeepStore(database)


def visited(facility: str = "kasese", ago: timedelta = DAY, **more: Any) -> Visit:
    """Return a visit that is to be noted now."""
    return Visit(facility=facility, at=NOW - ago, by="Amina", said_at=NOW, said_by="Grace", **more)


class UpkeepContract:
    """The behaviour of both logs."""

    async def test_the_last_word_on_equipment_counts(self, database: AsyncEngine) -> None:
        """It stands in the directory, in a new version of it, and the history keeps every word."""
        store, registry = await a_store(database), RegistryStore(database)
        version = await registry.version()
        first = await store.say(Upkeep(FRIDGE, UpkeepState.NEEDS_REPAIR, NOW - DAY, NOW, "Amina", "hums"))
        last = await store.say(Upkeep(FRIDGE, UpkeepState.OUT_OF_SERVICE, NOW - 2 * DAY, NOW, "Grace", "dead"))
        directory = await registry.load_directory()
        assert directory.upkeep == {FRIDGE: last}
        assert directory.out_of_service == {FRIDGE}
        assert await store.history(FRIDGE) == [first, last]
        assert await registry.version() > version

    async def test_an_import_leaves_the_state_of_equipment_alone(self, database: AsyncEngine) -> None:
        """Documents say what there is, not how it is; the narrowed directory holds what belongs to its part."""
        store, registry = await a_store(database), RegistryStore(database)
        said = await store.say(Upkeep(FRIDGE, UpkeepState.OUT_OF_SERVICE, NOW, NOW))
        await registry.import_document(Document("again", REGISTRY), occasion=Occasion(2))
        directory = await registry.load_directory()
        assert directory.within(["kasese"]).upkeep == {FRIDGE: said}
        assert directory.within(["bwera"]).upkeep == {}
        assert directory.equipment[FRIDGE].pqs_code == "E003/045"

    async def test_nothing_is_said_of_what_is_not_there_or_still_to_come(self, database: AsyncEngine) -> None:
        """The refusal says which, and leaves no trace."""
        store = await a_store(database)
        with pytest.raises(UpkeepError, match="There is no kasese/oven"):
            await store.say(Upkeep("kasese/oven", UpkeepState.FUNCTIONING, NOW, NOW))
        with pytest.raises(UpkeepError, match="still to come"):
            await store.say(Upkeep(FRIDGE, UpkeepState.FUNCTIONING, NOW + DAY, NOW))
        for wrong in (
            visited("nowhere"),
            visited(equipment="bwera/fridge"),
            visited(corrects=7),
            visited(ago=-DAY),
        ):
            with pytest.raises(UpkeepError):
                await store.note(wrong)
        assert await store.history(FRIDGE) == []
        assert await store.visits("kasese", NOW - 9 * DAY, NOW + 9 * DAY, limit=9) == []

    async def test_visits_of_a_period_come_last_first(self, database: AsyncEngine) -> None:
        """From its beginning to before its end, of one facility, as they were written."""
        store = await a_store(database)
        old = await store.note(visited(ago=3 * DAY, equipment=FRIDGE, found="ice", done="defrosted", note="no key"))
        new = await store.note(visited(ago=DAY))
        await store.note(visited("bwera", ago=2 * DAY))
        assert await store.visits("kasese", NOW - 3 * DAY, NOW, limit=9) == [new, old]
        assert await store.visits("kasese", NOW - 3 * DAY, NOW - DAY, limit=9) == [old]
        assert await store.visits("kasese", NOW - 3 * DAY, NOW, limit=1) == [new]

    async def test_a_correction_takes_the_place_of_what_it_corrects(self, database: AsyncEngine) -> None:
        """Both stay in the log; one that withdraws leaves nothing; of two corrections the second is refused."""
        store = await a_store(database)
        first = await store.note(visited(found="all well"))
        better = await store.note(replace(visited(found="one bulb dead"), corrects=first.id))
        assert await store.visits("kasese", NOW - 9 * DAY, NOW, limit=9) == [better]
        with pytest.raises(UpkeepError, match="somebody else"):
            await store.note(replace(visited(), corrects=first.id))
        with pytest.raises(UpkeepError, match="There is no visit"):
            await store.note(replace(visited("bwera"), corrects=better.id))
        await store.note(replace(visited(), corrects=better.id, withdrawn=True))
        assert await store.visits("kasese", NOW - 9 * DAY, NOW, limit=9) == []
        assert await store.visit(first.id) == first

    async def test_the_last_visits_of_many_facilities_come_at_once(self, database: AsyncEngine) -> None:
        """Each its last one that stands; a facility that nobody visited is left out."""
        store = await a_store(database)
        await store.note(visited(ago=5 * DAY))
        last = await store.note(visited(ago=2 * DAY))
        wrong = await store.note(visited(ago=DAY))
        await store.note(replace(visited(), corrects=wrong.id, withdrawn=True))
        other = await store.note(visited("bwera"))
        asked = ["kasese", "bwera", "kilembe", *(f"unknown-{number}" for number in range(1200))]
        assert await store.last_visits(asked) == {"kasese": last, "bwera": other}
        assert await store.last_visits([]) == {}

    async def test_corrections_at_once_do_not_both_count(self, database: AsyncEngine) -> None:
        """Of four people who correct one entry at the same time one succeeds, and the others hear of it."""
        store = await a_store(database)
        first = await store.note(visited())
        said = [store.note(replace(visited(note=str(number)), corrects=first.id)) for number in range(4)]
        answers = await asyncio.gather(*said, return_exceptions=True)
        assert sum(isinstance(each, UpkeepError) for each in answers) == 3
        assert len(await store.visits("kasese", NOW - 9 * DAY, NOW, limit=9)) == 1
