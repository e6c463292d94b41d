"""Two bounded queues: live messages go first, and neither lane can take the other's room."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import NamedTuple

from collector.settings import PipelineSettings
from domain.rejection import Rejected


class Lane(StrEnum):
    """Which queue a message waits in."""

    LIVE = "live"
    """Live batches, births, last wills, events and replies."""
    BACKFILL = "backfill"
    """What a node could not send in time."""


class Outcome(NamedTuple):
    """What became of one message."""

    stored: bool
    """Whether its readings and everything refused of it are durable; False: nothing of it is, and it may come again."""
    readings: int
    rejected: Sequence[Rejected]
    identity: tuple[str, int] | None = None
    """(epoch, seq) of a batch that named itself."""


NOT_STORED = Outcome(False, 0, ())

Done = Callable[[Outcome], None]
"""Told once, after the commit: how a sender without receipts learns what it may forget. Must return at once."""


def awaited_outcome() -> tuple[asyncio.Future[Outcome], Done]:
    """Return an outcome to wait for, and what tells it; telling somebody who waits no longer does nothing."""
    told: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()

    def done(outcome: Outcome) -> None:
        if not told.done():
            told.set_result(outcome)

    return told, done


class Message(NamedTuple):
    """Bytes as they came, before anything is believed."""

    topic: str
    payload: bytes
    """At most a little more than the largest accepted payload; see ``size``."""
    size: int
    """How long the payload was; more than ``len(payload)`` where it was too large to be held."""
    received_at_ms: int
    retained: bool
    """Whether the broker says that it kept this message from before."""
    done: Done | None = None
    first_came_at_ms: int | None = None
    """When a replayed message came for the first time."""

    @property
    def came_at_ms(self) -> int:
        """Return the arrival that its relative times count from."""
        return self.received_at_ms if self.first_came_at_ms is None else self.first_came_at_ms


class Lanes:
    """The messages that wait for the pipeline; a full lane makes its own senders wait, and only them."""

    def __init__(self, settings: PipelineSettings) -> None:
        self._queues = {lane: _BoundedQueue(settings.lane_messages, settings.lane_bytes) for lane in Lane}
        self._live, self._backfill = self._queues[Lane.LIVE], self._queues[Lane.BACKFILL]
        self.arrived = asyncio.Event()
        """Set when a message is put; whoever takes clears it."""

    async def put(self, lane: Lane, message: Message) -> None:
        """Append a message, waiting while its lane is full."""
        queue = self._queues[lane]
        while queue.full:
            await queue.room()
        queue.append(message)
        self.arrived.set()

    def take(self) -> Message | None:
        """Return the next message, live before backfill, or None when nothing waits."""
        return self._live.take() or self._backfill.take()

    def waiting(self) -> dict[Lane, int]:
        """Return how many messages wait in each lane."""
        return {lane: len(queue) for lane, queue in self._queues.items()}


class _BoundedQueue:
    """First in, first out, bounded by count and by bytes; one message always fits into an empty queue."""

    def __init__(self, most_messages: int, most_bytes: int) -> None:
        self._most_messages, self._most_bytes = most_messages, most_bytes
        self._messages: deque[Message] = deque()
        self._bytes = 0
        self._room = asyncio.Event()

    def __len__(self) -> int:
        return len(self._messages)

    @property
    def full(self) -> bool:
        return len(self._messages) >= self._most_messages or self._bytes >= self._most_bytes

    async def room(self) -> None:
        self._room.clear()
        await self._room.wait()

    def append(self, message: Message) -> None:
        self._messages.append(message)
        self._bytes += len(message.payload)

    def take(self) -> Message | None:
        if not self._messages:
            return None
        message = self._messages.popleft()
        self._bytes -= len(message.payload)
        self._room.set()
        return message
