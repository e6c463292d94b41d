"""Eastron meters against a real Modbus server: TCP, RTU over a terminal, refusals, silence, and counters that lie."""

from __future__ import annotations

import asyncio
import os
import pty
import struct
import tty
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from edge.drivers import create_driver
from edge.drivers.modbus_meter import (
    MODELS,
    MOST_REGISTERS,
    MeterSettings,
    ModbusMeterDriver,
    ModbusMeterSettings,
    SerialLine,
    TcpAddress,
    create,
    spans,
)
from tests.edge.clocks import JumpingClock
from tests.edge.expectations import FIXTURES, cases, expected, found

pytest.importorskip("pymodbus", reason="pymodbus is not installed")

from pymodbus.constants import ExcCodes
from pymodbus.server import ModbusSerialServer, ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

Registers = dict[int, list[int]]


def recorded(folder: Path) -> tuple[str, Registers]:
    """Return a fixture's model and registers."""
    model, *lines = (folder / "registers.txt").read_text(encoding="utf-8").splitlines()
    rows = [line.split() for line in lines]
    return model, {int(address, 16): [int(word, 16) for word in words] for address, *words in rows}


def device(registers: Registers, address: int = 1, action: Any = None) -> SimDevice:
    """Return a meter for the server."""
    data = [SimData(0x400)] + [
        SimData(start, values=words, datatype=DataType.REGISTERS) for start, words in sorted(registers.items())
    ]
    unused = [SimData(0, values=0, datatype=DataType.REGISTERS)]
    bits = [SimData(0, values=[False] * 16, datatype=DataType.BITS)]
    return SimDevice(address, (bits, bits, unused, data), action=action)


@asynccontextmanager
async def served(devices: Sequence[SimDevice], *, port: int = 0, silent: int = 0) -> AsyncIterator[TcpAddress]:
    """Serve meters over TCP, on a free loopback port; the ``silent`` one of them never answers."""

    def trace(sending: bool, data: bytes) -> bytes:
        return b"" if sending and data[6] == silent else data

    server: Any = ModbusTcpServer(list(devices), address=("127.0.0.1", port), trace_packet=trace)
    await server.serve_forever(background=True)
    try:
        yield TcpAddress(host="127.0.0.1", port=server.transport.sockets[0].getsockname()[1])
    finally:
        await server.shutdown()


def meter(model: str, *measures: str, address: int = 1) -> MeterSettings:
    """Return a meter whose channels are named after what they measure, with its address."""
    channels = {(m if address == 1 else f"{m}/{address}"): m for m in measures}
    return MeterSettings.model_validate({"model": model, "address": address, "channels": channels})


def floats(values: dict[int, float]) -> Registers:
    """Return registers that hold these numbers."""
    return {address: list(struct.unpack(">HH", struct.pack(">f", value))) for address, value in values.items()}


@pytest.mark.parametrize("case", cases("modbus_meter"))
async def test_recorded_registers_are_read_as_expected(case: str) -> None:
    """A folder is a test case: registers as they stand in the meter, and what each measure is worth."""
    folder = FIXTURES / "modbus_meter" / case
    model, registers = recorded(folder)
    async with served([device(registers)]) as address:
        driver = create(ModbusMeterSettings(tcp=address, meters=(meter(model, *expected(folder)),)), JumpingClock())
        for _ in range(2):
            assert found(await driver.read()) == expected(folder)
        await driver.close()


async def test_few_requests_read_a_whole_meter() -> None:
    """All 16 values of a three-phase meter cost four requests."""
    asked: list[tuple[int, int]] = []

    async def note(function: int, _start: int, address: int, count: int, _now: object, _set: object) -> ExcCodes | None:
        assert function == 4
        asked.append((address, count))
        return None

    _, registers = recorded(FIXTURES / "modbus_meter" / "sdm630_one_phase_lost")
    async with served([device(registers, action=note)]) as address:
        settings = ModbusMeterSettings(tcp=address, meters=(meter("sdm630", *MODELS["sdm630"].registers),))
        driver = create(settings, JumpingClock())
        samples = await driver.read()
        await driver.close()
    assert len(samples) == len(MODELS["sdm630"].registers)
    assert len(asked) == 4


