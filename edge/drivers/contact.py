"""Contacts that are open or closed: a door, a mains relay, a float switch, a fault output."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Sequence
from functools import partial
from typing import Literal

from pydantic import Field, model_validator

from domain.instant import Clock
from domain.reading import Sample
from edge.drivers import ChannelName
from edge.findings import Finding, Reporter, bus_error, measured, uncertain
from edge.hardware.lines import NANOSECONDS, Debouncer, Edge, Line, LineSettings, OpenLine, open_gpiod_line

logger = logging.getLogger(__name__)

MOST_CHANGES = 20
"""A contact that changes more often between two readings rattles; its single changes are not reported."""


class ContactSettings(LineSettings):
    """Which pin, and what the contact says."""

    driver: Literal["contact"] = "contact"
    channel: ChannelName
    quantity: Literal["door", "supply", "running", "fault"]
    normally: Literal["open", "closed"]
    """How the contact stands while the value is 0 (door shut, supply off, stopped, no fault)."""
    closed_is: Literal["low", "high"] = "low"
    """The line's level while the contact is closed: low, where it pulls against a resistor to the supply."""
    seconds: ChannelName | None = None
    """The channel of how long the value was 1 since the last reading."""
    debounce_ms: float = Field(default=50.0, ge=1, le=5000)

    @model_validator(mode="after")
    def _has_two_channels(self) -> ContactSettings:
        if self.seconds == self.channel:
            raise ValueError("channel and seconds are two channels")
        if self.pull == "down" and self.closed_is == "low":
            raise ValueError("with pull: down a closed contact makes the line high; write closed_is: high")
        return self

    def is_active(self, *, high: bool) -> bool:
        """Tell whether the value is 1 at this level of the line."""
        closed = high == (self.closed_is == "high")
        return closed == (self.normally == "open")


class Watch:
    """Edges in; the state, its changes, and the time in it out. Knows no hardware and no wall clock."""

    def __init__(self, settings: ContactSettings, *, high: bool, now_ns: int) -> None:
        self._settings = settings
        self._debouncer = Debouncer(high=high, quiet_ns=settings.quiet_ns)
        self._changes: deque[Edge] = deque(maxlen=MOST_CHANGES + 1)
        self._active_ns = 0
        self._since_ns = now_ns

    @property
    def active(self) -> bool:
        """Tell whether the value is 1."""
        return self._settings.is_active(high=self._debouncer.high)

    def edge(self, edge: Edge) -> None:
        """Take an edge."""
        self._change(self._debouncer.take(edge))

    def look(self, *, high: bool, now_ns: int) -> None:
        """Let time pass; ``high`` is the level now, in case an edge was lost."""
        self._change(self._debouncer.settle(now_ns))
        self._debouncer.look(high=high, now_ns=now_ns)

    def changes(self) -> list[Edge]:
        """Return the changes since the last call; one more than ``MOST_CHANGES`` where there were too many."""
        changes = list(self._changes)
        self._changes.clear()
        return changes

    def active_seconds(self, now_ns: int) -> float:
        """Return how long the value was 1 since the last call."""
        self._pass(now_ns, active=self.active)
        total_ns, self._active_ns = self._active_ns, 0
        # A change is dated back to its first edge, which may lie before the last call.
        return max(0, total_ns) / NANOSECONDS

    def _change(self, change: Edge | None) -> None:
        if change is not None:
            self._pass(change.at_ns, active=not self.active)
            self._changes.append(change)

    def _pass(self, until_ns: int, *, active: bool) -> None:
        if active:
            self._active_ns += until_ns - self._since_ns
        self._since_ns = until_ns


class ContactDriver:
    """Watches from its first read on; reports every change with the moment at which it happened."""

    def __init__(self, settings: ContactSettings, clock: Clock, open_: OpenLine) -> None:
        self._settings = settings
        self._clock = clock
        self._open = open_
        self._line: Line | None = None
        self._watch: Watch | None = None
        self._last_ms: int | None = None
        quantities: dict[str, str] = {settings.channel: settings.quantity}
        if settings.seconds is not None:
            quantities[settings.seconds] = "runtime"
        self._reporter = Reporter(clock, quantities, logger)

    @property
    def channels(self) -> Sequence[str]:
        """Return the state's name, and that of the seconds where there is one."""
        return self._reporter.channels

    async def read(self) -> list[Sample]:
        """Return the changes since the last read, the state now, and the seconds in it."""
        first = self._line is None
        try:
            line, watch = self._opened()
            high, now_ns = line.is_high(), line.now_ns()
        except OSError as error:
            self._shut()
            return self._reporter.all(bus_error("the GPIO line does not work", str(error)))
        watch.look(high=high, now_ns=now_ns)
        return self._samples(watch, now_ns, first=first)

    def _opened(self) -> tuple[Line, Watch]:
        if self._line is None or self._watch is None:
            line = self._line = self._open(self._edge)
            self._watch = Watch(self._settings, high=line.is_high(), now_ns=line.now_ns())
        return self._line, self._watch

    def _edge(self, edge: Edge) -> None:
        if self._watch is not None:
            self._watch.edge(edge)

    def _samples(self, watch: Watch, now_ns: int, *, first: bool) -> list[Sample]:
        now_ms, changes = self._clock.now_ms(), watch.changes()
        rattles = len(changes) > MOST_CHANGES
        samples = [] if rattles else self._past(changes, now_ns, now_ms)
        state = self._state(active=watch.active)
        if rattles:
            state = uncertain(float(watch.active), f"the contact rattles: more than {MOST_CHANGES} changes")
        samples.append(self._reporter.sample(self._settings.channel, state, now_ms))
        seconds = watch.active_seconds(now_ns)
        if self._settings.seconds is not None and not first:
            samples.append(self._reporter.sample(self._settings.seconds, measured("runtime", seconds), now_ms))
        self._last_ms = now_ms
        return samples

    def _past(self, changes: Sequence[Edge], now_ns: int, now_ms: int) -> list[Sample]:
        samples: list[Sample] = []
        for change in changes:
            at_ms = now_ms - round((now_ns - change.at_ns) / 1e6)
            if self._last_ms is not None and self._last_ms < now_ms:
                # What the last reading said of its own moment stands.
                at_ms = max(at_ms, self._last_ms + 1)
            state = self._state(active=self._settings.is_active(high=change.high))
            samples.append(self._reporter.sample(self._settings.channel, state, at_ms))
        return samples

    def _state(self, *, active: bool) -> Finding:
        return measured(self._settings.quantity, float(active))

    def _shut(self) -> None:
        line, self._line, self._watch = self._line, None, None
        if line is not None:
            line.close()

    async def close(self) -> None:
        """Let the line go."""
        self._shut()


def create(settings: ContactSettings, clock: Clock) -> ContactDriver:
    """Return the driver of this contact."""
    return ContactDriver(settings, clock, partial(open_gpiod_line, settings))
