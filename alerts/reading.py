"""Reading incidents: what belongs together, who has it, and who is asked next."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from alerts.rows import IS_OPEN, alert_of, select_alerts
from alerts.tables import ALERTS, EPISODES, ESCALATIONS
from domain.alert import Alert


@dataclass(frozen=True, slots=True)
class Incident:
    """Alerts of one facility with one root cause."""

    number: int
    """Of the alert that it began with: the reference in its first message."""
    alerts: tuple[Alert, ...]
    """Those that are not over, what began first at the head: the probable cause."""
    next_step_at: datetime | None
    """When the next people are told unless somebody answers; None where nobody is asked any more."""


async def open_incidents(database: AsyncEngine, *, facility: str | None = None, limit: int = 500) -> list[Incident]:
    """Return the incidents with alerts that are not over, the newest first."""
    query = select_alerts().where(IS_OPEN, ALERTS.c.incident.is_not(None), EPISODES.c.retracted_at.is_(None))
    if facility is not None:
        query = query.where(ALERTS.c.facility == facility)
    async with database.connect() as connection:
        rows = (await connection.execute(query.order_by(EPISODES.c.started_at, ALERTS.c.id))).all()
        steps = await connection.execute(select(ESCALATIONS.c.incident, ESCALATIONS.c.due_at))
        due = {row.incident: row.due_at for row in steps}
    grouped: defaultdict[int, list[Alert]] = defaultdict(list)
    for row in rows:
        grouped[row.alert_incident].append(alert_of(row))
    newest = sorted(grouped, reverse=True)[:limit]
    return [Incident(number, tuple(grouped[number]), due.get(number)) for number in newest]
