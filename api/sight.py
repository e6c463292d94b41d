"""What somebody may see: the services, narrowed to the facilities of a principal.

Every route reads through these, so that no route can forget to ask. What lies outside is not there; what somebody may
see and not change is refused when it is about to be changed.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import lru_cache

from alerts.allowed import Standing
from alerts.facts import Power
from alerts.reading import Firings
from api.problems import NotAllowedError, NotFoundError
from api.rule_services import RuleDesk
from api.services import Services
from collector.journal.rollup import Rollup
from dashboards.pages.series import Resolution
from domain.access import Principal, Role, facilities_for
from domain.alert import Alert
from domain.directory import Directory
from domain.episode import Episode
from domain.kept import Kept
from domain.reading import Reading
from domain.upkeep import Visit


def services_for(principal: Principal, role: Role, services: Services) -> Services:
    """Return the services as somebody may use them who does something that takes this role.

    The directory holds the facilities for which the role is given, with what and who belongs to them.
    """
    if principal.may_everywhere(role):
        return services
    sight = _Sight(principal, role, services)
    return dataclasses.replace(
        services,
        directory=sight.directory,
        latest=sight.latest,
        series=sight.series,
        rollups=sight.rollups,
        kept=sight.kept,
        alerts=sight.alerts,
        alert=sight.alert,
        standings=sight.standings,
        episodes=sight.episodes,
        power=sight.power,
        rules=sight.rules(),
        visits=sight.visits,
        last_visits=sight.last_visits,
    )


@lru_cache(maxsize=32)
def narrowed(directory: Directory, principal: Principal, role: Role) -> Directory:
    """Return the part of a directory for which a principal has a role."""
    return directory.within(facilities_for(principal, role, directory.facilities.values()))


class _Sight:
    def __init__(self, principal: Principal, role: Role, services: Services) -> None:
        self._principal, self._role, self._all = principal, role, services

    def directory(self) -> Directory:
        return narrowed(self._all.directory(), self._principal, self._role)

    def latest(self, channel: str) -> Reading | None:
        return self._all.latest(channel) if channel in self.directory().channels else None

    async def series(self, channel: str, from_ms: int, to_ms: int, *, limit: int) -> Sequence[Reading]:
        self._require_channel(channel)
        return await self._all.series(channel, from_ms, to_ms, limit=limit)

    async def rollups(self, channel: str, from_ms: int, to_ms: int, resolution: Resolution) -> Sequence[Rollup]:
        self._require_channel(channel)
        return await self._all.rollups(channel, from_ms, to_ms, resolution)

    async def kept(self, channel: str) -> Kept:
        self._require_channel(channel)
        return await self._all.kept(channel)

    async def alerts(
        self,
        *,
        open_only: bool,
        facility: str | None,
        limit: int,
        within: frozenset[str] | None = None,
        rule: str | None = None,
    ) -> Sequence[Alert]:
        asked = self._mine(within)
        return await self._all.alerts(open_only=open_only, facility=facility, limit=limit, within=asked, rule=rule)

    async def alert(self, alert_id: int) -> Alert | None:
        found = await self._all.alert(alert_id)
        if found is None or found.facility in self.directory().facilities:
            return found
        if found.facility in narrowed(self._all.directory(), self._principal, Role.VIEWER).facilities:
            raise NotAllowedError(f"You may see alert {alert_id}, and not change it.")
        return None

    async def standings(self, alerts: Sequence[int]) -> Mapping[int, Standing]:
        return await self._all.standings(alerts)

    async def episodes(self, *, facility: str, from_: datetime, to: datetime, limit: int) -> Sequence[Episode]:
        if facility not in self.directory().facilities:
            return []
        return await self._all.episodes(facility=facility, from_=from_, to=to, limit=limit)

    def power(self, facility: str) -> Power | None:
        return self._all.power(facility) if facility in self.directory().facilities else None

    def rules(self) -> RuleDesk | None:
        desk = self._all.rules
        if desk is None:
            return None

        async def firings(since: datetime, within: frozenset[str] | None = None) -> Mapping[str, Firings]:
            return await desk.firings(since, self._mine(within))

        return dataclasses.replace(desk, firings=firings)

    def _mine(self, within: frozenset[str] | None) -> frozenset[str]:
        mine = frozenset(self.directory().facilities)
        return mine if within is None else mine & within

    async def visits(self, facility: str, from_: datetime, to: datetime, *, limit: int) -> Sequence[Visit]:
        if facility not in self.directory().facilities:
            return []
        return await self._all.visits(facility, from_, to, limit=limit)

    async def last_visits(self, facilities: Collection[str]) -> Mapping[str, Visit]:
        mine = self.directory().facilities
        return await self._all.last_visits([each for each in facilities if each in mine])

    def _require_channel(self, channel: str) -> None:
        if channel not in self.directory().channels:
            raise NotFoundError("channel", channel)
