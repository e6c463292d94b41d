"""What comes of messages that gateways report on, and of those that do not arrive; a subclass gives ``database``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncEngine

from alerts.dispatch import Dispatcher
from alerts.notification import NotificationKind, NotificationState
from alerts.notifiers.notifier import Delivery
from alerts.settings import AT_ONCE, BySeverity, DispatchSettings
from tests.alerts.given import (
    AMINA,
    JOSEPH,
    MINUTE,
    Judge,
    Memory,
    StandingClock,
    a_judge,
    an_episode,
    ended,
    of_rule,
    opened,
)
from tests.alerts.telling_contract import people, what

ALARM = NotificationKind.ALARM
BUSY = Delivery.failed("busy", recoverable=True)
REFUSED = Delivery.failed("no such number", recoverable=False)
TAKEN = Delivery(NotificationState.SUBMITTED, reference="gw-7")
TOGETHER = AT_ONCE.model_copy(update={"wait_seconds": BySeverity(warning=30)})
BY_SMS_FIRST = people([replace(AMINA, channels=("sms", "email")), JOSEPH])


async def alarmed(database: AsyncEngine) -> tuple[Judge, int]:
    """Return a judge that has alarmed Amina, who wants an SMS and only if that fails an e-mail, and the reference.

    Called again it tells of another excursion.
    """
    judge = await a_judge(database)
    judge.directory = BY_SMS_FIRST
    known = len(await judge.store.alerts(open_only=False))
    judge.now += known * timedelta(hours=1)
    (change,) = await judge.record(opened(an_episode(known)))
    return judge, change.alert.id


async def alarmed_of_two(database: AsyncEngine) -> Judge:
    """Return a judge that has told Amina of two excursions in one message, which bears the number of the first."""
    judge = await a_judge(database, telling=TOGETHER)
    judge.directory = BY_SMS_FIRST
    await judge.record(opened(an_episode()))
    await judge.record(opened(of_rule("silent", an_episode())))
    judge.now += MINUTE
    await judge.store.agenda.do(judge.now)
    assert len(await judge.store.notifications(2)) == 1
    return judge


async def send(judge: Judge, notifiers: Mapping[str, Memory]) -> None:
    """Send what is due at the judge's moment."""
    clock = StandingClock(judge.now)
    await Dispatcher(judge.store, notifiers, clock, DispatchSettings(), random=lambda: 0.5).dispatch_due()


async def sent(judge: Judge, alert: int) -> list[tuple[str, NotificationKind, NotificationState]]:
    """Return what became of Amina's messages, in the order of queueing."""
    return [(item.channel, item.kind, item.state) for item in await judge.store.notifications(alert)]


class ReportsContract:
    """Reports, and the next channel."""

    async def test_what_failed_when_it_is_over_uses_no_other_channel(self, database: AsyncEngine) -> None:
        """An alarm that could not be sent before the end is not sent elsewhere after it: no all-clear would follow."""
        judge, alert = await alarmed(database)
        await judge.record(ended(an_episode()))
        sms, email = Memory([REFUSED]), Memory()
        for _ in range(3):
            await send(judge, {"sms": sms, "email": email})
        assert [(channel, kind.value, state.value) for channel, kind, state in await sent(judge, alert)] == [
            ("sms", "alarm", "failed"),
            ("sms", "all_clear", "cancelled"),
        ]
        assert email.sent == []

    async def test_what_is_over_is_known_to_be_where_the_alarm_arrived_at_last(self, database: AsyncEngine) -> None:
        """An alarm of two, one over by now, goes to the next channel, and so does what said that it is over."""
        judge = await alarmed_of_two(database)
        await judge.record(ended(an_episode()))
        judge.now += MINUTE
        await judge.store.agenda.do(judge.now)
        sms, email = Memory([REFUSED]), Memory()
        for _ in range(3):
            await send(judge, {"sms": sms, "email": email})
        amina = [item.kind.value for item in email.sent if item.contact == "amina"]
        assert amina == ["alarm", "all_clear"]
        assert [item.kind.value for item in sms.sent] == ["alarm"]

    async def test_what_is_over_is_not_said_before_the_alarm_that_told_of_it(self, database: AsyncEngine) -> None:
        """Also where the alarm bears the reference of another alert, the all-clear waits until it has gone out."""
        judge = await alarmed_of_two(database)
        await judge.record(ended(of_rule("silent", an_episode())))
        sms = Memory([BUSY])
        await send(judge, {"sms": sms})
        judge.now += MINUTE
        await judge.store.agenda.do(judge.now)
        for _ in range(2):
            judge.now += MINUTE
            await send(judge, {"sms": sms})
        assert [item.kind.value for item in sms.sent] == ["alarm", "alarm", "all_clear"]

    async def test_without_a_report_in_time_the_next_channel_is_used(self, database: AsyncEngine) -> None:
        """Not before the time for it; then the SMS is unknown, the e-mail goes out, and nobody else is hurried."""
        judge, alert = await alarmed(database)
        sms, email = Memory([TAKEN]), Memory()
        await send(judge, {"sms": sms, "email": email})
        due = judge.now + timedelta(seconds=DispatchSettings().report_within_seconds)
        assert await judge.store.agenda.next_due(judge.now) == due
        await judge.store.agenda.do(due - timedelta(seconds=1))
        assert await sent(judge, alert) == [("sms", ALARM, NotificationState.SUBMITTED)]
        judge.now = due
        await judge.store.agenda.do(judge.now)
        await send(judge, {"sms": sms, "email": email})
        assert await sent(judge, alert) == [
            ("sms", ALARM, NotificationState.UNKNOWN),
            ("email", ALARM, NotificationState.DELIVERED),
        ]
        assert "undeliverable" not in await what(judge, alert)

    async def test_a_late_report_counts_and_repeats_nothing(self, database: AsyncEngine) -> None:
        """Whatever it says, the message gets its state and the next channel is used once."""
        for state in (NotificationState.DELIVERED, NotificationState.FAILED):
            judge, alert = await alarmed(database)
            sms, email = Memory([TAKEN]), Memory()
            await send(judge, {"sms": sms, "email": email})
            judge.now += 5 * MINUTE
            await judge.store.agenda.do(judge.now)
            assert await judge.store.outbox.report("sms", "gw-7", state, now=judge.now)
            await send(judge, {"sms": sms, "email": email})
            assert await sent(judge, alert) == [("sms", ALARM, state), ("email", ALARM, NotificationState.DELIVERED)]

    async def test_a_report_on_nothing_is_nobodys(self, database: AsyncEngine) -> None:
        """A reference that no message has changes nothing."""
        judge, alert = await alarmed(database)
        before = await judge.store.notifications(alert)
        assert not await judge.store.outbox.report("sms", "gw-9", NotificationState.FAILED, now=judge.now)
        assert await judge.store.notifications(alert) == before
