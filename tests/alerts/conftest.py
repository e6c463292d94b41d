"""A SQLite file per test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.alerts.given import sqlite_database


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    """Give an engine on a fresh SQLite file."""
    async with sqlite_database(f"{tmp_path}/vitals.db") as engine:
        yield engine
