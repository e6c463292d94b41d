"""Sensirion SHT3x and SHT4x: temperature and humidity over I2C.

Commands, times, formulas and checksum: Sensirion's datasheets "SHT3x-DIS" (version 5, sections 2 and 4) and "SHT4x".
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Annotated, Literal, NamedTuple

from pydantic import Field

from domain.instant import Clock
from domain.reading import Sample
from edge.drivers import ChannelName
from edge.findings import Finding, Reporter, bad_value, measured, sensor_gone
from edge.hardware.blocking import Lane
from edge.hardware.i2c import Bus, HexNumber, I2cSettings, OpenBus, finding_of, open_smbus

logger = logging.getLogger(__name__)

ANSWER_BYTES = 6
STATUS_BYTES = 3
HEATER_BIT = 1 << 13
FULL_SCALE = 65_535
LOWEST_CELSIUS, HIGHEST_CELSIUS = -40.0, 125.0
TIMEOUT_SECONDS = 5.0

_READ_STATUS = b"\xf3\x2d"
_HEATER_OFF = b"\x30\x66"


class Model(NamedTuple):
    """How one family is asked, and how its humidity is computed: ``base + span * raw / 65535`` in per cent."""

    command: bytes
    """Measure once, with high repeatability, without stretching the clock."""
    wait_seconds: float
    """The longest that this measurement takes, with a little room."""
    humidity_base: float
    humidity_span: float
    has_status: bool
    """Its heater stays on once it was switched on, and is seen in a status register."""


MODELS: Mapping[str, Model] = {
    "sht3x": Model(b"\x24\x00", 0.017, 0.0, 100.0, has_status=True),
    "sht4x": Model(b"\xfd", 0.010, -6.0, 125.0, has_status=False),
}
QUANTITIES: Mapping[str, str] = {"temperature": "temperature", "humidity": "humidity"}


class ShtSettings(I2cSettings):
    """Which sensor, where, and what to read from it."""

    driver: Literal["sht"] = "sht"
    model: Literal["sht3x", "sht4x"]
    address: Annotated[Literal[0x44, 0x45, 0x46], HexNumber] = 0x44
    """0x44, or 0x45 with the address pin high; ``i2cdetect -y 1`` shows it."""
    channels: Mapping[ChannelName, Literal["temperature", "humidity"]] = Field(min_length=1)
    """What each channel measures: ``room/temperature: temperature``."""


def checksum(data: bytes) -> int:
    """Return the CRC-8 of the datasheets: polynomial 0x31, start 0xFF; of BE EF it is 92."""
    crc = 0xFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc << 1) ^ 0x131 if crc & 0x80 else crc << 1
    return crc


def decode(model: Model, answer: bytes) -> dict[str, Finding]:
    """Return the temperature and the humidity of a sensor's answer, each judged for itself."""
    if answer == b"\xff" * len(answer):
        return dict.fromkeys(QUANTITIES, sensor_gone("all bits one: nobody drives the data line"))
    if not any(answer):
        return dict.fromkeys(QUANTITIES, bad_value("all bits zero: the data line is held low"))
    return {"temperature": _temperature(answer[:3]), "humidity": _humidity(model, answer[3:])}


def _word(part: bytes) -> int | Finding:
    if len(part) != STATUS_BYTES or checksum(part[:2]) != part[2]:
        return bad_value("a failed checksum", part.hex())
    return int.from_bytes(part[:2])


def _temperature(part: bytes) -> Finding:
    raw = _word(part)
    if isinstance(raw, Finding):
        return raw
    celsius = -45.0 + 175.0 * raw / FULL_SCALE
    if not LOWEST_CELSIUS <= celsius <= HIGHEST_CELSIUS:
        return bad_value("outside of what the sensor measures, -40..125 °C", f"{celsius:.1f}")
    return measured("temperature", round(celsius, 3))


def _humidity(model: Model, part: bytes) -> Finding:
    raw = _word(part)
    if isinstance(raw, Finding):
        return raw
    per_cent = model.humidity_base + model.humidity_span * raw / FULL_SCALE
    # The formula of the SHT4x leaves 0..100 %; its datasheet says to cut it there.
    return measured("humidity", round(min(max(per_cent, 0.0), 100.0) / 100.0, 5))


def measure(open_: OpenBus, settings: ShtSettings, sleep: Callable[[float], None] = time.sleep) -> dict[str, Finding]:
    """Return what the sensor says; blocks for some 20 ms."""
    try:
        bus = open_(settings.bus)
    except OSError as error:
        return dict.fromkeys(QUANTITIES, finding_of(error))
    try:
        return _measure(bus, settings.address, MODELS[settings.model], sleep)
    except OSError as error:
        return dict.fromkeys(QUANTITIES, finding_of(error))
    finally:
        bus.close()


def _measure(bus: Bus, address: int, model: Model, sleep: Callable[[float], None]) -> dict[str, Finding]:
    if model.has_status and _heater_was_on(bus, address):
        return dict.fromkeys(QUANTITIES, bad_value("its heater was on; it has been switched off"))
    bus.write(address, model.command)
    sleep(model.wait_seconds)
    return decode(model, bus.read(address, ANSWER_BYTES))


def _heater_was_on(bus: Bus, address: int) -> bool:
    status = _word(bus.write_read(address, _READ_STATUS, STATUS_BYTES))
    if isinstance(status, Finding) or not status & HEATER_BIT:  # a disturbed bus shows in the measurement too
        return False
    bus.write(address, _HEATER_OFF)
    return True


class ShtDriver:
    """Measures once at every read, in a thread."""

    def __init__(self, settings: ShtSettings, clock: Clock, open_: OpenBus) -> None:
        self._channels = settings.channels
        self._measure = partial(measure, open_, settings)
        self._lane = Lane(f"i2c-{settings.bus} {settings.address:#x}")
        quantities = {channel: QUANTITIES[name] for channel, name in settings.channels.items()}
        self._reporter = Reporter(clock, quantities, logger)

    @property
    def channels(self) -> Sequence[str]:
        """Return the names that were given to what is measured."""
        return self._reporter.channels

    async def read(self) -> list[Sample]:
        """Return one sample per channel."""
        try:
            findings = await self._lane.run(self._measure, timeout_seconds=TIMEOUT_SECONDS)
        except TimeoutError as error:
            return self._reporter.all(finding_of(error))
        return self._reporter.samples({channel: findings[name] for channel, name in self._channels.items()})

    async def close(self) -> None:
        """Do nothing: the bus is closed after every read."""


def create(settings: ShtSettings, clock: Clock) -> ShtDriver:
    """Return the driver of this sensor."""
    return ShtDriver(settings, clock, open_smbus)
