"""Edits on SQLite; and the law of edits at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncEngine

from app.database import open_database
from domain.document import Document
from registry.checks import directory_of
from registry.guards import ChangedMeanwhileError, seen
from registry.rows import channel_row, equipment_row, facility_row, mark_of, node_row
from tests.registry.changes_contract import BY_AMINA, ChangesContract, a_registry, facility
from tests.registry.test_registry_store import NAMES, PQS_CODES, document
from tests.registry.test_registry_store import facility as a_whole_facility


class TestChangesOnSqlite(ChangesContract):
    """The contract on SQLite."""

    @pytest.fixture
    async def database(self, tmp_path: Path) -> AsyncIterator[AsyncEngine]:
        """Give an engine on a file of its own."""
        async with open_database(f"sqlite+aiosqlite:///{tmp_path / 'vitals.db'}") as engine:
            yield engine


STEPS = st.lists(st.tuples(st.integers(0, 2), st.sampled_from(["look", "save"])), max_size=12)
"""Three people, each of whom looks at the facility or saves what they made of it."""


@given(STEPS)
@settings(max_examples=25, deadline=None)
def test_nobody_undoes_what_they_did_not_see(steps: list[tuple[int, str]]) -> None:
    """An edit counts if and only if nothing became another since its author looked, and the last that counts stands."""

    async def go_through() -> None:
        async with open_database("sqlite+aiosqlite:///:memory:") as database:
            store = await a_registry(database)
            standing = facility_row((await store.load_directory()).facilities["kasese"])
            looked = [standing] * 3
            for number, (person, deed) in enumerate(steps):
                if deed == "look":
                    looked[person] = facility_row((await store.load_directory()).facilities["kasese"])
                    continue
                said = facility(name=f"Edit {number}")
                guard = seen("facilities", "kasese", mark_of(looked[person]))
                if looked[person] == standing:
                    await store.import_document(said, occasion=BY_AMINA, guard=guard)
                    standing = looked[person] = facility_row(directory_of(said).facilities["kasese"])
                    continue
                with pytest.raises(ChangedMeanwhileError) as refused:
                    await store.import_document(said, occasion=BY_AMINA, guard=guard)
                assert refused.value.now == standing
            assert facility_row((await store.load_directory()).facilities["kasese"]) == standing

    asyncio.run(go_through())


@given(name=NAMES, model=NAMES, pqs_code=PQS_CODES, low=st.floats(-200, 150), latitude=st.floats(-90, 90))
def test_a_row_says_what_is_registered(name: str, model: str, pqs_code: str, low: float, latitude: float) -> None:
    """What a form shows, sent back as it is, is the same facility, node, equipment and channel."""
    said = a_whole_facility(name=name, latitude=latitude)
    said["nodes"][0]["name"] = name
    said["equipment"][0] |= {"name": name, "model": model, "pqs_code": pqs_code}
    said["equipment"][0]["channels"][0]["limits"] = {"low": low, "high": "none"}
    known = directory_of(document(said))
    tree = {"facilities": [_said(facility_row(each)) for each in known.facilities.values()]}
    tables = [
        [_said(node_row(each)) for each in known.nodes.values()],
        [_said(equipment_row(each)) for each in known.equipment.values()],
        [_said(channel_row(each)) for each in known.channels.values()],
    ]
    again = directory_of(Document("form", tree), *(Document("form", rows) for rows in tables))
    assert again.facilities == known.facilities
    assert (again.nodes, again.equipment, again.channels) == (known.nodes, known.equipment, known.channels)


def _said(row: object) -> dict[str, str]:
    assert isinstance(row, dict)
    return {name: cell for name, cell in row.items() if cell}
