"""Meters that close a contact for every so many litres or watt-hours: counted without a break, and over restarts."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, model_validator

from domain.instant import Clock
from domain.reading import Sample
from edge.drivers import ChannelName
from edge.findings import Finding, Reporter, bad_value, bus_error, measured, uncertain
from edge.hardware.lines import NANOSECONDS, Debouncer, Edge, Line, LineSettings, OpenLine, open_gpiod_line
from edge.state_file import StateFile

logger = logging.getLogger(__name__)

_SECONDS_PER_HOUR = 3600.0


class PulseSettings(LineSettings):
    """Which pin, and what one pulse is worth."""

    driver: Literal["pulse"] = "pulse"
    counts: Literal["falling", "rising"] = "falling"
    """Which way the line goes when a pulse begins: falling, where a contact pulls it down."""
    litres_per_pulse: float | None = Field(default=None, gt=0)
    """For water: 1, 10 and 100 are usual."""
    watt_hours_per_pulse: float | None = Field(default=None, gt=0)
    """For electricity: 1000 pulses per kWh are 1 Wh per pulse."""
    total: ChannelName
    """The channel of what has been counted: a volume or an energy."""
    rate: ChannelName | None = None
    """The channel of the mean since the last reading: a flow or a power."""
    starts_at: float = Field(default=0.0, ge=0)
    """What the meter showed (in litres or Wh) when counting began; another number here begins anew from it."""
    state: Path
    """Where the count is kept; on a disk that survives a power cut."""

    @model_validator(mode="after")
    def _counts_one_thing(self) -> PulseSettings:
        if (self.litres_per_pulse is None) == (self.watt_hours_per_pulse is None):
            raise ValueError("write either litres_per_pulse: or watt_hours_per_pulse:")
        if self.rate == self.total:
            raise ValueError("rate and total are two channels")
        return self

    def counted(self) -> Counted:
        """Return what one pulse is worth."""
        if self.litres_per_pulse is not None:
            return Counted("volume", self.litres_per_pulse, "flow", 1.0)
        return Counted("energy", self.watt_hours_per_pulse or 0.0, "power", _SECONDS_PER_HOUR)


class Counted(NamedTuple):
    """What is counted: the quantity of the total and the worth of a pulse, and the same of the rate."""

    quantity: str
    per_pulse: float
    rate_quantity: str
    rate_scale: float
    """Turns an amount per second into the rate's unit: Wh per second are 3600 W."""


