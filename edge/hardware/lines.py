"""Digital inputs: edges of one line as they come, and the rule that tells a change from a bounce."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol

from pydantic import Field

from edge.drivers import DriverSettings
from edge.hardware.libraries import hardware_library

logger = logging.getLogger(__name__)

KERNEL_BUFFER_EDGES = 1024
NANOSECONDS = 1_000_000_000


class Edge(NamedTuple):
    """A line took another level."""

    at_ns: int
    """On the clock of ``Line.now_ns``, which never steps."""
    high: bool
    """The level after the edge."""


class Line(Protocol):
    """One digital input, open for reading."""

    @property
    def lost(self) -> int:
        """Return how many edges were lost since the line was opened, because they came faster than they were taken."""

    def now_ns(self) -> int:
        """Return the moment on the clock that edges are stamped with."""

    def is_high(self) -> bool:
        """Return the level now; raises ``OSError`` where the chip is gone."""

    def close(self) -> None:
        """Let the line go."""


OnEdge = Callable[[Edge], None]
OpenLine = Callable[[OnEdge], Line]
"""Opens a line whose edges go to the callable, in order, on the event loop; raises ``OSError``."""


class LineSettings(DriverSettings):
    """Which pin, and how it is wired."""

    chip: Path = Path("/dev/gpiochip0")
    line: int | str
    """The line's number on the chip, or its name: ``17``, ``GPIO17``; ``gpioinfo`` lists them."""
    pull: Literal["up", "down", "none"] = "up"
    """The pin's own resistor; ``none`` where a board brings one."""
    debounce_ms: float = Field(default=20.0, ge=1, le=5000)
    """A level that lasts less is a bounce."""

    @property
    def quiet_ns(self) -> int:
        """Return how long a level has to last."""
        return round(self.debounce_ms * 1e6)


class Debouncer:
    """Edges in, changes out: a level counts once it has lasted, and then from its beginning."""

    def __init__(self, *, high: bool, quiet_ns: int) -> None:
        self.high = high
        """The level that counts."""
        self._quiet_ns = quiet_ns
        self._pending: Edge | None = None

    def take(self, edge: Edge) -> Edge | None:
        """Take an edge; return the change that it proves to have lasted, if any."""
        change = self.settle(edge.at_ns)
        self._pending = edge if edge.high != self.high else None
        return change

    def settle(self, now_ns: int) -> Edge | None:
        """Return the change that has lasted long enough by now, if any."""
        pending = self._pending
        if pending is None or now_ns - pending.at_ns < self._quiet_ns:
            return None
        self.high, self._pending = pending.high, None
        return pending

    def look(self, *, high: bool, now_ns: int) -> None:
        """Learn the level that was looked up, in case an edge was lost."""
        if self._pending is None and high != self.high:
            self._pending = Edge(now_ns, high)


class GpiodLine:
    """A line of the kernel's GPIO character device, through libgpiod 2."""

    def __init__(self, request: Any, line: int | str, on_edge: OnEdge, loop: asyncio.AbstractEventLoop) -> None:
        self._request = request
        self._line = line
        self._on_edge = on_edge
        self._loop = loop
        self._last_number = 0
        self.lost = 0
        self._descriptor: int | None = request.fd
        loop.add_reader(request.fd, self._read)

    def now_ns(self) -> int:
        """Return the kernel's monotonic clock, which stamps the edges."""
        return time.monotonic_ns()

    def is_high(self) -> bool:
        """Return the level now."""
        if self._descriptor is None:
            raise OSError("the GPIO chip is gone")
        return bool(self._request.get_value(self._line).value)

    def close(self) -> None:
        """Stop listening and let the line go."""
        self._stop()
        self._request.release()

    def _stop(self) -> None:
        if self._descriptor is not None:
            self._loop.remove_reader(self._descriptor)
            self._descriptor = None

    def _read(self) -> None:
        try:
            events = self._request.read_edge_events()
        except OSError as error:
            logger.warning("GPIO line %s: %s", self._line, error)
            self._stop()
            return
        for event in events:
            self.lost += max(0, event.line_seqno - self._last_number - 1)
            self._last_number = event.line_seqno
            self._on_edge(Edge(event.timestamp_ns, event.event_type is event.Type.RISING_EDGE))


def open_gpiod_line(settings: LineSettings, on_edge: OnEdge) -> Line:
    """Return the line, open; must be called on the event loop. Raises ``OSError`` and ``OperatorError``."""
    gpiod = hardware_library("gpiod", extra="gpio")
    constants = hardware_library("gpiod.line", extra="gpio")
    bias = {"up": constants.Bias.PULL_UP, "down": constants.Bias.PULL_DOWN, "none": constants.Bias.AS_IS}
    wanted = gpiod.LineSettings(
        direction=constants.Direction.INPUT,
        edge_detection=constants.Edge.BOTH,
        bias=bias[settings.pull],
        event_clock=constants.Clock.MONOTONIC,
    )
    try:
        request = gpiod.request_lines(
            str(settings.chip),
            config={settings.line: wanted},
            consumer="vitals",
            event_buffer_size=KERNEL_BUFFER_EDGES,
        )
    except ValueError as error:
        raise OSError(f"{settings.chip} has no line {settings.line}") from error
    return GpiodLine(request, settings.line, on_edge, asyncio.get_running_loop())
