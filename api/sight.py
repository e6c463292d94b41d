"""What somebody may see: the services, narrowed to the facilities of a principal.

Every route reads through these, so that no route can forget to ask. What lies outside is not there; what somebody may
see and not change is refused when it is about to be changed.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import NoReturn

from alerts.allowed import Standing
from alerts.facts import Power
from alerts.measures.compute import Measures
from alerts.measures.rows import Period
from alerts.oncall.roster import Span
from alerts.reading import Firings
from api.alert_desk import AlertDesk
from api.desk_in_sight import DeskInSight
from api.exposition import Exposition
from api.problems import NotAllowedError, NotFoundError
from api.registry_services import RegistryDesk, narrowed_desk
from api.report_services import ReportDesk, ReportsInSight
from api.rule_services import RuleDesk
from api.services import CalendarTaken, IntakeDesk, ReadMeasures, RosterDesk, Services
from collector.journal.rollup import Rollup
from dashboards.figures.places import Figures
from dashboards.pages.series import Resolution
from dashboards.pages.status import FacilityStatus
from dashboards.pages.words import noop
from domain.access import Principal, Role
from domain.alert import Alert
from domain.directory import Directory, once_per_directory
from domain.episode import Episode
from domain.kept import Kept
from domain.place_hour import HourQuestion, PlaceHour
from domain.places import EVERYWHERE, Facility, Place
from domain.reading import Reading
from domain.upkeep import Visit

_MOST_PARTS = 256
"""Of one registry, by whose places they are; a link in a message sees one facility."""


def services_for(principal: Principal, role: Role, services: Services) -> Services:
    """Return the services as somebody may use them who does something that takes this role.

    The directory holds the facilities for which the role is given, with what and who belongs to them.
    """
    sight = _Sight(principal, role, services)
    if not principal.may_everywhere(Role.TECHNICIAN):
        services = dataclasses.replace(services, may_act=sight.may_act)
    if principal.may_everywhere(role):
        return services
    return dataclasses.replace(
        services,
        directory=sight.directory,
        latest=sight.latest,
        series=sight.series,
        rollups=sight.rollups,
        hours=sight.hours,
        kept=sight.kept,
        statuses=sight.statuses,
        open_alerts=sight.open_alerts,
        alerts=sight.alerts,
        alert=sight.alert,
        standings=sight.standings,
        acknowledge=sight.acknowledge,
        episodes=sight.episodes,
        power=sight.power,
        rules=sight.rules(),
        visits=sight.visits,
        last_visits=sight.last_visits,
        metrics=sight.metrics,
        equipment_metrics=sight.metrics,
        measures=None if services.measures is None else sight.measures(services.measures),
        intake=None if services.intake is None else _intake_in_sight(services.intake),
        rosters=None if services.rosters is None else sight.rosters(services.rosters),
        alert_desk=None if services.alert_desk is None else sight.alert_desk(services.alert_desk),
        registry=sight.registry(),
        figures=sight.figures,
        reports=None if services.reports is None else sight.reports(services.reports),
    )


def narrowed(directory: Directory, principal: Principal, role: Role) -> Directory:
    """Return the part of a directory for which a principal has a role."""
    return _within(directory, frozenset(grant.place for grant in principal.grants if grant.role >= role))


def _within(directory: Directory, places: frozenset[Place]) -> Directory:
    # By place and not by person: the people of a district share one.
    parts = _parts(directory)
    if places not in parts:
        facilities = directory.facilities.values()
        wanted = {each.id for each in facilities if any(place.covers(each) for place in places)}
        if len(parts) >= _MOST_PARTS:
            parts.clear()
        parts[places] = directory.within(wanted)
    return parts[places]


@once_per_directory
def _parts(_: Directory) -> dict[frozenset[Place], Directory]:
    return {}


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

    async def hours(self, questions: Mapping[str, HourQuestion], from_ms: int, to_ms: int) -> Sequence[PlaceHour]:
        mine = self.directory().channels
        asked = {
            place: HourQuestion([each for each in limited if each in mine], [each for each in supplies if each in mine])
            for place, (limited, supplies) in questions.items()
        }
        return await self._all.hours(asked, from_ms, to_ms)

    async def kept(self, channel: str) -> Kept:
        self._require_channel(channel)
        return await self._all.kept(channel)

    def statuses(self) -> Sequence[FacilityStatus]:
        mine = self.directory().facilities
        return [each for each in self._all.statuses() if each.facility.id in mine]

    def open_alerts(self) -> Sequence[Alert]:
        mine = self.directory().facilities
        return [each for each in self._all.open_alerts() if each.facility in mine]

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
        if found.facility in self._seen().facilities:
            raise NotAllowedError(noop("You may see alert {number}, and not change it."), number=alert_id)
        return None

    async def standings(self, alerts: Sequence[int]) -> Mapping[int, Standing]:
        return await self._all.standings(alerts)

    async def acknowledge(self, alert_id: int, *, by: str, now: datetime, origin: str, note: str) -> Alert:
        if await self.alert(alert_id) is None:
            raise NotFoundError("alert", alert_id)
        return await self._all.acknowledge(alert_id, by=by, now=now, origin=origin, note=note)

    def may_act(self, facility: str) -> bool:
        return self._principal.may(Role.TECHNICIAN, self._all.directory().facilities.get(facility))

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

    def registry(self) -> RegistryDesk | None:
        desk = self._all.registry
        if desk is None:
            return None
        return narrowed_desk(desk, self.directory, lambda facility: self._principal.may(self._role, facility))

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

    def metrics(self, _: Exposition) -> NoReturn:
        raise NotAllowedError(noop("The figures are of every facility: this takes a role for the whole country."))

    def measures(self, read: ReadMeasures) -> ReadMeasures:
        async def measures(period: Period, place: Place, within: frozenset[str] | None = None) -> Measures:
            if place != EVERYWHERE and any(map(place.covers, self._beyond())):
                raise NotAllowedError(noop("This reaches beyond the places that you may see; name one of them."))
            mine = frozenset(self.directory().facilities)
            return await read(period, place, mine if within is None else mine & within)

        return measures

    def rosters(self, desk: RosterDesk) -> RosterDesk:
        async def calendar(roster: str, window: Span) -> bytes:
            self._require_roster(roster)
            return await desk.calendar(roster, window)

        async def take(
            roster: str, content: bytes, window: Span, *, add: bool, people: Collection[str] | None = None
        ) -> CalendarTaken:
            self._require_roster(roster)
            chains = self._all.directory().chains.values()
            places = [each.place for each in chains if any(f"roster:{roster}" in step.to for step in each.steps)]
            if any(place.covers(each) for each in self._beyond() for place in places):
                raise NotAllowedError(f"Roster {roster} is also for places for which you do not have that role.")
            known = self.directory().contacts.keys()
            return await desk.take(roster, content, window, add=add, people=known if people is None else known & people)

        return RosterDesk(calendar, take)

    def reports(self, desk: ReportDesk) -> ReportDesk:
        jobs = ReportsInSight(desk.jobs, whole=self._all.directory, mine=self.directory, seen=self._seen)
        return dataclasses.replace(desk, jobs=jobs)

    def _seen(self) -> Directory:
        return narrowed(self._all.directory(), self._principal, Role.VIEWER)

    def alert_desk(self, desk: AlertDesk) -> AlertDesk:
        return DeskInSight(
            desk,
            alert=self.alert,
            whole=self._all.directory,
            mine=self.directory,
            seen=self._seen,
        )

    def _require_roster(self, roster: str) -> None:
        if roster not in self.directory().rosters:
            raise NotFoundError("roster", roster)

    def _beyond(self) -> list[Facility]:
        mine = self.directory().facilities
        return [each for each in self._all.directory().facilities.values() if each.id not in mine]

    def figures(self) -> Figures:
        return self._all.figures().within(self.directory().facilities)

    def _require_channel(self, channel: str) -> None:
        if channel not in self.directory().channels:
            raise NotFoundError("channel", channel)


def _intake_in_sight(desk: IntakeDesk) -> IntakeDesk:
    """Return a desk without what was refused: it belongs to no place. So does who waits, but anybody may meet them."""

    async def refuse(*_: object, **__: object) -> NoReturn:
        raise NotAllowedError(noop("What was refused belongs to no place: this takes the role for the whole country."))

    return dataclasses.replace(desk, letters=refuse, letter_groups=refuse, replay=refuse)
