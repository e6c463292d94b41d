"""Suppression by design: an alert that another one explains waits, and is told if it outlasts its explanation.

A rule names the rules whose alerts explain its own at the same facility (``suppressed_by``): a power cut explains that
the monitoring unit falls silent. For a while after the explanation is over it still counts, because what it caused
takes some time to recover.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from alerts.facts import RuleText
from alerts.incidents import RECOVERY
from alerts.lifecycle import ONGOING
from alerts.rows import IS_OPEN, chunks, select_alerts
from alerts.tables import ALERTS, EPISODES
from domain.alert import AlertState

Place = tuple[str, str]
"""A rule, and the facility at which it says something."""


class Suppression:
    """Answers within the caller's transaction."""

    def __init__(self, connection: AsyncConnection, rules: Mapping[str, RuleText], now: datetime) -> None:
        self._connection, self._rules, self._now = connection, rules, now

    def explains_others(self, rule: str) -> bool:
        """Tell whether any rule names this one as its explanation."""
        return any(rule in text.suppressed_by for text in self._rules.values())

    async def explained(self, at: Iterable[Place]) -> set[Place]:
        """Return for which rules at which facilities there is an explanation, which people were told of."""
        causes = {place: self._causes(place[0]) for place in at}
        rules = {rule for explaining in causes.values() for rule in explaining}
        told = await self._told(rules, [facility for (_, facility), explaining in causes.items() if explaining])
        return {place for place, explaining in causes.items() if any((rule, place[1]) in told for rule in explaining)}

    def _causes(self, rule: str) -> tuple[str, ...]:
        text = self._rules.get(rule)
        return () if text is None else text.suppressed_by

    async def _told(self, rules: Set[str], facilities: Sequence[str]) -> set[Place]:
        """Return which of the rules people were told of at the facilities, lately or of what goes on."""
        going_on = IS_OPEN & ALERTS.c.state.in_([state.value for state in ONGOING])
        told: set[Place] = set()
        for chunk in chunks(facilities):
            query = (
                select(EPISODES.c.rule, ALERTS.c.facility)
                .join(EPISODES, ALERTS.c.episode == EPISODES.c.id)
                .where(ALERTS.c.facility.in_(chunk), EPISODES.c.rule.in_(sorted(rules)))
                .where(EPISODES.c.retracted_at.is_(None), ALERTS.c.transitions > 0)
                .where(or_(going_on, EPISODES.c.ended_at > self._now - RECOVERY))
            )
            told.update((row.rule, row.facility) for row in await self._connection.execute(query))
        return told

    async def outlasting(self) -> list[str]:
        """Return the episodes of suppressed alerts that nothing explains any more, by id."""
        suppressed = select_alerts().where(IS_OPEN, ALERTS.c.state == AlertState.SUPPRESSED.value)
        rows = (await self._connection.execute(suppressed.order_by(ALERTS.c.id))).all()
        explained = await self.explained((row.rule, row.facility) for row in rows)
        return [row.id for row in rows if (row.rule, row.facility) not in explained]
