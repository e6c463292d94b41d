"""The button that silences buzzers, on a GPIO line."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from edge.alarms.settings import ButtonSettings
from edge.hardware.lines import NANOSECONDS, Debouncer, Edge, Line, OnEdge, open_gpiod_line

logger = logging.getLogger(__name__)

REOPEN_SECONDS = 30.0


async def watch_button(
    settings: ButtonSettings,
    pressed: Callable[[], None],
    *,
    open_: Callable[[ButtonSettings, OnEdge], Line] = open_gpiod_line,
) -> None:
    """Call ``pressed`` at every press, until cancelled; a line that fails is opened again."""
    while True:
        try:
            await _watch(settings, pressed, open_)
        except OSError as error:
            logger.warning("the silence button does not work: %s", error)
        await asyncio.sleep(REOPEN_SECONDS)


async def _watch(
    settings: ButtonSettings, pressed: Callable[[], None], open_: Callable[[ButtonSettings, OnEdge], Line]
) -> None:
    something = asyncio.Event()
    edges: list[Edge] = []

    def on_edge(edge: Edge) -> None:
        edges.append(edge)
        something.set()

    line = open_(settings, on_edge)
    try:
        debouncer = Debouncer(high=line.is_high(), quiet_ns=settings.quiet_ns)
        while True:
            await something.wait()
            something.clear()
            await asyncio.sleep(settings.quiet_ns / NANOSECONDS)
            changes = [debouncer.take(edge) for edge in edges]
            edges.clear()
            for change in (*changes, debouncer.settle(line.now_ns())):
                if change is not None and change.high == (settings.pressed_is == "high"):
                    pressed()
    finally:
        line.close()
