"""The node's own health as channels: how warm, how well fed, how full, how far behind, how well connected it is."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Literal, NamedTuple, Self

from pydantic import Field

from domain.errors import OperatorError
from domain.instant import Clock
from domain.reading import Sample
from edge.drivers import ChannelName, DriverSettings
from edge.findings import Finding, Reporter, bad_value, bus_error, measured, sensor_gone
from edge.status import NodeStatus, free_bytes, read_status

logger = logging.getLogger(__name__)

Measure = Literal["cpu_temperature", "under_voltage", "free_disk", "outbox_depth", "clock", "signal"]

_UNDER_VOLTAGE_NOW = 1 << 0
_UNDER_VOLTAGE_SINCE_BOOT = 1 << 16
"""Bits of the Raspberry Pi firmware's ``get_throttled`` (raspberrypi.com/documentation, ``vcgencmd``)."""
_THROTTLED = "devices/platform/soc*/*firmware/get_throttled"
_SUPPLY_MONITOR = "rpi_volt"
"""The hwmon driver that says the same where the kernel has no ``get_throttled``."""
_SIGNAL = re.compile(r"^\s*(\S+):\s+\S+\s+\S+\s+(-?\d+)", re.MULTILINE)
"""Of ``/proc/net/wireless``: interface, status, link quality, then the level in dBm."""


class HealthSettings(DriverSettings):
    """Which of them to report, and where the machine shows them."""

    driver: Literal["health"] = "health"
    channels: Mapping[ChannelName, Measure] = Field(
        default={
            "node/cpu-temperature": "cpu_temperature",
            "node/under-voltage": "under_voltage",
            "node/free-disk": "free_disk",
            "node/outbox-depth": "outbox_depth",
        },
        min_length=1,
    )
    """What each channel reports; ``signal`` is the level of ``interface``."""
    interface: str = "wlan0"
    sys: Path = Path("/sys")
    proc: Path = Path("/proc")
    disk: Path | None = None
    """The disk that holds this is the one that may not fill; the outbox's unless it stands here."""
    status: Path | None = None
    """Where the agent says how it fares; the node's unless it stands here."""

    def in_node(self, *, outbox: Path, status: Path) -> Self:
        """Return the settings with the node's own disk and status where they name no others."""
        return self.model_copy(update={"disk": self.disk or outbox.parent, "status": self.status or status})


class Measurement(NamedTuple):
    """How one of them is found out, and what it is."""

    quantity: str
    find: Callable[[HealthDriver], Finding]


class HealthDriver:
    """Reads what the machine says of itself; a machine that does not say it has a sensor that is gone."""

    def __init__(self, settings: HealthSettings, clock: Clock, *, free: Callable[[Path], int] = free_bytes) -> None:
        """``free`` returns how many bytes may still be written to the disk of a path."""
        self.settings = settings
        self._free = free
        self._was_low_since_boot = False
        quantities = {channel: MEASUREMENTS[measure].quantity for channel, measure in settings.channels.items()}
        self._reporter = Reporter(clock, quantities, logger)

    @property
    def channels(self) -> Sequence[str]:
        """Return the names of the channels that are configured."""
        return self._reporter.channels

    async def read(self) -> list[Sample]:
        """Return one sample per channel."""
        return self._reporter.samples(await asyncio.to_thread(self._find))

    async def close(self) -> None:
        """Do nothing: no file stays open."""

    def _find(self) -> dict[str, Finding]:
        return {channel: self._found(MEASUREMENTS[measure]) for channel, measure in self.settings.channels.items()}

    def _found(self, measurement: Measurement) -> Finding:
        try:
            return measurement.find(self)
        except OSError as error:
            return bus_error("the machine refuses to say", str(error))
        except ValueError as error:
            return bad_value("no number where there should be one", str(error))

    def cpu_temperature(self) -> Finding:
        """Return the temperature of the first thermal zone."""
        text = _text(self.settings.sys / "class/thermal/thermal_zone0/temp")
        return sensor_gone("no thermal zone") if text is None else measured("temperature", int(text) / 1000)

    def under_voltage(self) -> Finding:
        """Return 1 where the supply is too weak now, or was since the last reading, as the firmware or kernel says."""
        for path in sorted(self.settings.sys.glob(_THROTTLED)):
            return measured("fault", float(self._is_or_was_low(int(_text(path) or "", 16))))
        for path in sorted(self.settings.sys.glob("class/hwmon/hwmon*/in0_lcrit_alarm")):
            if _text(path.with_name("name")) == _SUPPLY_MONITOR:
                return measured("fault", float(_text(path) or ""))
        return sensor_gone("the machine does not watch its supply")

    def _is_or_was_low(self, throttled: int) -> bool:
        since_boot = bool(throttled & _UNDER_VOLTAGE_SINCE_BOOT)
        is_news = since_boot and not self._was_low_since_boot
        self._was_low_since_boot = since_boot
        return is_news or bool(throttled & _UNDER_VOLTAGE_NOW)

    def free_disk(self) -> Finding:
        """Return the bytes that may still be written."""
        return measured("free_space", self._free(self.settings.disk or Path.cwd()))

    def outbox_depth(self) -> Finding:
        """Return how many readings waited when the agent wrote its status last."""
        status = self._status()
        return measured("queue_depth", status.waiting_readings) if isinstance(status, NodeStatus) else status

    def clock(self) -> Finding:
        """Return whether the agent believed the machine's clock when it wrote its status last."""
        status = self._status()
        return measured("clock", float(not status.clock_trusted)) if isinstance(status, NodeStatus) else status

    def _status(self) -> NodeStatus | Finding:
        """Return what the agent says of itself, or why that is not known."""
        if self.settings.status is None:
            return sensor_gone("no status file is named")
        try:
            return read_status(self.settings.status) or sensor_gone("no agent has run yet")
        except OperatorError as error:
            return bus_error("the status cannot be read", str(error))

    def signal(self) -> Finding:
        """Return the level of the wireless interface."""
        levels = dict(_SIGNAL.findall(_text(self.settings.proc / "net/wireless") or ""))
        level = levels.get(self.settings.interface)
        return sensor_gone("no such wireless interface") if level is None else measured("signal_strength", int(level))


MEASUREMENTS: dict[Measure, Measurement] = {
    "cpu_temperature": Measurement("temperature", HealthDriver.cpu_temperature),
    "under_voltage": Measurement("fault", HealthDriver.under_voltage),
    "free_disk": Measurement("free_space", HealthDriver.free_disk),
    "outbox_depth": Measurement("queue_depth", HealthDriver.outbox_depth),
    "clock": Measurement("clock", HealthDriver.clock),
    "signal": Measurement("signal_strength", HealthDriver.signal),
}


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return None


def create(settings: HealthSettings, clock: Clock) -> HealthDriver:
    """Return the driver."""
    return HealthDriver(settings, clock)
