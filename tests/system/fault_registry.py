"""A registry that changes while readings flow: limits and new channels, imported beside the running service."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import aiohttp
from sqlalchemy import URL
from sqlalchemy.exc import SQLAlchemyError

from app.database import open_database
from app.documents import parse_document
from domain.document import Document
from domain.errors import VitalsError
from domain.instant import HOUR_MS
from domain.limits import LimitHistory
from registry.history import Occasion
from registry.store import RegistryStore
from tests.system.fault_nodes import MeasuringNode

IMPORT_EVERY_SECONDS = 0.1
REACH_BACK_MS = 3 * HOUR_MS
MOST_CHANNELS = 60
"""Of one node."""
CLINIC = """\
facilities:
  - id: clinic
    name: Clinic
    country: Uganda
    region: Western
    district: Kasese
    nodes: [NODES]
    equipment: [{id: fridge, kind: fridge, name: Fridge}]
"""


class ChangingRegistry:
    """Imports into the service's database as the command line does, from another process."""

    def __init__(self, database: Path, service: str, nodes: Sequence[MeasuringNode]) -> None:
        self._url = URL.create("sqlite+aiosqlite", database=str(database))
        self._service = service
        self._nodes = nodes
        self._limits: dict[tuple[str, str], dict[str, float]] = {}
        self._imported_at: dict[str, float] = {}
        self.imports = self.refused = self.taken = 0
        """Imports, those that the full disk refused, and new channels that the service took up."""
        self.longest_seconds = 0.0
        """How long it took the service, at most, to take up a new channel."""

    async def register(self, names: Mapping[str, Sequence[str]]) -> None:
        """Import the clinic with these nodes and their channels."""
        nodes = ", ".join(f"{{id: {name}}}" for name in (*names, "noise"))
        channels = [self._row(node, name, low=2.0, high=8.0) for node, found in names.items() for name in found]
        clinic = parse_document(CLINIC.replace("NODES", nodes), "clinic.yaml")
        await self._import(Occasion(_now_ms()), clinic, Document("channels.csv", channels))

    async def storm(self, chance: random.Random) -> None:
        """Change limits and add channels again and again for some seconds."""
        for _ in range(chance.randint(10, 40)):
            node = chance.choice(self._nodes)
            mine = [name for of, name in self._limits if of == node.name]
            new = chance.random() < 0.2 and len(mine) < MOST_CHANNELS
            name = f"c{len(mine)}" if new else chance.choice(mine)
            row = self._row(node.name, name, low=chance.choice((1.0, 2.0, 3.0)), high=chance.choice((7.0, 8.0, 10.0)))
            since_ms = None if new or chance.random() < 0.8 else _now_ms() - chance.randint(0, REACH_BACK_MS)
            await self._try(Occasion(_now_ms(), since_ms), Document("channels.csv", [row]), new)
            await asyncio.sleep(IMPORT_EVERY_SECONDS)

    async def watch(self) -> None:
        """Have nodes measure new channels as soon as the service knows them; until cancelled."""
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=2)) as session:
            while True:
                for channel in await self._known(session) & self._imported_at.keys():
                    waited = time.monotonic() - self._imported_at.pop(channel)
                    self.longest_seconds = max(self.longest_seconds, waited)
                    self.taken += 1
                    node, _, name = channel.removeprefix("clinic/fridge/").partition(".")
                    next(each for each in self._nodes if each.name == node).channels.append(name)
                await asyncio.sleep(0.3)

    async def limits(self) -> dict[str, LimitHistory]:
        """Return which limits each channel had when."""
        async with open_database(self._url) as database:
            store = RegistryStore(database)
            return await store.load_limits(await store.load_directory())

    def _row(self, node: str, name: str, *, low: float, high: float) -> dict[str, str]:
        self._limits[node, name] = {"low": low, "high": high}
        place = {"facility": "clinic", "equipment": "fridge", "quantity": "temperature", "node": node, "name": name}
        return {**place, "id": f"{node}.{name}", "interval": "1s", "limit.low": str(low), "limit.high": str(high)}

    async def _try(self, occasion: Occasion, document: Document, new: bool) -> None:
        row = document.data[0]
        try:
            await self._import(occasion, document)
        except (VitalsError, SQLAlchemyError):
            self.refused += 1  # the disk is full: nothing of it was imported
            if new:
                del self._limits[row["node"], row["name"]]
        else:
            self.imports += 1
            if new:
                self._imported_at[f"clinic/fridge/{row['id']}"] = time.monotonic()

    async def _import(self, occasion: Occasion, *documents: Document) -> None:
        async with open_database(self._url) as database:
            store = RegistryStore(database)
            await store.create_tables()
            await store.import_document(*documents, occasion=occasion)

    async def _known(self, session: aiohttp.ClientSession) -> set[str]:
        try:
            async with session.get(f"{self._service}/api/v1/channels?limit=5000") as response:
                return {channel["id"] for channel in (await response.json())["channels"]}
        except (aiohttp.ClientError, OSError, TimeoutError):
            return set()  # the service is dead or its disk is full


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
