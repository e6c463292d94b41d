"""The node's time: an even clock that no step of the wall clock disturbs, put right once when the truth is known."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from typing import NamedTuple, Protocol

from domain.instant import SECOND_MS, format_rfc3339
from domain.reading import Sample
from edge.clock_trust import ClockReason, Evidence, judge_clock
from edge.hardware.machine import Machine
from edge.outbox_boots import BootTimeline

logger = logging.getLogger(__name__)

TOLERANCE_MS = 200
"""Steps of less than this are not worth the trouble."""


class Placeable(Protocol):
    """Whoever keeps readings by boot; see ``edge.outbox``."""

    def place(self, offset_ms: int) -> None:
        """Say when the machine started."""

    def placed(self) -> int | None:
        """Return what was said of this boot before."""

    def known_ms(self) -> int | None:
        """Return the latest moment that has certainly passed."""


class Mark(NamedTuple):
    """A moment on both timelines, taken before a sensor is read."""

    elapsed_ms: int
    offset_ms: int


class Timekeeper:
    """A ``domain.instant.Clock`` for the drivers, and the way from its moments to those since the machine started."""

    def __init__(self, machine: Machine, *, declared: bool = False) -> None:
        self._machine = machine
        self._declared = declared
        self._offset_ms = self._apparent_offset_ms()
        self._believed: ClockReason | None = None
        self.reason = ClockReason.UNCONFIRMED
        """What was thought of the machine's clock last; one that was believed in this boot stays believed."""
        self.timeline = BootTimeline(machine.boot_name, self._offset_ms)

    @property
    def trusted(self) -> bool:
        """Tell whether ``now_ms`` is the time of day, for a reason."""
        return self._believed is not None

    def now_ms(self) -> int:
        """Return the current moment in milliseconds since 1970, as well as it is known."""
        return self._machine.elapsed_ms() + self._offset_ms

    async def sleep(self, seconds: float) -> None:
        """Wait for this many seconds."""
        await asyncio.sleep(seconds)

    def elapsed_ms(self) -> int:
        """Return the milliseconds since the machine started."""
        return self._machine.elapsed_ms()

    def mark(self) -> Mark:
        """Return the present moment on both timelines."""
        return Mark(self._machine.elapsed_ms(), self._offset_ms)

    def since_start(self, samples: Iterable[Sample], since: Mark) -> list[Sample]:
        """Return the samples with milliseconds since the machine started; they were made after ``since``.

        The clock may have been put right while a sensor was read: then each sample's moment tells on which side.
        """
        now_ms = self._machine.elapsed_ms()
        return [
            sample._replace(measured_at_ms=self._elapsed_at(sample.measured_at_ms, since, now_ms)) for sample in samples
        ]

    def _elapsed_at(self, moment_ms: int, since: Mark, now_ms: int) -> int:
        before, after = moment_ms - since.offset_ms, moment_ms - self._offset_ms
        return after if since.elapsed_ms <= after <= now_ms else before

    def look(self, outbox: Placeable) -> None:
        """Look at the machine's clock; put this one and the outbox right where it is believed and says otherwise.

        Raises what ``place`` raises.
        """
        if self._believed is None and (placed_ms := outbox.placed()) is not None:
            self._offset_ms, self._believed = placed_ms, ClockReason.BATTERY
        offset_ms = self._apparent_offset_ms()
        self.reason = judge_clock(self._evidence(outbox.known_ms()))
        if not self.reason.trusted or (self._believed and self.reason.strength < self._believed.strength):
            return
        if self._believed is None or abs(offset_ms - self._offset_ms) > TOLERANCE_MS:
            outbox.place(offset_ms)
            started = format_rfc3339(offset_ms - offset_ms % SECOND_MS)
            moved_s = (offset_ms - self._offset_ms) / SECOND_MS
            logger.info("the clock is %s: started at %s, moved by %.1f s", self.reason.value, started, moved_s)
            self._offset_ms = offset_ms
        self._believed = self.reason

    def _apparent_offset_ms(self) -> int:
        return self._machine.wall_ms() - self._machine.elapsed_ms()

    def _evidence(self, known_ms: int | None) -> Evidence:
        machine = self._machine
        return Evidence(
            wall_ms=machine.wall_ms(),
            declared=self._declared,
            synchronised=machine.synchronised(),
            set_since_start=machine.set_since_start(),
            battery_ms=machine.battery_ms(),
            known_ms=known_ms,
        )
