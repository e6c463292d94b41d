"""A real agent whose sensors count, to be killed: ``python -m tests.system.counting_node CONFIG FOLDER``.

It writes down in FOLDER what was measured (``offered``) before the outbox has it, and what the outbox has taken
(``accepted``) as soon as ``put`` has returned. Both files are appended to with single writes, which a killed process
has made or not made. Once FOLDER has a file ``stop`` nothing more is measured.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Literal

from app.edge import read_edge_config
from domain.instant import Clock
from domain.reading import Sample
from edge.agent import build_agent
from edge.drivers import DRIVERS, DriverRow, DriverSettings
from edge.hardware.machine import LinuxMachine
from edge.timekeeper import Timekeeper

CHANNELS = 20


class CountingSettings(DriverSettings):
    """Where the counting goes on after a restart."""

    driver: Literal["counting"] = "counting"
    folder: Path


class CountingDriver:
    """Measures 1, 2, 3, ... on every channel, also across restarts."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._folder = folder
        self._clock = clock
        self._offered = os.open(folder / "offered", os.O_CREAT | os.O_APPEND | os.O_WRONLY)
        self._round = max(rounds_in(folder / "offered"), default=0)

    @property
    def channels(self) -> Sequence[str]:
        """Return the channels' names."""
        return [f"c{number}" for number in range(CHANNELS)]

    async def read(self) -> list[Sample]:
        """Return the next round."""
        if (self._folder / "stop").exists():
            return []
        self._round += 1
        os.write(self._offered, f"{self._round}\n".encode())
        now_ms = self._clock.now_ms()
        return [Sample(name, now_ms, float(self._round)) for name in self.channels]

    async def close(self) -> None:
        """Close the file."""
        os.close(self._offered)


def create(settings: CountingSettings, clock: Clock) -> CountingDriver:
    """Return the driver."""
    return CountingDriver(settings.folder, clock)


def rounds_in(path: Path) -> list[int]:
    """Return the rounds that stand in a file."""
    return [int(line) for line in path.read_text(encoding="ascii").split()] if path.exists() else []


def noting(put: Callable[[Iterable[Sample]], None], folder: Path) -> Callable[[Iterable[Sample]], None]:
    """Return a ``put`` that writes down which rounds it has taken."""
    accepted = os.open(folder / "accepted", os.O_CREAT | os.O_APPEND | os.O_WRONLY)

    def put_and_note(samples: Iterable[Sample]) -> None:
        taken = list(samples)
        put(taken)
        rounds = sorted({int(sample.value or 0) for sample in taken})
        if rounds:
            os.write(accepted, "".join(f"{number}\n" for number in rounds).encode())

    return put_and_note


async def run(config: Path, folder: Path) -> None:
    """Run the agent, and say again and again how much waits."""
    DRIVERS["counting"] = DriverRow("tests.system.counting_node", "CountingSettings")
    settings = read_edge_config(config, os.environ)
    agent = build_agent(settings, Timekeeper(LinuxMachine(settings.clock), declared=True))
    agent.outbox.put = noting(agent.outbox.put, folder)  # type: ignore[method-assign, assignment]  # the test looks on
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(agent.run())
        while True:
            (folder / "depth.new").write_text(str(agent.outbox.depth()), encoding="ascii")
            (folder / "depth.new").replace(folder / "depth")
            await asyncio.sleep(0.2)


if __name__ == "__main__":
    asyncio.run(run(Path(sys.argv[1]), Path(sys.argv[2])))
