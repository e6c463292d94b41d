"""What people see of the telling of alerts, and do about it: the store of alerts, for somebody who may do all of it.

``api.desk_in_sight`` is the same for somebody who may do it in some places.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from alerts.actions import Acted, Actions
from alerts.answers.inbox import Kept
from alerts.closing import Closing
from alerts.notification import AuditEntry, Notification
from alerts.outbox import OutboxCount
from alerts.reading import Incident
from alerts.routing import Route
from alerts.silences import Silence
from alerts.store import AlertStore
from api.problems import NotFoundError
from domain.alert import Alert


class AlertDesk:
    """Everything of the store of alerts that routes use beyond reading alerts."""

    def __init__(self, store: AlertStore) -> None:
        self._store = store

    @property
    def routes(self) -> Sequence[Route]:
        """Return the channels that are configured."""
        return self._store.routes

    @property
    def actions(self) -> Actions:
        """Return what can be done with alerts, for ``act``."""
        return self._store.actions

    @property
    def reasons(self) -> Sequence[str]:
        """Return the allowed reasons for closing; empty: any."""
        return self._store.actions.closing.reasons

    def require(self, closing: Closing) -> None:
        """Raise ``ActionRefusedError`` where something is missing that has to be said of an alert that is closed."""
        self._store.actions.require(closing)

    async def act(self, alert_id: int, action: Callable[[AsyncConnection], Awaitable[Acted]]) -> Alert:
        """Let somebody do something with an alert and return it as it is then."""
        await self.require_alert(alert_id)
        return (await self._store.act(action)).alert

    async def history(self, alert_id: int) -> Sequence[AuditEntry]:
        """Return who did what to an alert, oldest first."""
        await self.require_alert(alert_id)
        return await self._store.audit(alert_id)

    async def notifications(self, alert_id: int) -> Sequence[Notification]:
        """Return the messages about an alert, in the order of queueing."""
        await self.require_alert(alert_id)
        return await self._store.notifications(alert_id)

    async def incidents(self, facility: str | None = None) -> Sequence[Incident]:
        """Return the incidents with alerts that are not over, the newest first."""
        return await self._store.reading.incidents(facility=facility)

    async def outbox_counts(self) -> Sequence[OutboxCount]:
        """Return how many messages wait, went out, or failed."""
        return await self._store.outbox.counts()

    async def inbox(self, *, limit: int, before_id: int | None = None) -> Sequence[Kept]:
        """Return what people wrote, newest first; page on with ``before_id``."""
        return await self._store.reading.inbox(limit=limit, before_id=before_id)

    async def silences(self, now: datetime) -> Sequence[Silence]:
        """Return the shelvings and maintenance windows that hold now or will."""
        return await self._store.silences(now)

    async def silence(self, silence: Silence) -> Silence:
        """Keep a maintenance window, and let it hold for what goes on."""
        return await self._store.silence(silence)

    async def cancel_silence(self, number: int, *, by: str, now: datetime) -> None:
        """Take a silence back; raise ``NotFoundError`` where none of this number stands."""
        if not await self._store.cancel_silence(number, by=by, now=now):
            raise NotFoundError("silence that still stands", number)

    async def require_alert(self, alert_id: int) -> None:
        """Raise ``NotFoundError`` where there is no such alert."""
        if await self._store.alert(alert_id) is None:
            raise NotFoundError("alert", alert_id)

    @property
    def store(self) -> AlertStore:
        """Return what stands behind it, for a desk with a narrower sight."""
        return self._store
