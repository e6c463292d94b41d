"""How waiting, incidents and escalation hold on every database; a subclass gives the ``database`` fixture."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import time, timedelta

from sqlalchemy.ext.asyncio import AsyncEngine

from alerts.dispatch import Dispatcher
from alerts.notification import NotificationKind
from alerts.notifiers.notifier import Delivery
from alerts.settings import AT_ONCE, BySeverity, DispatchSettings, TellingSettings
from domain.directory import Directory
from domain.people import Contact, EscalationChain, EscalationStep, QuietHours
from tests.alerts.given import (
    AMINA,
    DIRECTORY,
    JOSEPH,
    MINUTE,
    Judge,
    Memory,
    StandingClock,
    a_judge,
    amended,
    an_episode,
    ended,
    of_rule,
    opened,
)

ALARM, CLEAR = NotificationKind.ALARM, NotificationKind.ALL_CLEAR
WAITING = AT_ONCE.model_copy(update={"wait_seconds": BySeverity(warning=30), "clear_wait_seconds": 30})
ONE_AFTER_THE_OTHER = EscalationChain(
    "one-by-one",
    (EscalationStep(timedelta(0), ("facility",)), EscalationStep(15 * MINUTE, ("district",))),
)


async def told(judge: Judge, alert: int) -> list[tuple[str, str, str]]:
    """Return who is told what over which channel, in the order of queueing."""
    return [(item.contact, item.channel, item.kind.value) for item in await judge.store.notifications(alert)]


async def what(judge: Judge, alert: int) -> list[str]:
    """Return what the audit log says happened."""
    return [entry.what for entry in await judge.store.audit(alert)]


async def one_by_one(database: AsyncEngine, telling: TellingSettings = AT_ONCE) -> Judge:
    """Return a judge where Amina is asked first, and Joseph a quarter of an hour later."""
    judge = await a_judge(database, telling=telling)
    judge.directory = ONE_BY_ONE
    return judge


class TellingContract:
    """The behaviour of tellings, incidents and escalation."""

    async def test_an_all_clear_that_was_overtaken_is_not_sent(self, database: AsyncEngine) -> None:
        """Where late data show within the wait that it is not over, nobody reads OK as the last word."""
        judge = await a_judge(database, telling=WAITING)
        (change,) = await judge.record(opened(an_episode()))
        judge.now += MINUTE
        await judge.store.agenda.do(judge.now)
        await judge.record(ended(an_episode()))
        await judge.record(amended(an_episode(), live=True))
        judge.now += MINUTE
        await judge.store.agenda.do(judge.now)
        kinds = [kind for *_, kind in await told(judge, change.alert.id)]
        assert set(kinds) == {ALARM.value}
        assert "silent_goes_on" in await what(judge, change.alert.id)

    async def test_what_is_over_before_its_turn_is_told_to_nobody(self, database: AsyncEngine) -> None:
        """Neither alarm nor all-clear for half a minute of warmth."""
        judge = await a_judge(database, telling=WAITING)
        (change,) = await judge.record(opened(an_episode()))
        await judge.record(ended(an_episode()))
        judge.now += MINUTE
        await judge.store.agenda.do(judge.now)
        assert await told(judge, change.alert.id) == []
        assert "silent_over" in await what(judge, change.alert.id)

    async def test_two_who_find_the_same_due_tell_it_once(self, database: AsyncEngine) -> None:
        """The judge, the agenda and other processes look at the same moment; each message is queued once."""
        judge = await a_judge(database, telling=WAITING)
        await judge.record(*(opened(an_episode(number)) for number in range(5)))
        judge.now += MINUTE
        others = [Judge(database, telling=WAITING) for _ in range(3)]
        await asyncio.gather(
            judge.record(), *(other.store.agenda.do(judge.now) for other in others), judge.store.agenda.do(judge.now)
        )
        sent = await told(judge, 1)
        assert sorted(sent) == sorted(set(sent))
        assert len(sent) == 3

    async def test_what_is_told_together_is_one_incident(self, database: AsyncEngine) -> None:
        """One reply takes both."""
        judge = await a_judge(database, telling=WAITING)
        await judge.record(opened(an_episode()))
        await judge.record(opened(of_rule("silent", an_episode())))
        assert [len(incident.alerts) for incident in await judge.store.reading.incidents()] == [2]

    async def test_what_waits_for_quiet_hours_gathers_nothing(self, database: AsyncEngine) -> None:
        """Another fault of the same night is an incident of its own, although both are still to be told."""
        judge = await a_judge(database, telling=WAITING)
        asleep = replace(AMINA, quiet=QuietHours(time(12), time(18), "UTC"))
        judge.directory = people([asleep, replace(JOSEPH, quiet=asleep.quiet)])
        (change,) = await judge.record(opened(an_episode()))
        judge.now += MINUTE
        await judge.store.agenda.do(judge.now)
        assert "held_quiet" in await what(judge, change.alert.id)
        await judge.record(opened(of_rule("silent", an_episode())))
        assert [len(incident.alerts) for incident in await judge.store.reading.incidents()] == [1, 1]

    async def test_an_all_clear_takes_no_room_from_an_alarm(self, database: AsyncEngine) -> None:
        """Of a share of two the alarm of before has one; its all-clear has none, and the next alarm goes out."""
        judge = await a_judge(database, telling=AT_ONCE.model_copy(update={"messages_per_hour": 2}))
        await judge.record(opened(an_episode()))
        await judge.record(ended(an_episode()))
        (second,) = await judge.record(opened(of_rule("silent", an_episode())))
        (third,) = await judge.record(opened(of_rule("mains", an_episode())))
        assert {kind for *_, kind in await told(judge, second.alert.id)} == {ALARM.value}
        assert await told(judge, third.alert.id) == []
        assert "held_quota" in await what(judge, third.alert.id)

    async def test_taking_what_goes_on_leaves_the_past_on_the_list(self, database: AsyncEngine) -> None:
        """An excursion of the past waits for somebody to look at it, whatever else is taken."""
        judge = await a_judge(database, telling=WAITING)
        (now,) = await judge.record(opened(an_episode(1)))
        (past,) = await judge.record(opened(ended(an_episode()).episode, live=False))
        await judge.store.acknowledge(now.alert.id, by="amina", now=judge.now, origin="page")
        assert past.alert.id in {alert.id for alert in await judge.store.alerts()}

    async def test_the_next_one_is_asked_when_nobody_answers(self, database: AsyncEngine) -> None:
        """At the quarter of an hour and not before; a restart in between forgets nothing."""
        judge = await one_by_one(database)
        (change,) = await judge.record(opened(an_episode()))
        assert {contact for contact, *_ in await told(judge, change.alert.id)} == {"amina"}
        judge.now += 14 * MINUTE
        await judge.store.agenda.do(judge.now)
        assert len(await told(judge, change.alert.id)) == 2
        restarted = Judge(database, directory=ONE_BY_ONE)
        due = await restarted.store.agenda.next_due(judge.now)
        assert due == judge.now + MINUTE
        await restarted.store.agenda.do(due)
        assert ("joseph", "email", "alarm") in await told(judge, change.alert.id)

    async def test_an_answer_ends_the_asking(self, database: AsyncEngine) -> None:
        """Nobody else is told once somebody goes."""
        judge = await one_by_one(database)
        (change,) = await judge.record(opened(an_episode()))
        await judge.store.acknowledge(change.alert.id, by="amina", now=judge.now, origin="page")
        assert await judge.store.agenda.next_due(judge.now) is None
        await judge.store.agenda.do(judge.now + 60 * MINUTE)
        assert {contact for contact, *_ in await told(judge, change.alert.id)} == {"amina"}

    async def test_who_cannot_be_reached_is_passed_over_at_once(self, database: AsyncEngine) -> None:
        """When the last channel has failed, the next person is due in the same moment."""
        judge = await one_by_one(database)
        judge.directory = _preferring(("sms", "email"))
        (change,) = await judge.record(opened(an_episode()))
        assert await told(judge, change.alert.id) == [("amina", "sms", "alarm")]
        refused = Delivery.failed("no such number", recoverable=False)
        clock = StandingClock(judge.now)
        notifiers = {"sms": Memory([refused]), "email": Memory([refused])}
        dispatcher = Dispatcher(judge.store, notifiers, clock, DispatchSettings(), random=lambda: 0.5)
        await dispatcher.dispatch_due()
        assert await told(judge, change.alert.id) == [("amina", "sms", "alarm"), ("amina", "email", "alarm")]
        await dispatcher.dispatch_due()
        assert await judge.store.agenda.next_due(judge.now) == judge.now
        await judge.store.agenda.do(judge.now)
        assert ("joseph", "email", "alarm") in await told(judge, change.alert.id)
        assert (await what(judge, change.alert.id)).count("undeliverable") == 2
        assert "told_unreached" in await what(judge, change.alert.id)


def _preferring(channels: tuple[str, ...]) -> Directory:
    return people([replace(AMINA, channels=channels), JOSEPH])


def people(contacts: Sequence[Contact]) -> Directory:
    """Return the district with these people, asked one after the other."""
    return Directory(
        facilities=DIRECTORY.facilities.values(),
        equipment=DIRECTORY.equipment.values(),
        nodes=DIRECTORY.nodes.values(),
        channels=DIRECTORY.channels.values(),
        contacts=contacts,
        chains=[ONE_AFTER_THE_OTHER],
    )


ONE_BY_ONE = people([AMINA, JOSEPH])
