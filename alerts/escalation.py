"""Escalation: while nobody answers, the next step of the chain is told; within the caller's transaction."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from alerts.bundle import Occasion
from alerts.oncall.chain import MannedStep, chain_of, steps_of
from alerts.surroundings import Surroundings
from alerts.tables import ALERTS, ESCALATIONS
from domain.alert import Alert, AlertState
from domain.people import EscalationChain


class DueStep(NamedTuple):
    """A step of an incident's chain that is to be told."""

    incident: int
    step: int
    started_at: datetime
    occasion: Occasion
    who: str


async def next_step_at(connection: AsyncConnection) -> datetime | None:
    """Return when the next step of any incident is due; None where nobody waits for an answer."""
    waiting = select(ESCALATIONS.c.due_at).where(ESCALATIONS.c.due_at.is_not(None))
    query = waiting.order_by(ESCALATIONS.c.due_at).limit(1)
    found: datetime | None = await connection.scalar(query)
    return found


async def due_steps(connection: AsyncConnection, now: datetime, limit: int = 200) -> list[DueStep]:
    """Return the steps that are due, in the order of their moments."""
    table = ESCALATIONS.c
    query = select(ESCALATIONS).where(table.due_at <= now).order_by(table.due_at, table.incident).limit(limit)
    return [
        DueStep(row.incident, row.step, row.started_at, Occasion(row.occasion), row.who)
        for row in await connection.execute(query)
    ]


async def answered(connection: AsyncConnection, incident: int) -> None:
    """End the escalation of an incident that has nothing unanswered any more."""
    unanswered = select(ALERTS.c.id).where(
        ALERTS.c.incident == incident, ALERTS.c.state == AlertState.UNACKNOWLEDGED.value
    )
    if await connection.scalar(unanswered.limit(1)) is None:
        await connection.execute(delete(ESCALATIONS).where(ESCALATIONS.c.incident == incident))


async def step_of(connection: AsyncConnection, incident: int, *, now: datetime) -> DueStep:
    """Return the step that an incident waits for; the second where it waits for none."""
    row = (await connection.execute(select(ESCALATIONS).where(ESCALATIONS.c.incident == incident))).one_or_none()
    if row is None:
        return DueStep(incident, 1, now, Occasion.NOBODY_ANSWERED, "")
    return DueStep(row.incident, row.step, row.started_at, Occasion(row.occasion), row.who)


async def hurry(connection: AsyncConnection, incident: int, *, now: datetime, occasion: Occasion, who: str) -> bool:
    """Make the next step due now, and tell whether there is one."""
    values = {"due_at": now, "occasion": occasion.value, "who": who}
    waiting = (ESCALATIONS.c.incident == incident) & ESCALATIONS.c.due_at.is_not(None)
    done = await connection.execute(update(ESCALATIONS).where(waiting).values(values))
    return done.rowcount > 0


class Escalation:
    """The chain of one incident at a moment."""

    def __init__(self, around: Surroundings, alert: Alert) -> None:
        self._around = around
        facility = around.directory.facilities.get(alert.facility)
        self._chain: EscalationChain | None = None
        self.steps: tuple[MannedStep, ...] = ()
        if facility is not None:
            self._chain = chain_of(facility, alert.severity, around.directory)
            self.steps = steps_of(self._chain, facility, around.directory, around.now)

    @staticmethod
    async def forget(around: Surroundings, incident: int) -> None:
        """Wait for no answer any more."""
        await around.connection.execute(delete(ESCALATIONS).where(ESCALATIONS.c.incident == incident))

    async def begin(self, incident: int) -> None:
        """Wait for an answer from now on, unless it is waited for already.

        Where the chain has come to its end it begins anew: something new has happened.
        """
        waiting = select(ESCALATIONS.c.incident).where(
            ESCALATIONS.c.incident == incident, ESCALATIONS.c.due_at.is_not(None)
        )
        if await self._around.connection.scalar(waiting) is None:
            await self.forget(self._around, incident)
            await self._schedule(incident, 1, self._around.now)

    async def go_on(self, due: DueStep) -> MannedStep | None:
        """Return the step that is due, None where the chain has no more, and wait for an answer to it."""
        await self.forget(self._around, due.incident)
        await self._schedule(due.incident, due.step + 1, due.started_at)
        return None if self._after(due.step) is None else self.steps[min(due.step, len(self.steps) - 1)]

    def goes_on_after(self, step: int) -> bool:
        """Tell whether the chain has anybody to ask after a step."""
        return self._after(step + 1) is not None

    async def _schedule(self, incident: int, step: int, started_at: datetime) -> None:
        after = self._after(step)
        # A step that was told early (somebody asked for help) does not make the next one come at once.
        due_at = None if after is None else max(started_at + after, self._around.now + self._pause(step))
        values = {
            "incident": incident,
            "step": step,
            "started_at": started_at,
            "due_at": due_at,
            "occasion": Occasion.NOBODY_ANSWERED.value,
            "who": "",
        }
        await self._around.connection.execute(insert(ESCALATIONS).values(values))

    def _after(self, step: int) -> timedelta | None:
        """Return how long after the first step this one is told; beyond the last: its repetitions."""
        if step < len(self.steps):
            return self.steps[step].after
        chain, beyond = self._chain, step - len(self.steps) + 1
        if chain is None or not self.steps or chain.repeat_every is None or beyond > chain.repeat_times:
            return None
        return self.steps[-1].after + beyond * chain.repeat_every

    def _pause(self, step: int) -> timedelta:
        before, after = self._after(step - 1), self._after(step)
        return timedelta(0) if before is None or after is None or step == 1 else after - before
