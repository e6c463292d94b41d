"""Brings events to the service: each until a receipt names it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

from domain.receipt import Receipt
from edge.alarms.link_watch import LinkWatch
from edge.alarms.store import AlarmStore, Event

logger = logging.getLogger(__name__)

LONGEST_TIMEOUT_FACTOR = 20


class Courier:
    """The publisher's second load, beside readings."""

    def __init__(self, store: AlarmStore, link: LinkWatch, *, receipt_timeout_s: float) -> None:
        self._store = store
        self._link = link
        self._first_timeout_s = receipt_timeout_s
        self._news = asyncio.Event()
        self.waiting: frozenset[str] = frozenset()
        """The episodes of which an event has no receipt yet."""
        self.on_receipt: Callable[[], None] = lambda: None

    async def look(self) -> list[Event]:
        """Look at what waits, and send it."""
        events = await asyncio.to_thread(self._store.events)
        self.waiting = frozenset(event.key for event in events)
        self._news.set()
        return events

    async def receipted(self, receipt: Receipt) -> None:
        """Take a receipt, of events or of readings: either shows that the link is up."""
        self._link.confirmed(time.monotonic())
        self.on_receipt()
        if receipt.epoch == self._store.epoch:
            await asyncio.to_thread(self._store.receipt, receipt.epoch, receipt.received)
            if receipt.rejected:
                logger.warning("the collector refused an event; its log says why")
            await self.look()

    async def send(self, publish: Callable[[bytes], Awaitable[None]]) -> None:
        """Send over one connection until cancelled; what has no receipt is sent again, more and more rarely."""
        timeout_s = self._first_timeout_s
        sent: set[int] = set()
        while True:
            events = await self.look()
            self._news.clear()
            for event in events:
                if event.seq not in sent:
                    await publish(event.payload)
            sent = {event.seq for event in events}
            try:
                async with asyncio.timeout(timeout_s if events else None):
                    await self._news.wait()
            except TimeoutError:
                sent.clear()
                timeout_s = min(timeout_s * 2, self._first_timeout_s * LONGEST_TIMEOUT_FACTOR)
            else:
                timeout_s = self._first_timeout_s