class PulseState(BaseModel):
    """What has been counted."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    total: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    starts_at: Annotated[float, Field(ge=0, allow_inf_nan=False)]


PULSE_STATE: TypeAdapter[PulseState] = TypeAdapter(PulseState)


class PulseCounter:
    """Edges in, pulses out; a pulse is one change to the counted level that lasted."""

    def __init__(self, *, high: bool, counts_high: bool, quiet_ns: int) -> None:
        self._debouncer = Debouncer(high=high, quiet_ns=quiet_ns)
        self._counts_high = counts_high
        self._pulses = 0

    def edge(self, edge: Edge) -> None:
        """Take an edge."""
        self._count(self._debouncer.take(edge))

    def harvest(self, now_ns: int) -> int:
        """Return the pulses since the last harvest."""
        self._count(self._debouncer.settle(now_ns))
        pulses, self._pulses = self._pulses, 0
        return pulses

    def look(self, *, high: bool, now_ns: int) -> None:
        """Learn the level that was looked up, in case an edge was lost."""
        self._debouncer.look(high=high, now_ns=now_ns)

    def _count(self, change: Edge | None) -> None:
        self._pulses += change is not None and change.high is self._counts_high


class PulseDriver:
    """Counts from its first read on; every total that it reports is on the disk before."""

    def __init__(self, settings: PulseSettings, clock: Clock, open_: OpenLine, file: StateFile[PulseState]) -> None:
        self._settings = settings
        self._counted = settings.counted()
        self._open = open_
        self._file = file
        self._total: float | None = None
        self._saved: float | None = None
        self._waiting = 0
        self._line: Line | None = None
        self._counter: PulseCounter | None = None
        self._harvested_ns: int | None = None
        self._lost = 0
        quantities = {settings.total: self._counted.quantity}
        if settings.rate is not None:
            quantities[settings.rate] = self._counted.rate_quantity
        self._reporter = Reporter(clock, quantities, logger)

    @property
    def channels(self) -> Sequence[str]:
        """Return the total's name, and the rate's where there is one."""
        return self._reporter.channels

    async def read(self) -> list[Sample]:
        """Return the total, and from the second read on the rate."""
        try:
            line = self._line or self._opened()
            high = line.is_high()
        except OSError as error:
            self._shut()
            return self._reporter.all(bus_error("the GPIO line does not work", str(error)))
        now_ns = line.now_ns()
        pulses = self._harvest(now_ns)
        if self._counter is not None:
            self._counter.look(high=high, now_ns=now_ns)
        lost, self._lost = line.lost - self._lost, line.lost
        findings = {self._settings.total: await self._count(), self._settings.rate: self._rate(pulses, now_ns)}
        if lost:
            findings = {channel: _doubted(finding) for channel, finding in findings.items()}
        return self._reporter.samples({c: finding for c, finding in findings.items() if c and finding})

    def _opened(self) -> Line:
        # Edges may come before the level is known; nothing has been counted yet.
        line = self._line = self._open(self._edge)
        counts_high = self._settings.counts == "rising"
        self._counter = PulseCounter(high=line.is_high(), counts_high=counts_high, quiet_ns=self._settings.quiet_ns)
        self._lost, self._harvested_ns = 0, None
        return line

    def _edge(self, edge: Edge) -> None:
        if self._counter is not None:
            self._counter.edge(edge)

    def _harvest(self, now_ns: int) -> int:
        pulses = 0 if self._counter is None else self._counter.harvest(now_ns)
        self._waiting += pulses
        return pulses

    def _rate(self, pulses: int, now_ns: int) -> Finding | None:
        before_ns, self._harvested_ns = self._harvested_ns, now_ns
        if before_ns is None or now_ns <= before_ns:
            return None
        per_second = pulses * self._counted.per_pulse * NANOSECONDS / (now_ns - before_ns)
        return measured(self._counted.rate_quantity, per_second * self._counted.rate_scale)

    async def _count(self) -> Finding:
        """Add the pulses that wait, and return the total once it is kept."""
        try:
            if self._total is None:
                self._total = self._saved = await asyncio.to_thread(self._load)
        except OSError as error:
            return bad_value("the count so far cannot be read", str(error))
        self._total, self._waiting = self._total + self._waiting * self._counted.per_pulse, 0
        finding = measured(self._counted.quantity, self._total)
        try:
            await self._keep(PulseState(total=self._total, starts_at=self._settings.starts_at))
        except OSError as error:
            return uncertain(self._total, f"the count could not be written: {error.strerror}")
        return finding

    async def _keep(self, state: PulseState) -> None:
        if state.total != self._saved:
            await asyncio.to_thread(self._file.save, state)
            self._saved = state.total

    def _load(self) -> float:
        state = self._file.load()
        if state is not None and state.starts_at == self._settings.starts_at:
            return state.total
        return self._settings.starts_at

    def _shut(self) -> None:
        line, self._line = self._line, None
        if line is not None:
            self._harvest(line.now_ns())
            line.close()
        self._counter = None

    async def close(self) -> None:
        """Let the line go; what was counted since the last read is kept with the rest."""
        self._shut()
        if self._waiting:
            await self._count()


def _doubted(finding: Finding | None) -> Finding | None:
    if finding is None or finding.value is None:
        return finding
    return uncertain(finding.value, "pulses came faster than they could be counted")


def create(settings: PulseSettings, clock: Clock) -> PulseDriver:
    """Return the driver of this meter."""
    return PulseDriver(settings, clock, partial(open_gpiod_line, settings), StateFile(settings.state, PULSE_STATE))
