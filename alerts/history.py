"""The audit log as a stream: what happened to alerts, in order, for followers such as the InfluxDB forwarder."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from alerts.notification import AuditEntry
from alerts.rows import alert_of, audit_of, select_alerts
from alerts.tables import ALERTS, AUDIT
from domain.alert import Alert


class HistoryEntry(NamedTuple):
    """One change and the alert as it is now."""

    position: int
    entry: AuditEntry
    alert: Alert


class AlertHistory:
    """Reads the audit log behind a position."""

    def __init__(self, database: AsyncEngine) -> None:
        self._database = database

    async def newest(self) -> int:
        """Return the position of the newest entry; 0 where there is none."""
        async with self._database.connect() as connection:
            return await connection.scalar(select(func.max(AUDIT.c.id))) or 0

    async def after(self, position: int, limit: int) -> list[HistoryEntry]:
        """Return up to ``limit`` entries behind a position, oldest first."""
        entries = select(AUDIT).where(AUDIT.c.id > position).order_by(AUDIT.c.id).limit(limit)
        async with self._database.connect() as connection:
            rows = (await connection.execute(entries)).all()
            wanted = select_alerts().where(ALERTS.c.id.in_({row.alert for row in rows}))
            alerts = {alert.id: alert for alert in map(alert_of, await connection.execute(wanted))}
        return [HistoryEntry(row.id, audit_of(row), alerts[row.alert]) for row in rows]
