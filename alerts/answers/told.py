"""What somebody was told of: the alarms that an answer can be about."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from alerts.notification import NotificationKind
from alerts.rows import alert_of, select_alerts
from alerts.tables import ALERTS, EPISODES, NOTIFICATIONS, TELLINGS
from domain.alert import Alert


class ToldBundle(NamedTuple):
    """One message that a person got, and the alerts that it told of."""

    told_at: datetime
    channel: str
    alerts: tuple[Alert, ...]
    """As they are now; the one that gave the message its reference first."""


async def told_to(connection: AsyncConnection, contact: str, *, limit: int = 20) -> list[ToldBundle]:
    """Return the alarms that a contact was sent, newest first."""
    table = NOTIFICATIONS.c
    kinds = [kind.value for kind in (NotificationKind.ALARM, NotificationKind.WORSE)]
    query = (
        select(table.bundle, table.queued_at, table.channel, table.alert)
        .where(table.contact == contact, table.kind.in_(kinds), table.bundle.is_not(None))
        .order_by(table.id.desc())
        .limit(4 * limit)
    )
    newest = {row.bundle: row for row in reversed((await connection.execute(query)).all())}
    bundles = sorted(newest.values(), key=lambda row: (row.queued_at, row.bundle), reverse=True)[:limit]
    alerts = await _alerts_in(connection, contact, [row.bundle for row in bundles])
    return [
        ToldBundle(row.queued_at, row.channel, _lead_first(alerts[row.bundle], row.alert))
        for row in bundles
        if alerts[row.bundle]
    ]


async def _alerts_in(
    connection: AsyncConnection, contact: str, bundles: Sequence[int]
) -> defaultdict[int, list[Alert]]:
    query = (
        select_alerts()
        .add_columns(TELLINGS.c.bundle)
        .join(TELLINGS, TELLINGS.c.alert == ALERTS.c.id)
        .where(TELLINGS.c.bundle.in_(bundles), TELLINGS.c.contact == contact)
        .order_by(EPISODES.c.severity.desc(), ALERTS.c.id)
    )
    found: defaultdict[int, list[Alert]] = defaultdict(list)
    for row in await connection.execute(query):
        alert = alert_of(row)
        if alert not in found[row.bundle]:
            found[row.bundle].append(alert)
    return found


def _lead_first(alerts: Sequence[Alert], lead: int) -> tuple[Alert, ...]:
    return tuple(sorted(alerts, key=lambda alert: alert.id != lead))
