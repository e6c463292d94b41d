"""The state of equipment and the visit log on SQLite, and what the log comes to after any corrections."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncEngine

from app.database import open_database
from domain.upkeep import Visit
from registry.upkeep import UpkeepError
from tests.registry.upkeep_contract import DAY, NOW, UpkeepContract, a_store, visited


class TestUpkeepOnSqlite(UpkeepContract):
    """The contract on SQLite."""

    @pytest.fixture
    async def database(self, tmp_path: Path) -> AsyncIterator[AsyncEngine]:
        """Give an engine on a file of its own."""
        async with open_database(f"sqlite+aiosqlite:///{tmp_path / 'vitals.db'}") as engine:
            yield engine


STEPS = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 5), st.booleans()), max_size=8)
"""What is written one after the other: which entry it corrects (0: none), days ago, whether it withdraws."""


@given(STEPS)
@settings(max_examples=20, deadline=None)
def test_what_stands_is_what_nobody_replaced(steps: list[tuple[int, int, bool]]) -> None:
    """However corrections follow each other, each entry counts once or not at all, and none is lost from the log."""

    async def go_through() -> None:
        async with open_database("sqlite+aiosqlite:///:memory:") as database:
            store, kept = await a_store(database), list[Visit]()
            for corrects, ago, withdrawn in steps:
                entry = replace(visited(ago=ago * DAY), corrects=corrects, withdrawn=withdrawn and corrects > 0)
                possible = corrects <= len(kept) and corrects not in {each.corrects for each in kept if each.corrects}
                try:
                    kept.append(await store.note(entry))
                    assert possible
                except UpkeepError:
                    assert not possible
            replaced = {each.corrects for each in kept}
            standing = [each for each in kept if each.id not in replaced and not each.withdrawn]
            standing.sort(key=lambda each: (each.at, each.id), reverse=True)
            assert await store.visits("kasese", NOW - 9 * DAY, NOW + DAY, limit=99) == standing
            assert (await store.last_visits(["kasese"])).get("kasese") == (standing[0] if standing else None)
            assert [await store.visit(each.id) for each in kept] == kept

    asyncio.run(go_through())
