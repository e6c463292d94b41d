"""Quantities as rows: what can be measured, in which canonical unit, within which physical range.

A new quantity costs one row here.
"""

from __future__ import annotations

from dataclasses import dataclass

from domain.units import UNITS, Unit


@dataclass(frozen=True, slots=True)
class Quantity:
    """Something that is measured; every stored value is in the canonical unit."""

    name: str
    unit: Unit
    lowest: float
    """Below this no sensor of ours can be telling the truth."""
    highest: float
    decimals: int
    """How many a person is shown."""
    shown_as: Unit
    """The unit a person reads; equals ``unit`` unless the canonical one is unusual on a screen (ratio, Pa)."""
    states: tuple[str, ...] = ()
    """For a quantity that is a state: the word for value 0, 1, ..."""
    normal_state: int | None = None
    """The state in which all is well; None where no state is better than another."""

    @property
    def measurement(self) -> str:
        """Return the series name in stores and metrics, e.g. ``temperature_celsius``."""
        return self.name if self.states else f"{self.name}_{self.unit.name}"

    def format(self, value: float | None) -> str:
        """Return the value as a person reads it, with its unit: ``9.4 °C``, ``82 %``, ``on``."""
        if value is None:
            return "no value"
        if self.states:
            index = round(value)
            return self.states[index] if 0 <= index < len(self.states) else str(index)
        shown = (value - self.shown_as.offset) / self.shown_as.scale
        return f"{shown:.{self.decimals}f} {self.shown_as.text}".rstrip()


def _row(
    name: str, unit: str, lowest: float, highest: float, decimals: int = 1, shown_as: str | None = None
) -> Quantity:
    return Quantity(name, UNITS[unit], lowest, highest, decimals, UNITS[shown_as or unit])


def _state(name: str, *states: str, normal: int | None = None) -> Quantity:
    return Quantity(name, UNITS["count"], 0.0, float(len(states) - 1), 0, UNITS["count"], states, normal)


_ROWS = (
    # A DS18B20 reads -55..125 °C, a deep freezer stands at -86 °C, a cryogenic probe at -200 °C.
    _row("temperature", "celsius", -200.0, 150.0),
    _row("humidity", "ratio", 0.0, 1.0, 0, "percent"),
    _row("voltage", "volts", 0.0, 1000.0),
    _row("current", "amperes", -2000.0, 2000.0, 2),
    _row("power", "watts", -1e6, 1e6, 0),
    _row("energy", "watt_hours", 0.0, 1e12, 1, "kilowatt_hours"),
    _row("frequency", "hertz", 0.0, 100.0, 2),
    _row("charge", "ratio", 0.0, 1.0, 0, "percent"),
    _row("fuel_level", "ratio", 0.0, 1.0, 0, "percent"),
    _row("tank_level", "ratio", 0.0, 1.0, 0, "percent"),
    _row("volume", "litres", 0.0, 1e12, 0),
    _row("flow", "litres_per_second", -1e4, 1e4, 2),
    _row("pressure", "pascals", -2e5, 1e8, 2, "bar"),
    # The pH: RFC 8428 calls it so, and the unit carries the name that people know.
    _row("acidity", "ph", 0.0, 14.0),
    # Meters for drinking water end at 1,000 to 4,000 NTU; a mud flood is above that, and no alarm needs its figure.
    _row("turbidity", "ntu", 0.0, 10_000.0),
    # A tank is disinfected with 50 mg/L.
    _row("free_chlorine", "milligrams_per_litre", 0.0, 100.0, 2),
    _row("runtime", "seconds", 0.0, 1e9, 0),
    _row("signal_strength", "decibel_milliwatts", -150.0, 30.0, 0),
    _row("free_space", "bytes", 0.0, 1e15, 1, "gigabytes"),
    _row("queue_depth", "count", 0.0, 1e12, 0),
    _state("supply", "off", "on", normal=1),
    _state("running", "stopped", "running"),
    _state("door", "closed", "open", normal=0),
    _state("fault", "no", "yes", normal=0),
    _state("clock", "right", "wrong", normal=0),
)

QUANTITIES: dict[str, Quantity] = {quantity.name: quantity for quantity in _ROWS}
