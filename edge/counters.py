"""Counters of energy and water: what a meter shows, turned into a total that only grows, and only as fast as it can."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from math import isfinite
from pathlib import Path
from typing import Annotated, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from domain.instant import HOUR_MS, MINUTE_MS
from edge.findings import Finding, bad_value, measured
from edge.state_file import StateFile

logger = logging.getLogger(__name__)

CONFIRMATIONS = 3
"""So many consistent answers in a row make a reset or a jump believed; one glitch never does."""
ALLOWANCE_MS = 15 * MINUTE_MS
"""The shortest time whose consumption is believed at once: clocks step, and meters update in lumps."""


class CounterLimits(NamedTuple):
    """What a counter can do; amounts are in the canonical unit of its quantity."""

    quantity: str
    most_per_hour: float
    """The fastest that it can honestly grow."""
    rounding: float
    """It may step back by so much without having been reset."""


class CounterState(BaseModel):
    """Where a counter stands."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    shown: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    """What the meter showed when it was last believed."""
    total: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    """What has been counted; differs from ``shown`` once the meter was reset."""
    at_ms: int
    """When that was."""


class _Doubt(NamedTuple):
    first: float
    shown: float
    at_ms: int
    times: int


class Counter:
    """One counter: answers in, totals out that never fall and never leap.

    A small step back is rounding and holds the total. A fall or a leap is a ``bad_value`` until it has been confirmed;
    then counting goes on from there. Only growth that was seen is added: what a meter counted unseen is not known.
    """

    def __init__(self, limits: CounterLimits, state: CounterState | None = None) -> None:
        self._limits = limits
        self._doubt: _Doubt | None = None
        self.state = state

    def step(self, shown: float, at_ms: int) -> Finding:
        """Return the total, now that the meter shows this much (in the canonical unit)."""
        if not isfinite(shown) or shown < 0:
            return bad_value("the counter shows no number that a counter can show", str(shown))
        if self.state is None:
            return self._believe(shown, shown, at_ms)
        grown = shown - self.state.shown
        if 0 <= grown <= self._allowed(self.state.at_ms, at_ms):
            undisturbed = self.state.total == self.state.shown
            return self._believe(shown, shown if undisturbed else self.state.total + grown, at_ms)
        if -self._limits.rounding <= grown < 0:
            return self._believe(self.state.shown, self.state.total, at_ms)
        return self._question(shown, at_ms)

    def _believe(self, shown: float, total: float, at_ms: int) -> Finding:
        finding = measured(self._limits.quantity, total)
        if finding.value is not None:
            self.state, self._doubt = CounterState(shown=shown, total=total, at_ms=at_ms), None
        return finding

    def _question(self, shown: float, at_ms: int) -> Finding:
        assert self.state is not None  # noqa: S101 - only a counter with a state doubts what follows
        doubt = self._doubt
        if doubt is None or not self._continues(doubt, shown, at_ms):
            doubt = _Doubt(shown, shown, at_ms, 0)
        self._doubt = doubt = doubt._replace(shown=shown, at_ms=at_ms, times=doubt.times + 1)
        if doubt.times < CONFIRMATIONS:
            return bad_value(self._describe(shown), f"{shown:g} after {self.state.shown:g}")
        logger.warning("%s: counting goes on at %g after %g", self._describe(shown), shown, self.state.shown)
        # Each answer was believable after the one before; together they still grew no faster than a counter can.
        seen = min(max(0.0, shown - doubt.first), self._allowed(self.state.at_ms, at_ms))
        return self._believe(shown, self.state.total + seen, at_ms)

    def _continues(self, doubt: _Doubt, shown: float, at_ms: int) -> bool:
        grown = shown - doubt.shown
        return -self._limits.rounding <= grown <= self._allowed(doubt.at_ms, at_ms)

    def _allowed(self, from_ms: int, to_ms: int) -> float:
        return self._limits.most_per_hour * max(to_ms - from_ms, ALLOWANCE_MS) / HOUR_MS

    def _describe(self, shown: float) -> str:
        fell = self.state is not None and shown < self.state.shown
        return "the counter fell back" if fell else "the counter leapt further than it can"


_States = TypeAdapter(dict[str, CounterState])


class Counters:
    """The counters of one device, by channel; their state outlives a restart where a file is given for it."""

    def __init__(self, limits: Mapping[str, CounterLimits], path: Path | None) -> None:
        self._counters = {channel: Counter(each) for channel, each in limits.items()}
        self._file = StateFile(path, _States) if path is not None and limits else None
        self._loaded = self._file is None
        self._saved: dict[str, CounterState] = {}

    def __contains__(self, channel: str) -> bool:
        return channel in self._counters

    async def settle(self, findings: Mapping[str, Finding], at_ms: int) -> dict[str, Finding]:
        """Return the findings with what counters show replaced by their totals, after these are safe in the file."""
        try:
            await self._load()
        except OSError as error:
            # Without it a total could fall; what is already counted must not be overwritten.
            unknown = bad_value("the counters' state cannot be read", str(error))
            return {channel: unknown if channel in self else finding for channel, finding in findings.items()}
        settled = {channel: self._settled(channel, finding, at_ms) for channel, finding in findings.items()}
        await self._save()
        return settled

    def _settled(self, channel: str, finding: Finding, at_ms: int) -> Finding:
        if channel not in self._counters or finding.value is None:
            return finding
        return self._counters[channel].step(finding.value, at_ms)

    async def _load(self) -> None:
        if self._loaded or self._file is None:
            return
        states = await asyncio.to_thread(self._file.load) or {}
        for channel, state in states.items():
            if channel in self._counters:
                self._counters[channel].state = self._saved[channel] = state
        self._loaded = True

    async def _save(self) -> None:
        states = {channel: each.state for channel, each in self._counters.items() if each.state is not None}
        if self._file is None or not any(self._worth_saving(channel, state) for channel, state in states.items()):
            return
        try:
            await asyncio.to_thread(self._file.save, states)
        except OSError as error:
            # What was measured is true all the same; the next reading tries again.
            logger.warning("the counters' state could not be written: %s", error)
            return
        self._saved = states

    def _worth_saving(self, channel: str, state: CounterState) -> bool:
        saved = self._saved.get(channel)
        return saved is None or (saved.shown, saved.total) != (state.shown, state.total)
