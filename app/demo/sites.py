"""The sites and people of the demonstration's district: data.

The places are real towns of western Uganda; facilities, people, addresses and numbers are invented.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from edge.simulation.profile import (
    FridgeProfile,
    GeneratorProfile,
    MainsProfile,
    SolarProfile,
    WaterProfile,
)

COUNTRY: Final = "Uganda"
REGION: Final = "Western"
DISTRICT: Final = "Kasese"
TIMEZONE: Final = "Africa/Kampala"

_MAINS = MainsProfile()
_ICE_LINED = FridgeProfile(type="ice_lined", model="Ice-lined refrigerator 60 L")
_ICE_LINED_WITH_CLAMP = _ICE_LINED.model_copy(update={"reports_compressor": True})
_DOMESTIC = FridgeProfile(type="domestic", model="Household refrigerator 140 L")
_DOMESTIC_WITH_CLAMP = _DOMESTIC.model_copy(update={"reports_compressor": True})
_SMALL_TANK = WaterProfile(tank_litres=2000, demand_litres_per_day=3200, pump_litres_per_second=0.4)


class Site(NamedTuple):
    """A facility: who it is, where it stands, what it has. ``role`` and ``area`` are its names in the story."""

    id: str
    name: str
    role: str
    area: str
    latitude: float
    longitude: float
    mean_celsius: float
    has: Mapping[str, Any]


SITES: Final = (
    Site(
        "kasese-hospital",
        "Kasese General Hospital",
        "hospital",
        "north",
        0.183,
        30.083,
        25.0,
        {
            "mains": _MAINS,
            "generator": GeneratorProfile(tank_litres=200, litres_per_hour=6),
            "fridges": (_ICE_LINED, _DOMESTIC),
            "water": WaterProfile(tank_litres=20_000, demand_litres_per_day=18_000, pump_litres_per_second=1.5),
        },
    ),
    Site(
        "bwera-hc4",
        "Bwera Health Centre IV",
        "health-centre-4",
        "north",
        0.036,
        29.760,
        24.0,
        {
            "mains": _MAINS,
            "generator": GeneratorProfile(tank_litres=80, litres_per_hour=3),
            "fridges": (_DOMESTIC, _ICE_LINED),
            "reports_signal": True,
        },
    ),
    Site(
        "kilembe-hc3",
        "Kilembe Health Centre III",
        "hillside",
        "south",
        0.201,
        30.013,
        21.5,
        {"mains": _MAINS, "fridges": (_ICE_LINED_WITH_CLAMP,), "reports_signal": True},
    ),
    Site(
        "katwe-hc3",
        "Katwe Health Centre III",
        "riverside",
        "south",
        -0.133,
        29.880,
        26.0,
        {"mains": _MAINS, "fridges": (_ICE_LINED_WITH_CLAMP,), "water": _SMALL_TANK},
    ),
    Site(
        "mpondwe-hc3",
        "Mpondwe Health Centre III",
        "border",
        "north",
        0.039,
        29.725,
        24.5,
        {"mains": _MAINS, "fridges": (_ICE_LINED, _DOMESTIC), "water": _SMALL_TANK},
    ),
    Site(
        "hima-hc3",
        "Hima Health Centre III",
        "crossroads",
        "east",
        0.291,
        30.172,
        24.0,
        {"mains": _MAINS, "fridges": (_ICE_LINED_WITH_CLAMP,), "water": _SMALL_TANK},
    ),
    Site(
        "rugendabara-hc3",
        "Rugendabara Health Centre III",
        "market",
        "east",
        0.262,
        30.125,
        23.5,
        {"mains": _MAINS, "fridges": (_ICE_LINED, _DOMESTIC), "reports_signal": True},
    ),
    Site(
        "maliba-hc2",
        "Maliba Health Centre II",
        "village",
        "north",
        0.268,
        30.015,
        22.5,
        {"mains": _MAINS, "fridges": (_DOMESTIC_WITH_CLAMP,), "reports_signal": True},
    ),
    Site(
        "kisinga-hc2",
        "Kisinga Health Centre II",
        "outpost",
        "south",
        0.010,
        29.883,
        24.5,
        {"mains": _MAINS, "fridges": (_DOMESTIC_WITH_CLAMP,), "reports_signal": True},
    ),
    Site(
        "kyondo-hc3",
        "Kyondo Health Centre III",
        "ridge",
        "",
        0.062,
        29.852,
        20.0,
        {"solar": SolarProfile(), "fridges": (_ICE_LINED_WITH_CLAMP,), "reports_signal": True},
    ),
    Site(
        "katunguru-hc2",
        "Katunguru Health Centre II",
        "lakeside",
        "",
        -0.126,
        30.047,
        26.5,
        {"solar": SolarProfile(panel_watts=700, battery_watt_hours=4000), "fridges": (_ICE_LINED_WITH_CLAMP,)},
    ),
    Site(
        "muhokya-hc3",
        "Muhokya Health Centre III",
        "junction",
        "east",
        0.094,
        30.050,
        25.0,
        {"mains": _MAINS, "fridges": (_DOMESTIC_WITH_CLAMP, _ICE_LINED), "water": _SMALL_TANK},
    ),
)

CONTACTS: Final = (
    {
        "id": "amina",
        "name": "Amina Kabugho",
        "language": "en",
        "email": "amina@example.org",
        "phone": "+256700000001",
        "district": DISTRICT,
    },
    {
        "id": "baluku",
        "name": "Joseph Baluku",
        "language": "en",
        "email": "baluku@example.org",
        "phone": "+256700000002",
        "facilities": ["kasese-hospital", "kilembe-hc3", "hima-hc3", "rugendabara-hc3", "maliba-hc2", "muhokya-hc3"],
    },
    {
        "id": "biira",
        "name": "Grace Biira",
        "language": "en",
        "email": "biira@example.org",
        "phone": "+256700000003",
        "facilities": [
            "bwera-hc4",
            "katwe-hc3",
            "mpondwe-hc3",
            "kisinga-hc2",
            "kyondo-hc3",
            "katunguru-hc2",
        ],
    },
    {
        "id": "cold-chain-office",
        "name": "Regional cold chain office",
        "language": "en",
        "email": "coldchain@example.org",
        "region": REGION,
    },
)
