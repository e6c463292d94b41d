"""Quantities and units as people write them in settings, with answers that say what is allowed."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator

from domain.quantities import QUANTITIES
from domain.units import UNITS, UNITS_BY_SYMBOL, Unit


def _known(name: str) -> str:
    if name not in QUANTITIES:
        raise ValueError(f"a quantity is one of {', '.join(QUANTITIES)}; found {name!r}")
    return name


QuantityName = Annotated[str, AfterValidator(_known)]


def unit_of(quantity: str, written: str | None) -> Unit:
    """Return the unit that is written by its symbol or its name; None means the quantity's own.

    Raises ``ValueError`` where it is not one of the quantity's.
    """
    canonical = QUANTITIES[quantity].unit
    unit = canonical if written is None else UNITS_BY_SYMBOL.get(written) or UNITS.get(written)
    if unit is None or unit.canonical != canonical.name:
        fitting = [each for each in UNITS.values() if each.canonical == canonical.name]
        allowed = ", ".join(f"{each.symbol} ({each.name})" for each in fitting)
        raise ValueError(f"{quantity} comes in {allowed}; found {written!r}")
    return unit
