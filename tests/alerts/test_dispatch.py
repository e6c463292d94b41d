"""Sending: retries until the deadline, order per recipient, and notifiers that do not wait for each other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncEngine

from alerts.dispatch import RETRIED, Dispatcher, retry_delay
from alerts.notification import Notification, NotificationKind, NotificationState
from alerts.notifiers.notifier import Delivery, Notifier
from alerts.settings import DispatchSettings
from tests.alerts.given import MINUTE, Judge, Memory, StandingClock, a_judge, an_episode, ended, opened, worsened

BUSY = Delivery.failed("the gateway is busy", recoverable=True)
REFUSED = Delivery.failed("no such number", recoverable=False)
SETTINGS = DispatchSettings(poll_real_seconds=30.0)
ROUNDING = 1e-6  # a timedelta counts microseconds
DELIVERED, FAILED, CANCELLED = (
    NotificationState.DELIVERED,
    NotificationState.FAILED,
    NotificationState.CANCELLED,
)


def a_dispatcher(
    judge: Judge,
    notifiers: Mapping[str, Notifier],
    clock: StandingClock | None = None,
    settings: DispatchSettings = SETTINGS,
) -> Dispatcher:
    """Return a dispatcher whose chance is always in the middle."""
    return Dispatcher(judge.store, notifiers, clock or StandingClock(), settings, random=lambda: 0.5)


@asynccontextmanager
async def running(dispatcher: Dispatcher) -> AsyncIterator[None]:
    """Run the dispatcher meanwhile."""
    task = asyncio.create_task(dispatcher.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def alarmed(database: AsyncEngine) -> tuple[Judge, int]:
    """Return a judge that has raised one alert, and its reference."""
    judge = await a_judge(database)
    (change,) = await judge.record(opened(an_episode()))
    return judge, change.alert.id


async def by_sms(judge: Judge, alert_id: int) -> list[Notification]:
    """Return what went to Amina's phone."""
    return [item for item in await judge.store.notifications(alert_id) if item.channel == "sms"]


async def test_what_is_queued_is_delivered_once(database: AsyncEngine) -> None:
    """Every message reaches its notifier with its address and key, and no second round sends it again."""
    judge, alert_id = await alarmed(database)
    mail, sms = Memory(), Memory()
    dispatcher = a_dispatcher(judge, {"email": mail, "sms": sms})
    assert await dispatcher.dispatch_due() == 3
    assert await dispatcher.dispatch_due() == 0
    assert {item.address for item in mail.sent} == {"amina@example.org", "joseph@example.org"}
    assert [item.address for item in sms.sent] == ["+256700000001"]
    stored = await judge.store.notifications(alert_id)
    assert {item.state for item in stored} == {DELIVERED}
    assert {item.key for item in stored} == {item.key for item in mail.sent + sms.sent}
    assert dispatcher.stats() == {("email", "delivered"): 2, ("sms", "delivered"): 1}


async def test_a_failure_for_now_is_tried_again_when_its_pause_is_over(database: AsyncEngine) -> None:
    """The same message with the same key goes out after the pause, and not before."""
    judge, alert_id = await alarmed(database)
    sms, clock = Memory([BUSY]), StandingClock()
    dispatcher = a_dispatcher(judge, {"sms": sms}, clock)
    await dispatcher.dispatch_due()
    (waiting,) = await by_sms(judge, alert_id)
    assert (waiting.state, waiting.last_error) == (NotificationState.QUEUED, BUSY.sentence)
    assert await dispatcher.dispatch_due() == 0
    clock.move(timedelta(seconds=SETTINGS.retry_first_seconds))
    assert await dispatcher.dispatch_due() == 1
    assert sms.sent[0] == sms.sent[1]
    assert dispatcher.stats() == {("sms", RETRIED): 1, ("sms", "delivered"): 1}


async def test_how_long_messages_took_is_counted_by_channel(database: AsyncEngine) -> None:
    """From queueing until the other side took it, retries included; what nobody took has no time."""
    judge, _ = await alarmed(database)
    clock = StandingClock()
    dispatcher = a_dispatcher(judge, {"email": Memory([REFUSED] * 9), "sms": Memory([BUSY])}, clock)
    await dispatcher.dispatch_due()
    clock.move(timedelta(seconds=120))
    await dispatcher.dispatch_due()
    times = dispatcher.delivery_times()
    assert (times["sms"].up_to[-1], times["sms"].total) == (1, 120)
    assert times["email"].up_to[-1] == 0


