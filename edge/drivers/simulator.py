"""The simulator as a driver like any other: a node configured with it measures a facility that does not exist."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from pydantic import AwareDatetime

from domain.instant import Clock, to_ms
from domain.reading import Sample
from edge.drivers import DriverSettings
from edge.simulation.facility import FacilityModel
from edge.simulation.profile import FacilityProfile
from edge.simulation.sensors import observe, sensors_of
from edge.simulation.story import QUIET, Story


class SimulatorSettings(DriverSettings):
    """Which facility to simulate, and from when on the story of what goes wrong is told."""

    driver: Literal["simulator"] = "simulator"
    profile: FacilityProfile
    seed: int = 1
    story_start: AwareDatetime | None = None
    """Without it nothing goes wrong."""


class SimulatorDriver:
    """Advances a facility to the clock's moment and reads its sensors."""

    def __init__(self, model: FacilityModel, clock: Clock) -> None:
        self._model = model
        self._sensors = sensors_of(model.profile)
        self._clock = clock

    @property
    def channels(self) -> Sequence[str]:
        """Return the names of all its sensors."""
        return [sensor.name for sensor in self._sensors]

    async def read(self) -> list[Sample]:
        """Return one sample of every sensor, measured now."""
        now_ms = self._clock.now_ms()
        self._model.advance(now_ms)
        return observe(self._model, self._sensors, now_ms)

    async def close(self) -> None:
        """Nothing is held open."""


def create(settings: SimulatorSettings, clock: Clock) -> SimulatorDriver:
    """Return the driver; with a story, the facility has lived since its start, so that a restart changes no series."""
    story = story_of(settings.seed, settings.story_start)
    begin_ms = clock.now_ms() if settings.story_start is None else min(story.start_ms, clock.now_ms())
    return SimulatorDriver(FacilityModel(settings.profile, settings.seed, begin_ms, story), clock)


def story_of(seed: int, story_start: datetime | None) -> Story:
    """Return the story that simulated facilities with these settings share."""
    return QUIET if story_start is None else Story(to_ms(story_start), seed)
