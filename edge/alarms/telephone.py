"""Keeps the list of messages, and has the modem send them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from typing import Protocol

from domain.instant import SECOND_MS
from edge.alarms.at import Sent
from edge.alarms.board import Alarm, When
from edge.alarms.settings import SmsSettings
from edge.alarms.sms import (
    Message,
    MessageKind,
    MessageState,
    finished,
    next_message,
    note_failed,
    note_sent,
    owed_all_clear,
    superfluous,
)
from edge.alarms.store import AlarmStore

logger = logging.getLogger(__name__)

LOOK_SECONDS = 10.0


class Sender(Protocol):
    """Whoever sends a message."""

    async def send(self, number: str, text: str) -> Sent:
        """Send a message and return what became of it."""


class Telephone:
    """Messages under way; they survive a restart, and none is written twice."""

    def __init__(
        self,
        settings: SmsSettings,
        sender: Sender,
        store: AlarmStore,
        *,
        messages: Sequence[Message],
        now_ms: Callable[[], int],
    ) -> None:
        self._settings = settings
        self._sender = sender
        self._store = store
        self._messages = list(messages)
        self._now_ms = now_ms
        self._news = asyncio.Event()

    def needed(self) -> set[str]:
        """Return the episodes of which somebody has still to hear the end."""
        return {each.key for each in owed_all_clear(self._messages, goes_on=())} | {
            each.key for each in self._messages if each.state is MessageState.WAITING
        }

    async def consider(
        self,
        heard: Sequence[Alarm],
        goes_on: Collection[str],
        *,
        link_down: bool,
        alarm_text: Callable[[str], str],
        all_clear_text: Callable[[str], str],
    ) -> None:
        """Write what these alarms ask for; the texts are made of an episode's key."""
        told = [alarm for alarm in heard if self._is_told(alarm, link_down=link_down)]
        dropped = superfluous(self._messages, audible={alarm.key for alarm in told}, goes_on=goes_on)
        dropped += finished(self._messages, goes_on, self._now_ms())
        self._messages = [each for each in self._messages if each not in dropped]
        known = {(each.key, each.number) for each in self._messages if each.kind is MessageKind.ALARM}
        new = [
            self._message(alarm.key, number, MessageKind.ALARM, alarm_text(alarm.key))
            for alarm in told
            for number in self._settings.numbers
            if (alarm.key, number) not in known
        ]
        new += [
            self._message(each.key, each.number, MessageKind.ALL_CLEAR, all_clear_text(each.key))
            for each in owed_all_clear(self._messages, goes_on)
        ]
        self._messages += new
        if new or dropped:
            await asyncio.to_thread(self._store.save_messages, new, dropped)
            self._news.set()

    async def run(self) -> None:
        """Send what is due, one message at a time, until cancelled."""
        while True:
            self._news.clear()
            message = next_message(self._messages, self._now_ms(), most_per_hour=self._settings.most_per_hour)
            if message is not None:
                await self._send(message)
                continue
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._news.wait()

    async def _send(self, message: Message) -> None:
        sent = await self._sender.send(message.number, message.text)
        if sent.trouble is None:
            note_sent(message, self._now_ms())
            logger.info("SMS to %s: %s", message.number, message.text)
        else:
            note_failed(message, self._now_ms())
            logger.warning("no SMS to %s: %s (%s)", message.number, sent.trouble.value, sent.detail)
        await asyncio.to_thread(self._store.save_messages, [message])

    def _is_told(self, alarm: Alarm, *, link_down: bool) -> bool:
        severity = alarm.episode.severity.label
        grave = severity == "critical" or (severity == "warning" and self._settings.from_ == "warning")
        return grave and (link_down or self._settings.when is When.ALWAYS)

    def _message(self, key: str, number: str, kind: MessageKind, text: str) -> Message:
        now_ms = self._now_ms()
        lasts_ms = round(self._settings.give_up_after.total_seconds() * SECOND_MS)
        return Message(key, number, kind, text, now_ms, now_ms + lasts_ms)
