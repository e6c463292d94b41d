"""One simulated facility: weather, power, fridges and water, advanced together in fixed steps."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from domain.instant import HOUR_MS, SECOND_MS
from edge.simulation import weather
from edge.simulation.chance import chance
from edge.simulation.fridge import FRIDGE_TYPES, Fridge, door_is_open
from edge.simulation.power import Power
from edge.simulation.profile import FacilityProfile
from edge.simulation.story import PERIOD_MS, QUIET, EventKind, Story
from edge.simulation.water import Water

STEP_MS: Final = 30 * SECOND_MS
LONGEST_ADVANCE_MS: Final = 2 * PERIOD_MS
"""What lies further back than this has no influence any more, and is not computed."""
INDOOR_SHARE: Final = 0.6
"""How much of the swing of the air outside reaches the room where the fridges stand."""


@dataclass(slots=True)
class FacilityModel:
    """The state of a facility at ``now_ms``; two models with the same arguments go through the same states."""

    profile: FacilityProfile
    seed: int
    now_ms: int
    story: Story = QUIET
    power: Power = field(init=False)
    fridges: list[Fridge] = field(init=False)
    water: Water | None = field(init=False)
    outside_celsius: float = field(init=False)

    def __post_init__(self) -> None:
        self._settle(self.now_ms)

    @property
    def hour(self) -> float:
        """Return the local solar time as an hour from 0 to 24."""
        return weather.local_hour(self.profile.climate, self.now_ms)

    @property
    def room_celsius(self) -> float:
        """Return the temperature around the fridges: walls dampen the day."""
        mean = self.profile.climate.mean_celsius
        return mean + INDOOR_SHARE * (self.outside_celsius - mean)

    def advance(self, to_ms: int) -> None:
        """Go on to ``to_ms`` in whole steps; a moment in the past changes nothing."""
        if to_ms - self.now_ms > LONGEST_ADVANCE_MS:
            self._settle(to_ms - LONGEST_ADVANCE_MS)
        while self.now_ms + STEP_MS <= to_ms:
            self.now_ms += STEP_MS
            self._step()

    def _settle(self, at_ms: int) -> None:
        """Begin at a step's moment in the state of an ordinary day, a little different for every facility."""
        self.now_ms = at_ms - at_ms % STEP_MS
        dice = chance(self.seed, self.profile.facility, "start")
        self.power = Power(self.profile, fuel_ratio=dice.uniform(0.6, 0.95), charge_ratio=dice.uniform(0.6, 0.9))
        self.fridges = [
            Fridge(FRIDGE_TYPES[fridge.type], celsius=dice.uniform(4.6, 5.3)) for fridge in self.profile.fridges
        ]
        self.water = Water(self.profile.water, dice.uniform(0.6, 0.9)) if self.profile.water else None
        self.outside_celsius = self._outside()

    def _outside(self) -> float:
        return weather.ambient_celsius(self.profile.climate, self.seed, self.now_ms)

    def _step(self) -> None:
        seconds = STEP_MS / SECOND_MS
        wrong = self.story.happening(self.now_ms, self.profile.facility, self.profile.area)
        self.outside_celsius = self._outside()
        self.power.advance(seconds, wrong, self._sunshine(), sum(fridge.watts for fridge in self.fridges))
        for number, fridge in enumerate(self.fridges, start=1):
            self._step_fridge(number, fridge, seconds, wrong if number == 1 else frozenset())
        if self.water:
            pump_works = self.power.available and EventKind.PUMP_FAILURE not in wrong
            self.water.advance(seconds, self.hour, self._thirst(), pump_works)

    def _step_fridge(self, number: int, fridge: Fridge, seconds: float, wrong: frozenset[EventKind]) -> None:
        at_ms = weather.local_ms(self.profile.climate, self.now_ms)
        fridge.advance(
            seconds,
            around=self.room_celsius,
            power=self.power.available,
            broken=EventKind.COMPRESSOR_FAILURE in wrong,
            stuck=EventKind.THERMOSTAT_STUCK in wrong,
            door_open=EventKind.DOOR_LEFT_OPEN in wrong
            or door_is_open(self.seed, f"{self.profile.facility}/{number}", at_ms),
        )

    def _sunshine(self) -> float:
        if self.profile.solar is None:
            return 0.0
        return weather.sunshine_ratio(self.profile.climate, self.seed, self.now_ms)

    def _thirst(self) -> float:
        return _thirst(self.seed, self.profile.facility, self.now_ms // HOUR_MS)


@lru_cache(maxsize=256)  # asked every step, and the same all hour
def _thirst(seed: int, facility: str, hour: int) -> float:
    return chance(seed, facility, "thirst", hour).uniform(0.8, 1.2)
