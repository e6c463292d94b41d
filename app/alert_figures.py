"""Figures of alerts and messages as of a moment ago, for those who may not wait for the database."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from alerts.change import AlertChange
from alerts.store import AlertStore
from app.open_alerts import OpenAlerts
from domain.alert import Alert
from domain.instant import Clock, to_datetime

log = logging.getLogger(__name__)

REFRESH_REAL_SECONDS = 5.0


class AlertFigures:
    """Counts what the store publishes, and asks it now and then how many messages wait."""

    def __init__(self, store: AlertStore, alerts: OpenAlerts, channels: Sequence[str], clock: Clock) -> None:
        self._store, self._alerts, self._clock = store, alerts, clock
        self.channels = tuple(channels)
        """Those that are configured: they have figures also while nothing happens."""
        self.escalations = 0
        self.waiting: Mapping[str, int] = {}
        self.undeliverable: Callable[[], Mapping[str, int]] = store.outbox.undeliverable
        store.on_change(self._count)

    def open_alerts(self) -> Sequence[Alert]:
        """Return the open alerts."""
        return self._alerts.now

    def now(self) -> datetime:
        """Return the moment by the service's clock."""
        return to_datetime(self._clock.now_ms())

    async def refresh(self) -> None:
        """Ask the database how many messages wait."""
        self.waiting = await self._store.outbox.waiting()

    async def run(self) -> None:
        """Ask again every ``REFRESH_REAL_SECONDS`` until cancelled."""
        while True:
            try:
                await self.refresh()
            except Exception:
                log.exception("the waiting messages could not be counted; the last known number stays")
            await asyncio.sleep(REFRESH_REAL_SECONDS)

    def _count(self, change: AlertChange) -> None:
        self.escalations += change.escalated