async def test_after_the_deadline_it_is_undeliverable_and_on_record(database: AsyncEngine) -> None:
    """Retries end at the deadline; the audit log says who was not reached and why."""
    judge, alert_id = await alarmed(database)
    sms, clock = Memory([BUSY] * 1000), StandingClock()
    dispatcher = a_dispatcher(judge, {"sms": sms}, clock)
    (queued,) = await by_sms(judge, alert_id)
    while (due := await judge.store.outbox.next_due("sms")) is not None:
        clock.move(due - clock.moment)
        await dispatcher.dispatch_due()
    assert clock.moment == queued.deadline
    (failed,) = await by_sms(judge, alert_id)
    assert failed.state is FAILED
    assert failed.attempts == len(sms.sent)
    (entry,) = [item for item in await judge.store.audit(alert_id) if item.what == "undeliverable"]
    assert "amina" in entry.detail
    assert BUSY.sentence in entry.detail
    assert dispatcher.stats()["sms", "failed"] == 1


async def test_a_refusal_for_good_is_not_repeated(database: AsyncEngine) -> None:
    """A wrong number stays wrong."""
    judge, alert_id = await alarmed(database)
    sms = Memory([REFUSED])
    await a_dispatcher(judge, {"sms": sms}).dispatch_due()
    assert [item.state for item in await by_sms(judge, alert_id)] == [FAILED]


async def test_a_message_that_waited_out_its_deadline_gets_its_one_try(database: AsyncEngine) -> None:
    """An alarm queued before a long standstill of the service is late, and still sent."""
    judge, _ = await alarmed(database)
    sms, clock = Memory(), StandingClock()
    clock.move(timedelta(days=1))
    await a_dispatcher(judge, {"sms": sms}, clock).dispatch_due()
    assert len(sms.sent) == 1


async def test_a_notifier_with_a_defect_is_tried_again(database: AsyncEngine) -> None:
    """An exception is a failure for now, and its text is kept."""
    judge, alert_id = await alarmed(database)
    sms = Memory([ZeroDivisionError("oops")])
    await a_dispatcher(judge, {"sms": sms}).dispatch_due()
    (item,) = await by_sms(judge, alert_id)
    assert item.state is NotificationState.QUEUED
    assert "oops" in item.last_error


async def test_an_attempt_that_never_ends_is_ended(database: AsyncEngine) -> None:
    """A notifier without a limit of its own holds a message no longer than the dispatcher allows."""
    judge, alert_id = await alarmed(database)
    sms = Memory(gate=asyncio.Event())
    settings = DispatchSettings(attempt_timeout_real_seconds=0.01)
    await a_dispatcher(judge, {"sms": sms}, settings=settings).dispatch_due()
    (item,) = await by_sms(judge, alert_id)
    assert item.state is NotificationState.QUEUED
    assert "longer than" in item.last_error


async def test_a_report_to_come_leaves_it_submitted(database: AsyncEngine) -> None:
    """What the other side took and will report on is not sent again."""
    judge, alert_id = await alarmed(database)
    sms, clock = Memory([Delivery(NotificationState.SUBMITTED, reference="gw-7")]), StandingClock()
    dispatcher = a_dispatcher(judge, {"sms": sms}, clock)
    await dispatcher.dispatch_due()
    clock.move(timedelta(days=1))
    assert await dispatcher.dispatch_due() == 0
    (item,) = await by_sms(judge, alert_id)
    assert (item.state, item.delivery_reference) == (NotificationState.SUBMITTED, "gw-7")


async def test_the_all_clear_waits_for_the_alarm(database: AsyncEngine) -> None:
    """Messages of an alert reach a recipient in their order, also when the first one needs several attempts."""
    judge, _ = await alarmed(database)
    await judge.record(worsened(an_episode(), 15.0))
    await judge.record(ended(an_episode()))
    sms, clock = Memory([BUSY, BUSY]), StandingClock()
    dispatcher = a_dispatcher(judge, {"sms": sms}, clock)
    while await judge.store.outbox.next_due("sms") is not None:
        await dispatcher.dispatch_due()
        clock.move(MINUTE)
    kinds = [item.kind for item in sms.sent]
    assert kinds == [NotificationKind.ALARM] * 3 + [NotificationKind.WORSE, NotificationKind.ALL_CLEAR]


async def test_no_all_clear_follows_an_alarm_that_never_arrived(database: AsyncEngine) -> None:
    """Somebody whom the alarm did not reach is not told that it is over."""
    judge, alert_id = await alarmed(database)
    await judge.record(ended(an_episode()))
    sms = Memory([REFUSED])
    await a_dispatcher(judge, {"sms": sms}).dispatch_due()
    assert [item.state for item in await by_sms(judge, alert_id)] == [FAILED, CANCELLED]
    assert len(sms.sent) == 1


