"""Every sensor of a node read once, for a person who stands in front of it."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

from domain.errors import VitalsError
from domain.instant import Clock
from domain.reading import Quality, Sample
from edge.calibration import CalibrationBook, calibrated
from edge.drivers import Driver, DriverSettings, create_driver
from edge.drivers.ds18b20 import W1_DEVICES, Ds18b20Settings, attached_probes, read_probe
from edge.findings import reasons_told
from edge.sampling import checked
from edge.settings import EdgeSettings


class Found(NamedTuple):
    """What one channel said, once."""

    channel: str
    driver: str
    sample: Sample | None
    """None where the driver had nothing to say about this channel."""
    reason: str
    """Why there is no value, or why it is in doubt; empty where all is well."""
    took_seconds: float
    """How long the whole driver took."""


class Probe(NamedTuple):
    """A 1-wire probe that is attached and stands in no settings."""

    device: str
    celsius: float | None
    reason: str


class Bench:
    """The drivers of a node, held open to be read again and again."""

    def __init__(self, drivers: Sequence[tuple[str, Driver | VitalsError]], clock: Clock) -> None:
        """``drivers`` by the name of their row; an error stands for a driver that could not be made."""
        self._drivers = drivers
        self._clock = clock

    async def read(self, timeout_seconds: float) -> list[Found]:
        """Return what every channel says; the drivers are read at the same time, each within the timeout."""
        found = await asyncio.gather(*(self._read(name, driver, timeout_seconds) for name, driver in self._drivers))
        return [each for of_driver in found for each in of_driver]

    async def close(self) -> None:
        """Let the hardware go."""
        drivers = [driver.close() for _, driver in self._drivers if not isinstance(driver, VitalsError)]
        await asyncio.gather(*drivers, return_exceptions=True)

    async def _read(self, name: str, driver: Driver | VitalsError, timeout_seconds: float) -> list[Found]:
        if isinstance(driver, VitalsError):
            return [self._failed("(all)", name, str(driver), 0.0)]
        started = time.monotonic()
        with reasons_told() as reasons:
            try:
                async with asyncio.timeout(timeout_seconds):
                    samples = [checked(sample) for sample in await driver.read()]
            except Exception as error:  # noqa: BLE001 - other people's hardware; whatever it raises is shown
                late = isinstance(error, TimeoutError)
                text = f"no answer within {timeout_seconds:g} s" if late else str(error) or type(error).__name__
                took = time.monotonic() - started
                return [self._failed(channel, name, text, took) for channel in driver.channels or ("(all)",)]
        took = time.monotonic() - started
        rows = [Found(sample.name, name, sample, reasons.get(sample.name, ""), took) for sample in samples]
        silent = set(driver.channels) - {sample.name for sample in samples}
        return rows + [Found(channel, name, None, "nothing to say yet", took) for channel in sorted(silent)]

    def _failed(self, channel: str, driver: str, reason: str, took_seconds: float) -> Found:
        sample = Sample(channel, self._clock.now_ms(), None, Quality.BUS_ERROR)
        return Found(channel, driver, sample, reason, took_seconds)


@asynccontextmanager
async def bench(settings: EdgeSettings, clock: Clock, scratch: Path) -> AsyncIterator[Bench]:
    """Hold the node's drivers open; what they remember is copied to ``scratch``, so that a running agent keeps its own.

    Raises ``OSError`` where a driver's memory cannot be copied.
    """
    apart = [_apart(each, scratch / str(number)) for number, each in enumerate(settings.own_drivers())]
    book = CalibrationBook(settings.calibrations)
    opened = Bench([(each.driver, _created(each, clock, book)) for each in apart], clock)
    try:
        yield opened
    finally:
        await opened.close()


def _created(settings: DriverSettings, clock: Clock, book: CalibrationBook) -> Driver | VitalsError:
    try:
        return calibrated(create_driver(settings, clock), book)
    except VitalsError as error:
        return error


def _apart(settings: DriverSettings, scratch: Path) -> DriverSettings:
    """Return the settings with a copy of the driver's state file in place of the one that the agent uses."""
    state = getattr(settings, "state", None)
    if not isinstance(state, Path):
        return settings
    scratch.mkdir(parents=True, exist_ok=True)
    if state.exists():
        shutil.copy(state, scratch / state.name)
    return settings.model_copy(update={"state": scratch / state.name})


async def unknown_probes(drivers: Iterable[DriverSettings]) -> list[Probe]:
    """Return the 1-wire probes that are attached and not configured, read one after the other."""
    configured = [each for each in drivers if isinstance(each, Ds18b20Settings)]
    known = {device for each in configured for device in each.probes}
    roots = sorted({each.root for each in configured} or {W1_DEVICES})
    return await asyncio.to_thread(lambda: [_probe(r, d) for r in roots for d in attached_probes(r) if d not in known])


def _probe(root: Path, device: str) -> Probe:
    answer = read_probe(root, device)
    return Probe(device, answer.celsius, "" if answer.celsius is not None else answer.finding.text)
