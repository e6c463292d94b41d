"""The commands on the registry."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from app.config import ServiceConfig
from app.database import make_folder, open_database
from app.documents import read_documents
from registry.store import RegistryStore


async def import_registry(config: ServiceConfig, source: Path, *, say: Callable[[str], None]) -> None:
    """Import a file or folder into the service's registry; a running service notices within seconds."""
    documents = read_documents(source)
    make_folder(config.data)
    async with open_database(config.database_url) as database:
        store = RegistryStore(database)
        await store.create_tables()
        say(str(await store.import_document(*documents)))
