"""What people do with alerts holds on every database; a subclass gives the ``database`` fixture."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from alerts.actions import Acted
from alerts.allowed import AllowedAction, Standing, allowed_actions
from alerts.change import Actor
from alerts.closing import Closed, Closing
from alerts.lifecycle import ImpossibleEventError
from alerts.notification import NotificationKind
from domain.alert import AlertState
from tests.alerts.given import MINUTE, Judge, a_judge, an_episode, ended, opened

GRACE = Actor("Grace", "page")


async def shelve(judge: Judge, alert: int) -> Acted:
    """Put an alert aside for two hours."""
    until = judge.now + timedelta(hours=2)
    return await judge.store.act(
        lambda connection: judge.store.actions.shelve(
            connection, alert, until=until, reason="the new one comes", by=GRACE, now=judge.now
        )
    )


async def unshelve(judge: Judge, alert: int) -> Acted:
    """Let it speak again."""
    return await judge.store.act(
        lambda connection: judge.store.actions.unshelve(connection, alert, by=GRACE, now=judge.now, note="it came")
    )


async def close(judge: Judge, alert: int, closing: Closing) -> Acted:
    """Close an alert."""
    return await judge.store.act(
        lambda connection: judge.store.actions.close(connection, alert, closing, by=GRACE, now=judge.now)
    )


class ActionsContract:
    """The behaviour of shelving, unshelving, closing and of what is allowed."""

    async def test_what_is_unshelved_is_told_afresh(self, database: AsyncEngine) -> None:
        """The one who did it and why are in the log, the shelving is over, and people are told that it goes on."""
        judge = await a_judge(database)
        (change,) = await judge.record(opened(an_episode()))
        await shelve(judge, change.alert.id)
        judge.now += 10 * MINUTE
        before = len(await judge.store.notifications(change.alert.id))
        acted = await unshelve(judge, change.alert.id)
        assert (acted.alert.state, acted.took_effect) == (AlertState.UNACKNOWLEDGED, True)
        assert await judge.store.alert(change.alert.id) == acted.alert
        assert await judge.store.silences(judge.now) == []
        told = (await judge.store.notifications(change.alert.id))[before:]
        assert {each.kind for each in told} == {NotificationKind.ALARM}
        assert all("It still goes on." in each.short_text for each in told)
        entries = [each for each in await judge.store.audit(change.alert.id) if each.what == "unshelved"]
        assert [(each.who, each.origin, each.detail) for each in entries] == [("Grace", "page", "it came")]

    async def test_what_was_unshelved_stays_so(self, database: AsyncEngine) -> None:
        """Neither the agenda nor the next excursion finds the shelving that was taken back."""
        judge = await a_judge(database)
        (change,) = await judge.record(opened(an_episode()))
        await shelve(judge, change.alert.id)
        await unshelve(judge, change.alert.id)
        await judge.store.agenda.do(judge.now)
        await judge.record(ended(an_episode()))
        (again,) = await judge.record(opened(an_episode(1)))
        assert again.alert.state is AlertState.UNACKNOWLEDGED

    async def test_only_what_is_shelved_is_unshelved(self, database: AsyncEngine) -> None:
        """The refusal names what is possible, and nothing is written."""
        judge = await a_judge(database)
        (change,) = await judge.record(opened(an_episode()))
        before = await judge.store.audit(change.alert.id)
        with pytest.raises(ImpossibleEventError, match="possible: acknowledged"):
            await unshelve(judge, change.alert.id)
        assert await judge.store.audit(change.alert.id) == before

    async def test_a_closing_can_be_read_again(self, database: AsyncEngine) -> None:
        """With who, when and what; a second one changes nothing, and is not allowed any more."""
        judge = await a_judge(database)
        (change,) = await judge.record(opened(an_episode()))
        number, closing = change.alert.id, Closing("door", "shut it", 12, "for a week")
        assert not (await close(judge, number, closing)).took_effect
        assert await judge.store.reading.standings([number]) == {number: Standing(number)}
        (over,) = await judge.record(ended(an_episode()))
        assert AllowedAction.CLOSE in allowed_actions(over.alert, Standing(number))
        assert (await close(judge, number, closing)).took_effect
        assert not (await close(judge, number, Closing("another"))).took_effect
        standings = await judge.store.reading.standings([number, 99])
        assert standings == {number: Standing(number, Closed(closing, "Grace", judge.now))}
