"""A fridge as one thermal mass behind a wall: dT/dt = (T_around - T) / tau - cooling.

tau is the thermal mass over the wall's conductance. A thermostat with hysteresis runs the compressor while there is
power; an open door multiplies what the wall lets in.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple

from domain.instant import DAY_MS, HOUR_MS, SECOND_MS
from edge.simulation.chance import chance


class FridgeType(NamedTuple):
    """The physical character of a type of fridge."""

    time_constant_hours: float
    cooling_celsius_per_hour: float
    start_above_celsius: float
    stop_below_celsius: float
    open_door_factor: float
    compressor_watts: float


FRIDGE_TYPES: Final = {
    # From 5 °C with 24 °C around, 8 °C come after tau * ln(19 / 16): some 11 hours and some 100 minutes.
    "ice_lined": FridgeType(64.0, 1.6, 5.4, 4.2, 8.0, 120.0),
    "domestic": FridgeType(10.0, 6.0, 6.0, 4.0, 10.0, 90.0),
}


def next_celsius(kind: FridgeType, celsius: float, around: float, seconds: float, cooling: bool, open_: bool) -> float:
    """Return the temperature inside after a step much shorter than the time constant."""
    leak = (around - celsius) / kind.time_constant_hours * (kind.open_door_factor if open_ else 1.0)
    return celsius + (leak - (kind.cooling_celsius_per_hour if cooling else 0.0)) * seconds / 3600


@dataclass(slots=True)
class Fridge:
    """The state of one fridge."""

    kind: FridgeType
    celsius: float = 5.0
    calling: bool = False
    """Whether the thermostat asks for cooling."""
    cooling: bool = False
    door_open: bool = False

    @property
    def watts(self) -> float:
        """Return what the compressor draws now."""
        return self.kind.compressor_watts if self.cooling else 0.0

    def advance(self, seconds: float, around: float, power: bool, broken: bool, stuck: bool, door_open: bool) -> None:
        """Let ``seconds`` pass in a room of temperature ``around``."""
        self.door_open = door_open
        threshold = self.kind.stop_below_celsius if self.calling else self.kind.start_above_celsius
        self.calling = stuck or self.celsius > threshold
        self.cooling = self.calling and power and not broken
        self.celsius = next_celsius(self.kind, self.celsius, around, seconds, self.cooling, door_open)


def door_is_open(seed: int, name: str, local_time_ms: int) -> bool:
    """Tell whether somebody takes vaccines out: a few times a working day, for a minute or two."""
    day, passed_ms = divmod(local_time_ms, DAY_MS)
    return any(opened <= passed_ms < shut for opened, shut in _door_openings(seed, name, day))


@lru_cache(maxsize=256)  # asked every step, and the same all day
def _door_openings(seed: int, name: str, day: int) -> tuple[tuple[int, int], ...]:
    dice = chance(seed, name, "door", day)
    opened = [dice.randint(8 * HOUR_MS, 17 * HOUR_MS) for _ in range(dice.randint(2, 6))]
    return tuple((moment, moment + dice.randint(30, 120) * SECOND_MS) for moment in opened)