@given(st.sets(st.integers(0, 400).map(lambda half: half * 2), min_size=1))
def test_requests_cover_what_is_wanted_within_the_limit(addresses: set[int]) -> None:
    """Every value lies in exactly one request, and no request is longer than a meter answers."""
    planned = spans(addresses)
    assert all(span.size <= MOST_REGISTERS for span in planned)
    for address in addresses:
        assert sum(s.start <= address and address + 2 <= s.start + s.size for s in planned) == 1


async def test_a_gateway_names_the_meter_that_is_gone() -> None:
    """Of two meters behind a gateway the absent one is gone, and the other one is read."""

    async def unreachable(*_: object) -> ExcCodes:
        return ExcCodes.GATEWAY_NO_RESPONSE

    here, away = device(floats({0: 230.0})), device(floats({0: 1.0}), 2, unreachable)
    async with served([here, away]) as address:
        meters = (meter("sdm120", "voltage", address=2), meter("sdm120", "voltage"))
        driver = create(ModbusMeterSettings(tcp=address, meters=meters), JumpingClock())
        assert found(await driver.read()) == {"voltage/2": ("sensor_gone", None), "voltage": ("good", 230.0)}
        await driver.close()


async def test_silence_is_a_meter_that_is_gone() -> None:
    """A meter that does not answer is gone, at every read, and keeps nobody from reading the others."""
    async with served([device(floats({0: 230.0})), device({}, 7)], silent=7) as address:
        meters = (meter("sdm120", "voltage", "energy_total", address=7), meter("sdm120", "voltage"))
        driver = create(ModbusMeterSettings(tcp=address, meters=meters, timeout_seconds=0.05), JumpingClock())
        for _ in range(4):
            assert found(await driver.read()) == {
                "voltage/7": ("sensor_gone", None),
                "energy_total/7": ("sensor_gone", None),
                "voltage": ("good", 230.0),
            }
        await driver.close()


async def test_a_network_without_the_meter_is_the_bus() -> None:
    """A refused connection is an error of the bus; when the meter is back it is read again, by the same driver."""
    async with served([device(floats({0: 230.0}))]) as address:
        driver = create(
            ModbusMeterSettings(tcp=address, meters=(meter("sdm120", "voltage"),), timeout_seconds=0.2), JumpingClock()
        )
        assert found(await driver.read()) == {"voltage": ("good", 230.0)}
    assert found(await driver.read()) == {"voltage": ("bus_error", None)}
    async with served([device(floats({0: 231.0}))], port=address.port):
        assert found(await driver.read()) == {"voltage": ("good", 231.0)}
        await driver.close()


async def test_an_adapter_that_is_not_there_is_the_bus() -> None:
    """Without the serial adapter it is the bus that does not work."""
    pytest.importorskip("serial", reason="pyserial is not installed")
    line = SerialLine(port=Path("/nowhere/ttyUSB9"))
    driver = create(ModbusMeterSettings(serial=line, meters=(meter("sdm120", "voltage"),)), JumpingClock())
    assert found(await driver.read()) == {"voltage": ("bus_error", None)}


@asynccontextmanager
async def null_modem() -> AsyncIterator[tuple[str, str]]:
    """Join two terminals, so that what goes into one comes out of the other; yields their device files."""
    loop = asyncio.get_running_loop()
    (left, left_end), (right, right_end) = pty.openpty(), pty.openpty()
    for end in (left_end, right_end):
        tty.setraw(end)
    loop.add_reader(left, lambda: os.write(right, os.read(left, 4096)))
    loop.add_reader(right, lambda: os.write(left, os.read(right, 4096)))
    try:
        yield os.ttyname(left_end), os.ttyname(right_end)
    finally:
        for controller in (left, right):
            loop.remove_reader(controller)
        for descriptor in (left, right, left_end, right_end):
            os.close(descriptor)


