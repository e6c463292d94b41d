"""Incidents: the alerts of one facility that one cause explains, named by the alert that it began with."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import Row, or_, select, update

from alerts.routing import Reason
from alerts.rows import IS_OPEN, alert_of, select_alerts
from alerts.surroundings import Surroundings
from alerts.tables import ALERTS, EPISODES, TELLINGS
from domain.alert import Alert
from domain.episode import SubjectKind
from domain.places import Service

RECOVERY: Final = timedelta(minutes=10)
"""So long after its end an alert still explains others: what it caused takes some time to recover."""


class Incidents:
    """Answers within the caller's transaction."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around

    async def join(self, alert: Alert) -> int:
        """Return the incident that an alert belongs to from now on, and keep it.

        One of the past stands by itself: whoever takes what goes on has not looked at it.
        """
        incident = alert.id if alert.past else await self._found(alert) or alert.id
        statement = update(ALERTS).where(ALERTS.c.id == alert.id).values(incident=incident)
        await self._around.connection.execute(statement)
        return incident

    async def alerts(self, incident: int) -> list[Alert]:
        """Return the alerts of an incident that are not over, the one that began first at the head."""
        query = select_alerts().where(ALERTS.c.incident == incident, IS_OPEN)
        rows = await self._around.connection.execute(query.order_by(EPISODES.c.started_at, ALERTS.c.id))
        return [alert_of(row) for row in rows]

    async def _found(self, alert: Alert) -> int | None:
        for row in await self._candidates(alert):
            other = alert_of(row)
            if self._same_cause(alert, other) or await self._told_with(alert, other):
                incident: int = row.alert_incident
                return incident
        return None

    async def _candidates(self, alert: Alert) -> Sequence[Row[Any]]:
        """Return the alerts of the facility that people know of and that may have to do with this one."""
        fresh = EPISODES.c.ended_at > self._around.now - RECOVERY
        query = select_alerts().where(
            ALERTS.c.facility == alert.facility,
            ALERTS.c.id != alert.id,
            ALERTS.c.incident.is_not(None),
            EPISODES.c.retracted_at.is_(None),
            or_(EPISODES.c.ended_at.is_(None), fresh),
            ALERTS.c.past.is_(False),
        )
        found = await self._around.connection.execute(query.order_by(ALERTS.c.id.desc()).limit(50))
        return list(found)

    def _same_cause(self, alert: Alert, other: Alert) -> bool:
        text_of = self._around.text_of
        if other.rule in text_of(alert.rule).suppressed_by or alert.rule in text_of(other.rule).suppressed_by:
            return True
        first, second = sorted((alert, other), key=lambda each: (each.started_at, each.id))
        # Whatever goes wrong after the power went has to do with it, as far as anybody can tell from afar.
        return self._is_power(first) and not self._is_power(second)

    def _is_power(self, alert: Alert) -> bool:
        if alert.subject_kind is not SubjectKind.CHANNEL:
            return False
        directory = self._around.directory
        channel = directory.channels.get(alert.subject)
        equipment = directory.equipment.get(channel.equipment) if channel else None
        return equipment is not None and equipment.kind.service is Service.POWER

    async def _told_with(self, alert: Alert, other: Alert) -> bool:
        """Tell whether the other one still waits to be told, so that both can be told together."""
        wait = self._around.settings.wait_seconds.of(alert.severity)
        if not wait:
            return False
        together = (TELLINGS.c.due_at.is_not(None)) & (TELLINGS.c.hold == Reason.HELD_TOGETHER.value)
        waiting = select(TELLINGS.c.id).where(TELLINGS.c.alert == other.id, together)
        return await self._around.connection.scalar(waiting.limit(1)) is not None
