"""The way in for senders without MQTT: a payload goes through the same pipeline, its sender waits for the commit."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable
from typing import Protocol

from collector.lanes import Done, Outcome, awaited_outcome
from domain.errors import Fault, VitalsError
from domain.instant import Clock
from domain.topics import UpLane, up


class IntakeBusyError(VitalsError):
    """Nothing was taken, or nobody knows yet whether it was; sending the same again later is right in both cases."""

    fault = Fault.SERVICE
    retry = True


class IntakeFullError(IntakeBusyError):
    """So many senders wait that nothing was taken."""


class TakePosted(Protocol):
    """The pipeline's way in."""

    def __call__(self, topic: str, payload: bytes, received_at_ms: int, /, *, done: Done) -> Awaitable[None]:
        """Take a message; ``done`` is told what became of it."""


class Posting:
    """Hands payloads over and waits, for a bounded number of them, few of each node, and a bounded time."""

    def __init__(
        self,
        accept: TakePosted,
        clock: Clock,
        *,
        most_waiting: int = 200,
        most_of_one: int = 8,
        patience_seconds: float = 20.0,
    ) -> None:
        self._accept, self._clock, self._patience_seconds = accept, clock, patience_seconds
        self._most_waiting, self._most_of_one = most_waiting, most_of_one
        self._waiting: Counter[str] = Counter()

    async def take(self, node: str, payload: bytes, lane: UpLane) -> Outcome:
        """Return what became of a payload of the node, after the commit; raise ``IntakeBusyError``."""
        if self._waiting.total() >= self._most_waiting or self._waiting[node] >= self._most_of_one:
            raise IntakeFullError(f"{self._waiting[node]} of this node and {self._waiting.total()} in all wait already")
        self._waiting[node] += 1
        told, done = awaited_outcome()
        try:
            async with asyncio.timeout(self._patience_seconds):
                await self._accept(up(node, lane), payload, self._clock.now_ms(), done=done)
                outcome = await told
        except TimeoutError:
            raise IntakeBusyError("it could not be stored in time; send it again later") from None
        finally:
            self._waiting[node] -= 1
            self._waiting += Counter()  # forgets who waits no longer
        if not outcome.stored:
            raise IntakeBusyError("it could not be stored; send it again later")
        return outcome