async def test_meters_on_a_serial_line_are_read() -> None:
    """RTU frames through the kernel's terminals: two meters of different kinds on one line, and one that is gone."""
    pytest.importorskip("serial", reason="pyserial is not installed")
    one = device(floats({0: 229.5, 0x48: 12.5}))
    three = device(floats({0: 231.0, 2: 232.0, 4: 233.0}), 2)
    meters = (
        meter("sdm120", "voltage", "energy_import"),
        meter("sdm630", "voltage_l1", "voltage_l3", address=2),
        meter("sdm230", "voltage", address=3),
    )
    async with null_modem() as (ours, theirs):

        def trace(sending: bool, data: bytes) -> bytes:
            return b"" if sending and data[0] == 3 else data

        server: Any = ModbusSerialServer([one, three], port=theirs, baudrate=9600, trace_packet=trace)
        await server.serve_forever(background=True)
        settings = ModbusMeterSettings(serial=SerialLine(port=Path(ours)), meters=meters, timeout_seconds=0.3)
        driver = create(settings, JumpingClock())
        assert found(await driver.read()) == {
            "voltage": ("good", 229.5),
            "energy_import": ("good", 12_500.0),
            "voltage_l1/2": ("good", 231.0),
            "voltage_l3/2": ("good", 233.0),
            "voltage/3": ("sensor_gone", None),
        }
        await driver.close()
        await server.shutdown()


async def energies(driver: ModbusMeterDriver, shown: list[list[int]], values: Sequence[float]) -> list[float | None]:
    """Return the totals of a meter that shows these kWh, one after the other."""
    clock, totals = JumpingClock(), []
    driver._clock = clock
    for value in values:
        shown[0] = floats({0x48: value})[0x48]
        totals += [sample.value for sample in await driver.read()]
        await clock.sleep(60)
    return totals


async def test_the_energy_counter_never_falls_nor_leaps() -> None:
    """Rounding steps, NaN, single zeros, resets and leaps of the kWh register make no negative or giant interval."""
    shown: list[list[int]] = [[0, 0]]

    async def show(_f: int, start: int, _a: int, _c: int, registers: list[int], _set: object) -> None:
        registers[0x48 - start : 0x4A - start] = shown[0]

    async with served([device(floats({0x48: 0.0}), action=show)]) as address:
        settings = ModbusMeterSettings(tcp=address, meters=(meter("sdm230", "energy_import"),))
        driver = create(settings, JumpingClock())
        values = (100.0, 100.5, 100.375, 100.5, float("nan"), 0.0, 100.75, 3e5, 0.0, 0.25, 0.5, 0.75)
        totals = await energies(driver, shown, values)
        await driver.close()
    assert totals == [100_000, 100_500, 100_500, 100_500, None, None, 100_750, None, None, None, 101_250, 101_500]


def test_the_row_leads_to_the_driver() -> None:
    """The settings are found by the driver's name, also from plain data."""
    plain = {
        "driver": "modbus_meter",
        "tcp": {"host": "meter"},
        "meters": [{"model": "sdm630", "channels": {"mains/voltage": "voltage_l1"}}],
    }
    driver = create_driver(ModbusMeterSettings.model_validate(plain), JumpingClock())
    assert driver.channels == ("mains/voltage",)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"tcp": {"host": "a"}, "serial": {"port": "/dev/ttyUSB0"}}, "either serial"),
        ({"tcp": None}, "either serial"),
        ({"meters": [{"model": "sdm120", "channels": {"a": "voltage_l1"}}]}, "measures one of frequency"),
        ({"meters": [{"model": "sdm999", "channels": {"a": "voltage"}}]}, "sdm630"),
        ({"meters": [{"model": "sdm120", "channels": {c: "voltage"}} for c in "ab"]}, "same address"),
        (
            {"meters": [{"model": "sdm120", "address": n, "channels": {"a": "voltage"}} for n in (1, 2)]},
            "channel of the same name",
        ),
    ],
)
def test_settings_that_cannot_work_are_refused_in_words(wrong: dict[str, Any], message: str) -> None:
    """What a technician may get wrong is answered with what is allowed."""
    right = {"tcp": {"host": "a"}, "meters": [{"model": "sdm120", "channels": {"a": "voltage"}}]}
    with pytest.raises(ValidationError, match=message):
        ModbusMeterSettings.model_validate(right | wrong)
