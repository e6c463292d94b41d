"""The world's registry in a real database, and a client of its pages as somebody."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
from fastapi import Request
from sqlalchemy.ext.asyncio import AsyncEngine

from api.create import create_api
from api.services import Services
from app.database import open_database
from app.registry_desk import registry_desk
from app.registry_view import RegistryView
from domain.access import EVERYBODY, Grant, Principal, Role
from domain.directory import Directory
from domain.document import Document
from domain.places import EVERYWHERE, Place
from registry.changes import ChangeLog
from registry.export import exported
from registry.history import Occasion
from registry.store import RegistryStore
from registry.upkeep import UpkeepStore
from tests.api.world import World

OWN = {"origin": "http://127.0.0.1", "sec-fetch-site": "same-origin", "accept": "text/html"}


def somebody(name: str, role: Role, place: Place = EVERYWHERE) -> Principal:
    """Return a person who is signed in."""
    return Principal(f"user:{name.lower()}", name, frozenset({Grant(role, place)}))


@dataclass
class RegistryWorld:
    """A world whose registry can be changed."""

    world: World
    database: AsyncEngine
    view: RegistryView
    who: Principal = EVERYBODY

    @property
    def directory(self) -> Directory:
        """Return what is registered now."""
        return self.view.directory

    @property
    def store(self) -> RegistryStore:
        """Return the registry, for those who change it behind the pages' back."""
        return RegistryStore(self.database)

    @property
    def log(self) -> ChangeLog:
        """Return who changed what."""
        return ChangeLog(self.database)

    def services(self, **changes: object) -> Services:
        """Return what the API needs."""
        upkeep = UpkeepStore(self.database)
        return self.world.services(
            directory=lambda: self.view.directory,
            registry=registry_desk(self.database, self.view),
            visits=upkeep.visits,
            last_visits=upkeep.last_visits,
            **changes,
        )

    async def recognise(self, _: Request) -> Principal:
        """Return who asks."""
        return self.who

    @asynccontextmanager
    async def client(self, **changes: object) -> AsyncIterator[httpx.AsyncClient]:
        """Give a client of the pages."""
        api = create_api(self.services(**changes), recognise=self.recognise)
        transport = httpx.ASGITransport(api, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", headers=OWN) as client:
            yield client


@asynccontextmanager
async def a_registry_world(path: str, world: World | None = None) -> AsyncIterator[RegistryWorld]:
    """Give a world whose registry stands in a file."""
    world = world or World()
    async with open_database(f"sqlite+aiosqlite:///{path}") as database:
        store = RegistryStore(database)
        await store.create_tables()
        said = Document("world.yaml", exported(world.directory()))
        await store.import_document(said, occasion=Occasion(world.clock.now_ms() - 86_400_000))
        view = RegistryView(store)
        await view.refresh()
        yield RegistryWorld(world, database, view)
