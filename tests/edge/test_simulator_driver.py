"""The simulator as a driver: a row in the table, samples on the clock, the same series after a restart."""

from __future__ import annotations

from datetime import UTC, datetime

from domain.instant import HOUR_MS, MINUTE_MS, to_ms
from domain.reading import Sample
from edge.drivers import DRIVERS, Driver, create_driver
from edge.drivers.simulator import SimulatorSettings
from edge.simulation.profile import FacilityProfile, FridgeProfile, GeneratorProfile, MainsProfile, WaterProfile

START = datetime(2026, 11, 20, 9, tzinfo=UTC)
PROFILE = FacilityProfile(
    facility="hospital",
    area="north",
    mains=MainsProfile(),
    generator=GeneratorProfile(),
    fridges=(FridgeProfile(type="ice_lined", reports_compressor=True),),
    water=WaterProfile(),
    reports_signal=True,
)


class HandClock:
    """A clock that a test moves."""

    def __init__(self, now_ms: int) -> None:
        self.moment_ms = now_ms

    def now_ms(self) -> int:
        """Return where the test has put it."""
        return self.moment_ms

    async def sleep(self, seconds: float) -> None:
        """Move on at once."""
        self.moment_ms += round(seconds * 1000)


async def series(driver: Driver, clock: HandClock, from_ms: int, minutes: int) -> list[Sample]:
    """Return what the driver reports in each of the minutes."""
    samples: list[Sample] = []
    for minute in range(minutes):
        clock.moment_ms = from_ms + minute * MINUTE_MS
        samples += await driver.read()
    return samples


def simulator(seed: int = 1, started: datetime | None = START, *, at_ms: int = 0) -> tuple[Driver, HandClock]:
    """Return a driver made at a moment, and its clock."""
    clock = HandClock(at_ms or to_ms(START))
    return create_driver(SimulatorSettings(profile=PROFILE, seed=seed, story_start=started), clock), clock


async def test_one_reading_of_every_channel_on_the_clock() -> None:
    """A read reports each channel once, with the clock's moment."""
    driver, clock = simulator()
    samples = await driver.read()
    await driver.close()
    assert [sample.name for sample in samples] == list(driver.channels)
    assert {sample.measured_at_ms for sample in samples} == {clock.moment_ms}
    assert all(sample.value is not None and sample.quality.usable for sample in samples)


async def test_same_seed_same_series() -> None:
    """Two runs of one seed are equal to the last digit; another seed differs."""
    runs = []
    for seed in (1, 1, 2):
        driver, clock = simulator(seed)
        runs.append(await series(driver, clock, to_ms(START), 180))
    assert runs[0] == runs[1] != runs[2]


async def test_a_restart_goes_on_where_the_story_is() -> None:
    """A driver made hours into the story continues the series of one that was there from the start."""
    driver, clock = simulator()
    whole = await series(driver, clock, to_ms(START), 300)
    late_ms = to_ms(START) + 4 * HOUR_MS
    restarted, clock = simulator(at_ms=late_ms)
    assert await series(restarted, clock, late_ms, 60) == [s for s in whole if s.measured_at_ms >= late_ms]


async def test_without_a_story_nothing_goes_wrong() -> None:
    """A simulator without a start of the story keeps its mains for a day."""
    driver, clock = simulator(started=None)
    samples = await series(driver, clock, to_ms(START), 24 * 60)
    assert {sample.value for sample in samples if sample.name == "mains/supply"} == {1.0}


async def test_the_mains_fail_and_the_generator_takes_over() -> None:
    """Told of an outage, the voltage is nothing and the generator runs a moment later."""
    driver, clock = simulator()
    samples = await series(driver, clock, to_ms(START) + 30 * MINUTE_MS, 1)
    values = {sample.name: sample.value for sample in samples}
    assert (values["mains/voltage"], values["mains/supply"], values["generator/running"]) == (0.0, 0.0, 1.0)


async def test_the_thermometer_speaks_in_steps_of_its_conversion() -> None:
    """Temperatures are multiples of the DS18B20's sixteenth of a degree."""
    driver, clock = simulator()
    samples = await series(driver, clock, to_ms(START), 60)
    temperatures = [s.value for s in samples if s.name.endswith("/temperature") and s.value is not None]
    assert len(temperatures) == 120
    assert all((value * 16).is_integer() for value in temperatures)


def test_settings_are_found_by_the_name_of_the_driver() -> None:
    """The row in the table leads to these settings, and their JSON form reads back."""
    settings = SimulatorSettings(profile=PROFILE, story_start=START)
    assert DRIVERS["simulator"].settings_class().model_validate(settings.model_dump(mode="json")) == settings
