"""Mean kinetic temperature: one temperature that would have done the same harm as all those of a stretch of time.

T = (dH/R) / -ln(mean(exp(-dH / (R * T_i)))), in kelvin, with an activation energy dH of 83.144 kJ/mol, so that dH/R is
10,000 K (USP <1079>). It says nothing on freezing, and a long stretch hides a short excursion: 24 h for 2 to 8 °C
goods.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

ACTIVATION_KELVIN = 10_000.0
KELVIN = 273.15
ENOUGH = 0.5
"""So much of a stretch of time has to be known before its mean says anything."""


def harm(celsius: float) -> float:
    """Return how fast what is stored ages at a temperature, in a unit that falls out of every mean."""
    return math.exp(-ACTIVATION_KELVIN / (celsius + KELVIN))


def as_harmful(mean_harm: float) -> float:
    """Return the temperature in °C that ages as fast as the mean does."""
    return ACTIVATION_KELVIN / -math.log(mean_harm) - KELVIN


def mean_kinetic_celsius(celsius: Iterable[float]) -> float:
    """Return the mean kinetic temperature of temperatures, all in °C; there has to be at least one."""
    shares = [harm(value) for value in celsius]
    return as_harmful(math.fsum(shares) / len(shares))
