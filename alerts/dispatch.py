"""Sending what the outbox holds: after the commit, with retries, each notifier at its own pace."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Final, Literal

from alerts.notification import Notification, NotificationState
from alerts.notifiers.notifier import Delivery, Notifier, outgoing
from alerts.settings import DispatchSettings
from alerts.store import AlertStore
from alerts.whole import whole
from domain.histogram import Histogram, Spread
from domain.instant import Clock, to_datetime

log = logging.getLogger(__name__)

DELIVERY_SECONDS: Final = (0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 900, 3600)
RETRIED = "retried"
"""Counted for an attempt that failed for now; the other words of ``stats`` are notification states."""
OUTCOMES: Final = (
    RETRIED,
    NotificationState.SUBMITTED.value,
    NotificationState.DELIVERED.value,
    NotificationState.FAILED.value,
    NotificationState.CANCELLED.value,
)
"""Everything that is counted."""


def retry_delay(
    attempts: int, delivery: Delivery, settings: DispatchSettings, random: Callable[[], float]
) -> timedelta:
    """Return how long to wait after this many attempts: doubling, ± 50 % at random, at least as long as asked for.

    ``random`` returns 0 ≤ x < 1. The spread keeps messages that failed together from returning together.
    """
    # Beyond 2**30 the longest pause has long been reached; the bound keeps the power a small number.
    doubled = settings.retry_first_seconds * 2.0 ** min(attempts - 1, 30)
    seconds = min(doubled, settings.retry_longest_seconds) * (0.5 + random())
    return timedelta(seconds=max(seconds, delivery.retry_after_seconds or 0.0))


class Dispatcher:
    """Takes due notifications and hands them to their notifiers.

    ``clock`` is the one that ``AlertStore.record`` is given its ``now`` by; ``random`` returns 0 ≤ x < 1.
    Listens to the store, so that a message leaves as soon as the change that caused it is published.
    """

    def __init__(
        self,
        store: AlertStore,
        notifiers: Mapping[str, Notifier],
        clock: Clock,
        settings: DispatchSettings,
        *,
        random: Callable[[], float],
    ) -> None:
        self._store = store
        self._outbox = store.outbox
        self._notifiers = dict(notifiers)
        self._clock = clock
        self._settings = settings
        self._random = random
        self._counts: Counter[tuple[str, str]] = Counter()
        self._delivery_times = {channel: Histogram(DELIVERY_SECONDS) for channel in notifiers}
        self._sending: dict[str, dict[int, asyncio.Task[None]]] = {channel: {} for channel in notifiers}
        self._awake = {channel: asyncio.Event() for channel in notifiers}
        store.on_publish(self.wake)

    def stats(self) -> Mapping[tuple[str, str], int]:
        """Return counters since the start by (channel, a notification state or ``retried``)."""
        return dict(self._counts)

    def delivery_times(self) -> Mapping[str, Spread]:
        """Return by channel how many seconds passed from queueing a message until the other side took it."""
        return {channel: times.spread() for channel, times in self._delivery_times.items()}

    async def run(self) -> None:
        """Send until cancelled; then let what is being sent finish for a moment."""
        try:
            async with asyncio.TaskGroup() as lanes:
                for channel in self._notifiers:
                    lanes.create_task(self._lane(channel), name=f"dispatch {channel}")
                lanes.create_task(self._abandon_unserved(), name="dispatch nowhere")
        finally:
            await self._finish()

    async def dispatch_due(self) -> int:
        """Send everything that is due now, once, and return how many attempts that took."""
        attempts = 0
        for channel in self._notifiers:
            while claimed := await self._claim(channel):
                attempts += len(claimed)
                await asyncio.gather(*(self._start(notification) for notification in claimed))
        return attempts

    async def _lane(self, channel: str) -> None:
        awake = self._awake[channel]
        while True:
            awake.clear()
            try:
                pause = await whole(self._round(channel))
            except Exception:
                # The database is away: the messages are safe in it, and other lanes may have better luck.
                log.exception("dispatch to %s could not read the outbox", channel)
                pause = None
            await self._wait(awake, pause)

    async def _round(self, channel: str) -> float | None:
        for notification in await self._claim(channel):
            self._start(notification)
        return await self._until_due(channel)

    async def _claim(self, channel: str) -> list[Notification]:
        busy = self._sending[channel]
        free = self._settings.concurrency - len(busy)
        if free <= 0:
            return []
        now = self._now()
        lease_until = now + timedelta(seconds=self._settings.lease_seconds)
        return await self._outbox.claim(channel, now=now, lease_until=lease_until, limit=free, except_ids=tuple(busy))

    async def _until_due(self, channel: str) -> float | None:
        """Return the seconds until there is something to claim; None where only being woken can bring it."""
        busy = self._sending[channel]
        if len(busy) >= self._settings.concurrency:
            return None
        due = await self._outbox.next_due(channel, except_ids=tuple(busy))
        return None if due is None else max(0.0, (due - self._now()).total_seconds())

    async def _wait(self, awake: asyncio.Event, seconds: float | None) -> None:
        """Wait until woken or due, but look again after a while: another process may queue as well."""
        waits = {asyncio.ensure_future(awake.wait())}
        if seconds is not None:
            waits.add(asyncio.ensure_future(self._sleep(seconds)))
        try:
            longest = self._settings.poll_real_seconds
            await asyncio.wait(waits, timeout=longest, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    async def _sleep(self, seconds: float) -> Literal[True]:
        await self._clock.sleep(seconds)
        return True

    def _start(self, notification: Notification) -> asyncio.Task[None]:
        task = asyncio.create_task(self._send(notification), name=f"notification {notification.key}")
        self._sending[notification.channel][notification.id] = task
        task.add_done_callback(lambda _: self._done(notification))
        return task

    def _done(self, notification: Notification) -> None:
        self._sending[notification.channel].pop(notification.id, None)
        self._awake[notification.channel].set()

    async def _send(self, notification: Notification) -> None:
        try:
            if await self._outbox.is_moot(notification):
                await self._settle(notification, NotificationState.CANCELLED, Delivery.failed("", recoverable=False))
            else:
                await self._conclude(notification, await self._attempt(notification))
        except Exception:
            # What could not be written stays submitted, and is sent again when its lease is over.
            log.exception("notification %s could not be concluded", notification.key)

    async def _attempt(self, notification: Notification) -> Delivery:
        limit = self._settings.attempt_timeout_real_seconds
        try:
            async with asyncio.timeout(limit):
                return await self._notifiers[notification.channel].send(outgoing(notification))
        except TimeoutError:
            return Delivery.failed(f"{notification.channel} took longer than {limit:g} s", recoverable=True)
        except Exception as error:
            # A broken notifier is our defect; another attempt may still get the message out.
            log.exception("notifier %s failed on %s", notification.channel, notification.key)
            return Delivery.failed(f"defect in {notification.channel}: {error!r}", recoverable=True)

    async def _conclude(self, notification: Notification, delivery: Delivery) -> None:
        if delivery.state in (NotificationState.SUBMITTED, NotificationState.DELIVERED):
            taken_after = self._now() - notification.queued_at
            self._delivery_times[notification.channel].take(taken_after.total_seconds())
        if delivery.state is NotificationState.SUBMITTED:
            report_due_at = self._now() + timedelta(seconds=self._settings.report_within_seconds)
            await self._outbox.await_report(notification, reference=delivery.reference, report_due_at=report_due_at)
            self._counts[notification.channel, NotificationState.SUBMITTED.value] += 1
        elif delivery.state is NotificationState.DELIVERED:
            await self._settle(notification, NotificationState.DELIVERED, delivery)
        elif delivery.recoverable and self._now() < notification.deadline:
            await self._retry(notification, delivery)
        else:
            log.warning("notification %s is undeliverable: %s", notification.key, delivery.sentence)
            await self._settle(notification, NotificationState.FAILED, delivery)

    async def _retry(self, notification: Notification, delivery: Delivery) -> None:
        log.info("notification %s failed for now: %s", notification.key, delivery.sentence)
        self._counts[notification.channel, RETRIED] += 1
        wait = retry_delay(notification.attempts, delivery, self._settings, self._random)
        # The last attempt falls on the deadline.
        next_attempt_at = min(self._now() + wait, notification.deadline)
        await self._outbox.put_back(notification, next_attempt_at=next_attempt_at, error=delivery.sentence)

    async def _settle(self, notification: Notification, state: NotificationState, delivery: Delivery) -> None:
        await self._outbox.settle(
            notification, state, now=self._now(), reference=delivery.reference, error=delivery.sentence
        )
        self._counts[notification.channel, state.value] += 1
        if state is NotificationState.FAILED:
            self._store.wake()  # another channel, or the next person, is due now

    async def _abandon_unserved(self) -> None:
        while True:
            try:
                for notification in await whole(self._outbox.abandon_unserved(tuple(self._notifiers), now=self._now())):
                    log.warning("notification %s is undeliverable: no such channel", notification.key)
                    self._counts[notification.channel, NotificationState.FAILED.value] += 1
            except Exception:
                log.exception("the outbox could not be read")
            await asyncio.sleep(self._settings.poll_real_seconds)

    async def _finish(self) -> None:
        tasks = [task for busy in self._sending.values() for task in busy.values()]
        if not tasks:
            return
        _, late = await asyncio.wait(tasks, timeout=self._settings.stop_within_real_seconds)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    def wake(self) -> None:
        """Look again: something may have been queued."""
        for awake in self._awake.values():
            awake.set()

    def _now(self) -> datetime:
        return to_datetime(self._clock.now_ms())
