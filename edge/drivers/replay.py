"""Recorded readings as a sensor like any other, as fast as they were made, faster, or all at once."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, model_validator

from domain.instant import Clock
from domain.reading import Sample
from edge.drivers import DriverSettings
from edge.recordings import FORMATS, CsvMapping, mapping_of, replay_samples

__all__ = ["FORMATS", "CsvMapping", "ReplayDriver", "ReplaySettings", "create", "mapping_of", "replay_samples"]

READ_AT_ONCE = 1_000


class ReplaySettings(DriverSettings):
    """Which recordings to replay, and how fast."""

    driver: Literal["replay"] = "replay"
    files: tuple[Path, ...] = Field(min_length=1)
    mapping: CsvMapping
    """May carry ``format: qtag`` or ``format: esmi`` for the columns of a known recording."""
    speed: float | None = Field(default=None, gt=0)
    """How many times as fast as recorded; null means all at once."""

    @model_validator(mode="before")
    @classmethod
    def _complete_mapping(cls, found: Any) -> Any:
        mapping = found.get("mapping") if isinstance(found, dict) else None
        if isinstance(mapping, dict) and isinstance(mapping.get("format"), str) and mapping["format"] in FORMATS:
            fields = {key: value for key, value in mapping.items() if key != "format"}
            return found | {"mapping": mapping_of(mapping["format"], **fields)}
        return found


class ReplayDriver:
    """Hands out recorded samples with their original times, when they are due."""

    def __init__(self, samples: Iterable[Sample], clock: Clock, *, speed: float | None) -> None:
        self._samples = iter(samples)
        self._clock = clock
        self._speed = speed
        self._next: Sample | None = None
        self._began: tuple[int, int] | None = None
        """The clock's moment and the recording's moment of the first sample."""

    @property
    def channels(self) -> Sequence[str]:
        """A recording promises nothing before it is read."""
        return ()

    async def read(self) -> list[Sample]:
        """Return the samples that are due, at most ``READ_AT_ONCE``; raises as ``replay_samples`` does."""
        return await asyncio.to_thread(lambda: list(islice(self._due(), READ_AT_ONCE)))

    async def close(self) -> None:
        """Do nothing: the file closes with the last row."""

    def _due(self) -> Iterator[Sample]:
        if self._speed is None:
            yield from islice(self._samples, READ_AT_ONCE)
            return
        now_ms = self._clock.now_ms()
        while (sample := self._next or next(self._samples, None)) is not None:
            clock_ms, recorded_ms = self._began = self._began or (now_ms, sample.measured_at_ms)
            self._next = sample
            if sample.measured_at_ms - recorded_ms > (now_ms - clock_ms) * self._speed:
                return
            self._next = None
            yield sample


def create(settings: ReplaySettings, clock: Clock) -> ReplayDriver:
    """Return the driver; with a speed the rows of all files are brought into the order of their times first."""
    samples: Iterable[Sample] = replay_samples(settings.files, settings.mapping)
    if settings.speed is not None:
        samples = sorted(samples, key=lambda sample: sample.measured_at_ms)
    return ReplayDriver(samples, clock, speed=settings.speed)
