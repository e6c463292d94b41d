"""The outbox in SQL: notifications that wait, are being sent, or are settled.

A notification is marked as submitted before it is sent, with a lease: the moment from which its sender counts as dead.
So a crash while sending loses nothing and repeats one message at most, and several dispatchers can share one outbox.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, FromClause, and_, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from alerts.notification import Notification, NotificationKind, NotificationState
from alerts.routing import is_owed_all_clear
from alerts.rows import notification_of, sent_columns, sent_of
from alerts.tables import AUDIT, NOTIFICATIONS

_UNSETTLED = (NotificationState.QUEUED.value, NotificationState.SUBMITTED.value)


class OutboxCount(NamedTuple):
    """How many notifications of a channel are in a state."""

    channel: str
    state: NotificationState
    notifications: int


class Outbox:
    """What the dispatcher needs of the database; every call is a transaction of its own."""

    def __init__(self, database: AsyncEngine) -> None:
        self._database = database

    async def claim(
        self, channel: str, *, now: datetime, lease_until: datetime, limit: int, except_ids: Collection[int] = ()
    ) -> list[Notification]:
        """Mark up to ``limit`` due notifications of the channel as submitted and return them, oldest first.

        To one recipient on one channel the messages of an alert go in their order: a later one is not due while an
        earlier one may still be sent.
        """
        due = (
            select(NOTIFICATIONS.c.id)
            .where(_is_due(channel, now), NOTIFICATIONS.c.id.not_in(except_ids), ~_has_unsent_predecessor())
            .order_by(NOTIFICATIONS.c.next_attempt_at, NOTIFICATIONS.c.id)
            .limit(limit)
        )
        # Most looks find nothing; a read of its own keeps the one writer of SQLite free for others.
        async with self._database.connect() as connection:
            ids = list(await connection.scalars(due))
        if not ids:
            return []
        mark = (
            update(NOTIFICATIONS)
            .where(NOTIFICATIONS.c.id.in_(ids), _is_due(channel, now))
            .values(
                state=NotificationState.SUBMITTED.value,
                attempts=NOTIFICATIONS.c.attempts + 1,
                next_attempt_at=lease_until,
            )
            .returning(*NOTIFICATIONS.c)
        )
        async with self._database.begin() as connection:
            rows = await connection.execute(mark)
            return sorted((notification_of(row) for row in rows), key=lambda notification: notification.id)

    async def next_due(self, channel: str, except_ids: Collection[int] = ()) -> datetime | None:
        """Return when the next notification that waits for nothing but its time is due; None where none does."""
        waiting = and_(_is_waiting(NOTIFICATIONS), NOTIFICATIONS.c.channel == channel)
        earliest = (
            select(NOTIFICATIONS.c.next_attempt_at)
            .where(waiting, NOTIFICATIONS.c.id.not_in(except_ids), ~_has_unsent_predecessor())
            .order_by(NOTIFICATIONS.c.next_attempt_at)
            .limit(1)
        )
        async with self._database.connect() as connection:
            found: datetime | None = await connection.scalar(earliest)
            return found

    async def is_moot(self, notification: Notification) -> bool:
        """Tell whether this is an all-clear to somebody whom no alarm reached."""
        if notification.kind is not NotificationKind.ALL_CLEAR:
            return False
        before = sent_columns().where(NOTIFICATIONS.c.alert == notification.alert, NOTIFICATIONS.c.id < notification.id)
        async with self._database.connect() as connection:
            sent = [sent_of(row) for row in await connection.execute(before)]
        return not is_owed_all_clear(notification.contact, notification.channel, sent)

    async def put_back(self, notification: Notification, *, next_attempt_at: datetime, error: str) -> None:
        """Queue it again after an attempt that failed for now."""
        await self._write(notification, NotificationState.QUEUED, next_attempt_at=next_attempt_at, last_error=error)

    async def await_report(self, notification: Notification, *, reference: str) -> None:
        """Leave it submitted: the other side took it and will report what came of it."""
        await self._write(notification, NotificationState.SUBMITTED, next_attempt_at=None, delivery_reference=reference)

    async def settle(
        self,
        notification: Notification,
        state: NotificationState,
        *,
        now: datetime,
        reference: str = "",
        error: str = "",
    ) -> None:
        """End it as delivered, failed or cancelled; a failure goes to the alert's audit log."""
        values = {"next_attempt_at": None, "settled_at": now, "delivery_reference": reference, "last_error": error}
        await self._write(notification, state, **values)

    async def abandon_unserved(self, served: Collection[str], *, now: datetime) -> list[Notification]:
        """Fail what waits past its deadline for a channel that is not configured, and return it."""
        table = NOTIFICATIONS.c
        overdue = select(NOTIFICATIONS).where(
            _is_waiting(NOTIFICATIONS), table.channel.not_in(served), table.deadline <= now
        )
        async with self._database.connect() as connection:
            abandoned = [notification_of(row) for row in await connection.execute(overdue.limit(500))]
        for notification in abandoned:
            error = f"channel {notification.channel} is not configured"
            await self.settle(notification, NotificationState.FAILED, now=now, error=error)
        return abandoned

    async def counts(self) -> list[OutboxCount]:
        """Return how many notifications there are by channel and state."""
        table = NOTIFICATIONS.c
        query = select(table.channel, table.state, func.count()).group_by(table.channel, table.state)
        async with self._database.connect() as connection:
            rows = await connection.execute(query)
            return [OutboxCount(channel, NotificationState(state), number) for channel, state, number in rows]

    async def _write(self, notification: Notification, state: NotificationState, **values: object) -> None:
        # The number of attempts fences off a sender whose lease ran out and whose work another one took over.
        claimed = and_(NOTIFICATIONS.c.id == notification.id, NOTIFICATIONS.c.attempts == notification.attempts)
        unsettled = NOTIFICATIONS.c.state.in_(_UNSETTLED)
        async with self._database.begin() as connection:
            written = await connection.execute(
                update(NOTIFICATIONS).where(claimed, unsettled).values(state=state.value, **values)
            )
            if written.rowcount and state is NotificationState.FAILED:
                await connection.execute(insert(AUDIT).values(_undeliverable(notification, values)))


def _undeliverable(notification: Notification, values: dict[str, object]) -> dict[str, object]:
    whom = notification.contact or "a system"
    return {
        "alert": notification.alert,
        "at": values["settled_at"],
        "who": "vitals",
        "origin": "dispatcher",
        "what": "undeliverable",
        "detail": f"{notification.kind} to {whom} by {notification.channel} after {notification.attempts} attempts: "
        f"{values['last_error']}",
    }


def _is_waiting(table: FromClause) -> ColumnElement[bool]:
    """Only what is queued or submitted has a next attempt; the index of those that wait is made for this."""
    return table.c.next_attempt_at.is_not(None)


def _is_due(channel: str, now: datetime) -> ColumnElement[bool]:
    due = NOTIFICATIONS.c.next_attempt_at <= now
    return and_(_is_waiting(NOTIFICATIONS), NOTIFICATIONS.c.channel == channel, due)


def _has_unsent_predecessor() -> ColumnElement[bool]:
    earlier = NOTIFICATIONS.alias("earlier")
    same = (getattr(earlier.c, name) == getattr(NOTIFICATIONS.c, name) for name in ("alert", "contact", "channel"))
    before = and_(earlier.c.id < NOTIFICATIONS.c.id, _is_waiting(earlier))
    return select(earlier.c.id).where(*same, before).exists()
