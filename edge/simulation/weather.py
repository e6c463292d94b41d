"""Sun and air around a facility, by the local solar time."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Final

from domain.instant import DAY_MS, HOUR_MS
from edge.simulation.chance import chance
from edge.simulation.profile import ClimateProfile

WARMEST_HOUR: Final = 15.0
SUNRISE_HOUR: Final = 6.0
"""Near the equator the day is twelve hours all year."""


def local_ms(climate: ClimateProfile, now_ms: int) -> int:
    """Return the moment in local solar time, still in milliseconds."""
    return now_ms + round(climate.longitude / 15 * HOUR_MS)


def local_hour(climate: ClimateProfile, now_ms: int) -> float:
    """Return the local solar time as an hour from 0 to 24."""
    return local_ms(climate, now_ms) % DAY_MS / HOUR_MS


def ambient_celsius(climate: ClimateProfile, seed: int, now_ms: int) -> float:
    """Return the temperature of the air: warmest in the afternoon, no two days alike."""
    today, passed = divmod(local_ms(climate, now_ms), DAY_MS)
    # Two days' characters are mixed by the hour, so that midnight is no step.
    share = passed / DAY_MS
    warmth = (1 - share) * _warmth(seed, today) + share * _warmth(seed, today + 1)
    angle = (local_hour(climate, now_ms) - WARMEST_HOUR) / 24 * math.tau
    return climate.mean_celsius + warmth + climate.swing_celsius * math.cos(angle)


@lru_cache(maxsize=256)  # asked every step, and the same all day
def _warmth(seed: int, day: int) -> float:
    return chance(seed, "warmth", day).uniform(-1.5, 1.5)


def sunshine_ratio(climate: ClimateProfile, seed: int, now_ms: int) -> float:
    """Return what the panels receive, from 0 (night) to 1 (clear noon)."""
    elevation = math.sin((local_hour(climate, now_ms) - SUNRISE_HOUR) / 12 * math.pi)
    hour = local_ms(climate, now_ms) // HOUR_MS
    return max(0.0, elevation) * _clearness(seed, hour)


@lru_cache(maxsize=256)
def _clearness(seed: int, hour: int) -> float:
    return chance(seed, "cloud", hour).uniform(0.55, 1.0)
