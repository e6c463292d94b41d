"""How shelving and maintenance hold on every database; a subclass gives the ``database`` fixture."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from alerts.change import ActionRefusedError, Actor
from alerts.silences import Silence, SilenceKind
from domain.alert import Alert, AlertState
from domain.directory import Directory
from domain.upkeep import Upkeep, UpkeepState
from tests.alerts.given import DIRECTORY, MINUTE, Judge, a_judge, an_episode, ended, opened, worsened
from tests.alerts.telling_contract import told, what

AMINA_API = Actor("Amina", "api")
HOUR = timedelta(hours=1)


async def shelve(judge: Judge, alert: int, until: datetime, reason: str = "the door is being mended") -> None:
    """Let Amina put an alert aside."""
    actions = judge.store.actions
    await judge.store.act(
        lambda connection: actions.shelve(connection, alert, until=until, reason=reason, by=AMINA_API, now=judge.now)
    )


def maintenance(judge: Judge, start: datetime, end: datetime | None) -> Silence:
    """Return work on the fridge of Kasese."""
    return Silence(
        kind=SilenceKind.MAINTENANCE,
        reason="defrosting",
        created_by="amina",
        created_at=judge.now,
        start=start,
        end=end,
        equipment="fridge-2",
    )


def of_fridge(judge: Judge, state: UpkeepState) -> Directory:
    """Return the district with what somebody said of the fridge of Kasese."""
    said = Upkeep("fridge-2", state, judge.now, judge.now, "Amina", "the compressor")
    return Directory(
        facilities=DIRECTORY.facilities.values(),
        equipment=DIRECTORY.equipment.values(),
        nodes=DIRECTORY.nodes.values(),
        channels=DIRECTORY.channels.values(),
        contacts=DIRECTORY.contacts.values(),
        chains=DIRECTORY.chains.values(),
        upkeep=[said],
    )


def out_of_service(judge: Judge) -> Directory:
    """Return the district whose fridge of Kasese serves nobody."""
    return of_fridge(judge, UpkeepState.OUT_OF_SERVICE)


async def now_is(judge: Judge, alert: int) -> AlertState:
    """Return the state of an alert."""
    found = await judge.store.alert(alert)
    assert isinstance(found, Alert)
    return found.state


class SilenceContract:
    """The behaviour of shelving and maintenance."""

    async def test_what_a_shelving_covers_is_raised_without_a_word(self, database: AsyncEngine) -> None:
        """The same fault of the same fridge, a second time within the shelving, is on the list and told to nobody."""
        judge = await a_judge(database)
        (first,) = await judge.record(opened(an_episode()))
        await shelve(judge, first.alert.id, judge.now + 3 * HOUR)
        await judge.record(ended(an_episode()))
        judge.now += HOUR
        (second,) = await judge.record(opened(an_episode(1)))
        assert second.alert.state is AlertState.SHELVED
        assert await told(judge, second.alert.id) == []

    async def test_what_outlasts_its_shelving_is_told_when_it_is_over(self, database: AsyncEngine) -> None:
        """The agenda names that moment; before it nothing happens, at it people hear again."""
        judge = await a_judge(database)
        (change,) = await judge.record(opened(an_episode()))
        until = judge.now + 3 * HOUR
        await shelve(judge, change.alert.id, until)
        assert await judge.store.agenda.next_due(judge.now) == until
        judge.now = until - MINUTE
        await judge.store.agenda.do(judge.now)
        assert await now_is(judge, change.alert.id) is AlertState.SHELVED
        judge.now = until
        await judge.store.agenda.do(judge.now)
        assert await now_is(judge, change.alert.id) is AlertState.UNACKNOWLEDGED
        assert len(await told(judge, change.alert.id)) == 6
        assert "told_again" in [item.reason for item in await judge.store.notifications(change.alert.id)]

    async def test_getting_much_worse_ends_a_shelving(self, database: AsyncEngine) -> None:
        """Less than the rule's step does not; more does, and the shelving is taken back for what follows too."""
        judge = await a_judge(database)
        (change,) = await judge.record(opened(an_episode()))
        await shelve(judge, change.alert.id, judge.now + 24 * HOUR)
        await judge.record(worsened(an_episode(), 10.0))
        assert await now_is(judge, change.alert.id) is AlertState.SHELVED
        await judge.record(worsened(an_episode(), 15.0))
        assert await now_is(judge, change.alert.id) is AlertState.UNACKNOWLEDGED
        assert await judge.store.silences(judge.now) == []
        assert ("amina", "sms", "worse") in await told(judge, change.alert.id)

    async def test_a_shelving_without_reason_or_for_too_long_is_refused(self, database: AsyncEngine) -> None:
        """The refusal says what is allowed, and nothing has changed."""
        judge = await a_judge(database)
        (change,) = await judge.record(opened(an_episode()))
        with pytest.raises(ActionRefusedError, match="reason"):
            await shelve(judge, change.alert.id, judge.now + HOUR, reason=" ")
        for until in (judge.now, judge.now + timedelta(days=7, minutes=1)):
            with pytest.raises(ActionRefusedError, match="within 7 days"):
                await shelve(judge, change.alert.id, until)
        assert await now_is(judge, change.alert.id) is AlertState.UNACKNOWLEDGED
        assert await judge.store.silences(judge.now) == []

    async def test_a_maintenance_that_begins_silences_what_goes_on(self, database: AsyncEngine) -> None:
        """From its beginning nobody is asked any more; whoever had the alarm hears when it is over."""
        judge = await a_judge(database)
        (change,) = await judge.record(opened(an_episode()))
        begins = judge.now + 20 * MINUTE
        await judge.store.silence(maintenance(judge, begins, begins + HOUR))
        assert await now_is(judge, change.alert.id) is AlertState.UNACKNOWLEDGED
        assert await judge.store.agenda.next_due(judge.now) == begins
        await judge.store.agenda.do(begins)
        assert await now_is(judge, change.alert.id) is AlertState.OUT_OF_SERVICE
        judge.now = begins + MINUTE
        await judge.record(worsened(an_episode(), 15.0), ended(an_episode()))
        kinds = [kind for *_, kind in await told(judge, change.alert.id)]
        assert kinds == ["alarm"] * 3 + ["all_clear"] * 3

    async def test_what_still_goes_on_after_a_maintenance_is_told(self, database: AsyncEngine) -> None:
        """An excursion that began and stayed under maintenance reaches people when it ends, also if it ends early."""
        judge = await a_judge(database)
        kept = await judge.store.silence(maintenance(judge, judge.now, None))
        (change,) = await judge.record(opened(an_episode()))
        assert await told(judge, change.alert.id) == []
        judge.now += HOUR
        assert await judge.store.cancel_silence(kept.id, by="amina", now=judge.now)
        assert await now_is(judge, change.alert.id) is AlertState.UNACKNOWLEDGED
        assert {kind for *_, kind in await told(judge, change.alert.id)} == {"alarm"}
        assert (await what(judge, change.alert.id))[:2] == ["raised_out_of_service", "returned_to_service"]

    async def test_what_ended_under_maintenance_costs_no_message(self, database: AsyncEngine) -> None:
        """Neither alarm nor all-clear, during it or after it."""
        judge = await a_judge(database)
        await judge.store.silence(maintenance(judge, judge.now, judge.now + HOUR))
        (change,) = await judge.record(opened(an_episode()))
        await judge.record(ended(an_episode()))
        await judge.store.agenda.do(judge.now + 2 * HOUR)
        assert await told(judge, change.alert.id) == []
        assert await now_is(judge, change.alert.id) is AlertState.NORMAL

    async def test_equipment_out_of_service_tells_nobody(self, database: AsyncEngine) -> None:
        """What goes on is silent from the next round on, what comes is raised without a word, all-clears are told."""
        judge = await a_judge(database)
        (before,) = await judge.record(opened(an_episode()))
        assert await told(judge, before.alert.id) != []
        judge.directory = out_of_service(judge)
        await judge.store.agenda.do(judge.now)
        assert await now_is(judge, before.alert.id) is AlertState.OUT_OF_SERVICE
        await judge.record(worsened(an_episode(), 15.0), ended(an_episode()))
        assert {kind for *_, kind in await told(judge, before.alert.id)} == {"alarm", "all_clear"}
        judge.now += HOUR
        (meanwhile, elsewhere) = await judge.record(opened(an_episode(1)), opened(an_episode(1, facility="lonely")))
        assert (meanwhile.alert.state, elsewhere.alert.state) == (
            AlertState.OUT_OF_SERVICE,
            AlertState.UNACKNOWLEDGED,
        )
        judge.now += 24 * HOUR
        await judge.store.agenda.do(judge.now)
        assert await told(judge, meanwhile.alert.id) == []

    async def test_equipment_that_functions_again_is_told_of_again(self, database: AsyncEngine) -> None:
        """What outlasts its being out of service is told afresh; one that needs repair was told of all along."""
        judge = await a_judge(database)
        judge.directory = out_of_service(judge)
        (change,) = await judge.record(opened(an_episode()))
        assert await told(judge, change.alert.id) == []
        judge.now += HOUR
        judge.directory = of_fridge(judge, UpkeepState.NEEDS_REPAIR)
        await judge.store.agenda.do(judge.now)
        assert await now_is(judge, change.alert.id) is AlertState.UNACKNOWLEDGED
        assert {kind for *_, kind in await told(judge, change.alert.id)} == {"alarm"}
