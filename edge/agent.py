"""The agent of one node: a loop per driver, a loop that publishes, and an outbox between them."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from functools import partial
from importlib.metadata import version

from domain.instant import SECOND_MS, Clock
from domain.reading import Sample
from edge.calibration import CalibrationBook, calibrated
from edge.drivers import Driver, create_driver
from edge.intake import Intake
from edge.outbox import CannotKeepError, Outbox
from edge.publisher import Publisher
from edge.sampling import clock_is_set, next_slot_ms, read_driver
from edge.service_manager import ServiceManager
from edge.settings import EdgeSettings
from edge.status_keeper import StatusKeeper
from edge.timekeeper import Timekeeper

logger = logging.getLogger(__name__)

RESTART_SECONDS = 5.0
CLOSE_SECONDS = 0.1

Companion = Callable[[], Awaitable[None]]
"""Something that runs beside measuring and publishing, and never returns by itself."""
Observer = Callable[[Sequence[Sample]], None]
"""Is shown what a driver has measured, as soon as that is on its way to the disk."""
Signal = Callable[[float], Awaitable[None]]
"""Makes the node seen or heard for so many seconds, so that a person finds it."""


class Agent:
    """Owns its drivers and its outbox from the start of ``run`` to its end."""

    def __init__(
        self,
        settings: EdgeSettings,
        *,
        clock: Clock,
        drivers: Sequence[Driver],
        outbox: Outbox,
        publisher: Publisher,
        companions: Sequence[Companion] = (),
        timekeeper: Timekeeper | None = None,
    ) -> None:
        self.settings = settings
        self.outbox = outbox
        self.publisher = publisher
        self._clock = clock
        self._drivers = drivers
        self._turns = {id(driver): asyncio.Lock() for driver in drivers}
        self.companions = list(companions)
        self.observers: list[Observer] = []
        self.signals: list[Signal] = []
        self._timekeeper = timekeeper
        self._intake = Intake(outbox, sources=len(drivers), kept=publisher.wake, timekeeper=timekeeper)
        self._interval_ms = max(1, round(settings.interval.total_seconds() * SECOND_MS))

    async def run(self) -> None:
        """Measure and publish until cancelled; then close the drivers and the outbox, within a second."""
        try:
            async with asyncio.TaskGroup() as tasks:
                for work in (self._intake.run, self.publisher.run, *self.companions):
                    tasks.create_task(self._again_and_again(work), name=f"{self.settings.node}: {_name(work)}")
                for driver in self._drivers:
                    name = f"{self.settings.node}: sample {type(driver).__name__}"
                    tasks.create_task(self._sample(driver), name=name)
        finally:
            await self._close()

    async def _sample(self, driver: Driver) -> None:
        slot_ms: int | None = None
        while True:
            now_ms = self._clock.now_ms()
            slot_ms = next_slot_ms(now_ms, slot_ms, self._interval_ms)
            await self._clock.sleep((slot_ms - now_ms) / SECOND_MS)
            if self._timekeeper is not None or clock_is_set(self._clock.now_ms()):
                await self._sample_once(driver)
            else:
                logger.warning("%s: the clock is not set; nothing is measured", self.settings.node)

    async def _sample_once(self, driver: Driver) -> list[Sample]:
        async with self._turns[id(driver)]:
            since = self._intake.mark()
            samples = await read_driver(driver, self._clock)
            self._intake.offer(id(driver), samples, since)
        for observe in self.observers:
            observe(samples)
        return samples

    async def sample_now(self) -> list[Sample]:
        """Read every driver out of turn, keep what it says, and return it."""
        read = await asyncio.gather(*(self._sample_once(driver) for driver in self._drivers))
        return [sample for samples in read for sample in samples]

    def put_again(self, samples: Iterable[Sample]) -> None:
        """Keep readings with absolute times that were sent before; blocks on the disk. Raises ``CannotKeepError``."""
        mark = self._intake.mark()
        offset_ms = mark.offset_ms if mark else 0
        self.outbox.put([sample._replace(measured_at_ms=sample.measured_at_ms - offset_ms) for sample in samples])

    def clock_trusted(self) -> bool:
        """Tell whether the times of readings are those of day."""
        return _is_trusted(self._clock)

    async def _again_and_again(self, work: Companion) -> None:
        while True:
            try:
                await work()
            except Exception:
                # A full disk, a damaged file: measuring goes on, and this is tried again.
                logger.exception("%s: %s failed; again in %s s", self.settings.node, _name(work), RESTART_SECONDS)
            await asyncio.sleep(RESTART_SECONDS)

    async def _close(self) -> None:
        for driver in self._drivers:
            with suppress(TimeoutError):
                async with asyncio.timeout(CLOSE_SECONDS):
                    await driver.close()
        await self._intake.flush()
        await asyncio.to_thread(self.outbox.close)


def _name(work: Companion) -> str:
    return getattr(work, "__qualname__", repr(work))


def _is_trusted(clock: Clock | Timekeeper) -> bool:
    return clock.trusted if isinstance(clock, Timekeeper) else clock_is_set(clock.now_ms())


def build_agent(
    settings: EdgeSettings,
    clock: Clock | Timekeeper,
    *,
    chance: Callable[[], float] = random.random,
    manager: ServiceManager | None = None,
) -> Agent:
    """Return the agent for these settings, with its outbox open.

    With a ``Timekeeper`` as its clock it keeps readings by the time since the machine started, and gives them the time
    of day when that is known; any other clock is believed as it is.

    Raises ``OperatorError`` where the outbox cannot be opened, and what a driver raises that cannot start.
    """
    timekeeper = clock if isinstance(clock, Timekeeper) else None

    clock_trusted = partial(_is_trusted, clock)
    book = CalibrationBook(settings.calibrations)
    drivers = [
        calibrated(create_driver(each, clock), book, clock_trusted=clock_trusted) for each in settings.own_drivers()
    ]
    book.check(name for driver in drivers for name in driver.channels)
    publish = settings.publish
    outbox = Outbox.open(
        settings.outbox,
        batch_readings=publish.batch_readings,
        live_for_ms=round(publish.live_for.total_seconds() * SECOND_MS),
        keep=settings.keep,
        timeline=timekeeper.timeline if timekeeper else None,
    )
    if timekeeper is not None:
        with suppress(CannotKeepError):  # the first round tries again
            timekeeper.look(outbox)
    publisher = Publisher(
        outbox,
        node=settings.node,
        broker=settings.broker,
        settings=publish,
        clock=clock,
        version=version("vitals"),
        chance=chance,
        outbox_ms=timekeeper.elapsed_ms if timekeeper else None,
    )
    keeper = StatusKeeper(
        settings,
        outbox=outbox,
        link=publisher.link,
        clock=clock,
        version=version("vitals"),
        clock_trusted=clock_trusted,
        manager=manager or ServiceManager(),
    )
    return Agent(
        settings,
        clock=clock,
        drivers=drivers,
        outbox=outbox,
        publisher=publisher,
        companions=[keeper.run],
        timekeeper=timekeeper,
    )
