"""Reading what stands beside alerts: incidents, who is asked next, how they were closed, what people wrote."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from alerts.allowed import Standing
from alerts.among import among
from alerts.answers.inbox import Inbox, Kept
from alerts.closing import closings_of
from alerts.rows import IS_OPEN, alert_of, select_alerts
from alerts.tables import ALERTS, EPISODES, ESCALATIONS
from domain.alert import Alert

_CHUNK: Final = 500


@dataclass(frozen=True, slots=True)
class Incident:
    """Alerts of one facility with one root cause."""

    number: int
    """Of the alert that it began with: the reference in its first message."""
    alerts: tuple[Alert, ...]
    """Those that are not over, what began first at the head: the probable cause."""
    next_step_at: datetime | None
    """When the next people are told unless somebody answers; None where nobody is asked any more."""


@dataclass(frozen=True, slots=True)
class Firings:
    """How often a rule raised an alert, and when last."""

    count: int
    last_at: datetime


class Reading:
    """Looks into a database of alerts; each look on a connection of its own."""

    def __init__(self, database: AsyncEngine) -> None:
        self._database = database

    async def incidents(
        self, *, facility: str | None = None, within: frozenset[str] | None = None, limit: int = 500
    ) -> list[Incident]:
        """Return the incidents with alerts that are not over, the newest first.

        ``facility`` None means all, or those ``within``.
        """
        query = select_alerts().where(IS_OPEN, ALERTS.c.incident.is_not(None), EPISODES.c.retracted_at.is_(None))
        if facility is not None:
            query = query.where(ALERTS.c.facility == facility)
        if within is not None:
            query = query.where(among(ALERTS.c.facility, within))
        async with self._database.connect() as connection:
            rows = (await connection.execute(query.order_by(EPISODES.c.started_at, ALERTS.c.id))).all()
            steps = await connection.execute(select(ESCALATIONS.c.incident, ESCALATIONS.c.due_at))
            due = {row.incident: row.due_at for row in steps}
        grouped: defaultdict[int, list[Alert]] = defaultdict(list)
        for row in rows:
            grouped[row.alert_incident].append(alert_of(row))
        newest = sorted(grouped, reverse=True)[:limit]
        return [Incident(number, tuple(grouped[number]), due.get(number)) for number in newest]

    async def firings(self, since: datetime, within: frozenset[str] | None = None) -> dict[str, Firings]:
        """Return how often each rule raised an alert since a moment, at all facilities or those ``within``."""
        query = (
            select(EPISODES.c.rule, func.count().label("times"), func.max(ALERTS.c.raised_at).label("last_at"))
            .join(ALERTS, ALERTS.c.episode == EPISODES.c.id)
            .where(EPISODES.c.retracted_at.is_(None), ALERTS.c.raised_at >= since)
            .group_by(EPISODES.c.rule)
        )
        if within is not None:
            query = query.where(among(EPISODES.c.facility, within))
        async with self._database.connect() as connection:
            return {row.rule: Firings(row.times, row.last_at) for row in await connection.execute(query)}

    async def standings(self, alerts: Sequence[int]) -> dict[int, Standing]:
        """Return what is known besides of those of these alerts that there are."""
        if not alerts:
            return {}
        incidents: dict[int, int | None] = {}
        async with self._database.connect() as connection:
            for start in range(0, len(alerts), _CHUNK):
                query = select(ALERTS.c.id, ALERTS.c.incident).where(ALERTS.c.id.in_(alerts[start : start + _CHUNK]))
                incidents |= {row.id: row.incident for row in await connection.execute(query)}
            closed = await closings_of(connection, alerts)
        return {alert: Standing(incident, closed.get(alert)) for alert, incident in incidents.items()}

    async def inbox(
        self, *, limit: int = 100, before_id: int | None = None, contacts: frozenset[str] | None = None
    ) -> list[Kept]:
        """Return what people, or only these contacts, wrote, newest first; page on with ``before_id``."""
        async with self._database.connect() as connection:
            return await Inbox(connection).newest(limit=limit, before_id=before_id, contacts=contacts)

    async def facilities_of(self, alerts: Collection[int]) -> dict[int, str]:
        """Return the facility of each of these alerts that there are."""
        found: dict[int, str] = {}
        numbers = sorted(alerts)
        async with self._database.connect() as connection:
            for start in range(0, len(numbers), _CHUNK):
                chosen = ALERTS.c.id.in_(numbers[start : start + _CHUNK])
                rows = await connection.execute(select(ALERTS.c.id, ALERTS.c.facility).where(chosen))
                found |= {row.id: row.facility for row in rows}
        return found
