"""A line that plays a recorded timeline, and a driver that is read along it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from domain.reading import Sample
from edge.drivers import Driver
from edge.hardware.lines import Edge, OnEdge
from tests.edge.clocks import START_MS, JumpingClock

STARTED_NS = 5_000_000_000
"""Where the machine's own clock stands when a timeline begins."""


class PlayedLine:
    """One digital input on a bench: a hand moves its level, takes the chip out and puts it back."""

    def __init__(self, *, high: bool) -> None:
        self.high = high
        self.there = True
        self.lost = 0
        self.at_s = 0.0
        self.opened = 0
        self._on_edge: OnEdge | None = None

    def open(self, on_edge: OnEdge) -> PlayedLine:
        """Open it, as the driver does."""
        self._check()
        assert self._on_edge is None, "opened twice"
        self._on_edge = on_edge
        self.opened += 1
        return self

    def now_ns(self) -> int:
        """Return the moment of the timeline."""
        return STARTED_NS + round(self.at_s * 1e9)

    def is_high(self) -> bool:
        """Return the level."""
        self._check()
        return self.high

    def close(self) -> None:
        """Close it."""
        self._on_edge = None

    def _check(self) -> None:
        if not self.there:
            raise OSError("no such device")

    def happen(self, what: str) -> None:
        """Let something of a timeline happen."""
        level, *unseen = what.split()
        if level in ("gone", "back"):
            self.there = level == "back"
        elif level == "lost":
            self.lost += 4
        else:
            self.high = level == "high"
            if self._on_edge is not None and self.there and not unseen:
                self._on_edge(Edge(self.now_ns(), self.high))


Make = Callable[[dict[str, Any], JumpingClock, PlayedLine], Driver]


def timeline(folder: Path) -> list[tuple[float, str]]:
    """Return the moments of a fixture and what happens at each."""
    lines = (folder / "timeline.txt").read_text(encoding="utf-8").splitlines()
    return [(float(moment), what) for moment, what in (line.split(maxsplit=1) for line in lines)]


async def play(folder: Path, make: Make) -> list[Sample]:
    """Return every sample of a driver that is read along a fixture's timeline."""
    (_, first), *rest = timeline(folder)
    line, clock, samples = PlayedLine(high=first == "high"), JumpingClock(), list[Sample]()
    driver = make(json.loads((folder / "settings.json").read_bytes()), clock, line)
    for line.at_s, what in rest:
        clock.moment_ms = START_MS + round(line.at_s * 1000)
        if what == "read":
            samples += await driver.read()
        else:
            line.happen(what)
    await driver.close()
    return samples


def written(samples: list[Sample]) -> str:
    """Return samples in the words of ``expected.txt``."""
    rows = []
    for sample in samples:
        moment = f"{(sample.measured_at_ms - START_MS) / 1000:g}"
        value = "" if sample.value is None else f" {round(sample.value, 6):.12g}"
        rows.append(f"{moment} {sample.name} {sample.quality.label}{value}")
    return "\n".join(rows) + "\n"
