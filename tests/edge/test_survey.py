"""A technician's look at the sensors: everything is said once, with its reason, and nothing is disturbed."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from domain.errors import OperatorError
from domain.reading import Quality, Sample
from edge.drivers import Driver
from edge.drivers.ds18b20 import Ds18b20Settings
from edge.settings import EdgeSettings
from edge.survey import Bench, Probe, bench, unknown_probes
from tests.edge.clocks import START_MS, JumpingClock
from tests.edge.expectations import FIXTURES

MEASURED = (FIXTURES / "ds18b20/measured/28-0316a2795dff/w1_slave").read_text()


class Sensor:
    """A driver with two channels that does what its test wants."""

    def __init__(self, *, hangs: bool = False, failure: str = "", said: Sequence[str] = ("a", "b")) -> None:
        self.closed = False
        self._hangs, self._failure, self._said = hangs, failure, said

    @property
    def channels(self) -> Sequence[str]:
        """Return both."""
        return ("a", "b")

    async def read(self) -> list[Sample]:
        """Return 1.0 for those that it has something to say about, raise, or hang."""
        if self._hangs:
            await asyncio.Event().wait()
        if self._failure:
            raise OSError(self._failure)
        return [Sample(name, START_MS, 1.0) for name in self._said]

    async def close(self) -> None:
        """Remember that it was closed."""
        self.closed = True


async def found(driver: Driver | OperatorError) -> dict[str, tuple[Quality | None, str]]:
    """Return quality and reason by channel."""
    rows = await Bench([("sensor", driver)], JumpingClock()).read(0.05)
    return {row.channel: (row.sample and row.sample.quality, row.reason) for row in rows}


@pytest.mark.parametrize(
    ("driver", "expected"),
    [
        (Sensor(), {"a": (Quality.GOOD, ""), "b": (Quality.GOOD, "")}),
        (Sensor(said=["a"]), {"a": (Quality.GOOD, ""), "b": (None, "nothing to say yet")}),
        (Sensor(failure="it burns"), dict.fromkeys("ab", (Quality.BUS_ERROR, "it burns"))),
        (Sensor(hangs=True), dict.fromkeys("ab", (Quality.BUS_ERROR, "no answer within 0.05 s"))),
        (OperatorError("no library"), {"(all)": (Quality.BUS_ERROR, "no library")}),
    ],
)
async def test_every_channel_is_accounted_for(
    driver: Driver | OperatorError, expected: dict[str, tuple[Quality | None, str]]
) -> None:
    """Whatever a driver does, each of its channels has a line that says so."""
    assert await found(driver) == expected


async def test_a_driver_that_hangs_keeps_no_other_waiting() -> None:
    """All drivers are read at the same time."""
    rows = await Bench([("x", Sensor(hangs=True)), ("y", Sensor())], JumpingClock()).read(0.05)
    assert [row.sample and row.sample.value for row in rows] == [None, None, 1.0, 1.0]


def node(tmp_path: Path, *drivers: dict[str, object]) -> EdgeSettings:
    """Return the settings of a node with these drivers."""
    return EdgeSettings.model_validate(
        {"node": "n1", "broker": "mqtt://127.0.0.1:1", "outbox": tmp_path / "outbox.db", "drivers": drivers}
    )


def names_in(folder: Path) -> set[str]:
    """Return the names of what is in a folder."""
    return {path.name for path in folder.iterdir()}


async def test_the_reasons_are_those_of_the_drivers(tmp_path: Path) -> None:
    """Two drivers of two kinds are read together, and each says why it has no value."""
    settings = node(
        tmp_path,
        {"driver": "ds18b20", "root": FIXTURES / "ds18b20/power_on", "probes": {"28-0316a2795dff": "fridge"}},
        {"driver": "health", "channels": {"cpu": "cpu_temperature"}, "sys": tmp_path},
    )
    async with bench(settings, JumpingClock(), tmp_path) as opened:
        fridge, cpu = await opened.read(10)
    assert fridge.reason.startswith("85.000 °C")
    assert cpu.reason == "no thermal zone"
    assert [fridge.sample and fridge.sample.quality, cpu.sample and cpu.sample.quality] == [
        Quality.BAD_VALUE,
        Quality.SENSOR_GONE,
    ]


async def test_what_a_driver_remembers_is_left_alone(tmp_path: Path) -> None:
    """The running agent's counters are neither moved on nor replaced by somebody who looks."""
    state = tmp_path / "counters.json"
    state.write_text("[not for you]")
    meter = {"model": "sdm120", "channels": {"energy": "energy_import"}}
    driver = {"driver": "modbus_meter", "tcp": {"host": "127.0.0.1", "port": 1}, "meters": [meter], "state": state}
    async with bench(node(tmp_path, driver), JumpingClock(), tmp_path / "scratch") as opened:
        await opened.read(10)
    assert names_in(tmp_path) == {"counters.json", "scratch"}
    assert state.read_text() == "[not for you]"


async def test_probes_that_nobody_configured_are_found(tmp_path: Path) -> None:
    """A new probe is listed with what it says; configured ones, and devices that are no thermometers, are not."""
    for device, text in {"28-000000000001": MEASURED, "28-000000000002": "", "28-000000000003": MEASURED}.items():
        (tmp_path / device).mkdir()
        (tmp_path / device / "w1_slave").write_text(text)
    for device in ("w1_bus_master1", "29-000000000001"):
        (tmp_path / device).mkdir()
    settings = Ds18b20Settings.model_validate({"root": tmp_path, "probes": {"28-000000000003": "fridge"}})
    assert await unknown_probes([settings]) == [
        Probe("28-000000000001", 20.5, ""),
        Probe("28-000000000002", None, "nothing: nobody answers on the line"),
    ]
