"""The timers of alerting after the service's clock was set to another time: those that count keep what is left of them.

What stands for a time of day stays: the end of quiet hours, the digest in the morning, windows of maintenance.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import BigInteger, Column, ColumnElement, Table, type_coerce, update
from sqlalchemy.ext.asyncio import AsyncConnection

from alerts.routing import Reason
from alerts.silences import SilenceKind
from alerts.tables import ALERTS, ESCALATIONS, NOTIFICATIONS, SILENCES, TELLINGS

_BY_THE_CLOCK: Final = (Reason.HELD_QUIET, Reason.HELD_PAST)
_MILLISECOND: Final = timedelta(milliseconds=1)


async def shift_timers(connection: AsyncConnection, by: timedelta, *, was: datetime) -> int:
    """Move every timer that counts by as much as the clock was set, in the caller's transaction; return how many.

    ``was`` is the moment that the clock would show had it not been set.
    """
    silence, notification, telling = SILENCES.c, NOTIFICATIONS.c, TELLINGS.c
    is_shelved = (silence.kind == SilenceKind.SHELVING.value) & silence.cancelled_at.is_(None) & (silence.end > was)
    counts = telling.due_at.is_not(None) & telling.hold.not_in([reason.value for reason in _BY_THE_CLOCK])
    is_unsent, is_unreported = notification.next_attempt_at.is_not(None), notification.report_due_at.is_not(None)
    moved = [
        (TELLINGS, counts, [telling.due_at]),
        (ESCALATIONS, ESCALATIONS.c.due_at.is_not(None), [ESCALATIONS.c.started_at, ESCALATIONS.c.due_at]),
        (ALERTS, ALERTS.c.acknowledged_until.is_not(None), [ALERTS.c.acknowledged_until]),
        (SILENCES, is_shelved, [silence.start, silence.end]),
        (NOTIFICATIONS, is_unsent, [notification.next_attempt_at, notification.deadline]),
        (NOTIFICATIONS, is_unreported, [notification.report_due_at]),
    ]
    return sum([await _shift(connection, *each, by // _MILLISECOND) for each in moved])


async def _shift(
    connection: AsyncConnection, table: Table, which: ColumnElement[bool], columns: list[Column[Any]], by_ms: int
) -> int:
    values = {column.name: type_coerce(column, BigInteger) + by_ms for column in columns}
    done = await connection.execute(update(table).where(which).values(values))
    return done.rowcount
