"""A water tank that a pump fills between two float switches and the facility drains by the hour of the day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from edge.simulation.profile import WaterProfile

PUMP_BELOW_RATIO: Final = 0.55
PUMP_UP_TO_RATIO: Final = 0.95
# Share of the day's demand in each hour: cleaning and patients in the morning, cooking in the evening, little by night.
_HOURLY_WEIGHT: Final = (1, 1, 1, 1, 1, 2, 5, 8, 9, 8, 7, 6, 6, 6, 6, 5, 5, 6, 6, 4, 3, 2, 1, 1)
HOURLY_SHARE: Final = tuple(weight / sum(_HOURLY_WEIGHT) for weight in _HOURLY_WEIGHT)


@dataclass(slots=True)
class Water:
    """The state of tank and pump."""

    profile: WaterProfile
    level_ratio: float = 0.8
    calling: bool = False
    """Whether the float switches ask for water."""
    pumping: bool = False

    def advance(self, seconds: float, hour: float, thirst: float, pump_works: bool) -> None:
        """Let ``seconds`` pass; ``thirst`` is today's demand in this hour as a ratio of the usual."""
        self.calling = self.level_ratio < (PUMP_UP_TO_RATIO if self.calling else PUMP_BELOW_RATIO)
        self.pumping = self.calling and pump_works
        drawn = self.profile.demand_litres_per_day * HOURLY_SHARE[int(hour) % 24] * thirst * seconds / 3600
        filled = self.profile.pump_litres_per_second * seconds if self.pumping else 0.0
        level = self.level_ratio + (filled - drawn) / self.profile.tank_litres
        self.level_ratio = min(1.0, max(0.0, level))
