"""The marks of reports that were sent, in SQLite."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.alerts.given import sqlite_database
from tests.app.marks_contract import MarksContract


class TestOnSqlite(MarksContract):
    """The contract on SQLite."""

    @pytest.fixture
    async def database(self, tmp_path: Path) -> AsyncIterator[AsyncEngine]:
        """Give a database."""
        async with sqlite_database(f"{tmp_path}/vitals.db") as database:
            yield database
