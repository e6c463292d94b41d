"""What the pages of the registry are given."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncEngine

from api.registry_services import RegistryDesk
from app.registry_view import RegistryView
from domain.document import Document
from domain.upkeep import Upkeep
from registry.changes import ChangeLog
from registry.guards import Guard
from registry.history import Occasion
from registry.store import RegistryStore
from registry.upkeep import UpkeepStore


def registry_desk(database: AsyncEngine, view: RegistryView) -> RegistryDesk:
    """Return the desk of the registry in a database; what it changes is in force when it returns."""
    store, upkeep = RegistryStore(database), UpkeepStore(database)

    async def change(*documents: Document, occasion: Occasion, guard: Guard) -> None:
        await store.import_document(*documents, occasion=occasion, guard=guard)
        await view.look()

    async def say(said: Upkeep) -> Upkeep:
        kept = await upkeep.say(said)
        await view.look()
        return kept

    return RegistryDesk(
        change=change,
        changes=ChangeLog(database).changes,
        limit_changes=store.limit_changes,
        shared_limit_changes=store.shared_limit_changes,
        say=say,
        history=upkeep.history,
        note=upkeep.note,
        visit=upkeep.visit,
    )
