"""Who may sign in, on a real PostgreSQL server."""

from __future__ import annotations

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.registry.test_accounts import keep_the_contract
from tests.system.test_notif_postgresql import database, server

__all__ = ["database", "server"]  # pytest finds them by name

pytestmark = pytest.mark.system


async def test_accounts_are_kept_on_postgresql_as_on_sqlite(database: AsyncEngine) -> None:
    """What is kept is read back, by the same calls."""
    await keep_the_contract(database)
