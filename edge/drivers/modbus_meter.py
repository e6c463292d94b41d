"""Eastron SDM energy meters over Modbus RTU (RS-485) or Modbus TCP: function 04, float32 in two registers, big-endian.

Addresses, and the limit of 30 values per request of the strictest model: Eastron's "Modbus Protocol Implementation"
documents of the SDM120, SDM230, SDM630 and SDM72.
"""

from __future__ import annotations

import logging
import struct
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Literal, NamedTuple, Protocol

from pydantic import BaseModel, ConfigDict, Field, model_validator

from domain.instant import Clock
from domain.reading import Sample
from edge.counters import CounterLimits, Counters
from edge.drivers import ChannelName, DriverSettings
from edge.findings import Finding, Reporter, bad_value, bus_error, measured, sensor_gone
from edge.hardware.libraries import hardware_library

logger = logging.getLogger(__name__)

MOST_REGISTERS = 60
WIDEST_GAP = 10
"""Registers that nobody asked for are read along where that saves a request."""
RETRIES = 1

_ILLEGAL_ADDRESS = 2
_GATEWAY_CODES = (10, 11)
"""Modbus application protocol, section 7: the gateway has no path to the meter, or the meter did not answer it."""


class Register(NamedTuple):
    """One value: where it stands, what it is, and its way to the canonical unit."""

    address: int
    quantity: str
    scale: float = 1.0


class Model(NamedTuple):
    """One kind of meter."""

    registers: Mapping[str, Register]
    largest_kilowatts: float
    """What it can honestly count, with some room: its rated current at 300 V."""


_COMMON = {
    "frequency": Register(0x0046, "frequency"),
    "energy_import": Register(0x0048, "energy", 1000.0),
    "energy_export": Register(0x004A, "energy", 1000.0),
    "energy_total": Register(0x0156, "energy", 1000.0),
}
_ONE_PHASE = _COMMON | {
    "voltage": Register(0x0000, "voltage"),
    "current": Register(0x0006, "current"),
    "power": Register(0x000C, "power"),
}
_THREE_PHASES = _COMMON | {
    "voltage_l1": Register(0x0000, "voltage"),
    "voltage_l2": Register(0x0002, "voltage"),
    "voltage_l3": Register(0x0004, "voltage"),
    "current_l1": Register(0x0006, "current"),
    "current_l2": Register(0x0008, "current"),
    "current_l3": Register(0x000A, "current"),
    "power_l1": Register(0x000C, "power"),
    "power_l2": Register(0x000E, "power"),
    "power_l3": Register(0x0010, "power"),
    "voltage_average": Register(0x002A, "voltage"),
    "current_sum": Register(0x0030, "current"),
    "power": Register(0x0034, "power"),
}

MODELS: Mapping[str, Model] = {
    "sdm120": Model(_ONE_PHASE, 13.5),
    "sdm230": Model(_ONE_PHASE, 30.0),
    "sdm630": Model(_THREE_PHASES, 90.0),
}

ROUNDING_WATT_HOURS = 200.0


class SerialLine(BaseModel):
    """An RS-485 adapter, set as the meters are: 2400 or 9600 baud as they leave the factory."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    port: Path
    baud: Literal[1200, 2400, 4800, 9600, 19200, 38400] = 9600
    parity: Literal["none", "even", "odd"] = "none"
    stop_bits: Literal[1, 2] = 1


class TcpAddress(BaseModel):
    """A meter with a network port, or a gateway that has an RS-485 line behind it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str = Field(min_length=1)
    port: int = Field(default=502, ge=1, le=65_535)
    rtu_frames: bool = False
    """The gateway passes the line's bytes through as they are."""


