"""Measures read a moment ago, for who asks the same again."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import Final

from alerts.measures.compute import Measures
from alerts.measures.rows import Period
from api.services import ReadMeasures
from domain.instant import MINUTE_MS, Clock
from domain.places import Place

KEPT_MS: Final = MINUTE_MS
MOST: Final = 50

_Asked = tuple[Period, Place, frozenset[str] | None]


class Lately:
    """Reads measures, and gives out what it read for a minute: a nation's month takes most of a second to read.

    Who asks while the same is being read waits for that one answer.
    """

    def __init__(self, read: ReadMeasures, clock: Clock) -> None:
        self._read, self._clock = read, clock
        self._known: OrderedDict[_Asked, tuple[int, asyncio.Task[Measures]]] = OrderedDict()

    async def __call__(self, period: Period, place: Place, within: frozenset[str] | None = None) -> Measures:
        """Return the measures as of a minute ago at most; raise what reading them raises, which is not remembered."""
        asked, now_ms = (period, place, within), self._clock.now_ms()
        at_ms, reading = self._known.get(asked, (0, None))
        if reading is None or not at_ms <= now_ms < at_ms + KEPT_MS or _failed(reading):
            reading = asyncio.create_task(self._read(period, place, within), name="measures")
            self._known[asked] = now_ms, reading
            self._known.move_to_end(asked)
            if len(self._known) > MOST:
                self._known.popitem(last=False)
        # Whoever goes away does not take the answer from the others.
        return await asyncio.shield(reading)


def _failed(reading: asyncio.Task[Measures]) -> bool:
    return reading.done() and (reading.cancelled() or reading.exception() is not None)
