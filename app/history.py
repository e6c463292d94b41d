"""Where pages and API read the past: the journal, or an InfluxDB that it is forwarded to and which keeps it longer."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Protocol

from collector.journal.rollup import Resolution, Rollup
from domain.directory import Directory
from domain.errors import VitalsError
from domain.instant import DAY_MS, Clock
from domain.kept import Kept
from domain.places import Channel
from domain.reading import Reading

log = logging.getLogger(__name__)

RECENT_MS = 2 * DAY_MS
"""What is newer always comes from the journal: roll-ups of running hours and days, and what is not forwarded yet."""


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

    async def kept(self, channel: str) -> Kept:
        """Return from when on what of a channel is kept."""


class Old(Protocol):
    """InfluxDB's answers."""

    async def series(self, channel: Channel, from_ms: int, to_ms: int, limit: int | None = None) -> list[Reading]:
        """Return readings in order of time."""

    async def rollups(self, channel: Channel, from_ms: int, to_ms: int, resolution: Resolution) -> list[Rollup]:
        """Return roll-ups in order of time."""


class History:
    """Answers from both, joined where one ends and the other begins; from the journal alone while InfluxDB is away."""

    def __init__(self, journal: Recent, influx: Old, directory: Callable[[], Directory], clock: Clock) -> None:
        self._journal, self._influx, self._directory, self._clock = journal, influx, directory, clock
        self.trouble = ""
        """Why the older part came from the journal the last time; empty where it did not."""

    async def series(self, channel: str, from_ms: int, to_ms: int, limit: int | None = None) -> list[Reading]:
        """Return the readings of a channel measured in [from, to), in order of time; at most ``limit``."""
        known, seam_ms = self._directory().channels.get(channel), self._seam_ms(from_ms, to_ms)
        if known is None or seam_ms == from_ms:
            return await self._journal.series(channel, from_ms, to_ms, limit)
        try:
            old = await self._influx.series(known, from_ms, seam_ms, limit)
            self.trouble = ""
        except VitalsError as error:
            self._note(error)
            return await self._journal.series(channel, from_ms, to_ms, limit)
        left = None if limit is None else limit - len(old)
        return old if left == 0 else [*old, *await self._journal.series(channel, seam_ms, to_ms, left)]

    async def rollups(self, channel: str, from_ms: int, to_ms: int, resolution: Resolution) -> Sequence[Rollup]:
        """Return the roll-ups of a channel that share time with [from, to), in order of time."""
        known, seam_ms = self._directory().channels.get(channel), self._seam_ms(from_ms, to_ms)
        if known is None or seam_ms == from_ms:
            return await self._journal.rollups(channel, from_ms, to_ms, resolution)
        try:
            old = await self._influx.rollups(known, from_ms, seam_ms, resolution)
            self.trouble = ""
        except VitalsError as error:
            self._note(error)
            return await self._journal.rollups(channel, from_ms, to_ms, resolution)
        return [*old, *await self._journal.rollups(channel, seam_ms, to_ms, resolution)] if seam_ms < to_ms else old

    async def kept(self, channel: str) -> Kept:
        """Return from when on what of a channel is kept: everything where InfluxDB answers, as far as we know."""
        return await self._journal.kept(channel) if self.trouble else Kept()

    def _seam_ms(self, from_ms: int, to_ms: int) -> int:
        """Return the midnight (UTC) from which on the journal answers, within the range that was asked for."""
        recent_ms = self._clock.now_ms() - RECENT_MS
        return min(max(recent_ms - recent_ms % DAY_MS, from_ms), to_ms)

    def _note(self, error: VitalsError) -> None:
        if not self.trouble:
            log.warning("the past is read from the journal: %s", error)
        self.trouble = str(error)
