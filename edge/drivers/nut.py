"""Uninterruptible power supplies through Network UPS Tools: its network protocol, and what its words mean.

Protocol and variable names: the chapters "Network protocol information" and "NUT command and variable naming scheme"
of the NUT developer guide.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Literal, NamedTuple

from pydantic import AfterValidator, Field

from domain.errors import PeerError
from domain.instant import Clock
from domain.reading import Sample
from edge.drivers import ChannelName, DriverSettings
from edge.findings import Finding, Reporter, bad_value, bus_error, measured, sensor_gone, uncertain

logger = logging.getLogger(__name__)

LONGEST_LINE = 4096
MOST_VARIABLES = 2000

_UNKNOWN_RUNTIME = "65535"
_STATUS = "ups.status"


class NutError(PeerError):
    """The server answered with an error; ``code`` is NUT's word for it."""

    def __init__(self, code: str) -> None:
        super().__init__(f"upsd answered ERR {code}")
        self.code = code


class NotNutError(PeerError):
    """Whoever answers on this port does not speak NUT's protocol."""


_WORD = re.compile(r'"((?:[^"\\]|\\.)*)"(?=\s|$)|((?:[^\s"\\]|\\.)+)(?=\s|$)')
_ESCAPED = re.compile(r"\\(.)")


def split_words(line: str) -> list[str]:
    """Return the words of a line; those in quotes may hold spaces, and a backslash makes the next character plain.

    Raises ``NotNutError`` where a quote or an escape is left open.
    """
    words: list[str] = []
    rest = line.strip()
    while rest:
        match = _WORD.match(rest)
        if match is None:
            raise NotNutError(f"not a line of NUT's protocol: {line[:80]!r}")
        words.append(_ESCAPED.sub(r"\1", match[1] if match[2] is None else match[2]))
        rest = rest[match.end() :].lstrip()
    return words


class VariableList:
    """Collects the answer to ``LIST VAR``, line by line, without knowing where the lines come from."""

    def __init__(self, ups: str) -> None:
        self._ups = ups
        self._begun = False
        self.variables: dict[str, str] = {}

    def take(self, line: str) -> bool:
        """Take one line; return True when it was the last. Raises ``NutError`` and ``NotNutError``."""
        match split_words(line):
            case ["ERR", code, *_]:
                raise NutError(code)
            case ["BEGIN", "LIST", "VAR", self._ups] if not self._begun:
                self._begun = True
            case ["VAR", self._ups, name, value] if self._begun and len(self.variables) < MOST_VARIABLES:
                self.variables[name] = value
            case ["END", "LIST", "VAR", self._ups] if self._begun:
                return True
            case _:
                raise NotNutError(f"not an answer to LIST VAR {self._ups}: {line[:80]!r}")
        return False


async def list_variables(host: str, port: int, ups: str) -> dict[str, str]:
    """Return all variables of a UPS; raises ``OSError``, ``NutError`` and ``NotNutError``."""
    reader, writer = await asyncio.open_connection(host, port, limit=LONGEST_LINE)
    try:
        writer.write(f"LIST VAR {ups}\n".encode("ascii"))
        answer = VariableList(ups)
        while not answer.take(await _line(reader)):
            pass
        writer.write(b"LOGOUT\n")
        return answer.variables
    finally:
        writer.close()


async def _line(reader: asyncio.StreamReader) -> str:
    try:
        line = await reader.readline()
    except ValueError as error:  # longer than the limit
        raise NotNutError("a line without end") from error
    if not line.endswith(b"\n"):
        raise ConnectionError("the server closed the connection")
    return line.decode("utf-8", errors="replace")


def find_supply(tokens: frozenset[str]) -> Finding:
    """Return whether the mains are there, from the unordered words of ``ups.status``; unknown words say nothing."""
    online, on_battery = "OL" in tokens, "OB" in tokens
    if "CAL" in tokens and on_battery:
        return uncertain(1.0, "on battery for a runtime calibration, with the mains there")
    if online and on_battery:
        return bad_value("ups.status says on line and on battery at once", " ".join(sorted(tokens)))
    if online or on_battery:
        return measured("supply", float(online))
    if "BYPASS" in tokens:
        return uncertain(1.0, "on bypass: the load is fed by whatever the mains are")
    return bad_value("ups.status says nothing about the mains", " ".join(sorted(tokens)))


def find_charging(tokens: frozenset[str]) -> Finding:
    """Return whether the battery is being charged."""
    if {"CHRG", "DISCHRG"} <= tokens:
        return bad_value("ups.status says charging and discharging at once", " ".join(sorted(tokens)))
    return measured("running", float("CHRG" in tokens))


def _flag(token: str) -> Callable[[frozenset[str]], Finding]:
    return lambda tokens: measured("fault", float(token in tokens))


