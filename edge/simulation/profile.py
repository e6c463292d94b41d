"""What a simulated facility has: plain data, read from the configuration of its node."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class Profile(BaseModel):
    """Base of the profiles."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ClimateProfile(Profile):
    """The weather around a facility: a yearly mean and the swing between night and afternoon."""

    mean_celsius: float = Field(default=24.0, ge=-20, le=45)
    swing_celsius: float = Field(default=5.0, ge=0, le=20)
    longitude: float = Field(default=30.0, ge=-180, le=180)
    """Moves noon."""


class MainsProfile(Profile):
    """A connection to the grid."""

    volts: float = Field(default=240.0, gt=0, le=480)


class GeneratorProfile(Profile):
    """A generator that starts by itself when the mains fail."""

    start_after_seconds: float = Field(default=45.0, ge=0)
    tank_litres: float = Field(default=120.0, gt=0)
    litres_per_hour: float = Field(default=4.0, gt=0)


class SolarProfile(Profile):
    """Panels and a battery, for a facility without a grid."""

    panel_watts: float = Field(default=900.0, gt=0)
    battery_watt_hours: float = Field(default=4800.0, gt=0)
    base_load_watts: float = Field(default=60.0, ge=0)
    """What lamps, radio and the node draw all day."""


class FridgeProfile(Profile):
    """A vaccine fridge: ice-lined ones hold for half a day without power, domestic ones for an hour or two."""

    type: Literal["ice_lined", "domestic"]
    model: str = ""
    reports_compressor: bool = False
    """Whether a current clamp tells that the compressor runs."""


class WaterProfile(Profile):
    """A tank that a pump fills and the facility drains."""

    tank_litres: float = Field(default=5000.0, gt=0)
    demand_litres_per_day: float = Field(default=4000.0, gt=0)
    pump_litres_per_second: float = Field(default=0.8, gt=0)


class FacilityProfile(Profile):
    """A whole facility; ``facility`` and ``area`` are the names by which a story means it."""

    facility: str
    area: str = ""
    """The part of the grid that it hangs on: an outage takes a whole area."""
    climate: ClimateProfile = ClimateProfile()
    mains: MainsProfile | None = None
    generator: GeneratorProfile | None = None
    solar: SolarProfile | None = None
    fridges: tuple[FridgeProfile, ...] = ()
    water: WaterProfile | None = None
    reports_signal: bool = False
    """Whether the node tells the strength of its own radio signal."""
