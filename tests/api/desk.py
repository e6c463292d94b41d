"""A judge that raises alerts on the real store, and a client of the API over it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

import httpx

from api.alert_desk import AlertDesk
from api.create import create_api
from app.open_alerts import OpenAlerts
from domain.instant import to_ms
from tests.alerts.given import DIRECTORY, Judge, a_judge, sqlite_database
from tests.api.world import SteppedClock, World

API = "/api/v1"


class Desk(NamedTuple):
    """A judge that raises alerts, and a client of the API over the same store."""

    judge: Judge
    client: httpx.AsyncClient

    async def post(self, path: str, **said: object) -> httpx.Response:
        """Send a document."""
        return await self.client.post(f"{API}{path}", json=said)


@asynccontextmanager
async def a_desk(path: str) -> AsyncIterator[Desk]:
    """Give both on a fresh file."""
    async with sqlite_database(path) as database:
        judge = await a_judge(database)
        open_alerts = OpenAlerts(judge.store)
        services = World().services(
            open_alerts=lambda: open_alerts.now,
            clock=SteppedClock(to_ms(judge.now)),
            directory=lambda: DIRECTORY,
            alerts=judge.store.alerts,
            alert=judge.store.alert,
            standings=judge.store.reading.standings,
            acknowledge=judge.store.acknowledge,
            alert_desk=AlertDesk(judge.store),
        )
        transport = httpx.ASGITransport(create_api(services), raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            yield Desk(judge, client)
