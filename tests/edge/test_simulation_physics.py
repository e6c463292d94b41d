"""The simulated facility obeys the laws of its physics, whatever the profile and the moment."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.instant import DAY_MS, HOUR_MS, MINUTE_MS
from edge.simulation.facility import LONGEST_ADVANCE_MS, STEP_MS, FacilityModel
from edge.simulation.fridge import FRIDGE_TYPES, Fridge, next_celsius
from edge.simulation.profile import (
    ClimateProfile,
    FacilityProfile,
    FridgeProfile,
    GeneratorProfile,
    MainsProfile,
    SolarProfile,
    WaterProfile,
)
from edge.simulation.story import Event, EventKind, Story
from edge.simulation.weather import ambient_celsius, sunshine_ratio

START_MS = 1_763_600_400_000 - 1_763_600_400_000 % STEP_MS
CELSIUS = st.floats(-10, 45)
TYPES = st.sampled_from(sorted(FRIDGE_TYPES))


def story(*events: tuple[EventKind, float, float]) -> Story:
    """Return a story of (kind, from hour, for hours) at the facility ``here``."""
    rows = tuple(Event(round(at * HOUR_MS), "here", kind, round(hours * HOUR_MS)) for kind, at, hours in events)
    return Story(START_MS, 1, rows)


def hours_until_above(model: FacilityModel, limit_celsius: float, at_most_hours: int) -> float:
    """Return how long the first fridge takes to rise above the limit."""
    begin_ms = model.now_ms
    while model.now_ms < begin_ms + at_most_hours * HOUR_MS:
        model.advance(model.now_ms + STEP_MS)
        if model.fridges[0].celsius > limit_celsius:
            return (model.now_ms - begin_ms) / HOUR_MS
    return math.inf


@given(TYPES, CELSIUS, CELSIUS, st.booleans())
def test_a_fridge_without_power_approaches_its_surroundings(
    kind: str, inside: float, around: float, open_: bool
) -> None:
    """Step by step the difference shrinks, and its sign never changes."""
    for _ in range(200):
        following = next_celsius(FRIDGE_TYPES[kind], inside, around, 30, cooling=False, open_=open_)
        assert abs(following - around) <= abs(inside - around)
        assert (following - around) * (inside - around) >= 0
        inside = following


@given(TYPES, st.floats(2, 12), st.floats(15, 40))
def test_warming_follows_the_exponential_of_the_time_constant(kind: str, inside: float, around: float) -> None:
    """Small steps add up to the closed solution of the differential equation."""
    celsius, hours = inside, 3
    for _ in range(hours * 120):
        celsius = next_celsius(FRIDGE_TYPES[kind], celsius, around, 30, cooling=False, open_=False)
    exact = around + (inside - around) * math.exp(-hours / FRIDGE_TYPES[kind].time_constant_hours)
    assert celsius == pytest.approx(exact, abs=0.02)


@given(TYPES, CELSIUS, CELSIUS)
def test_an_open_door_and_a_still_compressor_never_cool_better(kind: str, inside: float, around: float) -> None:
    """In warmer surroundings an open door warms; cooling always lowers the temperature."""
    shut = next_celsius(FRIDGE_TYPES[kind], inside, around, 30, cooling=False, open_=False)
    opened = next_celsius(FRIDGE_TYPES[kind], inside, around, 30, cooling=False, open_=True)
    assert (opened >= shut) == (around >= inside) or opened == pytest.approx(shut)
    assert next_celsius(FRIDGE_TYPES[kind], inside, around, 30, cooling=True, open_=False) < shut


@pytest.mark.parametrize("kind", sorted(FRIDGE_TYPES))
@pytest.mark.parametrize("around", [15.0, 24.0, 32.0])
def test_the_thermostat_keeps_a_powered_fridge_in_range(kind: str, around: float) -> None:
    """From a safe start the fridge stays within 2 to 8 °C, and its compressor both runs and rests."""
    fridge, seen, runs = Fridge(FRIDGE_TYPES[kind]), [], set()
    for _ in range(2 * 24 * 120):
        fridge.advance(30, around, power=True, broken=False, stuck=False, door_open=False)
        seen.append(fridge.celsius)
        runs.add(fridge.cooling)
    assert 2 < min(seen) <= max(seen) < 8
    assert runs == {True, False}


@pytest.mark.parametrize(("kind", "least_hours", "most_hours"), [("domestic", 0.8, 3.5), ("ice_lined", 6.0, 24.0)])
@pytest.mark.parametrize("seed", range(4))
def test_fridges_hold_for_as_long_as_their_type_promises(
    kind: str, least_hours: float, most_hours: float, seed: int
) -> None:
    """In a power cut a domestic fridge leaves the range within hours, an ice-lined one within half a day or so."""
    profile = FacilityProfile(
        facility="here",
        mains=MainsProfile(),
        fridges=(FridgeProfile.model_validate({"type": kind}),),
    )
    model = FacilityModel(profile, seed, START_MS, story((EventKind.GRID_OUTAGE, 0, 48)))
    assert least_hours < hours_until_above(model, 8.0, 48) < most_hours


@pytest.mark.parametrize(("kind", "rises"), [(EventKind.COMPRESSOR_FAILURE, True), (EventKind.THERMOSTAT_STUCK, False)])
def test_only_the_first_fridge_of_a_facility_fails(kind: EventKind, rises: bool) -> None:
    """A broken compressor warms and a stuck thermostat freezes one fridge; the other keeps its range."""
    fridges = (FridgeProfile(type="domestic"), FridgeProfile(type="domestic"))
    profile = FacilityProfile(facility="here", mains=MainsProfile(), fridges=fridges)
    model = FacilityModel(profile, 1, START_MS, story((kind, 0, 12)))
    model.advance(START_MS + 6 * HOUR_MS)
    first, second = (fridge.celsius for fridge in model.fridges)
    assert first > 8 if rises else first < -0.5
    assert 2 < second < 8


def generator_site(*events: tuple[EventKind, float, float], litres: float = 100) -> FacilityModel:
    """Return a facility with mains and a generator."""
    generator = GeneratorProfile(start_after_seconds=60, tank_litres=litres, litres_per_hour=5)
    profile = FacilityProfile(facility="here", mains=MainsProfile(), generator=generator)
    return FacilityModel(profile, 1, START_MS, story(*events))


def test_the_generator_takes_over_and_burns_fuel() -> None:
    """It starts after its delay, draws from its tank, and rests when the mains are back."""
    model = generator_site((EventKind.GRID_OUTAGE, 1, 2))
    model.advance(START_MS + HOUR_MS)
    assert (model.power.available, model.power.generator_running) == (False, False)
    before = model.power.fuel_ratio
    model.advance(START_MS + 2 * HOUR_MS)
    assert (model.power.available, model.power.generator_running) == (True, True)
    model.advance(START_MS + 4 * HOUR_MS)
    assert model.power.generator_running is False
    assert before - model.power.fuel_ratio == pytest.approx(2 * 5 / 100, rel=0.05)


def test_a_generator_that_fails_leaves_the_facility_dark() -> None:
    """Told to fail, it neither runs nor burns fuel."""
    model = generator_site((EventKind.GRID_OUTAGE, 0, 5), (EventKind.GENERATOR_FAILS, 0, 5))
    before = model.power.fuel_ratio
    model.advance(START_MS + 4 * HOUR_MS)
    assert (model.power.available, model.power.fuel_ratio) == (False, before)


def test_a_generator_stops_when_its_tank_is_empty_and_is_refuelled_afterwards() -> None:
    """Fuel never goes below nothing; once the mains are back somebody brings more."""
    model = generator_site((EventKind.GRID_OUTAGE, 0, 30), litres=20)
    model.advance(START_MS + 29 * HOUR_MS)
    assert (model.power.fuel_ratio, model.power.available) == (0.0, False)
    model.advance(START_MS + 31 * HOUR_MS)
    assert model.power.fuel_ratio > 0.5


@given(
    panel=st.floats(10, 3000),
    battery=st.floats(100, 20_000),
    tank=st.floats(50, 20_000),
    demand=st.floats(1, 50_000),
    pump=st.floats(0.01, 5),
    seed=st.integers(0, 1000),
)
@settings(max_examples=15, deadline=None)
def test_levels_and_charges_stay_between_empty_and_full(
    panel: float, battery: float, tank: float, demand: float, pump: float, seed: int
) -> None:
    """However badly a site is dimensioned, ratios stay ratios and water is never negative."""
    profile = FacilityProfile(
        facility="here",
        solar=SolarProfile(panel_watts=panel, battery_watt_hours=battery),
        fridges=(FridgeProfile(type="ice_lined"),),
        water=WaterProfile(tank_litres=tank, demand_litres_per_day=demand, pump_litres_per_second=pump),
    )
    model = FacilityModel(profile, seed, START_MS)
    for _ in range(2 * 24 * 4):
        model.advance(model.now_ms + 15 * MINUTE_MS)
        assert model.water is not None
        assert 0 <= model.water.level_ratio <= 1
        assert 0 <= model.power.charge_ratio <= 1
        assert model.power.solar_watts >= 0


def test_a_tank_without_pump_runs_dry_and_fills_again() -> None:
    """A pump failure of a day empties the tank; after the repair it fills."""
    profile = FacilityProfile(facility="here", mains=MainsProfile(), water=WaterProfile())
    model = FacilityModel(profile, 1, START_MS, story((EventKind.PUMP_FAILURE, 0, 36)))
    model.advance(START_MS + 36 * HOUR_MS - STEP_MS)
    assert model.water is not None
    assert model.water.level_ratio == 0
    model.advance(START_MS + 40 * HOUR_MS)
    assert model.water.level_ratio > 0.5


@given(st.integers(0, 2_000_000_000_000), st.integers(0, 100), st.floats(-180, 180))
def test_the_weather_has_no_steps(now_ms: int, seed: int, longitude: float) -> None:
    """A minute changes the air by a few hundredths of a degree, at midnight too; the sun shines 0 to 1."""
    climate = ClimateProfile(longitude=longitude)
    change = ambient_celsius(climate, seed, now_ms + MINUTE_MS) - ambient_celsius(climate, seed, now_ms)
    assert abs(change) < 0.05
    assert 0 <= sunshine_ratio(climate, seed, now_ms) <= 1


@given(st.lists(st.integers(0, 6 * HOUR_MS), max_size=8))
@settings(max_examples=20, deadline=None)
def test_the_state_does_not_depend_on_when_it_was_looked_at(moments: list[int]) -> None:
    """Advancing in many parts, also backwards ones, ends in the state of one advance."""
    profile = FacilityProfile(facility="here", mains=MainsProfile(), fridges=(FridgeProfile(type="domestic"),))
    once, often = FacilityModel(profile, 7, START_MS), FacilityModel(profile, 7, START_MS)
    for moment in moments:
        often.advance(START_MS + moment)
    once.advance(START_MS + 6 * HOUR_MS)
    often.advance(START_MS + 6 * HOUR_MS)
    assert once == often


def test_a_clock_that_leaps_costs_a_bounded_number_of_steps() -> None:
    """After a leap of years the model has lived through the last days only."""
    profile = FacilityProfile(facility="here", mains=MainsProfile(), fridges=(FridgeProfile(type="ice_lined"),))
    leapt = FacilityModel(profile, 7, START_MS)
    leapt.advance(START_MS + 3650 * DAY_MS)
    begun_late = FacilityModel(profile, 7, START_MS + 3650 * DAY_MS - LONGEST_ADVANCE_MS)
    begun_late.advance(START_MS + 3650 * DAY_MS)
    assert leapt == begun_late
