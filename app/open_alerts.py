"""The open alerts as of a moment ago."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from alerts.store import AlertStore
from domain.alert import Alert

log = logging.getLogger(__name__)

OPEN_ALERTS_LIMIT = 10_000
REFRESH_SECONDS = 2.0


class OpenAlerts:
    """The open alerts as of a moment ago, for those who may not wait for the database."""

    def __init__(self, store: AlertStore) -> None:
        self._store = store
        self._stale = asyncio.Event()
        self.now: Sequence[Alert] = ()
        store.on_change(lambda _: self._stale.set())

    async def refresh(self) -> None:
        """Ask the database."""
        self.now = await self._store.alerts(open_only=True, limit=OPEN_ALERTS_LIMIT)

    async def run(self) -> None:
        """Ask again after every change, at most every ``REFRESH_SECONDS``, until cancelled."""
        while True:
            await self._stale.wait()
            self._stale.clear()
            try:
                await self.refresh()
            except Exception:
                log.exception("the open alerts could not be read; the last known stay")
            await asyncio.sleep(REFRESH_SECONDS)
