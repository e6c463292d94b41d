"""The outbox in SQL: notifications that wait, are being sent, or are settled.

A notification is marked as submitted before it is sent, with a lease: the moment from which its sender counts as dead.
So a crash while sending loses nothing and repeats one message at most, and several dispatchers can share one outbox.
What a channel could not deliver goes on to the person's next channel in the transaction that says so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, FromClause, and_, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from alerts.fallback import go_on
from alerts.notification import UNREACHED, Notification, NotificationKind, NotificationState
from alerts.rows import notification_of
from alerts.tables import NOTIFICATIONS, TELLINGS

_UNSETTLED = (NotificationState.QUEUED.value, NotificationState.SUBMITTED.value)
_REPORTABLE = (NotificationState.SUBMITTED.value, NotificationState.UNKNOWN.value, NotificationState.DELIVERED.value)


class OutboxCount(NamedTuple):
    """How many notifications of a channel are in a state."""

    channel: str
    state: NotificationState
    notifications: int


class Outbox:
    """What the dispatcher needs of the database; every call is a transaction of its own."""

    def __init__(self, database: AsyncEngine) -> None:
        self._database = database
        self._undeliverable: Counter[str] = Counter()

    def undeliverable(self) -> Mapping[str, int]:
        """Return how many notifications failed for good since the start, by channel."""
        return dict(self._undeliverable)

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
        if notification.kind is not NotificationKind.ALL_CLEAR or notification.bundle is None:
            return False
        theirs = TELLINGS.c.contact == notification.contact
        if not notification.contact:
            theirs &= TELLINGS.c.by == notification.channel
        of_alerts = select(TELLINGS.c.alert).where(TELLINGS.c.bundle == notification.bundle, theirs)
        alarms = select(TELLINGS.c.bundle).where(
            TELLINGS.c.alert.in_(of_alerts), theirs, TELLINGS.c.kind != NotificationKind.ALL_CLEAR.value
        )
        table = NOTIFICATIONS.c
        arrived = (
            select(table.id)
            .where(table.bundle.in_(alarms), table.contact == notification.contact, table.id < notification.id)
            .where(table.channel == notification.channel, table.state.not_in([state.value for state in UNREACHED]))
        )
        async with self._database.connect() as connection:
            return await connection.scalar(arrived.limit(1)) is None

    async def put_back(self, notification: Notification, *, next_attempt_at: datetime, error: str) -> None:
        """Queue it again after an attempt that failed for now."""
        async with self._database.begin() as connection:
            values = {"next_attempt_at": next_attempt_at, "last_error": error}
            await _write(connection, notification, NotificationState.QUEUED, values)

    async def await_report(self, notification: Notification, *, reference: str, report_due_at: datetime) -> None:
        """Leave it submitted: the other side took it and will report what came of it."""
        async with self._database.begin() as connection:
            values = {"next_attempt_at": None, "delivery_reference": reference, "report_due_at": report_due_at}
            await _write(connection, notification, NotificationState.SUBMITTED, values)

    async def settle(
        self,
        notification: Notification,
        state: NotificationState,
        *,
        now: datetime,
        reference: str = "",
        error: str = "",
    ) -> None:
        """End it as delivered, failed or cancelled; what failed goes on to the next channel or the next person."""
        values = {"next_attempt_at": None, "settled_at": now, "delivery_reference": reference, "last_error": error}
        async with self._database.begin() as connection:
            written = await _write(connection, notification, state, values)
            if written and state is NotificationState.FAILED:
                await go_on(connection, notification, now=now, error=error)
        if written and state is NotificationState.FAILED:
            self._undeliverable[notification.channel] += 1

    async def report(
        self, channel: str, reference: str, state: NotificationState, *, now: datetime, sentence: str = ""
    ) -> bool:
        """Take what the other side says of a message it took; tell whether there is such a message.

        A report that comes after the time for it still counts; one after a person's answer changes nothing.
        """
        table = NOTIFICATIONS.c
        query = select(NOTIFICATIONS).where(table.channel == channel, table.delivery_reference == reference)
        async with self._database.begin() as connection:
            row = (await connection.execute(query.order_by(table.id.desc()).limit(1))).one_or_none()
            if row is None or not reference:
                return False
            changed = await self._reported(connection, notification_of(row), state, now, sentence)
        if changed and state is NotificationState.FAILED:
            self._undeliverable[channel] += 1
        return True

    async def forget_reports(self, now: datetime, limit: int = 200) -> int:
        """Settle as unknown what was to be reported on by now, use the next channels, and return how many."""
        table = NOTIFICATIONS.c
        overdue = select(NOTIFICATIONS).where(table.report_due_at.is_not(None), table.report_due_at <= now)
        async with self._database.begin() as connection:
            rows = (await connection.execute(overdue.order_by(table.report_due_at).limit(limit))).all()
            for row in rows:
                sentence = "no report on its delivery in time"
                await self._reported(connection, notification_of(row), NotificationState.UNKNOWN, now, sentence)
        return len(rows)

    async def next_report_due(self) -> datetime | None:
        """Return until when the next report is waited for; None where none is."""
        table = NOTIFICATIONS.c
        query = select(table.report_due_at).where(table.report_due_at.is_not(None)).order_by(table.report_due_at)
        async with self._database.connect() as connection:
            found: datetime | None = await connection.scalar(query.limit(1))
            return found

    async def _reported(
        self,
        connection: AsyncConnection,
        notification: Notification,
        state: NotificationState,
        now: datetime,
        said: str,
    ) -> bool:
        table = NOTIFICATIONS.c
        values = {"state": state.value, "report_due_at": None, "settled_at": now, "last_error": said}
        chosen = and_(table.id == notification.id, table.state.in_(_REPORTABLE), table.next_attempt_at.is_(None))
        written = await connection.execute(update(NOTIFICATIONS).where(chosen).values(values))
        if written.rowcount and state in (NotificationState.FAILED, NotificationState.UNKNOWN):
            await go_on(connection, notification, now=now, error=said, is_certain=state is NotificationState.FAILED)
        return written.rowcount > 0

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

    async def oldest_due(self, now: datetime) -> datetime | None:
        """Return since when the oldest message that could be sent now has been due; None where none is."""
        table = NOTIFICATIONS.c
        due = select(table.next_attempt_at).where(
            _is_waiting(NOTIFICATIONS), table.next_attempt_at <= now, table.state == NotificationState.QUEUED.value
        )
        async with self._database.connect() as connection:
            found: datetime | None = await connection.scalar(due.order_by(table.next_attempt_at).limit(1))
            return found

    async def is_writable(self) -> bool:
        """Take the lock that every change takes; raises what the database raises where it cannot be written."""
        async with self._database.begin() as connection:
            await connection.execute(update(NOTIFICATIONS).where(NOTIFICATIONS.c.id < 0).values(attempts=0))
        return True

    async def waiting(self) -> dict[str, int]:
        """Return how many notifications are still to be sent, by channel; those without any are left out."""
        channel = NOTIFICATIONS.c.channel
        query = select(channel, func.count()).where(_is_waiting(NOTIFICATIONS)).group_by(channel)
        async with self._database.connect() as connection:
            rows = (await connection.execute(query)).all()
        return {row.channel: row[1] for row in rows}

    async def counts(self) -> list[OutboxCount]:
        """Return how many notifications there are by channel and state."""
        table = NOTIFICATIONS.c
        query = select(table.channel, table.state, func.count()).group_by(table.channel, table.state)
        async with self._database.connect() as connection:
            rows = await connection.execute(query)
            return [OutboxCount(channel, NotificationState(state), number) for channel, state, number in rows]


async def _write(
    connection: AsyncConnection, notification: Notification, state: NotificationState, values: Mapping[str, Any]
) -> bool:
    # The number of attempts fences off a sender whose lease ran out and whose work another one took over.
    claimed = and_(NOTIFICATIONS.c.id == notification.id, NOTIFICATIONS.c.attempts == notification.attempts)
    unsettled = NOTIFICATIONS.c.state.in_(_UNSETTLED)
    statement = update(NOTIFICATIONS).where(claimed, unsettled).values(state=state.value, **values)
    return (await connection.execute(statement)).rowcount > 0


def _is_waiting(table: FromClause) -> ColumnElement[bool]:
    """Only what is queued or submitted has a next attempt; the index of those that wait is made for this."""
    return table.c.next_attempt_at.is_not(None)


def _is_due(channel: str, now: datetime) -> ColumnElement[bool]:
    due = NOTIFICATIONS.c.next_attempt_at <= now
    return and_(_is_waiting(NOTIFICATIONS), NOTIFICATIONS.c.channel == channel, due)


def _has_unsent_predecessor() -> ColumnElement[bool]:
    earlier = NOTIFICATIONS.alias("earlier")
    same = (getattr(earlier.c, name) == getattr(NOTIFICATIONS.c, name) for name in ("contact", "channel"))
    before = and_(earlier.c.id < NOTIFICATIONS.c.id, _is_waiting(earlier))
    # A message may tell of several alerts; each of them counts, not only the one that gives it the reference.
    first, then = TELLINGS.alias("told_earlier"), TELLINGS.alias("told_now")
    shared = (
        select(first.c.id)
        .join(then, then.c.alert == first.c.alert)
        .where(first.c.bundle == earlier.c.bundle, first.c.contact == earlier.c.contact)
        .where(then.c.bundle == NOTIFICATIONS.c.bundle, then.c.contact == NOTIFICATIONS.c.contact)
        .correlate(earlier, NOTIFICATIONS)
    )
    return select(earlier.c.id).where(*same, before, shared.exists()).correlate(NOTIFICATIONS).exists()
