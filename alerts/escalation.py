"""Escalation: while nobody answers, the next step of the chain is told; within the caller's transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from alerts.bundle import Occasion
from alerts.oncall.chain import MannedStep, chain_of, steps_of
from alerts.rows import chunks
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


class TakenStep(NamedTuple):
    """What taking a step comes to."""

    people: MannedStep | None
    """None where the chain has no more."""
    is_last: bool
    """Whether nobody is left to ask after it."""


async def next_step_at(connection: AsyncConnection) -> datetime | None:
    """Return when the next step of any incident is due; None where nobody waits for an answer."""
    waiting = select(ESCALATIONS.c.due_at).where(ESCALATIONS.c.due_at.is_not(None))
    query = waiting.order_by(ESCALATIONS.c.due_at).limit(1)
    found: datetime | None = await connection.scalar(query)
    return found


async def due_steps(connection: AsyncConnection, now: datetime, limit: int = 5000) -> list[DueStep]:
    """Return the steps that are due, in the order of their moments.

    So many that what one person is to be told of a national outage is told together, in one transaction of seconds.
    """
    table = ESCALATIONS.c
    query = select(ESCALATIONS).where(table.due_at <= now).order_by(table.due_at, table.incident).limit(limit)
    return [
        DueStep(row.incident, row.step, row.started_at, Occasion(row.occasion), row.who)
        for row in await connection.execute(query)
    ]


async def answered(connection: AsyncConnection, incidents: Iterable[int]) -> None:
    """End the escalation of those incidents that have nothing unanswered any more."""
    for chunk in chunks(incidents):
        unanswered = select(ALERTS.c.incident).where(
            ALERTS.c.incident.in_(chunk), ALERTS.c.state == AlertState.UNACKNOWLEDGED.value
        )
        over = ESCALATIONS.c.incident.in_(chunk) & ESCALATIONS.c.incident.not_in(unanswered)
        await connection.execute(delete(ESCALATIONS).where(over))


async def forget(connection: AsyncConnection, incidents: Iterable[int]) -> None:
    """Wait for no answer any more."""
    for chunk in chunks(incidents):
        await connection.execute(delete(ESCALATIONS).where(ESCALATIONS.c.incident.in_(chunk)))


async def begin(around: Surroundings, alerts: Mapping[int, Alert]) -> None:
    """Wait from now on for an answer to incidents, each with its alert, unless it is waited for already.

    Where a chain has come to its end it begins anew: something new has happened.
    """
    waiting: set[int] = set()
    for chunk in chunks(alerts):
        query = select(ESCALATIONS.c.incident).where(
            ESCALATIONS.c.incident.in_(chunk), ESCALATIONS.c.due_at.is_not(None)
        )
        waiting.update(await around.connection.scalars(query))
    fresh = {incident: Escalation(around, alert) for incident, alert in alerts.items() if incident not in waiting}
    await _schedule(around, [chain.scheduled(incident, 1, around.now) for incident, chain in fresh.items()])


async def go_on(around: Surroundings, due: Mapping[DueStep, Alert]) -> dict[DueStep, TakenStep]:
    """Return the people of steps that are due, and wait for their answers."""
    chains = {step: Escalation(around, alert) for step, alert in due.items()}
    rows = [chain.scheduled(step.incident, step.step + 1, step.started_at) for step, chain in chains.items()]
    await _schedule(around, rows)
    return {
        step: TakenStep(chain.step_of(step.step), not chain.goes_on_after(step.step)) for step, chain in chains.items()
    }


async def _schedule(around: Surroundings, rows: Sequence[dict[str, Any]]) -> None:
    if rows:
        await forget(around.connection, [row["incident"] for row in rows])
        await around.connection.execute(insert(ESCALATIONS), rows)


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

    def step_of(self, number: int) -> MannedStep | None:
        """Return a step by its number, the first being 0; None where the chain has no more."""
        return None if self._after(number) is None else self.steps[min(number, len(self.steps) - 1)]

    def goes_on_after(self, step: int) -> bool:
        """Tell whether the chain has anybody to ask after a step."""
        return self._after(step + 1) is not None

    def scheduled(self, incident: int, step: int, started_at: datetime) -> dict[str, Any]:
        """Return the row by which an incident waits for a step."""
        after = self._after(step)
        # A step that was told early (somebody asked for help) does not make the next one come at once.
        due_at = None if after is None else max(started_at + after, self._around.now + self._pause(step))
        return {
            "incident": incident,
            "step": step,
            "started_at": started_at,
            "due_at": due_at,
            "occasion": Occasion.NOBODY_ANSWERED.value,
            "who": "",
        }

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
