"""Victron solar chargers, battery monitors and inverters through their VE.Direct port (text protocol).

Frame layout, keys and units: Victron's "VE.Direct Protocol" document; 19200 baud, 8N1, one block a second.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from enum import Enum, auto
from functools import partial
from pathlib import Path
from typing import Annotated, Literal, NamedTuple, Protocol

from pydantic import AfterValidator, Field

from domain.instant import Clock
from domain.reading import Sample
from edge.counters import CounterLimits, Counters
from edge.drivers import ChannelName, DriverSettings
from edge.findings import Finding, Reporter, bad_value, bus_error, measured, sensor_gone
from edge.hardware.blocking import Lane
from edge.hardware.libraries import hardware_library

logger = logging.getLogger(__name__)

BAUD = 19_200
LONGEST_LINE = 64
MOST_FIELDS = 64
CHUNK_BYTES = 512
CHUNK_SECONDS = 0.25

_CARRIAGE_RETURN, _LINE_FEED, _TAB, _COLON = b"\r\n\t:"
_INTEGER = re.compile(r"-?[0-9]{1,12}")
_LINE = re.compile(rb"([A-Za-z0-9#_]{1,16})\t([ -~]*)")

Frame = Mapping[str, str]
"""The fields of one block whose checksum is right."""


class _State(Enum):
    TEXT = auto()
    CHECKSUM = auto()
    HEX = auto()


class FrameParser:
    """Bytes in, blocks with a right checksum out; asynchronous HEX messages are skipped wherever they stand.

    Whatever is cut or disturbed costs the block that it stands in, and at most the following one.
    """

    def __init__(self) -> None:
        self.rejected = 0
        """Blocks that came to their end with a wrong checksum or wrong lines."""
        self._begin_block()

    def feed(self, chunk: bytes) -> list[Frame]:
        """Return the blocks that these bytes complete."""
        return [frame for byte in chunk if (frame := self._take(byte)) is not None]

    def _begin_block(self) -> None:
        self._state = _State.TEXT
        self._sum = 0
        self._line = bytearray()
        self._fields: dict[str, str] = {}
        self._damaged = False

    def _take(self, byte: int) -> Frame | None:
        if self._state is _State.CHECKSUM:
            return self._end_block(byte)
        if self._state is _State.HEX:  # not part of the block, nor of its checksum
            self._state = _State.TEXT if byte == _LINE_FEED else _State.HEX
        elif byte == _COLON:
            self._state = _State.HEX
        else:
            self._sum += byte
            self._text(byte)
        return None

    def _text(self, byte: int) -> None:
        if byte == _LINE_FEED:
            self._end_line()
        elif byte == _TAB and self._line == b"Checksum":
            self._state = _State.CHECKSUM
        elif byte != _CARRIAGE_RETURN:
            self._line.append(byte)
            if len(self._line) > LONGEST_LINE:
                self._damaged = True
                self._line.clear()

    def _end_line(self) -> None:
        line, self._line = bytes(self._line), bytearray()
        if not line:
            return
        match = _LINE.fullmatch(line)
        if match is None or len(self._fields) >= MOST_FIELDS:
            self._damaged = True
            return
        key, value = (part.decode("ascii") for part in match.groups())
        self._damaged |= key in self._fields  # two blocks that were joined by a cut
        self._fields[key] = value

    def _end_block(self, byte: int) -> Frame | None:
        valid = (self._sum + byte) % 256 == 0 and not self._damaged
        fields = self._fields
        self._begin_block()
        if valid:
            return fields
        self.rejected += 1
        if byte == _CARRIAGE_RETURN:  # the checksum byte was lost: this is already the next block's first byte
            self._sum = byte
        return None


class Measure(NamedTuple):
    """What one key means: a number to be scaled into the canonical unit, one of several words, or a code."""

    key: str
    quantity: str
    scale: float = 1.0
    words: Mapping[str, float] = {}
    zero_is_well: bool = False
    """The number is a code: 0 where nothing is wrong."""

    def find(self, text: str | None) -> Finding:
        """Return what the text of this key says; None where the device does not send the key."""
        if text is None:
            return sensor_gone(f"the device sends no {self.key}")
        if text in self.words:
            return measured(self.quantity, self.words[text])
        if self.words:
            return bad_value(f"{self.key} is none of the known states", text)
        if not _INTEGER.fullmatch(text):
            return bad_value(f"{self.key} is not a number", text)  # "---" stands for unknown
        number = int(text)
        return measured(self.quantity, float(number != 0) if self.zero_is_well else number * self.scale)


_ON_OFF = {"ON": 1.0, "OFF": 0.0, "On": 1.0, "Off": 0.0}
# State of operation: 0 off, 1 low power, 2 fault, 3 bulk, 4 absorption, 5 float, 7 equalise, 245 starting,
# 247 automatic equalise, 252 external control.
_CHARGING = {"0": 0.0, "1": 0.0, "2": 0.0, "245": 0.0} | dict.fromkeys(("3", "4", "5", "7", "247", "252"), 1.0)

MEASURES: Mapping[str, Measure] = {
    "battery_voltage": Measure("V", "voltage", 0.001),
    "battery_current": Measure("I", "current", 0.001),
    "battery_power": Measure("P", "power"),
    "battery_temperature": Measure("T", "temperature"),
    "state_of_charge": Measure("SOC", "charge", 0.001),
    "time_to_go": Measure("TTG", "runtime", 60.0),
    "panel_voltage": Measure("VPV", "voltage", 0.001),
    "panel_power": Measure("PPV", "power"),
    "yield_total": Measure("H19", "energy", 10.0),
    "load": Measure("LOAD", "supply", words=_ON_OFF),
    "load_current": Measure("IL", "current", 0.001),
    "charging": Measure("CS", "running", words=_CHARGING),
    "fault": Measure("ERR", "fault", zero_is_well=True),
    "alarm": Measure("Alarm", "fault", words=_ON_OFF),
    "relay": Measure("Relay", "running", words=_ON_OFF),
    "ac_voltage": Measure("AC_OUT_V", "voltage", 0.01),
    "ac_current": Measure("AC_OUT_I", "current", 0.1),
}
"""What can be measured, by the name used in the settings."""

YIELD_LIMITS = CounterLimits("energy", most_per_hour=20_000.0, rounding=10.0)
"""The largest chargers of the family give less than 15 kW; the counter has steps of 10 Wh."""


def _known(name: str) -> str:
    if name not in MEASURES:
        raise ValueError(f"a VE.Direct device measures one of {', '.join(MEASURES)}; found {name!r}")
    return name


class VedirectSettings(DriverSettings):
    """Where the cable is, and what to read from it."""

    driver: Literal["vedirect"] = "vedirect"
    port: Path
    """``/dev/serial/by-id/usb-VictronEnergy_...`` stays the same when cables are plugged elsewhere."""
    channels: Mapping[ChannelName, Annotated[str, AfterValidator(_known)]] = Field(min_length=1)
    """What each channel measures: ``solar/power: panel_power``."""
    patience_seconds: float = Field(default=3.0, ge=1.0, le=20.0)
    """How long to listen; a device speaks once a second, in up to two blocks."""
    state: Path | None = None
    """Where ``yield_total`` is kept over restarts, so that a reset of the device's counter is noticed."""


