"""What the timers of alerts do when the service's clock was set, on every database; a subclass gives ``database``."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, time, timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from alerts.change import Actor
from alerts.notification import NotificationState
from alerts.settings import AT_ONCE, BySeverity
from alerts.timers import shift_timers
from domain.people import QuietHours
from tests.alerts.given import AMINA, MINUTE, Judge, a_judge, an_episode, opened
from tests.alerts.telling_contract import WAITING, one_by_one, people, told, what

SET = pytest.mark.parametrize("by", [timedelta(hours=2), timedelta(hours=-2)])


async def set_clock(judge: Judge, by: timedelta) -> int:
    """Set the service's clock on or back, and do what is due then."""
    async with judge.database.begin() as connection:
        moved = await shift_timers(connection, by, was=judge.now)
    judge.now += by
    await judge.store.agenda.do(judge.now)
    return moved


async def due_in(judge: Judge) -> timedelta:
    """Return how long until the agenda has something to do."""
    due = await judge.store.agenda.next_due(judge.now)
    assert isinstance(due, datetime)
    return due - judge.now


class TimersContract:
    """Timers that count keep what is left of them; those that stand for a time of day keep it."""

    @SET
    async def test_the_next_one_is_asked_after_the_same_quarter_of_an_hour(
        self, database: AsyncEngine, by: timedelta
    ) -> None:
        """Ten minutes before and five after."""
        judge = await one_by_one(database)
        (change,) = await judge.record(opened(an_episode()))
        judge.now += 10 * MINUTE
        assert await set_clock(judge, by) > 0
        assert (await due_in(judge), len(await told(judge, change.alert.id))) == (5 * MINUTE, 2)
        judge.now += 5 * MINUTE
        await judge.store.agenda.do(judge.now)
        assert ("joseph", "email", "alarm") in await told(judge, change.alert.id)

    @SET
    async def test_what_waits_for_others_waits_its_half_minute(self, database: AsyncEngine, by: timedelta) -> None:
        """Neither told at once nor two hours late."""
        judge = await a_judge(database, telling=WAITING)
        (change,) = await judge.record(opened(an_episode()))
        await set_clock(judge, by)
        assert (await told(judge, change.alert.id), await due_in(judge)) == ([], timedelta(seconds=30))

    @SET
    async def test_an_answer_holds_as_long_as_it_would_have(self, database: AsyncEngine, by: timedelta) -> None:
        """Four hours of an acknowledgement are four hours."""
        settings = AT_ONCE.model_copy(update={"acknowledged_for_seconds": BySeverity(warning=4 * 3600)})
        judge = await a_judge(database, telling=settings)
        (change,) = await judge.record(opened(an_episode()))
        await judge.store.acknowledge(change.alert.id, by="amina", now=judge.now, origin="page")
        judge.now += 60 * MINUTE
        await set_clock(judge, by)
        assert "acknowledgement_expired" not in await what(judge, change.alert.id)
        assert await due_in(judge) == 3 * timedelta(hours=1)

    @SET
    async def test_a_shelving_holds_as_long_as_it_would_have(self, database: AsyncEngine, by: timedelta) -> None:
        """Also one whose beginning is in the future of a clock that was set back."""
        judge = await a_judge(database)
        (change,) = await judge.record(opened(an_episode()))
        until = judge.now + timedelta(hours=1)
        await judge.store.act(
            lambda connection: judge.store.actions.shelve(
                connection,
                change.alert.id,
                until=until,
                reason="door is open",
                by=Actor("amina", "page"),
                now=judge.now,
            )
        )
        judge.now += 10 * MINUTE
        await set_clock(judge, by)
        alert = await judge.store.alert(change.alert.id)
        assert alert is not None
        assert alert.state.value == "shelved"
        judge.now += 49 * MINUTE
        await judge.store.agenda.do(judge.now)
        assert "unshelved" not in await what(judge, change.alert.id)
        judge.now += MINUTE
        await judge.store.agenda.do(judge.now)
        assert "unshelved" in await what(judge, change.alert.id)

    async def test_the_end_of_quiet_hours_is_a_time_of_day(self, database: AsyncEngine) -> None:
        """Who does not want to be woken before six is told at six, by the clock that is right now."""
        judge = await a_judge(database, telling=WAITING)
        judge.directory = people([replace(AMINA, quiet=QuietHours(time(12), time(18), "UTC"))])
        await judge.record(opened(an_episode()))
        judge.now += MINUTE
        await judge.store.agenda.do(judge.now)
        six = judge.now + await due_in(judge)
        await set_clock(judge, timedelta(hours=2))
        assert judge.now + await due_in(judge) == six

    @SET
    async def test_a_message_keeps_the_time_it_has_to_arrive(self, database: AsyncEngine, by: timedelta) -> None:
        """Its next attempt and its deadline move along; it is not given up because a clock was wrong."""
        judge = await a_judge(database)
        (change,) = await judge.record(opened(an_episode()))
        before = await judge.store.notifications(change.alert.id)
        await set_clock(judge, by)
        after = await judge.store.notifications(change.alert.id)
        assert {each.state for each in after} == {NotificationState.QUEUED}
        assert [each.deadline for each in after] == [each.deadline + by for each in before]
        due = await judge.store.outbox.claim("sms", now=judge.now, lease_until=judge.now + MINUTE, limit=5)
        assert len(due) == 1
