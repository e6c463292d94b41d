"""The way in for senders without MQTT: a payload goes through the same pipeline, its sender waits for the commit."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Protocol

from collector.lanes import Done, Outcome
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
    """Hands payloads over and waits, for a bounded number of senders and a bounded time."""

    def __init__(
        self, accept: TakePosted, clock: Clock, *, most_waiting: int = 200, patience_seconds: float = 20.0
    ) -> None:
        self._accept, self._clock = accept, clock
        self._most_waiting, self._patience_seconds = most_waiting, patience_seconds
        self._waiting = 0

    async def take(self, node: str, payload: bytes, lane: UpLane) -> Outcome:
        """Return what became of a payload of the node, after the commit; raise ``IntakeBusyError``."""
        if self._waiting >= self._most_waiting:
            raise IntakeFullError(f"{self._waiting} senders wait already; send it again later")
        self._waiting += 1
        told: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()

        def done(outcome: Outcome) -> None:
            if not told.done():
                told.set_result(outcome)

        try:
            async with asyncio.timeout(self._patience_seconds):
                await self._accept(up(node, lane), payload, self._clock.now_ms(), done=done)
                outcome = await told
        except TimeoutError:
            raise IntakeBusyError("it could not be stored in time; send it again later") from None
        finally:
            self._waiting -= 1
        if not outcome.stored:
            raise IntakeBusyError("it could not be stored; send it again later")
        return outcome
