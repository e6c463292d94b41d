"""What time brings: messages that waited, steps of escalations, what runs out, reports that did not come.

Everything is in SQL with the moment at which it is due, so that a restart forgets nothing.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from alerts.change import AlertChange
from alerts.escalation import due_steps, next_step_at
from alerts.ledger import Stored
from alerts.lifecycle import AlertEvent
from alerts.outbox import Outbox
from alerts.post import next_telling_at
from alerts.recorder import TIME, Recorder
from alerts.rows import IS_OPEN, alert_of, select_alerts
from alerts.silences import Silence, SilenceKind, Silences, next_change, silenced, subject_of
from alerts.steps import take_steps
from alerts.surroundings import Surroundings
from alerts.tables import ALERTS
from alerts.whole import whole
from domain.alert import Alert, AlertState
from domain.instant import Clock, to_datetime

log = logging.getLogger(__name__)

LONGEST_PAUSE_SECONDS: Final = 30.0
"""Of the service's clock; another process, or a person, may have put something on the agenda."""
RETRY_REAL_SECONDS: Final = 2.0
_SILENT: Final = {AlertState.SHELVED: AlertEvent.UNSHELVED, AlertState.OUT_OF_SERVICE: AlertEvent.RETURNED_TO_SERVICE}
_CAN_BE_TAKEN_OUT: Final = (
    AlertState.UNACKNOWLEDGED,
    AlertState.ACKNOWLEDGED,
    AlertState.SHELVED,
    AlertState.SUPPRESSED,
)


class Agenda:
    """Does what is due, each round in one transaction. ``around`` gives the surroundings of a change."""

    def __init__(
        self,
        database: AsyncEngine,
        outbox: Outbox,
        around: Callable[[AsyncConnection, datetime], Surroundings],
        publish: Callable[[Sequence[AlertChange]], None],
    ) -> None:
        self._database = database
        self._outbox = outbox
        self._around = around
        self._publish = publish
        self._swept_at: datetime | None = None
        self._news = asyncio.Event()

    def wake(self) -> None:
        """Look again: something may have come due, or due earlier."""
        self._news.set()

    async def run(self, clock: Clock) -> None:
        """Do what is due until cancelled; where the database is away, it waits."""
        while True:
            try:
                self._news.clear()
                now = to_datetime(clock.now_ms())
                await whole(self.do(now))
                due = await self.next_due(now)
            except Exception:
                log.exception("the agenda of alerts could not be gone through")
                await asyncio.sleep(RETRY_REAL_SECONDS)
                continue
            pause = LONGEST_PAUSE_SECONDS if due is None else (due - to_datetime(clock.now_ms())).total_seconds()
            await self._rest(clock, min(max(pause, 0.0), LONGEST_PAUSE_SECONDS))

    async def do(self, now: datetime) -> None:
        """Do everything that is due at a moment, and tell the listeners of the store."""
        while await self._outbox.forget_reports(now):
            pass
        async with self._database.begin() as connection:
            changes = await self._round(connection, now)
        self._swept_at = now
        # Also where no alert changed: messages may be queued.
        self._publish(changes)

    async def next_due(self, now: datetime) -> datetime | None:
        """Return when there is something to do next; None where nothing waits for its time."""
        async with self._database.connect() as connection:
            moments = [
                await next_telling_at(connection),
                await next_step_at(connection),
                await self._next_expiry(connection),
                await self._next_silence(connection, self._swept_at or now),
            ]
        moments.append(await self._outbox.next_report_due())
        return min((moment for moment in moments if moment is not None), default=None)

    async def _round(self, connection: AsyncConnection, now: datetime) -> list[AlertChange]:
        around = self._around(connection, now)
        recorder = Recorder(around)
        changes = await self._expire(connection, recorder, now)
        changes += await self._sweep(connection, recorder, around)
        # What waited goes out before the next step is taken: it may be what the step waits for an answer to.
        await recorder.finish()
        changes += await take_steps(around, await due_steps(connection, now))
        await recorder.finish()
        return changes

    async def _expire(self, connection: AsyncConnection, recorder: Recorder, now: datetime) -> list[AlertChange]:
        overdue = select(ALERTS.c.id).where(
            ALERTS.c.state == AlertState.ACKNOWLEDGED.value, ALERTS.c.acknowledged_until <= now
        )
        stored = await recorder.load(await connection.scalars(overdue.order_by(ALERTS.c.id)))
        return [await recorder.happen(entry, AlertEvent.ACKNOWLEDGEMENT_EXPIRED, by=TIME) for entry in stored.values()]

    async def _sweep(self, connection: AsyncConnection, recorder: Recorder, around: Surroundings) -> list[AlertChange]:
        """Silence what is out of service or under maintenance now, and let speak what is silent no more."""
        standing = await Silences(connection).standing(around.now)
        watched = [*_SILENT, *_CAN_BE_TAKEN_OUT] if standing or around.directory.out_of_service else [*_SILENT]
        query = select_alerts().where(IS_OPEN, ALERTS.c.state.in_([state.value for state in watched]))
        rows = (await connection.execute(query.order_by(ALERTS.c.id))).all()
        wanted = {row.alert_id: event for row in rows if (event := self._swept(alert_of(row), standing, around))}
        stored: dict[int, Stored] = await recorder.load(wanted)
        return [await recorder.happen(entry, wanted[number], by=TIME) for number, entry in stored.items()]

    def _swept(self, alert: Alert, standing: Sequence[Silence], around: Surroundings) -> AlertEvent | None:
        subject = subject_of(alert.rule, alert.subject_kind, alert.subject, alert.facility, around.directory)
        kind = silenced(standing, subject, around.now, around.directory)
        if kind is SilenceKind.MAINTENANCE and alert.state in _CAN_BE_TAKEN_OUT:
            return AlertEvent.TAKEN_OUT_OF_SERVICE
        return None if kind else _SILENT.get(alert.state)

    async def _next_expiry(self, connection: AsyncConnection) -> datetime | None:
        query = select(ALERTS.c.acknowledged_until).where(
            ALERTS.c.state == AlertState.ACKNOWLEDGED.value, ALERTS.c.acknowledged_until.is_not(None)
        )
        found: datetime | None = await connection.scalar(query.order_by(ALERTS.c.acknowledged_until).limit(1))
        return found

    async def _next_silence(self, connection: AsyncConnection, after: datetime) -> datetime | None:
        standing = await Silences(connection).standing(after)
        changes = (next_change(silence, after) for silence in standing)
        return min((change for change in changes if change is not None), default=None)

    async def _rest(self, clock: Clock, seconds: float) -> None:
        waits = {asyncio.ensure_future(self._news.wait()), asyncio.ensure_future(_slept(clock, seconds))}
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()


async def _slept(clock: Clock, seconds: float) -> bool:
    await clock.sleep(seconds)
    return True
