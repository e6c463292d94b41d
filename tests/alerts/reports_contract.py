"""What comes of messages that gateways report on, and of those that do not arrive; a subclass gives ``database``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from sqlalchemy.ext.asyncio import AsyncEngine

from alerts.dispatch import Dispatcher
from alerts.notification import NotificationKind, NotificationState
from alerts.notifiers.notifier import Delivery
from alerts.settings import DispatchSettings
from tests.alerts.given import AMINA, JOSEPH, Judge, Memory, StandingClock, a_judge, an_episode, ended, opened
from tests.alerts.telling_contract import people

REFUSED = Delivery.failed("no such number", recoverable=False)
TAKEN = Delivery(NotificationState.SUBMITTED, reference="gw-7")
BY_SMS_FIRST = people([replace(AMINA, channels=("sms", "email")), JOSEPH])


async def alarmed(database: AsyncEngine) -> tuple[Judge, int]:
    """Return a judge that has alarmed Amina, who wants an SMS and only if that fails an e-mail, and the reference."""
    judge = await a_judge(database)
    judge.directory = BY_SMS_FIRST
    (change,) = await judge.record(opened(an_episode()))
    return judge, change.alert.id


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