class MeterSettings(BaseModel):
    """One meter of the line."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: Literal["sdm120", "sdm230", "sdm630"]
    address: int = Field(default=1, ge=1, le=247)
    channels: Mapping[ChannelName, str] = Field(min_length=1)
    """What each channel measures: ``mains/voltage: voltage``."""
    largest_kilowatts: float | None = Field(default=None, gt=0)
    """The most that flows through this meter; for meters behind current transformers."""

    @model_validator(mode="after")
    def _measures_what_it_can(self) -> MeterSettings:
        known = MODELS[self.model].registers
        for name in self.channels.values():
            if name not in known:
                raise ValueError(f"an {self.model} measures one of {', '.join(known)}; found {name!r}")
        return self

    def registers(self) -> dict[str, Register]:
        """Return the register of each channel."""
        return {channel: MODELS[self.model].registers[name] for channel, name in self.channels.items()}


class ModbusMeterSettings(DriverSettings):
    """One line, by serial port or by network, and the meters on it."""

    driver: Literal["modbus_meter"] = "modbus_meter"
    serial: SerialLine | None = None
    tcp: TcpAddress | None = None
    meters: tuple[MeterSettings, ...] = Field(min_length=1, max_length=16)
    timeout_seconds: float = Field(default=1.0, gt=0, le=5)
    """How long a meter has for an answer; it is asked twice."""
    state: Path | None = None
    """Where the energy counters are kept over restarts, so that a reset of a meter is noticed."""

    @model_validator(mode="after")
    def _is_one_line(self) -> ModbusMeterSettings:
        if (self.serial is None) == (self.tcp is None):
            raise ValueError("write either serial: {port: /dev/ttyUSB0} or tcp: {host: 192.168.1.30}")
        if len({meter.address for meter in self.meters}) < len(self.meters):
            raise ValueError("two meters of one line have the same address")
        if len({name for meter in self.meters for name in meter.channels}) < sum(len(m.channels) for m in self.meters):
            raise ValueError("two meters have a channel of the same name")
        return self


class Span(NamedTuple):
    """Neighbouring registers that one request reads."""

    start: int
    size: int


def spans(addresses: Iterable[int]) -> list[Span]:
    """Return few requests that read all these two-register values."""
    found: list[Span] = []
    for address in sorted(set(addresses)):
        end = address + 2
        if found and address - sum(found[-1]) <= WIDEST_GAP and end - found[-1].start <= MOST_REGISTERS:
            found[-1] = Span(found[-1].start, end - found[-1].start)
        else:
            found.append(Span(address, 2))
    return found


class Answer(Protocol):
    """As much of a library's answer as is needed."""

    registers: list[int]
    exception_code: int

    def isError(self) -> bool:  # noqa: N802 - the library's spelling
        """Tell whether the meter or the gateway refused."""


class Client(Protocol):
    """As much of a Modbus client as is needed."""

    @property
    def connected(self) -> bool:
        """Tell whether the line is open."""

    async def connect(self) -> bool:
        """Open the line."""

    def close(self) -> None:
        """Close the line."""

    async def read_input_registers(self, address: int, *, count: int, device_id: int) -> Answer:
        """Ask for registers with function 04."""


class Refused(Exception):  # noqa: N818 - it carries a finding, and is handled two lines further up
    """A meter gave no registers; carries what to say of its channels."""

    def __init__(self, finding: Finding, *, code: int = 0) -> None:
        super().__init__(finding.reason)
        self.finding = finding
        self.code = code


class Meter:
    """One meter: which requests it is asked, and what its registers mean."""

    def __init__(self, settings: MeterSettings) -> None:
        self.address = settings.address
        self.registers = settings.registers()
        self._spans = spans(register.address for register in self.registers.values())

    async def ask(self, client: Client) -> dict[str, Finding]:
        """Return a finding per channel; raises ``OSError`` and the library's errors where the line fails."""
        words: dict[int, int | Refused] = {}
        for span in tuple(self._spans):
            try:
                words |= enumerate(await self._request(client, span), start=span.start)
            except Refused as refused:
                if refused.code == _ILLEGAL_ADDRESS and span.size > 2:
                    return await self._ask_one_by_one(client)
                words |= dict.fromkeys(range(span.start, span.start + span.size), refused)
        return {channel: self._find(register, words) for channel, register in self.registers.items()}

    async def _ask_one_by_one(self, client: Client) -> dict[str, Finding]:
        """Give up reading gaps along: this meter refuses them. It is asked value by value from now on."""
        self._spans = [Span(address, 2) for address in sorted({each.address for each in self.registers.values()})]
        return await self.ask(client)

    async def _request(self, client: Client, span: Span) -> list[int]:
        answer = await client.read_input_registers(span.start, count=span.size, device_id=self.address)
        if answer.isError():
            raise _refusal(answer.exception_code)
        if len(answer.registers) != span.size:
            raise Refused(bad_value("an answer of another length", f"{len(answer.registers)} registers"))
        return answer.registers

    @staticmethod
    def _find(register: Register, words: Mapping[int, int | Refused]) -> Finding:
        high, low = words[register.address], words[register.address + 1]
        if isinstance(high, Refused):
            return high.finding
        if isinstance(low, Refused):
            return low.finding
        (value,) = struct.unpack(">f", struct.pack(">HH", high, low))
        return measured(register.quantity, value * register.scale)


