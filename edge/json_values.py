"""One value out of a device's JSON: where it stands, what it is, and how devices say that it is missing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from domain.quantities import QUANTITIES
from domain.units import UNITS, Unit
from edge.findings import Finding, bad_value, measured, sensor_gone
from edge.quantity_settings import QuantityName, unit_of

Step = str | int

_STEP = re.compile(r"\.?([^.\[\]']+)|\[(\d{1,4})\]|\['([^']+)'\]")
_GONE_WORDS = frozenset({"", "null", "none", "unavailable", "offline", "disconnected", "n/a"})
_UNKNOWN_WORDS = frozenset({"unknown", "error", "nan", "inf", "-inf", "infinity"})
_UNIT_WORDS: Mapping[str, Unit] = {"C": UNITS["celsius"], "F": UNITS["fahrenheit"], "K": UNITS["kelvin"]}
_NUMBER = re.compile(r"[+-]?(\d{1,20}(\.\d{0,20})?|\.\d{1,20})([eE][+-]?\d{1,3})?", re.ASCII)

UNPLUGGED_CELSIUS: Final = -127.0
"""What libraries for 1-wire probes give for one that does not answer."""
POWER_ON_CELSIUS: Final = 85.0
"""What a DS18B20 says before it has measured."""
_CLOSE_CELSIUS: Final = 0.03
"""Devices that count in Fahrenheit, with one digit, write the same two numbers as -196.6 and 185.0."""


class _Missing(Enum):
    MISSING = "missing"


MISSING: Final = _Missing.MISSING


def parse_path(text: str) -> tuple[Step, ...]:
    """Return the steps of ``StatusSNS.ENERGY.Voltage``, ``emeters[0].power`` or ``['a.b'].c``.

    Raises ``ValueError`` for text of another shape.
    """
    steps: list[Step] = []
    end = 0
    for match in _STEP.finditer(text):
        if match.start() != end or (match[0].startswith(".") and not steps):
            break
        name, index, quoted = match.groups()
        steps.append(int(index) if index is not None else name or quoted)
        end = match.end()
    if not steps or end != len(text):
        raise ValueError(f"{text!r} is not a path: write it as StatusSNS.ENERGY.Voltage, emeters[0].power or ['a.b'].c")
    return tuple(steps)


def look_up(document: Any, path: str) -> Any:
    """Return what stands at the path, or ``MISSING``."""
    for step in parse_path(path):
        if isinstance(document, Mapping):
            document = document.get(str(step), MISSING)
        elif isinstance(document, list) and str(step).isdecimal() and int(step) < len(document):
            document = document[int(step)]
        else:
            return MISSING
    return document


def _path(text: str) -> str:
    parse_path(text)
    return text


JsonPath = Annotated[str, AfterValidator(_path)]


class JsonValue(BaseModel):
    """Where a value stands in a document, and what it is."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: JsonPath
    """``StatusSNS.ENERGY.Voltage``, ``emeters[0].power``."""
    quantity: QuantityName
    unit: str | None = None
    """What the device counts in, as ``kWh`` or ``kilowatt_hours``; without it the quantity's own unit."""
    scale: float = Field(default=1.0, allow_inf_nan=False)
    """Multiplies the device's number before its unit is converted."""
    words: Mapping[str, float] = {}
    """What words stand for: ``{ON: 1, OFF: 0}``."""
    gone: tuple[float, ...] = ()
    """Numbers, as the device writes them, that mean a missing probe."""
    unit_path: JsonPath | None = None
    """Where the document says C, F or K."""
    valid_path: JsonPath | None = None
    """Where the document says whether the value is valid."""
    most_per_hour: float | None = Field(default=None, gt=0)
    """For a counter: the most that it can grow in an hour, in the quantity's own unit."""

    @model_validator(mode="after")
    def _unit_fits(self) -> JsonValue:
        unit_of(self.quantity, self.unit)
        return self

    def find(self, document: Any) -> Finding:
        """Return what the document says."""
        if self.valid_path is not None and look_up(document, self.valid_path) in (False, 0, "false"):
            return bad_value(f"{self.valid_path} says that the value is not valid")
        raw = look_up(document, self.path)
        if raw is MISSING or raw is None:
            return sensor_gone(f"nothing at {self.path}")
        number = self._number(raw)
        return number if isinstance(number, Finding) else self._convert(number, document)

    def _number(self, raw: Any) -> float | Finding:
        if isinstance(raw, bool):
            return float(raw) if QUANTITIES[self.quantity].states else bad_value(f"{self.path} is yes or no", str(raw))
        if isinstance(raw, str):
            return self._number_of_text(raw.strip())
        if not isinstance(raw, int | float):
            return bad_value(f"{self.path} is not a number", type(raw).__name__)
        try:
            return float(raw)
        except OverflowError:
            return bad_value(f"{self.path} is too large", "an integer beyond measure")

    def _number_of_text(self, text: str) -> float | Finding:
        if text in self.words:
            return self.words[text]
        if text.lower() in _GONE_WORDS:
            return sensor_gone(f"{self.path} says that there is no sensor", text)
        if text.lower() in _UNKNOWN_WORDS or not _NUMBER.fullmatch(text):
            return bad_value(f"{self.path} is not a number", text[:40])
        return float(text)

    def _convert(self, number: float, document: Any) -> Finding:
        if number in self.gone:
            return sensor_gone(f"{self.path} has the number of a missing probe", f"{number:g}")
        unit: Unit | None = unit_of(self.quantity, self.unit)
        if self.unit_path is not None:
            unit = _UNIT_WORDS.get(str(look_up(document, self.unit_path)))
        if unit is None:
            return bad_value(f"{self.unit_path} names no unit that is known")
        return _without_lies(self.quantity, unit.to_canonical(number * self.scale))


def _without_lies(quantity: str, value: float) -> Finding:
    if quantity == "temperature" and abs(value - UNPLUGGED_CELSIUS) < _CLOSE_CELSIUS:
        return sensor_gone("-127 °C stands for a probe that does not answer")
    if quantity == "temperature" and abs(value - POWER_ON_CELSIUS) < _CLOSE_CELSIUS:
        return bad_value("85 °C is what a probe says before it has measured")
    return measured(quantity, value)
