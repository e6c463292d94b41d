"""The open alerts, in memory."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from alerts.change import AlertChange
from alerts.lifecycle import AlertEvent
from alerts.store import AlertStore
from domain.alert import Alert, AlertState

log = logging.getLogger(__name__)

REFRESH_SECONDS = 2.0
PAGE = 100
"""Rows that are read before others get their turn: about three milliseconds."""
_BUSY_SHARE = 0.1
"""Asking the database again takes at most this share of the time."""


class OpenAlerts:
    """The open alerts, newest first, for those who may not wait for the database.

    What the store here changes is known at once; what only the database knows, such as what another process did, when
    it is asked again, which happens after every change.
    """

    def __init__(self, store: AlertStore) -> None:
        self._store = store
        self._stale = asyncio.Event()
        self._open: dict[int, Alert] = {}
        self._meanwhile: dict[int, Alert | None] = {}
        """Changes since the database began to be asked."""
        self._now: Sequence[Alert] | None = ()
        store.on_change(self._note)

    @property
    def now(self) -> Sequence[Alert]:
        """Return the open alerts; the same object while nothing changes."""
        if self._now is None:
            self._now = [alert for _, alert in sorted(self._open.items(), reverse=True)]
        return self._now

    async def refresh(self) -> None:
        """Ask the database, page by page."""
        self._meanwhile.clear()
        found: dict[int, Alert] = {}
        before: int | None = None
        while True:
            page = await self._store.alerts(open_only=True, limit=PAGE, before_id=before)
            found |= {alert.id: alert for alert in page}
            if len(page) < PAGE:
                break
            before = page[-1].id
        for number, alert in self._meanwhile.items():
            _put(found, number, alert)
        if found != self._open:
            self._open, self._now = found, None

    async def run(self) -> None:
        """Ask again after every change, at most every ``REFRESH_SECONDS``, until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            await self._stale.wait()
            self._stale.clear()
            started = loop.time()
            try:
                await self.refresh()
            except Exception:
                log.exception("the open alerts could not be read; the last known stay")
            await asyncio.sleep(max(REFRESH_SECONDS, (loop.time() - started) / _BUSY_SHARE))

    def _note(self, change: AlertChange) -> None:
        self._stale.set()
        gone = change.alert.state is AlertState.NORMAL or AlertEvent.RETRACTED in change.events
        number, alert = change.alert.id, None if gone else change.alert
        self._meanwhile[number] = alert
        _put(self._open, number, alert)
        self._now = None


def _put(alerts: dict[int, Alert], number: int, alert: Alert | None) -> None:
    if alert is None:
        alerts.pop(number, None)
    else:
        alerts[number] = alert
