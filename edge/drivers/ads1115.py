"""Sensors with a 4-20 mA or 0-10 V output, through the converter ADS1115 on I2C.

Registers: Texas Instruments' datasheet "ADS111x" (SBAS444), section "Register Map". Limits of the current loop: NAMUR
recommendation NE 43, which keeps 3.8..20.5 mA for measuring and leaves the rest to failures.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Annotated, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, model_validator

from domain.instant import Clock
from domain.quantities import QUANTITIES
from domain.reading import Sample
from edge.drivers import ChannelName
from edge.findings import Finding, Reporter, bad_value, measured, sensor_gone
from edge.hardware.blocking import Lane
from edge.hardware.i2c import Bus, HexNumber, I2cSettings, OpenBus, finding_of, open_smbus
from edge.quantity_settings import QuantityName, unit_of

logger = logging.getLogger(__name__)

LOOP_LOWEST_MA, LOOP_HIGHEST_MA = 3.8, 20.5
VOLTS_LOWEST, VOLTS_HIGHEST = -0.1, 10.5
FULL_CODE = 32_768
CONVERSION_SECONDS = 0.009
"""128 samples a second, 10 % slower at worst."""
LOOKS = 5
DIGITS = 6
"""More than sixteen bits hold; further ones would travel over the network for nothing."""
TIMEOUT_SECONDS = 5.0

_RANGES_VOLTS = (6.144, 4.096, 2.048, 1.024, 0.512, 0.256)
"""Full scales, by the number that selects them."""
_CONVERSION, _CONFIG = b"\x00", b"\x01"
_DONE = 0x8000
# Start one conversion of an input against ground, 128 samples a second, comparator off.
_SINGLE_SHOT = 0x8000 | 0x4000 | 0x0100 | 0x0080 | 0x0003


class Point(BaseModel):
    """One point of a calibration: what the signal is (mA or V) where the sensor measures this."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    raw: float = Field(ge=0, le=24)
    value: float = Field(allow_inf_nan=False)


class AnalogInput(BaseModel):
    """One input: how it is wired, and what its signal means."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    input: Literal[0, 1, 2, 3]
    signal: Literal["4-20mA", "0-10V"]
    shunt_ohms: float | None = Field(default=None, gt=0, le=1000)
    """For a current loop: the resistor that the current flows through."""
    divider: float = Field(default=1.0, ge=1)
    """For a voltage: volts at the sensor per volt at the converter."""
    quantity: QuantityName
    unit: str | None = None
    """What the points' values are in; without it the quantity's own unit."""
    points: tuple[Point, Point]

    @model_validator(mode="after")
    def _is_wired(self) -> AnalogInput:
        if (self.signal == "4-20mA") != (self.shunt_ohms is not None):
            raise ValueError("signal: 4-20mA goes with shunt_ohms:, signal: 0-10V goes without")
        if self.points[0].raw == self.points[1].raw:
            raise ValueError("the two points have the same raw value")
        unit_of(self.quantity, self.unit)
        return self

    def highest_volts(self) -> float:
        """Return what the converter sees at the end of the signal's range."""
        return VOLTS_HIGHEST / self.divider if self.shunt_ohms is None else LOOP_HIGHEST_MA / 1000 * self.shunt_ohms

    def judge(self, volts: float) -> Finding:
        """Return what a voltage at the converter means."""
        if self.shunt_ohms is not None:
            return self._judge_loop(volts / self.shunt_ohms * 1000)
        signal = volts * self.divider
        if not VOLTS_LOWEST <= signal <= VOLTS_HIGHEST:
            return bad_value("outside of 0-10 V", f"{signal:.3f} V")
        return self._value(signal)

    def _judge_loop(self, milliamperes: float) -> Finding:
        if milliamperes < LOOP_LOWEST_MA:
            return sensor_gone("below 3.8 mA: a broken wire, or a sensor without supply", f"{milliamperes:.2f} mA")
        if milliamperes > LOOP_HIGHEST_MA:
            return bad_value("above 20.5 mA: the sensor reports a failure, or a short", f"{milliamperes:.2f} mA")
        return self._value(milliamperes)

    def _value(self, raw: float) -> Finding:
        first, second = self.points
        value = first.value + (raw - first.raw) * (second.value - first.value) / (second.raw - first.raw)
        row = QUANTITIES[self.quantity]
        # A signal a little beyond its end says that the end is reached: an empty tank, not a wrong one.
        canonical = min(max(unit_of(self.quantity, self.unit).to_canonical(value), row.lowest), row.highest)
        return measured(self.quantity, float(f"{canonical:.{DIGITS}g}"))


