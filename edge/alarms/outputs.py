"""What makes an alarm heard or seen: a pin, a file of the kernel's LED class, or the log."""

from __future__ import annotations

import logging
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field

from domain.episode import Severity
from edge.alarms.patterns import OFF, PULSES, STEADY, Pattern
from edge.hardware.libraries import hardware_library

logger = logging.getLogger(__name__)


class Device(StrEnum):
    """What is connected."""

    BUZZER = "buzzer"
    """Beeps; the button silences it."""
    LAMP = "lamp"
    """Blinks, silenced or not."""
    RELAY = "relay"
    """On as long as an alarm goes on: for a siren, a lamp or a dialler with a mind of its own."""


class OutputSettings(BaseModel):
    """What every output's settings have in common."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    device: Device = Device.BUZZER
    from_: Literal["warning", "critical"] = Field(default="warning", alias="from")
    """The least severity that it tells."""
    steady: bool = False
    """On without a break, for a buzzer that beeps by itself."""

    def pattern(self, severity: Severity | None) -> Pattern:
        """Return how the worst alarm sounds or blinks here."""
        if severity is None or severity.label == "info" or (self.from_ == "critical" and severity.label != "critical"):
            return OFF
        return STEADY if self.steady or self.device is Device.RELAY else PULSES[severity]


class FileOutputSettings(OutputSettings):
    """A file that takes ``1`` and ``0``: /sys/class/leds/.../brightness, or any file."""

    output: Literal["file"]
    path: Path


class ConsoleOutputSettings(OutputSettings):
    """The agent's log, for trying things out."""

    output: Literal["console"]
    steady: bool = True


class GpioOutputSettings(OutputSettings):
    """A pin that switches a transistor or a relay board."""

    output: Literal["gpio"]
    chip: Path = Path("/dev/gpiochip0")
    line: int | str
    """The line's number on the chip, or its name: ``17``, ``GPIO17``; ``gpioinfo`` lists them."""
    active_low: bool = False
    """Whether the board switches on at a low level, as many relay boards do."""


SomeOutput = Annotated[FileOutputSettings | ConsoleOutputSettings | GpioOutputSettings, Field(discriminator="output")]


class Output(Protocol):
    """Something that is on or off."""

    def switch(self, *, on: bool) -> None:
        """Switch; raises ``OSError`` where the hardware does not answer."""

    def close(self) -> None:
        """Switch off and let the hardware go."""


class FileOutput:
    """Writes ``1`` and ``0`` into a file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def switch(self, *, on: bool) -> None:
        """Write the new state."""
        self._path.write_text("1\n" if on else "0\n", encoding="ascii")

    def close(self) -> None:
        """Switch off."""
        self.switch(on=False)


class ConsoleOutput:
    """Says in the log what another output would do."""

    def __init__(self, device: Device) -> None:
        self._device = device

    def switch(self, *, on: bool) -> None:
        """Say so."""
        logger.warning("%s %s", self._device.value, "on" if on else "off")

    def close(self) -> None:
        """Do nothing."""


class GpiodOutput:
    """A line of the kernel's GPIO character device, through libgpiod 2."""

    def __init__(self, settings: GpioOutputSettings) -> None:
        """Take the line, switched off; raises ``OSError`` and ``OperatorError``."""
        gpiod = hardware_library("gpiod", extra="gpio")
        self._line = settings.line
        constants = hardware_library("gpiod.line", extra="gpio")
        self._values: dict[bool, Any] = {True: constants.Value.ACTIVE, False: constants.Value.INACTIVE}
        wanted = gpiod.LineSettings(
            direction=constants.Direction.OUTPUT,
            active_low=settings.active_low,
            output_value=constants.Value.INACTIVE,
        )
        try:
            self._request = gpiod.request_lines(
                str(settings.chip), config={settings.line: wanted}, consumer="vitals-alarm"
            )
        except ValueError as error:
            raise OSError(f"{settings.chip} has no line {settings.line}") from error

    def switch(self, *, on: bool) -> None:
        """Set the line's level."""
        self._request.set_value(self._line, self._values[on])

    def close(self) -> None:
        """Switch off and let the line go."""
        self.switch(on=False)
        self._request.release()


def open_output(settings: SomeOutput) -> Output:
    """Return the output that these settings describe; raises ``OSError`` and ``OperatorError``."""
    if isinstance(settings, FileOutputSettings):
        return FileOutput(settings.path)
    if isinstance(settings, ConsoleOutputSettings):
        return ConsoleOutput(settings.device)
    return GpiodOutput(settings)
