"""Dead letters sent through the pipeline once more; what is taken, or refused anew, leaves its old place.

A letter is deleted only after the commit of what became of it. Interrupted at any moment, a replay can be repeated:
readings are idempotent, and a letter that is refused again is a new letter.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from collector.journal.journal import Journal
from collector.journal.letters import Letter, LetterFilter
from collector.lanes import Done, Outcome
from domain.instant import Clock
from domain.rejection import Reason, Rejected
from domain.topics import UpLane

_AT_ONCE = 100
_EVENT_TOPIC_END = f"/up/{UpLane.EVENT}"


class Accept(Protocol):
    """The pipeline's way in."""

    async def __call__(
        self, topic: str, payload: bytes, received_at_ms: int, /, *, done: Done, first_came_at_ms: int
    ) -> None:
        """Take a message; ``done`` is told what became of it."""


@dataclass
class Replayed:
    """What came of a replay; it grows while it goes on."""

    letters: int = 0
    """Sent through once more."""
    readings: int = 0
    """Stored of them, repeated ones included."""
    refused: Counter[Reason] = field(default_factory=Counter)
    """Refused again."""
    left: int = 0
    """Not sent through, since the same bytes cannot be accepted, or not stored: still where they were."""


def is_replayable(rejected: Rejected) -> bool:
    """Tell whether sending the letter through again can help: not for what was too large, nor for nodes' events.

    A node whose event was refused has been told so, and an event is not durable when its message is done.
    """
    return rejected.reason.mendable and not rejected.topic.endswith(_EVENT_TOPIC_END)


class Replay:
    """Sends letters through the pipeline."""

    def __init__(self, journal: Journal, accept: Accept, clock: Clock) -> None:
        self._journal, self._accept, self._clock = journal, accept, clock

    async def run(
        self,
        wanted: LetterFilter,
        *,
        only: Callable[[Letter], bool] = lambda _: True,
        progress: Callable[[Replayed], None] = lambda _: None,
    ) -> Replayed:
        """Replay what is wanted now, oldest first; letters that come meanwhile are not meant."""
        newest = await self._journal.letters(wanted, limit=1, newest_first=True)
        result = Replayed()
        if not newest:
            return result
        left = wanted._replace(upto_id=newest[0].id)
        while letters := await self._journal.letters(left, limit=_AT_ONCE):
            left = left._replace(after_id=letters[-1].id)
            chosen = [each for each in letters if is_replayable(each.rejected) and only(each)]
            result.left += len(letters) - len(chosen)
            await self._send(chosen, result)
            progress(result)
        return result

    async def _send(self, letters: Sequence[Letter], result: Replayed) -> None:
        outcomes = await asyncio.gather(*(self._outcome(letter.rejected) for letter in letters))
        gone = [letter.id for letter, outcome in zip(letters, outcomes, strict=True) if outcome.stored]
        await self._journal.forget_letters(gone)
        result.letters += len(gone)
        result.left += len(letters) - len(gone)
        for outcome in outcomes:
            result.readings += outcome.readings
            result.refused.update(refused.reason for refused in outcome.rejected)

    async def _outcome(self, rejected: Rejected) -> Outcome:
        told: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()

        def done(outcome: Outcome) -> None:
            if not told.done():
                told.set_result(outcome)

        await self._accept(
            rejected.topic,
            rejected.payload,
            self._clock.now_ms(),
            done=done,
            first_came_at_ms=rejected.received_at_ms,
        )
        return await told
