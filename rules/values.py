"""Values as people write them in rules: durations and limits."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any

from pydantic import PlainValidator

from domain.instant import format_duration, parse_duration
from domain.places import Channel
from domain.quantities import Quantity
from domain.suggest import allowed_words
from domain.units import UNITS, Unit

_AMOUNT = re.compile(r"([-+]?\d+(?:\.\d+)?)\s*([^\s\d.,].*)?")
_REFERENCE = re.compile(r"\$limits\.([A-Za-z_][\w-]*)")
_A_LIMIT = "a number with its unit such as 8.5 °C, a plain number in the unit of the quantity, or $limits.NAME"
_A_DURATION = "a duration such as 45s, 30min, 1h30min or 7d"


def _duration(raw: Any) -> timedelta:
    if isinstance(raw, timedelta):
        return raw
    if not isinstance(raw, str):
        raise ValueError(f"{_A_DURATION}, with its unit")  # noqa: TRY004 - pydantic reports ValueError, not TypeError
    try:
        return parse_duration(raw)
    except ValueError:
        raise ValueError(_A_DURATION) from None


Duration = Annotated[timedelta, PlainValidator(_duration)]
"""A field that reads ``10h`` or ``1h30min``; a bare number is refused, because nobody can tell its unit."""


def _stretch(raw: Any) -> timedelta:
    duration = _duration(raw)
    if duration <= timedelta(0):
        raise ValueError(f"more than no time: {_A_DURATION}")
    return duration


Stretch = Annotated[timedelta, PlainValidator(_stretch)]
"""A field that reads a duration in which something can happen."""


def milliseconds(duration: timedelta) -> int:
    """Return a duration in whole milliseconds."""
    return duration // timedelta(milliseconds=1)


def spaced(duration: timedelta) -> str:
    """Return a duration as a sentence writes it: ``1 h 30 min``."""
    return re.sub(r"(\d)([a-z])", r"\1 \2", format_duration(duration))


@dataclass(frozen=True, slots=True)
class Amount:
    """A number, and the unit it was written with."""

    number: float
    unit: str = ""
    """As written; empty means the quantity's canonical unit."""

    def __str__(self) -> str:
        return f"{self.number:g} {self.unit}".rstrip()

    def unit_for(self, quantity: Quantity) -> Unit | None:
        """Return the unit that was meant, or None where the quantity is not measured in it."""
        if not self.unit:
            return quantity.unit
        return next((unit for unit in units_of(quantity) if self.unit in (unit.text, unit.symbol, unit.name)), None)

    def difference_flaw(self, quantity: Quantity) -> str | None:
        """Return what is allowed instead, or None where this can be how far two values of the quantity lie apart."""
        unit = self.unit_for(quantity)
        if unit is None:
            known = [unit.text or unit.symbol for unit in units_of(quantity)]
            return f"a unit of {quantity.name}: {allowed_words(self.unit, known)}"
        return None if self.number > 0 else "more than nothing: how far two values lie apart"

    def flaw(self, quantity: Quantity) -> str | None:
        """Return what is allowed instead, or None where this can be a value of the quantity."""
        unit = self.unit_for(quantity)
        if unit is None:
            known = [unit.text or unit.symbol for unit in units_of(quantity)]
            return f"a unit of {quantity.name}: {allowed_words(self.unit, known)}"
        if quantity.lowest <= unit.to_canonical(self.number) <= quantity.highest:
            return None
        hint = "" if self.unit else ", with its unit"
        return f"a {quantity.name} from {shown(quantity, quantity.lowest)} to {shown(quantity, quantity.highest)}{hint}"


@dataclass(frozen=True, slots=True)
class Reference:
    """A limit that stands in the registry, at the channel."""

    name: str

    def __str__(self) -> str:
        return f"$limits.{self.name}"


def _limit(raw: Any) -> Amount | Reference:
    if isinstance(raw, (Amount, Reference)):
        return raw
    if isinstance(raw, (int, float)) and not isinstance(raw, bool):
        return Amount(float(raw))
    text = raw.strip().replace("\N{MINUS SIGN}", "-") if isinstance(raw, str) else ""
    if reference := _REFERENCE.fullmatch(text):
        return Reference(reference[1])
    if amount := _AMOUNT.fullmatch(text):
        return Amount(float(amount[1]), amount[2] or "")
    raise ValueError(_A_LIMIT)


Limit = Annotated[Amount | Reference, PlainValidator(_limit)]
"""A field that reads ``8 °C``, ``8`` or ``$limits.high``."""


def units_of(quantity: Quantity) -> list[Unit]:
    """Return every unit that values of the quantity may be written in."""
    return [unit for unit in UNITS.values() if unit.canonical == quantity.unit.name]


def resolve(limit: Amount | Reference, channel: Channel) -> float | None:
    """Return the limit in the canonical unit of the channel's quantity, or None where the registry has none."""
    if isinstance(limit, Reference):
        return channel.limits.get(limit.name)
    unit = limit.unit_for(channel.quantity)
    return None if unit is None else unit.to_canonical(limit.number)


def difference(amount: Amount | Reference, channel: Channel) -> float | None:
    """Return how far two values lie apart, in the canonical unit: 1.8 °F are 1 °C. None where the registry has none."""
    if isinstance(amount, Reference):
        return channel.limits.get(amount.name)
    unit = amount.unit_for(channel.quantity)
    return None if unit is None else amount.number * unit.scale


def shown(quantity: Quantity, value: float) -> str:
    """Return a canonical value exactly, in the unit that people read: ``-0.5 °C``, ``20 %``."""
    unit = quantity.shown_as
    return f"{round((value - unit.offset) / unit.scale, 9):g} {unit.text}".rstrip()


def worded(limit: Amount | Reference, quantity: Quantity) -> str:
    """Return a limit as a sentence names it."""
    if isinstance(limit, Reference):
        return f"its own limit “{limit.name}”"
    unit = limit.unit_for(quantity)
    return str(limit) if limit.unit or unit is None else shown(quantity, limit.number)


def worded_difference(amount: Amount | Reference, quantity: Quantity) -> str:
    """Return how far two values lie apart as a sentence names it."""
    if isinstance(amount, Reference) or amount.unit:
        return worded(amount, quantity)
    unit = quantity.shown_as
    return f"{round(amount.number / unit.scale, 9):g} {unit.text}".rstrip()