async def test_a_killed_sender_is_succeeded_when_its_lease_is_over(database: AsyncEngine) -> None:
    """What was being sent when the power went is sent again, once."""
    judge, _ = await alarmed(database)
    sms, clock = Memory(), StandingClock()
    lease = clock.moment + timedelta(seconds=SETTINGS.lease_seconds)
    await judge.store.outbox.claim("sms", now=clock.moment, lease_until=lease, limit=10)
    dispatcher = a_dispatcher(judge, {"sms": sms}, clock)
    assert await dispatcher.dispatch_due() == 0
    clock.move(timedelta(seconds=SETTINGS.lease_seconds))
    assert await dispatcher.dispatch_due() == 1
    assert len(sms.sent) == 1


async def test_publishing_wakes_the_dispatcher(database: AsyncEngine) -> None:
    """A message leaves when the change is published, not when the next look is due."""
    judge = await a_judge(database)
    sms = Memory()
    async with running(a_dispatcher(judge, {"sms": sms})):
        for number in range(3):
            await judge.record(opened(an_episode(number)))
            await asyncio.wait_for(sms.arrived.acquire(), 10)
    assert len(sms.sent) == 3


async def test_a_retry_is_made_when_the_clock_says_so(database: AsyncEngine) -> None:
    """The running dispatcher sleeps until the next attempt is due."""
    judge = await a_judge(database)
    sms, clock = Memory([BUSY]), StandingClock()
    async with running(a_dispatcher(judge, {"sms": sms}, clock)):
        (change,) = await judge.record(opened(an_episode()))
        await asyncio.wait_for(sms.arrived.acquire(), 10)
        while (await by_sms(judge, change.alert.id))[0].state is not NotificationState.QUEUED:
            pass
        clock.move(MINUTE)
        await asyncio.wait_for(sms.arrived.acquire(), 10)


async def test_a_stuck_notifier_does_not_hold_up_another(database: AsyncEngine) -> None:
    """While one channel hangs, the other delivers everything, and the first never exceeds its concurrency."""
    judge = await a_judge(database)
    stuck, sms = Memory(gate=asyncio.Event()), Memory()
    settings = DispatchSettings(concurrency=2, poll_real_seconds=30.0, stop_within_real_seconds=0.0)
    async with running(a_dispatcher(judge, {"email": stuck, "sms": sms}, settings=settings)):
        for number in range(10):
            await judge.record(opened(an_episode(number)))
        for _ in range(10):
            await asyncio.wait_for(sms.arrived.acquire(), 10)
        for _ in range(2):
            await asyncio.wait_for(stuck.begun.acquire(), 10)
        assert stuck.sent == []
        assert stuck.gate is not None
        stuck.gate.set()
        for _ in range(20):
            await asyncio.wait_for(stuck.arrived.acquire(), 10)
    assert stuck.most_at_once == 2


async def test_what_is_being_sent_may_finish_when_the_service_stops(database: AsyncEngine) -> None:
    """A clean stop leaves no message in doubt."""
    judge, alert_id = await alarmed(database)
    sms = Memory(gate=asyncio.Event())
    assert sms.gate is not None
    async with running(a_dispatcher(judge, {"sms": sms})):
        await asyncio.wait_for(sms.begun.acquire(), 10)
        asyncio.get_running_loop().call_soon(sms.gate.set)
    assert [item.state for item in await by_sms(judge, alert_id)] == [DELIVERED]


async def test_a_channel_that_is_no_longer_configured_fails_at_the_deadline(database: AsyncEngine) -> None:
    """Nothing waits for ever for a notifier that is gone."""
    judge, alert_id = await alarmed(database)
    outbox, (queued,) = judge.store.outbox, await by_sms(judge, alert_id)
    assert await outbox.abandon_unserved(["email"], now=queued.deadline - MINUTE) == []
    assert len(await outbox.abandon_unserved(["email"], now=queued.deadline)) == 1
    (item,) = await by_sms(judge, alert_id)
    assert item.state is FAILED
    assert "not configured" in item.last_error
    assert {(count.channel, count.state, count.notifications) for count in await outbox.counts()} == {
        ("email", NotificationState.QUEUED, 2),
        ("sms", FAILED, 1),
    }


@given(
    attempts=st.integers(1, 10_000),
    chance=st.floats(0.0, 1.0, exclude_max=True),
    asked=st.none() | st.floats(0.0, 86400.0),
)
def test_pauses_grow_within_bounds(attempts: int, chance: float, asked: float | None) -> None:
    """No pause is shorter than half the first, longer than one and a half of the longest, or less than asked for."""
    delivery = Delivery.failed("busy", recoverable=True, retry_after_seconds=asked)
    seconds = retry_delay(attempts, delivery, SETTINGS, lambda: chance).total_seconds()
    assert seconds >= SETTINGS.retry_first_seconds / 2
    assert seconds <= max(SETTINGS.retry_longest_seconds * 1.5, asked or 0.0) + ROUNDING
    assert seconds >= (asked or 0.0) - ROUNDING
    later = retry_delay(attempts + 1, delivery, SETTINGS, lambda: chance).total_seconds()
    assert later >= seconds
