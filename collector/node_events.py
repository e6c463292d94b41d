"""Episodes that nodes found themselves: checked here, handed on one by one beside the readings, then receipted.

They have a queue of their own, so that whoever takes them may wait for a database without holding up readings.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

from collector.decode import reject
from collector.lanes import Message
from collector.settings import PipelineSettings
from collector.stats import Counters
from domain.directory import Directory
from domain.episode_event import EpisodeEvent
from domain.errors import VitalsError
from domain.instant import format_rfc3339, to_ms
from domain.reading import Reading
from domain.receipt import Receipt
from domain.rejection import PayloadError, Reason, Rejected

log = logging.getLogger(__name__)

MOST_WAITING = 1_000
"""What comes on top is not taken: it gets no receipt, and its node sends it again."""


class NodeEvent(NamedTuple):
    """An event whose node may speak of its channel."""

    node: str
    event: EpisodeEvent
    message: Message


TakeEvent = Callable[[NodeEvent], Awaitable[None]]
"""Keeps an event durably before it returns; raises ``PayloadError`` for one that is not to be sent again."""


class EventDesk:
    """Hands events on, one at a time, and receipts what was taken."""

    def __init__(
        self,
        take: TakeEvent | None,
        *,
        commit: Callable[[Sequence[Reading], Sequence[Rejected]], Awaitable[int]],
        send_receipt: Callable[[str, Receipt], Awaitable[None]],
        counters: Counters,
        settings: PipelineSettings,
    ) -> None:
        self._take_event, self._commit, self._send_receipt = take, commit, send_receipt
        self._counters, self._settings = counters, settings
        self._queue: asyncio.Queue[NodeEvent] = asyncio.Queue(MOST_WAITING)

    def put(self, found: NodeEvent) -> None:
        """Let an event wait for its turn; without anybody to take events, or room, it is left to its node."""
        if self._take_event is None:
            return
        try:
            self._queue.put_nowait(found)
        except asyncio.QueueFull:
            log.warning("%d events wait; one of node %r is left for later", MOST_WAITING, found.node)

    async def run(self) -> None:
        """Hand on until cancelled."""
        while True:
            found = await self._queue.get()
            try:
                await self._serve(found)
            except VitalsError as error:
                self._counters.failed_events += 1
                log.warning("an event of node %r was not taken; it will send again: %s", found.node, error)
            except Exception:  # the outermost boundary of one event: its neighbours must get through
                self._counters.failed_events += 1
                log.exception("an event of node %r met a defect; it gets no receipt", found.node)

    async def _serve(self, found: NodeEvent) -> None:
        refused = 0
        if self._take_event is not None:
            try:
                await self._take_event(found)
                self._counters.events += 1
            except PayloadError as error:
                await self._refuse(found, error)
                refused = 1
        await self._send_receipt(found.node, Receipt.of(found.event.epoch, [found.event.seq], refused))

    async def _refuse(self, found: NodeEvent, error: PayloadError) -> None:
        rejected = reject(found.message, error.reason, error.detail, node=found.node, kept=found.message.payload)
        await self._commit([], [rejected])
        self._counters.rejected[error.reason] += 1


def check_event(found: NodeEvent, directory: Directory, settings: PipelineSettings) -> None:
    """Raise ``PayloadError`` where the channel is not the node's own, or the times cannot be true."""
    episode, validation = found.event.episode, settings.validation
    channel = directory.channels.get(episode.subject)
    if channel is None:
        raise PayloadError(Reason.UNKNOWN_CHANNEL, f"channel {episode.subject[:80]!r} is not in the registry")
    if channel.node != found.node:
        raise PayloadError(Reason.WRONG_NODE, f"channel {channel.id!r} is another node's")
    newest_ms = found.message.received_at_ms + validation.future_tolerance_ms
    if to_ms(found.event.seen_at) > newest_ms:
        seen = format_rfc3339(found.event.seen_at)
        raise PayloadError(Reason.TIME_IN_FUTURE, f"found seen {seen}; allowed: up to {format_rfc3339(newest_ms)}")
    if to_ms(episode.started_at) < validation.oldest_ms:
        started = format_rfc3339(episode.started_at)
        raise PayloadError(
            Reason.TIME_TOO_OLD, f"found started {started}; allowed: from {format_rfc3339(validation.oldest_ms)}"
        )