class Port(Protocol):
    """As much of a serial port as listening needs."""

    def read(self, size: int = 1) -> bytes:
        """Return up to so many bytes; fewer, or none, when the time-out passes."""

    def close(self) -> None:
        """Let the port go."""


class Heard(NamedTuple):
    """What was heard while listening."""

    fields: Mapping[str, str]
    rejected: int
    size_bytes: int


def open_port(path: Path) -> Port:
    """Return the port, emptied of what came before; raises ``OSError``."""
    serial = hardware_library("serial", extra="serial")
    port: Port = serial.Serial(str(path), BAUD, timeout=CHUNK_SECONDS, exclusive=True)
    return port


def listen(open_: Callable[[], Port], keys: Collection[str], seconds: float, now_s: Callable[[], float]) -> Heard:
    """Listen until all keys were heard, at most for so many seconds; blocks, raises ``OSError``."""
    port = open_()
    try:
        return _hear(_chunks(port, now_s() + seconds, now_s), keys)
    finally:
        port.close()


def _chunks(port: Port, until_s: float, now_s: Callable[[], float]) -> Iterator[bytes]:
    while now_s() < until_s:
        yield port.read(CHUNK_BYTES)


def _hear(chunks: Iterator[bytes], keys: Collection[str]) -> Heard:
    parser, fields, size_bytes = FrameParser(), dict[str, str](), 0
    for chunk in chunks:
        size_bytes += len(chunk)
        for frame in parser.feed(chunk):
            fields |= frame
        if fields.keys() >= set(keys):
            break
    return Heard(fields, parser.rejected, size_bytes)


def judge(heard: Heard, channels: Mapping[str, str]) -> dict[str, Finding]:
    """Return what was found out about each channel; ``channels`` has the name of each one's measure."""
    if heard.fields:
        return {
            channel: MEASURES[name].find(heard.fields.get(MEASURES[name].key)) for channel, name in channels.items()
        }
    if heard.size_bytes:
        finding = bad_value("no block came whole", f"{heard.size_bytes} bytes, {heard.rejected} wrong blocks")
    else:
        finding = sensor_gone("nothing came from the device")
    return dict.fromkeys(channels, finding)


class VedirectDriver:
    """Opens the port at every read, listens until it has heard what it needs, and closes it."""

    def __init__(
        self,
        settings: VedirectSettings,
        clock: Clock,
        open_: Callable[[], Port],
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._channels = settings.channels
        keys = frozenset(MEASURES[name].key for name in settings.channels.values())
        self._patience_seconds = settings.patience_seconds
        self._listen = partial(listen, open_, keys, self._patience_seconds, now_s)
        self._clock = clock
        self._lane = Lane(str(settings.port))
        self._reporter = Reporter(clock, {c: MEASURES[name].quantity for c, name in self._channels.items()}, logger)
        counted = {c: YIELD_LIMITS for c, name in self._channels.items() if MEASURES[name].quantity == "energy"}
        self._counters = Counters(counted, settings.state)

    @property
    def channels(self) -> Sequence[str]:
        """Return the names that were given to what is measured."""
        return self._reporter.channels

    async def read(self) -> list[Sample]:
        """Return one sample per channel."""
        try:
            heard = await self._lane.run(self._listen, timeout_seconds=self._patience_seconds + 5.0)
        except OSError as error:  # pyserial's errors are of this kind
            return self._reporter.all(bus_error("the serial port does not work", str(error)))
        findings = judge(heard, self._channels)
        return self._reporter.samples(await self._counters.settle(findings, self._clock.now_ms()))

    async def close(self) -> None:
        """Do nothing: the port is closed after every read."""


def create(settings: VedirectSettings, clock: Clock) -> VedirectDriver:
    """Return the driver for this port."""
    return VedirectDriver(settings, clock, partial(open_port, settings.port))
