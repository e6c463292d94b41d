"""What the registry knows of people, on a real PostgreSQL server."""

from __future__ import annotations

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from registry.checks import directory_of
from registry.store import RegistryStore
from tests.registry.test_registry_people import KASESE, TODAY, document, people
from tests.system.test_notif_postgresql import database, server

__all__ = ["database", "server"]  # pytest finds them by name

pytestmark = pytest.mark.system


async def test_people_are_kept_on_postgresql_as_on_sqlite(database: AsyncEngine) -> None:
    """What is imported is read back, and importing it again changes nothing."""
    store = RegistryStore(database)
    await store.create_tables()
    await store.import_document(document(KASESE), occasion=TODAY)
    assert people(await store.load_directory()) == people(directory_of(document(KASESE)))
    again = await store.import_document(document(KASESE), occasion=TODAY)
    assert not again.changed
