"""Units as rows, each with its SenML symbol (RFC 8428 section 12.1, RFC 8798) and its way to the canonical unit."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit of measurement: ``canonical value = value * scale + offset``."""

    name: str
    """The word used in names: ``celsius`` in ``temperature_celsius``."""
    symbol: str
    """The SenML unit symbol on the wire."""
    text: str
    """What a person reads behind the number."""
    canonical: str
    """The name of the unit that values of this dimension are kept in."""
    scale: float = 1.0
    offset: float = 0.0

    def to_canonical(self, value: float) -> float:
        """Convert a point on this unit's scale to the canonical unit (not a difference of two points)."""
        return value * self.scale + self.offset


_ROWS = (
    Unit("celsius", "Cel", "°C", "celsius"),
    Unit("kelvin", "K", "K", "celsius", 1.0, -273.15),
    Unit("fahrenheit", "degF", "°F", "celsius", 5 / 9, -160 / 9),
    Unit("volts", "V", "V", "volts"),
    Unit("millivolts", "mV", "mV", "volts", 0.001),
    Unit("amperes", "A", "A", "amperes"),
    Unit("milliamperes", "mA", "mA", "amperes", 0.001),
    Unit("watts", "W", "W", "watts"),
    Unit("kilowatts", "kW", "kW", "watts", 1000.0),
    Unit("watt_hours", "Wh", "Wh", "watt_hours"),
    Unit("kilowatt_hours", "kWh", "kWh", "watt_hours", 1000.0),
    Unit("hertz", "Hz", "Hz", "hertz"),
    Unit("ratio", "/", "", "ratio"),
    Unit("percent", "%", "%", "ratio", 0.01),
    Unit("percent_relative_humidity", "%RH", "%", "ratio", 0.01),
    Unit("seconds", "s", "s", "seconds"),
    Unit("minutes", "min", "min", "seconds", 60.0),
    Unit("litres", "l", "L", "litres"),
    Unit("cubic_metres", "m3", "m³", "litres", 1000.0),
    Unit("litres_per_second", "l/s", "L/s", "litres_per_second"),
    Unit("bytes", "B", "B", "bytes"),
    Unit("gigabytes", "GB", "GB", "bytes", 1e9),
    Unit("decibel_milliwatts", "dBm", "dBm", "decibel_milliwatts"),
    Unit("pascals", "Pa", "Pa", "pascals"),
    Unit("bar", "bar", "bar", "pascals", 100_000.0),
    Unit("ph", "pH", "pH", "ph"),
    # No RFC has a symbol for these two; that of the SI unit (RFC 8798) is understood beside the one of drinking water.
    Unit("ntu", "NTU", "NTU", "ntu"),
    Unit("milligrams_per_litre", "mg/l", "mg/L", "milligrams_per_litre"),
    Unit("kilograms_per_cubic_metre", "kg/m3", "kg/m³", "milligrams_per_litre", 1000.0),
    Unit("count", "count", "", "count"),
)

UNITS: dict[str, Unit] = {unit.name: unit for unit in _ROWS}
UNITS_BY_SYMBOL: dict[str, Unit] = {unit.symbol: unit for unit in _ROWS}
