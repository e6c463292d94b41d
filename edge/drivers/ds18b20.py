"""DS18B20 temperature probes through the kernel's 1-wire files, with every lie that they tell."""

from __future__ import annotations

import asyncio
import errno
import logging
import re
from collections.abc import Mapping, Sequence
from enum import Enum
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

from pydantic import Field, StringConstraints

from domain.instant import Clock
from domain.reading import Quality, Sample
from edge.drivers import ChannelName, DriverSettings
from edge.findings import tell_reason

logger = logging.getLogger(__name__)

UNIT = "Cel"
W1_DEVICES = Path("/sys/bus/w1/devices")
LOWEST_CELSIUS = -55.0
HIGHEST_CELSIUS = 125.0
POWER_ON_CELSIUS = 85.0
TEMPERATURE_FAMILIES = frozenset({"10", "22", "28", "3b", "42"})
"""Families of the kernel's ``w1_therm`` driver: DS18S20, DS1822, DS18B20, DS1825, DS28EA00."""

_SCRATCHPAD = r"((?:[0-9a-f]{2} ){8}[0-9a-f]{2})"
# sysfs writes two lines; recordings often have them joined by a space.
_ANSWER = re.compile(rf"{_SCRATCHPAD} : crc=[0-9a-f]{{2}} (YES|NO)\s+{_SCRATCHPAD} t=(-?\d{{1,7}})\s*")
_ALL_ZERO = " ".join(["00"] * 9)
_ALL_ONES = " ".join(["ff"] * 9)


class Finding(Enum):
    """What an answer of the probe turned out to be, and how its reading is marked."""

    MEASURED = ("a measurement", Quality.GOOD)
    POWER_ON = ("85.000 °C, which the probe says after power-on, before it has measured", Quality.BAD_VALUE)
    ALL_ZERO = ("all bytes zero, which pass the checksum: the data line is held low", Quality.BAD_VALUE)
    CHECKSUM = ("a failed checksum; the temperature behind it is of the failed read", Quality.BAD_VALUE)
    OUT_OF_RANGE = ("a temperature outside -55..125 °C", Quality.BAD_VALUE)
    UNREADABLE = ("something other than the kernel's two lines", Quality.BAD_VALUE)
    SILENT = ("nothing: nobody answers on the line", Quality.SENSOR_GONE)
    NO_DEVICE = ("no folder of this probe", Quality.SENSOR_GONE)
    NO_BUS = ("no 1-wire bus: is the w1-gpio overlay loaded?", Quality.BUS_ERROR)
    READ_FAILED = ("an error of the bus", Quality.BUS_ERROR)

    @property
    def text(self) -> str:
        """Return what was found, in words."""
        return self.value[0]

    @property
    def quality(self) -> Quality:
        """Return how the reading is marked."""
        return self.value[1]


class Answer(NamedTuple):
    """A finding, and the temperature where it is a measurement."""

    finding: Finding
    celsius: float | None = None


def parse_w1_slave(text: str) -> Answer:
    """Return what the text of a ``w1_slave`` file says."""
    if not text.strip():
        return Answer(Finding.SILENT)
    match = _ANSWER.fullmatch(text)
    if match is None:
        return Answer(Finding.UNREADABLE)
    scratchpad, checksum, _, millidegrees = match.groups()
    if scratchpad == _ALL_ONES:
        return Answer(Finding.SILENT)
    if checksum == "NO":
        return Answer(Finding.CHECKSUM)
    if scratchpad == _ALL_ZERO:
        return Answer(Finding.ALL_ZERO)
    return _judge(int(millidegrees) / 1000)


def _judge(celsius: float) -> Answer:
    if celsius == POWER_ON_CELSIUS:
        return Answer(Finding.POWER_ON)
    if not LOWEST_CELSIUS <= celsius <= HIGHEST_CELSIUS:
        return Answer(Finding.OUT_OF_RANGE)
    return Answer(Finding.MEASURED, celsius)


def read_probe(root: Path, device: str) -> Answer:
    """Read one probe; takes the 750 ms of a conversion on real hardware."""
    try:
        return parse_w1_slave((root / device / "w1_slave").read_text(encoding="ascii", errors="replace"))
    except FileNotFoundError:
        return Answer(Finding.NO_DEVICE if root.is_dir() else Finding.NO_BUS)
    except OSError as error:
        gone = error.errno in (errno.ENODEV, errno.ENXIO)
        return Answer(Finding.SILENT if gone else Finding.READ_FAILED)


def attached_probes(root: Path) -> list[str]:
    """Return the 1-wire devices that the kernel shows as temperature probes, in order."""
    return sorted(path.parent.name for path in root.glob("*/w1_slave") if path.parent.name[:2] in TEMPERATURE_FAMILIES)


class Ds18b20Settings(DriverSettings):
    """Which probes there are."""

    driver: Literal["ds18b20"] = "ds18b20"
    root: Path = W1_DEVICES
    """Where the kernel shows 1-wire devices."""
    probes: Mapping[Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{2}-[0-9a-f]{12}$")], ChannelName] = Field(
        min_length=1
    )
    """Channel names by device: ``28-0316a2795dff: fridge``."""


class Ds18b20Driver:
    """Reads all probes of one bus, one after the other, as the bus demands."""

    def __init__(self, root: Path, probes: Mapping[str, str], clock: Clock) -> None:
        self._root = root
        self._probes = probes
        self._clock = clock
        self._last: dict[str, Finding] = {}

    @property
    def channels(self) -> Sequence[str]:
        """Return the names given to the probes."""
        return tuple(self._probes.values())

    async def read(self) -> list[Sample]:
        """Return one sample per probe, in °C, each with the moment of its own read."""
        return [await self._sample(device, name) for device, name in self._probes.items()]

    async def close(self) -> None:
        """Do nothing: no file stays open."""

    async def _sample(self, device: str, name: str) -> Sample:
        answer = await asyncio.to_thread(read_probe, self._root, device)
        if answer.finding is not self._last.get(device, Finding.MEASURED):
            logger.warning("probe %s (%s) says %s", device, name, answer.finding.text)
        self._last[device] = answer.finding
        if answer.finding is not Finding.MEASURED:
            tell_reason(name, answer.finding.text)
        return Sample(name, self._clock.now_ms(), answer.celsius, answer.finding.quality, UNIT)


def create(settings: Ds18b20Settings, clock: Clock) -> Ds18b20Driver:
    """Return the driver for these probes."""
    return Ds18b20Driver(settings.root, settings.probes, clock)
