"""The real GPIO library: it is asked for the line as wired, its edges arrive on the loop, and its end is noticed."""

from __future__ import annotations

import asyncio
import inspect
import os
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from edge.drivers.contact import ContactSettings
from edge.hardware.lines import Edge, open_gpiod_line

pytest.importorskip("gpiod", reason="gpiod is not installed")

import gpiod
from gpiod.line import Bias, Value

SETTINGS = ContactSettings(line="GPIO17", channel="door", quantity="door", normally="closed", pull="up")


class Request:
    """A requested line whose edges a test writes into a pipe, in place of the kernel."""

    def __init__(self) -> None:
        self.fd, self._write = os.pipe()
        self._events: list[Any] = []
        self.released = False

    def edge(self, number: int, at_ns: int, kind: Any) -> None:
        """Let an edge happen."""
        event_types = SimpleNamespace(RISING_EDGE=gpiod.EdgeEvent.Type.RISING_EDGE)
        self._events.append(SimpleNamespace(line_seqno=number, timestamp_ns=at_ns, event_type=kind, Type=event_types))
        os.write(self._write, b"!")

    def hang_up(self) -> None:
        """Let the chip go away."""
        self._events.append(OSError("no such device"))
        os.write(self._write, b"!")

    def read_edge_events(self) -> list[Any]:
        """Return the edges so far."""
        os.read(self.fd, 64)
        events, self._events = self._events, []
        if events and isinstance(events[-1], OSError):
            raise events[-1]
        return events

    def get_value(self, line: object) -> Value:
        """Return the level."""
        assert line == "GPIO17"
        return Value.ACTIVE

    def release(self) -> None:
        """Let the line go."""
        self.released = True
        os.close(self.fd)
        os.close(self._write)


@pytest.fixture
def request_of_line(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Request, dict[str, Any]]]:
    """Take the kernel's place behind the library's own function, whose parameters still have to fit."""
    signature, request, asked = inspect.signature(gpiod.request_lines), Request(), dict[str, Any]()

    def request_lines(*args: Any, **kwargs: Any) -> Request:
        asked.update(signature.bind(*args, **kwargs).arguments)
        return request

    monkeypatch.setattr(gpiod, "request_lines", request_lines)
    yield request, asked
    if not request.released:
        request.release()


async def test_edges_arrive_on_the_loop(request_of_line: tuple[Request, dict[str, Any]]) -> None:
    """Edges come with their level and the kernel's time; a gap in their numbers counts as lost."""
    request, asked = request_of_line
    seen: list[Edge] = []
    arrived = asyncio.Event()

    def on_edge(edge: Edge) -> None:
        seen.append(edge)
        arrived.set()

    line = open_gpiod_line(SETTINGS, on_edge)
    assert asked["path"] == "/dev/gpiochip0"
    assert asked["config"]["GPIO17"].bias is Bias.PULL_UP
    assert line.is_high()
    request.edge(1, 100, gpiod.EdgeEvent.Type.RISING_EDGE)
    request.edge(5, 200, gpiod.EdgeEvent.Type.FALLING_EDGE)
    await arrived.wait()
    assert seen == [Edge(100, high=True), Edge(200, high=False)]
    assert line.lost == 3
    line.close()
    assert request.released


async def test_a_chip_that_goes_away_is_noticed(request_of_line: tuple[Request, dict[str, Any]]) -> None:
    """An error while edges are read ends the listening, and the next look at the line says so."""
    request, _ = request_of_line
    line = open_gpiod_line(SETTINGS, lambda _: None)
    request.hang_up()
    while True:
        try:
            line.is_high()
        except OSError:
            break
        await asyncio.sleep(0)
    line.close()
