"""A real HTTP receiver of webhooks that remembers what came and fails as it is told to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.system.servers import serve

HANG = 0
"""Instead of a status: never answer."""


@dataclass
class Received:
    """One request."""

    headers: dict[str, str]
    body: bytes
    document: dict[str, Any]


@dataclass
class Receiver:
    """What came, and what is to be answered."""

    url: str = ""
    statuses: list[int] = field(default_factory=list)
    """Answered in this order, then 204."""
    headers: dict[str, str] = field(default_factory=dict)
    requests: list[Received] = field(default_factory=list)
    arrived: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))
    released: asyncio.Event = field(default_factory=asyncio.Event)
    """Lets those go that hang."""

    async def handle(self, request: web.Request) -> web.Response:
        """Remember and answer."""
        body = await request.read()
        self.requests.append(Received(dict(request.headers), body, await request.json()))
        status = self.statuses.pop(0) if self.statuses else 204
        self.arrived.release()
        if status == HANG:
            await self.released.wait()
            return web.Response(status=503)
        return web.Response(status=status, headers=self.headers)

    @property
    def keys(self) -> list[str]:
        """Return the idempotency keys in the order of arrival."""
        return [str(request.document["key"]) for request in self.requests]


@asynccontextmanager
async def receiving(*statuses: int) -> AsyncIterator[Receiver]:
    """Run a receiver meanwhile."""
    receiver = Receiver(statuses=list(statuses))
    application = web.Application()
    application.router.add_post("/hook", receiver.handle)
    async with serve(application) as url:
        receiver.url = f"{url}/hook"
        try:
            yield receiver
        finally:
            receiver.released.set()
