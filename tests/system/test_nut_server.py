"""A UPS behind Debian's real upsd: its dummy driver plays a recorded power cut, then dies, then comes back."""

from __future__ import annotations

import asyncio
import getpass
import os
import re
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from edge.drivers import Driver, create_driver
from edge.drivers.nut import NutSettings
from tests.edge.clocks import JumpingClock
from tests.edge.expectations import found
from tests.system.servers import ServerProcess, free_ports, require

RECORDED = Path(__file__).parents[2] / "../shared/data/power/nut/evolution500.seq"
MEASURES = ("supply", "battery_low", "charging", "battery_charge", "input_voltage")
PATIENCE_SECONDS = 60.0

pytestmark = pytest.mark.system

Seen = dict[str, tuple[str, float | None]]


class Nut(NamedTuple):
    """A running upsd and the driver process behind it."""

    driver: Driver
    ups: ServerProcess


@asynccontextmanager
async def nut(folder: Path) -> AsyncIterator[Nut]:
    """Run upsd and dummy-ups in a folder, on a recorded sequence whose minutes pass in seconds."""
    upsd, dummy = binary("upsd"), binary("dummy-ups")
    (port,) = free_ports(1)
    (folder / "ups.conf").write_text("[ups]\n  driver = dummy-ups\n  port = outage.seq\n")
    (folder / "upsd.conf").write_text(f"LISTEN 127.0.0.1 {port}\nSTATEPATH {folder}\n")
    (folder / "upsd.users").touch()
    # Of the recording only its pace is changed.
    (folder / "outage.seq").write_text(re.sub(r"TIMER \d+", "TIMER 1", RECORDED.read_text(encoding="utf-8")))
    ups = process(folder, [dummy, "-a", "ups", "-F", "-i", "1"], "dummy-ups", folder / "dummy-ups-ups")
    server = process(folder, [upsd, "-F"], "upsd", port)
    try:
        await ups.start()
        await server.start()
        settings = NutSettings(port=port, ups="ups", channels={measure: measure for measure in MEASURES})
        yield Nut(create_driver(settings, JumpingClock()), ups)
    finally:
        await server.stop()
        await ups.stop()


def binary(name: str) -> str:
    """Return the path of one of NUT's programs; Debian's wrappers in the search path want it set up for the system."""
    require("upsd", package="nut-server")
    return f"/lib/nut/{name}"


def process(folder: Path, command: Sequence[str], name: str, sign: Path | int) -> ServerProcess:
    """Return one of NUT's processes, kept within the folder; ready when its socket is there."""
    environment = [f"NUT_{part}={folder}" for part in ("CONFPATH", "STATEPATH", "ALTPIDPATH")]

    async def ready() -> bool:
        if isinstance(sign, Path):
            return os.path.exists(sign)  # noqa: ASYNC240, PTH110 - a look at a local socket does not block
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", sign)) == 0

    return ServerProcess(
        ["/usr/bin/env", *environment, *command, "-u", getpass.getuser()], log=folder / f"{name}.log", ready=ready
    )


async def until(driver: Driver, wanted: dict[str, float] | str) -> Seen:
    """Read until the driver reports these values, or this quality throughout."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            seen = found(await driver.read())
            if isinstance(wanted, str):
                if {quality for quality, _ in seen.values()} == {wanted}:
                    return seen
            elif all(seen[name] == ("good", value) for name, value in wanted.items()):
                return seen
            await asyncio.sleep(0.05)  # asking upsd without a pause would slow it down


@pytest.mark.skipif(not RECORDED.exists(), reason="the folder with recorded data is not here")
async def test_a_power_cut_is_seen_from_its_start_to_its_end(tmp_path: Path) -> None:
    """On line, on battery, battery low, on line again: as the recording goes, as often as it goes."""
    async with nut(tmp_path) as running:
        for _ in range(2):
            online = await until(running.driver, {"supply": 1.0, "battery_low": 0.0, "charging": 1.0})
            assert online["battery_charge"] == ("good", 0.9)
            assert online["input_voltage"] == ("good", 230.0)
            await until(running.driver, {"supply": 0.0, "battery_low": 0.0, "charging": 0.0})
            await until(running.driver, {"supply": 0.0, "battery_low": 1.0, "charging": 0.0})


@pytest.mark.skipif(not RECORDED.exists(), reason="the folder with recorded data is not here")
async def test_a_dead_driver_is_the_bus_and_not_the_mains(tmp_path: Path) -> None:
    """When the process between upsd and the UPS dies it is the bus; when it is back, values are."""
    async with nut(tmp_path) as running:
        await until(running.driver, {"supply": 1.0})
        await running.ups.kill()
        await until(running.driver, "bus_error")
        (tmp_path / "dummy-ups-ups").unlink(missing_ok=True)
        await running.ups.start()
        await until(running.driver, {"supply": 1.0})
