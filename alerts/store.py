"""Episodes and alerts in SQL: the state, what people are told and the audit log change in one transaction."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from alerts.actions import Acted, Actions
from alerts.agenda import Agenda
from alerts.among import among
from alerts.change import Actor, AlertChange, OpenCount
from alerts.facts import Power, RuleText
from alerts.notification import AuditEntry, Notification
from alerts.outbox import Outbox
from alerts.reading import Reading
from alerts.recorder import Recorder
from alerts.routing import Route
from alerts.rows import (
    IS_OPEN,
    alert_of,
    audit_columns,
    audit_of,
    episode_of,
    notification_of,
    select_alerts,
)
from alerts.schema import bring_up_to_date
from alerts.settings import ClosingSettings, TellingSettings
from alerts.silences import Silence, Silences
from alerts.surroundings import Surroundings, WriteLink, no_link
from alerts.tables import ALERTS, AUDIT, EPISODES, NOTIFICATIONS, TELLINGS
from domain.alert import Alert, AlertState
from domain.directory import Directory
from domain.episode import Episode, EpisodeChange, Severity

log = logging.getLogger(__name__)

Listener = Callable[[AlertChange], None]


@dataclass(frozen=True, slots=True)
class World:
    """What the store asks others at the moment of a change."""

    directory: Callable[[], Directory] = Directory
    rules: Callable[[], Mapping[str, RuleText]] = dict
    power_of: Callable[[str], Power | None] = lambda _: None
    link: WriteLink = no_link


_LONGEST_NUMBER = 18
"""Digits that a database takes for a number."""


class AlertStore:
    """The owner of episodes, alerts, notifications and their audit log.

    ``routes`` are the channels that are configured; ``give_up_after`` is the time a notification has to arrive;
    ``world`` answers what registry, rules and supplies are at the moment of a change.
    """

    def __init__(
        self,
        database: AsyncEngine,
        *,
        routes: Sequence[Route] = (),
        give_up_after: timedelta = timedelta(hours=1),
        world: World | None = None,
        telling: TellingSettings | None = None,
        closing: ClosingSettings | None = None,
    ) -> None:
        self._database = database
        self.routes = tuple(routes)
        self._give_up_after = give_up_after
        self._listeners: list[Listener] = []
        self._wakers: list[Callable[[], None]] = []
        self._world = world or World()
        self._settings = telling or TellingSettings()
        self.outbox = Outbox(database)
        self.reading = Reading(database)
        self.actions = Actions(self.around, closing)
        self.agenda = Agenda(database, self.outbox, self.around, self.publish)
        self.on_change(lambda _: self.agenda.wake())

    def around(self, connection: AsyncConnection, now: datetime) -> Surroundings:
        """Return what a change at a moment is recorded with, in the transaction of the connection."""
        world = self._world
        return Surroundings(
            connection=connection,
            directory=world.directory(),
            rules=world.rules(),
            routes=self.routes,
            now=now,
            deadline=now + self._give_up_after,
            power_of=world.power_of,
            settings=self._settings,
            link=world.link,
        )

    async def create_tables(self) -> None:
        """Create the tables that are missing, and bring up to date those of an older Vitals."""
        async with self._database.begin() as connection:
            await connection.run_sync(bring_up_to_date)

    def on_change(self, listener: Listener) -> None:
        """Call the listener with every change after its commit; it must return at once."""
        self._listeners.append(listener)

    def on_publish(self, waker: Callable[[], None]) -> None:
        """Call after every commit here that may have queued messages; it must return at once."""
        self._wakers.append(waker)

    def wake(self) -> None:
        """Let the dispatcher and the agenda look again, because something came due that no change of an alert tells."""
        self.publish(())
        self.agenda.wake()

    def publish(self, changes: Sequence[AlertChange]) -> None:
        """Tell the listeners; whoever committed what ``record`` returned calls this then."""
        for waker in self._wakers:
            waker()
        for change in changes:
            for listener in self._listeners:
                try:
                    listener(change)
                except Exception:
                    # One listener's defect must neither stop the judge nor keep the news from the others.
                    log.exception("a listener failed on alert %d", change.alert.id)

    async def record(
        self, connection: AsyncConnection, changes: Sequence[EpisodeChange], *, now: datetime
    ) -> list[AlertChange]:
        """Store what the rules found, and everything that follows from it, in the caller's transaction.

        ``now`` is processing time. The same change twice changes nothing.
        Returns what happened to alerts: hand it to ``publish`` after the commit.
        """
        return await Recorder(self.around(connection, now)).record(changes)

    async def acknowledge(self, alert_id: int, *, by: str, now: datetime, origin: str, note: str = "") -> Alert:
        """Note that somebody takes care of the alert and its incident; a repeated or late answer changes nothing.

        ``origin`` says where the answer came from (``api``, ``page``, a number). Raises ``UnknownAlertError``.
        """
        acted = await self.act(
            lambda connection: self.actions.acknowledge(connection, alert_id, by=Actor(by, origin), now=now, note=note)
        )
        return acted.alert

    async def act(self, action: Callable[[AsyncConnection], Awaitable[Acted]]) -> Acted:
        """Let somebody do something in a transaction of its own, and tell the listeners."""
        async with self._database.begin() as connection:
            acted = await action(connection)
        self.publish(acted.changes)
        return acted

    async def silences(self, now: datetime) -> list[Silence]:
        """Return the shelvings and maintenance windows that hold now or will."""
        async with self._database.connect() as connection:
            return await Silences(connection).standing(now)

    async def silence(self, silence: Silence) -> Silence:
        """Keep a shelving or maintenance window, and let it hold for what goes on."""
        async with self._database.begin() as connection:
            kept = await Silences(connection).add(silence)
        await self.agenda.do(silence.created_at)
        return kept

    async def cancel_silence(self, number: int, *, by: str, now: datetime) -> bool:
        """Take a silence back; tell whether it was standing."""
        async with self._database.begin() as connection:
            cancelled = await Silences(connection).cancel([number], by=by, now=now)
        await self.agenda.do(now)
        return cancelled > 0

    async def alert(self, alert_id: int) -> Alert | None:
        """Return the alert with this reference, or None."""
        async with self._database.connect() as connection:
            return await self._alert(connection, alert_id)

    async def alerts(
        self,
        *,
        open_only: bool = True,
        facility: str | None = None,
        limit: int = 100,
        before_id: int | None = None,
        within: frozenset[str] | None = None,
        rule: str | None = None,
    ) -> list[Alert]:
        """Return alerts, newest reference first, without those that late data withdrew; page on with ``before_id``.

        ``facility`` None means all, or those ``within``; ``rule`` None means every rule.
        """
        query = select_alerts().where(EPISODES.c.retracted_at.is_(None)).order_by(ALERTS.c.id.desc()).limit(limit)
        if open_only:
            query = query.where(IS_OPEN)
        if facility is not None:
            query = query.where(ALERTS.c.facility == facility)
        if within is not None:
            query = query.where(among(ALERTS.c.facility, within))
        if rule is not None:
            query = query.where(EPISODES.c.rule == rule)
        if before_id is not None:
            query = query.where(ALERTS.c.id < before_id)
        async with self._database.connect() as connection:
            return [alert_of(row) for row in await connection.execute(query)]

    async def episodes(
        self,
        *,
        subject: str | None = None,
        facility: str | None = None,
        from_: datetime | None = None,
        to: datetime | None = None,
        limit: int = 1000,
        connection: AsyncConnection | None = None,
    ) -> list[Episode]:
        """Return episodes that touch ``from_`` ≤ t < ``to``, oldest first; on the given connection if there is one."""
        query = select(EPISODES).where(EPISODES.c.retracted_at.is_(None)).order_by(EPISODES.c.started_at, EPISODES.c.id)
        if subject is not None:
            query = query.where(EPISODES.c.subject == subject)
        if facility is not None:
            query = query.where(EPISODES.c.facility == facility)
        if from_ is not None:
            query = query.where(EPISODES.c.ended_at.is_(None) | (EPISODES.c.ended_at >= from_))
        if to is not None:
            query = query.where(EPISODES.c.started_at < to)
        return [episode_of(row) for row in await self._rows(query.limit(limit), connection)]

    async def find_episode(self, named: str) -> tuple[Episode, Alert | None] | None:
        """Return the episode of this id, or of the alert of this number, also a retracted one; None for no such."""
        is_number = named.isascii() and named.isdecimal() and len(named) <= _LONGEST_NUMBER
        chosen = ALERTS.c.id == int(named) if is_number else EPISODES.c.id == named
        of_alert = EPISODES.outerjoin(ALERTS, ALERTS.c.episode == EPISODES.c.id)
        rows = await self._rows(select(EPISODES, ALERTS.c.id.label("alert")).select_from(of_alert).where(chosen))
        if not rows:
            return None
        return episode_of(rows[0]), None if rows[0].alert is None else await self.alert(rows[0].alert)

    async def open_episodes(self, rules: Sequence[str]) -> list[Episode]:
        """Return the episodes of these rules that go on."""
        going_on = EPISODES.c.ended_at.is_(None) & EPISODES.c.retracted_at.is_(None)
        query = select(EPISODES).where(EPISODES.c.rule.in_(rules), going_on)
        return [episode_of(row) for row in await self._rows(query)]

    async def notifications(self, alert_id: int) -> list[Notification]:
        """Return what was sent or is to be sent for an alert, in the order of queueing."""
        bundles = select(TELLINGS.c.bundle).where(TELLINGS.c.alert == alert_id)
        query = select(NOTIFICATIONS).where(NOTIFICATIONS.c.bundle.in_(bundles)).order_by(NOTIFICATIONS.c.id)
        return [notification_of(row) for row in await self._rows(query)]

    async def audit(self, alert_id: int) -> list[AuditEntry]:
        """Return who did what to an alert, oldest first."""
        return [audit_of(row) for row in await self._rows(audit_columns().where(AUDIT.c.alert == alert_id))]

    async def open_counts(self) -> list[OpenCount]:
        """Return how many alerts are not over, by facility, rule, severity, state and whether late data told."""
        groups = (ALERTS.c.facility, EPISODES.c.rule, EPISODES.c.severity, ALERTS.c.state, ALERTS.c.past)
        query = select(*groups, func.count()).join(EPISODES, ALERTS.c.episode == EPISODES.c.id).where(IS_OPEN)
        return [
            OpenCount(facility, rule, Severity(severity), AlertState(state), past, number)
            for facility, rule, severity, state, past, number in await self._rows(query.group_by(*groups))
        ]

    async def _alert(self, connection: AsyncConnection, alert_id: int) -> Alert | None:
        row = (await connection.execute(select_alerts().where(ALERTS.c.id == alert_id))).one_or_none()
        return None if row is None else alert_of(row)

    async def _rows(self, query: Any, connection: AsyncConnection | None = None) -> Sequence[Any]:
        if connection is not None:
            return (await connection.execute(query)).all()
        async with self._database.connect() as own:
            return (await own.execute(query)).all()
