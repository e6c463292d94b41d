"""What comes back from the channels: reports on deliveries to the outbox, what people write to the desk of answers."""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from alerts.answers.desk import AnswerDesk
from alerts.notifiers.notifier import DeliveryReport, IncomingText
from alerts.store import AlertStore
from domain.instant import Clock, to_datetime

log = logging.getLogger(__name__)

TRIES: Final = 5
PAUSE_REAL_SECONDS: Final = 0.5
FORGET_EVERY_SECONDS: Final = 86_400.0


class Correspondence:
    """Keeps what notifiers and gateways hear; returns once it is kept."""

    def __init__(self, alerts: AlertStore, desk: AnswerDesk, clock: Clock) -> None:
        self._alerts, self._desk, self._clock = alerts, desk, clock

    async def heard(self, event: DeliveryReport | IncomingText) -> None:
        """Take one event. A report on a message that nobody knows is noted and dropped."""
        if isinstance(event, IncomingText):
            await self._desk.hear(event)
            return
        # A gateway can be quicker with its report than we are with writing down its name for the message.
        for attempt in range(TRIES):
            if await self._report(event):
                return
            if attempt < TRIES - 1:
                await asyncio.sleep(PAUSE_REAL_SECONDS)
        log.warning("%s reports on a message %r that is not ours", event.channel, event.reference)

    async def run(self) -> None:
        """Forget old texts once a day until cancelled."""
        while True:
            try:
                await self._desk.forget()
            except Exception:
                log.exception("old texts could not be forgotten")
            await self._clock.sleep(FORGET_EVERY_SECONDS)

    async def _report(self, report: DeliveryReport) -> bool:
        now = to_datetime(self._clock.now_ms())
        is_ours = await self._alerts.outbox.report(
            report.channel, report.reference, report.state, now=now, sentence=report.sentence
        )
        self._alerts.wake()
        return is_ours
