"""Where pages and API read the past: the journal, or an InfluxDB that it is forwarded to and which keeps it longer."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from enum import StrEnum
from typing import Protocol, TypeVar

from collector.journal.rollup import Resolution, Rollup
from domain.channel_day import ChannelDay, fuller
from domain.directory import Directory
from domain.errors import VitalsError
from domain.instant import DAY_MS, MINUTE_MS, Clock
from domain.kept import Kept
from domain.places import Channel
from domain.reading import Reading

log = logging.getLogger(__name__)
T = TypeVar("T", Reading, Rollup, ChannelDay)

RECENT_MS = 2 * DAY_MS
"""What is newer comes from the journal alone: roll-ups of running hours and days change with every reading."""
LEFT_ALONE_MS = 10_000
"""After a failure InfluxDB is not asked for so long: nobody waits for its timeout at every chart."""
TOLD_MS = 5 * MINUTE_MS
"""So long a failure is told where nobody asked for old readings since."""


class Source(StrEnum):
    """Who answers for what is older."""

    JOURNAL = "journal"
    INFLUXDB = "influxdb"


class Recent(Protocol):
    """The journal's answers."""

    async def series(self, channel: str, from_ms: int, to_ms: int, limit: int | None = None) -> list[Reading]:
        """Return readings in order of time."""

    async def rollups(self, channel: str, from_ms: int, to_ms: int, resolution: Resolution) -> list[Rollup]:
        """Return roll-ups in order of time."""

    async def days(self, channels: Sequence[str], from_ms: int, to_ms: int) -> list[ChannelDay]:
        """Return the stored days of many channels in any order."""

    async def days_changed(self, position: int, from_ms: int, to_ms: int) -> tuple[int, frozenset[str]]:
        """Return the position of the last change, and whose days changed after a position."""

    async def kept(self, channel: str) -> Kept:
        """Return from when on what of a channel is kept."""


class Old(Protocol):
    """InfluxDB's answers."""

    async def series(self, channel: Channel, from_ms: int, to_ms: int, limit: int | None = None) -> list[Reading]:
        """Return readings in order of time."""

    async def rollups(self, channel: Channel, from_ms: int, to_ms: int, resolution: Resolution) -> list[Rollup]:
        """Return roll-ups in order of time."""

    async def days(self, channels: Sequence[Channel], from_ms: int, to_ms: int) -> list[ChannelDay]:
        """Return the days of many channels, each once, in any order."""


class History:
    """Answers from both, and from the journal alone while InfluxDB is away.

    For what is older both are asked: the journal may have let it go, InfluxDB may not have it yet. Of two readings of
    one moment the journal's counts, which is the better one; of two roll-ups the one that has more readings in it.
    """

    def __init__(self, journal: Recent, influx: Old, directory: Callable[[], Directory], clock: Clock) -> None:
        self._journal, self._influx, self._directory, self._clock = journal, influx, directory, clock
        self._trouble, self._failed_ms = "", 0

    @property
    def trouble(self) -> str:
        """Return why the older part came from the journal alone just now; empty where it did not."""
        return self._trouble if self._clock.now_ms() < self._failed_ms + TOLD_MS else ""

    async def series(self, channel: str, from_ms: int, to_ms: int, limit: int | None = None) -> list[Reading]:
        """Return the readings of a channel measured in [from, to), in order of time; at most ``limit``."""
        here = await self._journal.series(channel, from_ms, to_ms, limit)
        there = await self._older(
            lambda known, seam_ms: self._influx.series(known[0], from_ms, seam_ms, limit), [channel], from_ms, to_ms
        )
        if not there:
            return here
        joined = {each.measured_at_ms: each for each in (*there, *here)}
        return [joined[moment] for moment in sorted(joined)][:limit]

    async def rollups(self, channel: str, from_ms: int, to_ms: int, resolution: Resolution) -> Sequence[Rollup]:
        """Return the roll-ups of a channel that share time with [from, to), in order of time."""
        here = await self._journal.rollups(channel, from_ms, to_ms, resolution)
        there = await self._older(
            lambda known, seam_ms: self._influx.rollups(known[0], from_ms, seam_ms, resolution),
            [channel],
            from_ms,
            to_ms,
        )
        joined = {each.start_ms: each for each in here}
        for each in there:
            known = joined.get(each.start_ms)
            if known is None or each.readings > known.readings:
                joined[each.start_ms] = each
        return [joined[start] for start in sorted(joined)]

    async def days(self, channels: Sequence[str], from_ms: int, to_ms: int) -> list[ChannelDay]:
        """Return the stored days of many channels that begin in [from, to), in any order."""
        here = await self._journal.days(channels, from_ms, to_ms)
        there = await self._older(
            lambda known, seam_ms: self._influx.days(known, from_ms, seam_ms), channels, from_ms, to_ms
        )
        if not there:
            return here
        joined = {(each.channel, each.start_ms): each for each in here}
        for each in there:
            key = (each.channel, each.start_ms)
            joined[key] = fuller(joined[key], each) if key in joined else each
        return list(joined.values())

    async def days_changed(self, position: int, from_ms: int, to_ms: int) -> tuple[int, frozenset[str]]:
        """Return the position of the last change, and whose days in [from, to) changed, as the journal knows it."""
        return await self._journal.days_changed(position, from_ms, to_ms)

    async def _older(
        self, ask: Callable[[list[Channel], int], Awaitable[list[T]]], channels: Sequence[str], from_ms: int, to_ms: int
    ) -> list[T]:
        """Return what InfluxDB has of the older part; nothing where there is none, or while it is away."""
        registered, now_ms = self._directory().channels, self._clock.now_ms()
        known = [registered[channel] for channel in channels if channel in registered]
        recent_ms = now_ms - RECENT_MS
        seam_ms = min(recent_ms - recent_ms % DAY_MS, to_ms)
        if not known or seam_ms <= from_ms or (self._trouble and now_ms < self._failed_ms + LEFT_ALONE_MS):
            return []
        try:
            found = await ask(known, seam_ms)
        except VitalsError as error:
            if not self._trouble:
                log.warning("the past is read from the journal: %s", error)
            self._trouble, self._failed_ms = str(error), now_ms
            return []
        self._trouble = ""
        return found

    async def kept(self, channel: str) -> Kept:
        """Return from when on what of a channel is kept: everything where InfluxDB answers, as far as we know."""
        return await self._journal.kept(channel) if self.trouble else Kept()