class Number(NamedTuple):
    """A variable that is a number, and its way to the canonical unit."""

    variable: str
    quantity: str
    scale: float = 1.0

    def find(self, variables: Mapping[str, str]) -> Finding:
        """Return what the variable says."""
        text = variables.get(self.variable)
        if text is None:
            return sensor_gone(f"the UPS does not report {self.variable}")
        if self.quantity == "runtime" and text.strip() == _UNKNOWN_RUNTIME:
            return bad_value("65535 stands for an unknown runtime", text)
        try:
            return measured(self.quantity, float(text) * self.scale)
        except ValueError:
            return bad_value(f"{self.variable} is not a number", text)


class Status(NamedTuple):
    """What the words of ``ups.status`` say about one thing."""

    quantity: str
    judge: Callable[[frozenset[str]], Finding]

    def find(self, variables: Mapping[str, str]) -> Finding:
        """Return what the status says."""
        text = variables.get(_STATUS)
        if text is None:
            return sensor_gone("the UPS reports no status")
        tokens = frozenset(text.upper().split())
        if not tokens - {"WAIT"}:
            return bad_value("ups.status is empty", text)
        return self.judge(tokens)


MEASURES: Mapping[str, Number | Status] = {
    "supply": Status("supply", find_supply),
    "charging": Status("running", find_charging),
    "battery_low": Status("fault", _flag("LB")),
    "battery_replace": Status("fault", _flag("RB")),
    "overload": Status("fault", _flag("OVER")),
    "alarm": Status("fault", _flag("ALARM")),
    "battery_charge": Number("battery.charge", "charge", 0.01),
    "battery_runtime": Number("battery.runtime", "runtime"),
    "battery_voltage": Number("battery.voltage", "voltage"),
    "battery_temperature": Number("battery.temperature", "temperature"),
    "input_voltage": Number("input.voltage", "voltage"),
    "input_frequency": Number("input.frequency", "frequency"),
    "output_voltage": Number("output.voltage", "voltage"),
    "output_current": Number("output.current", "current"),
    "output_power": Number("ups.realpower", "power"),
    "temperature": Number("ups.temperature", "temperature"),
}
"""What can be measured, by the name used in the settings."""


def _known(name: str) -> str:
    if name not in MEASURES:
        raise ValueError(f"a UPS measures one of {', '.join(MEASURES)}; found {name!r}")
    return name


class NutSettings(DriverSettings):
    """Where upsd is, and what to read of which UPS."""

    driver: Literal["nut"] = "nut"
    host: str = Field(default="127.0.0.1", min_length=1)
    port: int = Field(default=3493, ge=1, le=65_535)
    ups: str = Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")
    """The UPS's name in ``ups.conf``; ``upsc -l`` lists the names."""
    channels: Mapping[ChannelName, Annotated[str, AfterValidator(_known)]] = Field(min_length=1)
    """What each channel measures: ``mains/supply: supply``."""
    timeout_seconds: float = Field(default=5.0, gt=0, le=30)


# The server works, and says what is wrong between it and the UPS.
_ERRORS: Mapping[str, Finding] = {
    "DATA-STALE": sensor_gone("upsd has lost contact with the UPS"),
    "UNKNOWN-UPS": sensor_gone("upsd knows no UPS of this name; upsc -l lists the names"),
    "DRIVER-NOT-CONNECTED": bus_error("the UPS's driver is not running behind upsd"),
    "ACCESS-DENIED": bus_error("upsd does not answer this machine"),
}


class NutDriver:
    """Asks upsd for all variables of one UPS at every read, over a new connection."""

    def __init__(self, settings: NutSettings, clock: Clock) -> None:
        self._settings = settings
        quantities = {channel: MEASURES[name].quantity for channel, name in settings.channels.items()}
        self._reporter = Reporter(clock, quantities, logger)

    @property
    def channels(self) -> Sequence[str]:
        """Return the names that were given to what is measured."""
        return self._reporter.channels

    async def read(self) -> list[Sample]:
        """Return one sample per channel."""
        settings = self._settings
        try:
            async with asyncio.timeout(settings.timeout_seconds):
                variables = await list_variables(settings.host, settings.port, settings.ups)
        except NutError as error:
            return self._reporter.all(_ERRORS.get(error.code, bus_error("upsd refuses", error.code)))
        except NotNutError as error:
            return self._reporter.all(bus_error("this is not upsd", str(error)))
        except OSError as error:  # includes the time-out
            return self._reporter.all(bus_error("upsd cannot be reached", str(error) or type(error).__name__))
        return self._reporter.samples(judge(variables, settings.channels))

    async def close(self) -> None:
        """Do nothing: no connection stays open."""


def judge(variables: Mapping[str, str], channels: Mapping[str, str]) -> dict[str, Finding]:
    """Return what was found out about each channel; ``channels`` has the name of each one's measure."""
    return {channel: MEASURES[name].find(variables) for channel, name in channels.items()}


def create(settings: NutSettings, clock: Clock) -> NutDriver:
    """Return the driver of this UPS."""
    return NutDriver(settings, clock)
