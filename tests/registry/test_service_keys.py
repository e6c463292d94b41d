"""Keys that the service makes for itself: once, and the same for every process."""

from __future__ import annotations

import asyncio
import itertools
from pathlib import Path

from registry.service_keys import key_of
from tests.alerts.given import sqlite_database


async def test_a_key_is_made_once_and_is_the_same_for_all(tmp_path: Path) -> None:
    """Also for processes that start together; another name has another key."""
    made = itertools.count()
    path = f"{tmp_path}/vitals.db"

    def make() -> bytes:
        return b"key %d" % next(made)

    async with sqlite_database(path) as one, sqlite_database(path) as other:
        await key_of(one, "before", make)
        together = await asyncio.gather(*(key_of(each, "links", make) for each in (one, other)))
        assert len(set(together)) == 1
        assert await key_of(other, "links", make) == together[0]
        assert await key_of(other, "before", make) != together[0]
