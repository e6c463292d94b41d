"""Where a facility's power comes from: mains, a generator that follows them, or panels and a battery."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from edge.simulation.profile import FacilityProfile, GeneratorProfile, MainsProfile, SolarProfile
from edge.simulation.story import EventKind

LOW_CHARGE_RATIO: Final = 0.1
"""Below this the battery's protection switches the loads off ..."""
RECONNECT_CHARGE_RATIO: Final = 0.25
"""... and above this on again."""
REFUEL_BELOW_RATIO: Final = 0.3
REFUELLED_RATIO: Final = 0.95
EVENING_SAG_RATIO: Final = 0.05
"""How far a rural line sags when every household cooks and has its lamps on."""


@dataclass(slots=True)
class Power:
    """The state of a facility's supplies."""

    profile: FacilityProfile
    mains_on: bool = False
    without_mains_seconds: float = 0.0
    generator_running: bool = False
    fuel_ratio: float = 0.8
    charge_ratio: float = 0.7
    battery_connected: bool = True
    solar_watts: float = 0.0

    def __post_init__(self) -> None:
        self.mains_on = self.profile.mains is not None

    @property
    def available(self) -> bool:
        """Tell whether anything supplies the loads."""
        return self.mains_on or self.generator_running or (self.profile.solar is not None and self.battery_connected)

    def advance(self, seconds: float, wrong: frozenset[EventKind], sunshine: float, load_watts: float) -> None:
        """Let ``seconds`` pass, with the loads that ran meanwhile."""
        if self.profile.mains:
            self.mains_on = EventKind.GRID_OUTAGE not in wrong
        self.without_mains_seconds = 0.0 if self.mains_on else self.without_mains_seconds + seconds
        if self.profile.generator:
            self._run_generator(self.profile.generator, seconds, EventKind.GENERATOR_FAILS in wrong)
        if self.profile.solar:
            self._run_solar(self.profile.solar, seconds, sunshine, load_watts)

    def _run_generator(self, generator: GeneratorProfile, seconds: float, fails: bool) -> None:
        wanted = not self.mains_on and self.without_mains_seconds >= generator.start_after_seconds
        self.generator_running = wanted and not fails and self.fuel_ratio > 0
        if self.generator_running:
            burnt = generator.litres_per_hour * seconds / 3600 / generator.tank_litres
            self.fuel_ratio = max(0.0, self.fuel_ratio - burnt)
        elif self.mains_on and self.fuel_ratio < REFUEL_BELOW_RATIO:
            self.fuel_ratio = REFUELLED_RATIO

    def _run_solar(self, solar: SolarProfile, seconds: float, sunshine: float, load_watts: float) -> None:
        self.solar_watts = solar.panel_watts * sunshine
        drawn = solar.base_load_watts + load_watts if self.battery_connected else 0.0
        gained = (self.solar_watts - drawn) * seconds / 3600 / solar.battery_watt_hours
        self.charge_ratio = min(1.0, max(0.0, self.charge_ratio + gained))
        threshold = LOW_CHARGE_RATIO if self.battery_connected else RECONNECT_CHARGE_RATIO
        self.battery_connected = self.charge_ratio > threshold

    def battery_volts(self) -> float:
        """Return the voltage of a 24 V lithium battery, a little higher while it is charged."""
        return 24.6 + 2.0 * self.charge_ratio + (0.5 if self.solar_watts > 0 else 0.0)


def mains_volts(mains: MainsProfile, on: bool, hour: float) -> float:
    """Return the voltage at the facility: sags in the evening, is nothing in an outage."""
    sag = EVENING_SAG_RATIO * math.exp(-(((hour - 20) / 2.5) ** 2))
    return mains.volts * (1 - sag) if on else 0.0
