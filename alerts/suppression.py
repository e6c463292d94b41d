"""Suppression by design: an alert that another one explains waits, and is told if it outlasts its explanation.

A rule names the rules whose alerts explain its own at the same facility (``suppressed_by``): a power cut explains that
the monitoring unit falls silent. For a while after the explanation is over it still counts, because what it caused
takes some time to recover.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from alerts.facts import RuleText
from alerts.incidents import RECOVERY
from alerts.lifecycle import ONGOING
from alerts.rows import IS_OPEN, select_alerts
from alerts.tables import ALERTS, EPISODES
from domain.alert import AlertState


class Suppression:
    """Answers within the caller's transaction."""

    def __init__(self, connection: AsyncConnection, rules: Mapping[str, RuleText], now: datetime) -> None:
        self._connection, self._rules, self._now = connection, rules, now

    def explains_others(self, rule: str) -> bool:
        """Tell whether any rule names this one as its explanation."""
        return any(rule in text.suppressed_by for text in self._rules.values())

    async def is_explained(self, rule: str, facility: str) -> bool:
        """Tell whether an alert of a rule at a facility has an explanation there, which people were told of."""
        text = self._rules.get(rule)
        if text is None or not text.suppressed_by:
            return False
        going_on = IS_OPEN & ALERTS.c.state.in_([state.value for state in ONGOING])
        query = (
            select(ALERTS.c.id)
            .join(EPISODES, ALERTS.c.episode == EPISODES.c.id)
            .where(ALERTS.c.facility == facility, EPISODES.c.rule.in_(text.suppressed_by))
            .where(EPISODES.c.retracted_at.is_(None), ALERTS.c.transitions > 0)
            .where(or_(going_on, EPISODES.c.ended_at > self._now - RECOVERY))
        )
        return await self._connection.scalar(query.limit(1)) is not None

    async def outlasting(self) -> list[str]:
        """Return the episodes of suppressed alerts that nothing explains any more, by id."""
        suppressed = select_alerts().where(IS_OPEN, ALERTS.c.state == AlertState.SUPPRESSED.value)
        rows = (await self._connection.execute(suppressed.order_by(ALERTS.c.id))).all()
        return [row.id for row in rows if not await self.is_explained(row.rule, row.facility)]