def _refusal(code: int) -> Refused:
    if code in _GATEWAY_CODES:
        return Refused(sensor_gone("the gateway cannot reach the meter", f"exception {code}"), code=code)
    return Refused(bad_value("the meter refuses the request", f"exception {code}"), code=code)


class ModbusMeterDriver:
    """Asks the meters of one line, one after the other."""

    def __init__(self, settings: ModbusMeterSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._meters = [Meter(each) for each in settings.meters]
        self._client: Client | None = None
        quantities = {c: register.quantity for meter in self._meters for c, register in meter.registers.items()}
        self._reporter = Reporter(clock, quantities, logger)
        self._counters = Counters(_limits(settings.meters), settings.state)

    @property
    def channels(self) -> Sequence[str]:
        """Return the names of the channels of all meters."""
        return self._reporter.channels

    async def read(self) -> list[Sample]:
        """Return one sample per channel; a meter that is silent does not keep the others from being read."""
        errors = hardware_library("pymodbus.exceptions", extra="modbus")
        findings: dict[str, Finding] = {}
        for meter in self._meters:
            try:
                findings |= await self._ask(meter)
            except (errors.ConnectionException, OSError) as error:
                findings |= dict.fromkeys(meter.registers, bus_error("the line does not work", str(error)))
            except errors.ModbusException as error:
                findings |= dict.fromkeys(meter.registers, sensor_gone("the meter does not answer", str(error)))
        return self._reporter.samples(await self._counters.settle(findings, self._clock.now_ms()))

    async def _ask(self, meter: Meter) -> dict[str, Finding]:
        client, self._client = self._client or _client(self._settings), None
        errors = hardware_library("pymodbus.exceptions", extra="modbus")
        try:
            if not client.connected and not await client.connect():
                raise ConnectionError("it cannot be opened")
            findings = await meter.ask(client)
            self._client = client
        except errors.ModbusIOException as error:
            if client.connected:
                raise
            raise ConnectionError("it was closed") from error
        finally:
            if self._client is None:  # a late answer must not be taken for one to the next question
                client.close()
        return findings

    async def close(self) -> None:
        """Close the line; the next read opens it again."""
        if self._client is not None:
            self._client.close()
            self._client = None


def _limits(meters: Iterable[MeterSettings]) -> dict[str, CounterLimits]:
    return {
        channel: CounterLimits(
            "energy", 1000.0 * (meter.largest_kilowatts or MODELS[meter.model].largest_kilowatts), ROUNDING_WATT_HOURS
        )
        for meter in meters
        for channel, register in meter.registers().items()
        if register.quantity == "energy"
    }


def _client(settings: ModbusMeterSettings) -> Client:
    """Return a client for the line; raises ``OperatorError`` where a library is missing."""
    library = hardware_library("pymodbus.client", extra="modbus")
    framer = hardware_library("pymodbus.framer", extra="modbus").FramerType
    # Its errors are our findings: the library would log each of them at every read.
    logging.getLogger("pymodbus").setLevel(logging.CRITICAL)
    common = {"timeout": settings.timeout_seconds, "retries": RETRIES, "reconnect_delay": 0}
    make: Callable[..., Client]
    if settings.tcp is not None:
        tcp, make = settings.tcp, library.AsyncModbusTcpClient
        return make(tcp.host, port=tcp.port, framer=framer.RTU if tcp.rtu_frames else framer.SOCKET, **common)
    hardware_library("serial", extra="serial")
    line, make = settings.serial, library.AsyncModbusSerialClient
    assert line is not None  # noqa: S101 - the settings have one of the two
    return make(str(line.port), baudrate=line.baud, parity=line.parity[0].upper(), stopbits=line.stop_bits, **common)


def create(settings: ModbusMeterSettings, clock: Clock) -> ModbusMeterDriver:
    """Return the driver of this line."""
    return ModbusMeterDriver(settings, clock)
