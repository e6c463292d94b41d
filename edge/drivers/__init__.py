"""Sensors: one file and one row each; a driver's module is imported when a node uses it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, NamedTuple, Protocol, Self, cast

from pydantic import BaseModel, ConfigDict, Field

from domain.instant import Clock
from domain.reading import Sample
from domain.senml_labels import NAME


class Driver(Protocol):
    """Something that measures.

    ``read`` tells the lies of its own sensor apart (``bad_value``, ``sensor_gone``, ``bus_error``) and returns them as
    samples without a value. What it raises is a bus error of all its channels.
    """

    @property
    def channels(self) -> Sequence[str]:
        """Return the node's own names of the channels that ``read`` is expected to report."""

    async def read(self) -> list[Sample]:
        """Return what there is to report now; an empty list where nothing is due."""

    async def close(self) -> None:
        """Let the hardware go."""


class DriverSettings(BaseModel):
    """What every driver's settings have in common; ``driver`` names the row in ``DRIVERS``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    driver: str

    def in_node(self, *, outbox: Path, status: Path) -> Self:
        """Return the settings with what the node knows of itself filled in, for the driver that needs it."""
        del outbox, status
        return self


ChannelName = Annotated[str, Field(pattern=f"^{NAME}$", max_length=64)]
"""The node's own name for a channel; it stands in SenML names."""


class DriverRow(NamedTuple):
    """Where a driver stands: its module has the named settings class and ``create(settings, clock)``."""

    module: str
    settings: str

    def settings_class(self) -> type[DriverSettings]:
        """Import the driver's module and return its settings class."""
        return cast("type[DriverSettings]", getattr(import_module(self.module), self.settings))

    def factory(self) -> Callable[[Any, Clock], Driver]:
        """Import the driver's module and return its ``create``."""
        return cast("Callable[[Any, Clock], Driver]", import_module(self.module).create)


DRIVERS: dict[str, DriverRow] = {
    "ads1115": DriverRow("edge.drivers.ads1115", "Ads1115Settings"),
    "contact": DriverRow("edge.drivers.contact", "ContactSettings"),
    "ds18b20": DriverRow("edge.drivers.ds18b20", "Ds18b20Settings"),
    "health": DriverRow("edge.drivers.health", "HealthSettings"),
    "http_poll": DriverRow("edge.drivers.http_poll", "HttpPollSettings"),
    "modbus_meter": DriverRow("edge.drivers.modbus_meter", "ModbusMeterSettings"),
    "nut": DriverRow("edge.drivers.nut", "NutSettings"),
    "pulse": DriverRow("edge.drivers.pulse", "PulseSettings"),
    "replay": DriverRow("edge.drivers.replay", "ReplaySettings"),
    "sht": DriverRow("edge.drivers.sht", "ShtSettings"),
    "simulator": DriverRow("edge.drivers.simulator", "SimulatorSettings"),
    "vedirect": DriverRow("edge.drivers.vedirect", "VedirectSettings"),
}


def create_driver(settings: DriverSettings, clock: Clock) -> Driver:
    """Return the driver that these settings describe."""
    return DRIVERS[settings.driver].factory()(settings, clock)
