"""Incidents: the alerts of one facility that one cause explains, named by the alert that it began with."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence, Set
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import Row, bindparam, or_, select, update

from alerts.routing import Reason
from alerts.rows import IS_OPEN, alert_of, chunks, select_alerts
from alerts.surroundings import Surroundings
from alerts.tables import ALERTS, EPISODES, TELLINGS
from domain.alert import Alert
from domain.episode import SubjectKind
from domain.places import Service

RECOVERY: Final = timedelta(minutes=10)
"""So long after its end an alert still explains others: what it caused takes some time to recover."""

_LOOKED_AT: Final = 50
"""So many alerts of a facility, the newest, are looked at to find what another one has to do with."""


class Incidents:
    """Answers within the caller's transaction."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around

    async def join(self, alerts: Sequence[Alert]) -> dict[int, int]:
        """Return, by number, the incident that each alert belongs to from now on, and keep it.

        The alerts are of different facilities. One of the past stands by itself: whoever takes what goes on has not
        looked at it.
        """
        near = await self._candidates([alert.facility for alert in alerts if not alert.past])
        waiting = await self._waiting([row.alert_id for rows in near.values() for row in rows])
        joined = {
            alert.id: alert.id if alert.past else self._found(alert, near[alert.facility], waiting) or alert.id
            for alert in alerts
        }
        if joined:
            statement = update(ALERTS).where(ALERTS.c.id == bindparam("number")).values(incident=bindparam("joined"))
            rows = [{"number": number, "joined": incident} for number, incident in joined.items()]
            await self._around.connection.execute(statement, rows)
        return joined

    async def alerts(self, incidents: Iterable[int]) -> dict[int, list[Alert]]:
        """Return the alerts of incidents that are not over, of each the one that began first at the head."""
        found: defaultdict[int, list[Alert]] = defaultdict(list)
        for chunk in chunks(incidents):
            query = select_alerts().where(ALERTS.c.incident.in_(chunk), IS_OPEN)
            for row in await self._around.connection.execute(query.order_by(EPISODES.c.started_at, ALERTS.c.id)):
                found[row.alert_incident].append(alert_of(row))
        return found

    def _found(self, alert: Alert, near: Sequence[Row[Any]], waiting: Set[int]) -> int | None:
        for row in [row for row in near if row.alert_id != alert.id][:_LOOKED_AT]:
            other = alert_of(row)
            if self._same_cause(alert, other) or (other.id in waiting and self._waits(alert)):
                incident: int = row.alert_incident
                return incident
        return None

    async def _candidates(self, facilities: Iterable[str]) -> defaultdict[str, list[Row[Any]]]:
        """Return, by facility, the alerts that people know of and that others may have to do with, newest first."""
        fresh = EPISODES.c.ended_at > self._around.now - RECOVERY
        found: defaultdict[str, list[Row[Any]]] = defaultdict(list)
        for chunk in chunks(facilities):
            query = select_alerts().where(
                ALERTS.c.facility.in_(chunk),
                ALERTS.c.incident.is_not(None),
                EPISODES.c.retracted_at.is_(None),
                or_(EPISODES.c.ended_at.is_(None), fresh),
                ALERTS.c.past.is_(False),
            )
            for row in await self._around.connection.execute(query.order_by(ALERTS.c.id.desc())):
                found[row.alert_facility].append(row)
        return found

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

    def _waits(self, alert: Alert) -> bool:
        return bool(self._around.settings.wait_seconds.of(alert.severity))

    async def _waiting(self, alerts: Iterable[int]) -> set[int]:
        """Return which alerts still wait to be told, so that others can be told together with them."""
        together = (TELLINGS.c.due_at.is_not(None)) & (TELLINGS.c.hold == Reason.HELD_TOGETHER.value)
        found: set[int] = set()
        for chunk in chunks(alerts):
            waiting = select(TELLINGS.c.alert).where(TELLINGS.c.alert.in_(chunk), together)
            found.update(await self._around.connection.scalars(waiting))
        return found