class Ads1115Settings(I2cSettings):
    """One converter and its inputs."""

    driver: Literal["ads1115"] = "ads1115"
    address: Annotated[Literal[0x48, 0x49, 0x4A, 0x4B], HexNumber] = 0x48
    supply_volts: float = Field(default=3.3, ge=2.0, le=5.5)
    """The converter's own supply; no input may be higher."""
    channels: Mapping[ChannelName, AnalogInput] = Field(min_length=1, max_length=4)

    @model_validator(mode="after")
    def _stays_within_the_supply(self) -> Ads1115Settings:
        for channel, each in self.channels.items():
            if each.highest_volts() > self.supply_volts:
                raise ValueError(
                    f"{channel} reaches {each.highest_volts():.2f} V at the converter, which has a supply of"
                    f" {self.supply_volts:g} V: take a smaller shunt or a larger divider"
                )
        if len({each.input for each in self.channels.values()}) < len(self.channels):
            raise ValueError("two channels have the same input")
        return self


class Setting(NamedTuple):
    """What to write to the configuration register, and the full scale that it selects."""

    register: int
    full_volts: float


def setting_for(wanted: AnalogInput) -> Setting:
    """Return the finest setting that shows the whole signal."""
    number = max(n for n, volts in enumerate(_RANGES_VOLTS) if volts >= wanted.highest_volts())
    return Setting(_SINGLE_SHOT | wanted.input << 12 | number << 9, _RANGES_VOLTS[number])


def convert(bus: Bus, address: int, wanted: AnalogInput, sleep: Callable[[float], None]) -> Finding:
    """Convert one input and return what it means; blocks for some 10 ms, raises ``OSError``."""
    setting = setting_for(wanted)
    bus.write(address, _CONFIG + setting.register.to_bytes(2))
    for _ in range(LOOKS):
        sleep(CONVERSION_SECONDS)
        config = int.from_bytes(bus.write_read(address, _CONFIG, 2))
        if config == 0xFFFF:
            return sensor_gone("all bits one: nobody drives the data line")
        if config | _DONE != setting.register:
            return bad_value("the converter forgot its setting: its supply drops", f"{config:#06x}")
        if config & _DONE:
            return _judge(bus.write_read(address, _CONVERSION, 2), setting, wanted)
    return bad_value("the converter does not finish")


def _judge(answer: bytes, setting: Setting, wanted: AnalogInput) -> Finding:
    code = int.from_bytes(answer, signed=True)
    if code in (FULL_CODE - 1, -FULL_CODE):
        return bad_value("the input is beyond the converter's range")
    return wanted.judge(code * setting.full_volts / FULL_CODE)


def convert_all(
    open_: OpenBus, settings: Ads1115Settings, sleep: Callable[[float], None] = time.sleep
) -> dict[str, Finding]:
    """Return what each channel says; blocks for some 10 ms per channel."""
    try:
        bus = open_(settings.bus)
    except OSError as error:
        return dict.fromkeys(settings.channels, finding_of(error))
    findings: dict[str, Finding] = {}
    try:
        for channel, wanted in settings.channels.items():
            findings[channel] = convert(bus, settings.address, wanted, sleep)
    except OSError as error:
        return dict.fromkeys(settings.channels, finding_of(error)) | findings
    finally:
        bus.close()
    return findings


class Ads1115Driver:
    """Converts every input at every read, one after the other, in a thread."""

    def __init__(self, settings: Ads1115Settings, clock: Clock, open_: OpenBus) -> None:
        self._convert = partial(convert_all, open_, settings)
        self._lane = Lane(f"i2c-{settings.bus} {settings.address:#x}")
        quantities = {channel: each.quantity for channel, each in settings.channels.items()}
        self._reporter = Reporter(clock, quantities, logger)

    @property
    def channels(self) -> Sequence[str]:
        """Return the names that were given to the inputs."""
        return self._reporter.channels

    async def read(self) -> list[Sample]:
        """Return one sample per channel."""
        try:
            return self._reporter.samples(await self._lane.run(self._convert, timeout_seconds=TIMEOUT_SECONDS))
        except TimeoutError as error:
            return self._reporter.all(finding_of(error))

    async def close(self) -> None:
        """Do nothing: the bus is closed after every read."""


def create(settings: Ads1115Settings, clock: Clock) -> Ads1115Driver:
    """Return the driver of this converter."""
    return Ads1115Driver(settings, clock, open_smbus)
