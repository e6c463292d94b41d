"""Figures of every facility, kept in memory and brought up to date in the background.

Pages then add up what stands here: a nation's figures come from millions of days, and nobody waits for those. Once a
day, an hour after midnight UTC, all facilities are worked out anew; in between those of which days changed, since late
readings came, or which the registry now equips otherwise.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice
from typing import Protocol

from dashboards.figures.facility import FacilityFigures, facility_figures
from dashboards.figures.places import Figures
from dashboards.figures.tally import DAYS_KEPT
from dashboards.figures.watched import Watched, watch
from domain.channel_day import ChannelDay
from domain.directory import Directory
from domain.errors import VitalsError
from domain.instant import DAY_MS, HOUR_MS, Clock

log = logging.getLogger(__name__)

LOOK_SECONDS = 60.0
SETTLED_MS = HOUR_MS
"""A day counts once it has been over for so long: its last hours come in late, and are rolled up later."""
_FACILITIES_AT_ONCE = 25
_BREATH_SECONDS = 0.02
"""Between two slices, so that readings and pages get their turn."""


class Days(Protocol):
    """Where days of channels are kept."""

    async def days(self, channels: Sequence[str], from_ms: int, to_ms: int) -> list[ChannelDay]:
        """Return the stored days of many channels that begin in [from, to), in any order."""

    async def days_changed(self, position: int, from_ms: int, to_ms: int) -> tuple[int, frozenset[str]]:
        """Return the position of the last change, and whose days in [from, to) changed after a position."""


class FiguresKeeper:
    """Knows how every facility did; ``figures`` is whole at any moment and never waits."""

    def __init__(self, past: Days, directory: Callable[[], Directory], clock: Clock) -> None:
        self._past, self._directory, self._clock = past, directory, clock
        self.figures = Figures()
        self._known_directory = Directory()
        self._watched: Mapping[str, Watched] = {}
        self._position = 0

    async def run(self) -> None:
        """Keep the figures up to date until cancelled; what fails is tried again at the next look."""
        while True:
            try:
                await self.look()
            except VitalsError as error:
                log.warning("figures of places are put off: %s", error)
            await self._clock.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        """Bring the figures up to date once."""
        now_ms = self._clock.now_ms()
        end_ms = (now_ms - SETTLED_MS) // DAY_MS * DAY_MS
        begin_ms = end_ms - DAYS_KEPT * DAY_MS
        directory = self._directory()
        position, changed = await self._past.days_changed(self._position, begin_ms, end_ms)
        watched = await self._watch(directory)
        due = set(watched)
        if end_ms == self.figures.end_ms:
            touched = {directory.channels[each].facility for each in changed if each in directory.channels}
            due = {each for each in watched if each in touched or watched[each] != self._watched.get(each)}
        await self._work_out([watched[each] for each in watched if each in due], watched, end_ms, now_ms)
        self._position, self._watched, self._known_directory = position, watched, directory

    async def _watch(self, directory: Directory) -> Mapping[str, Watched]:
        if directory is self._known_directory:
            return self._watched
        return await asyncio.to_thread(lambda: {each: watch(directory, each) for each in directory.facilities})

    async def _work_out(
        self, due: Iterable[Watched], registered: Mapping[str, Watched], end_ms: int, now_ms: int
    ) -> None:
        """Work out facilities, slice by slice; a new day is shown when all of it is there."""
        before = self.figures
        found = dict(before.by_facility) if before.end_ms == end_ms else {}
        waiting = iter(due)
        while some := list(islice(waiting, _FACILITIES_AT_ONCE)):
            found.update(await self._of(some, end_ms))
            if before.end_ms in (0, end_ms):
                self.figures = _figures(found, registered, end_ms, now_ms)
            await asyncio.sleep(_BREATH_SECONDS)
        self.figures = _figures(found, registered, end_ms, now_ms)

    async def _of(self, some: Sequence[Watched], end_ms: int) -> dict[str, FacilityFigures]:
        facility_of = {channel: each.facility for each in some for channel in each.channels}
        rows = await self._past.days(list(facility_of), end_ms - DAYS_KEPT * DAY_MS, end_ms)

        def work_out() -> dict[str, FacilityFigures]:
            grouped: defaultdict[str, list[ChannelDay]] = defaultdict(list)
            for row in rows:
                grouped[facility_of[row.channel]].append(row)
            return {each.facility: facility_figures(each, grouped[each.facility], end_ms) for each in some}

        return await asyncio.to_thread(work_out)


def _figures(
    found: Mapping[str, FacilityFigures], registered: Mapping[str, Watched], end_ms: int, now_ms: int
) -> Figures:
    known = {facility: each for facility, each in found.items() if facility in registered}
    return Figures(end_ms, now_ms, known, len(registered) - len(known))
