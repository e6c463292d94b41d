"""When a driver is read, and what becomes of its answer."""

from __future__ import annotations

import asyncio
import logging
from math import isfinite

from domain.instant import Clock
from domain.reading import Quality, Sample
from domain.senml_labels import ABSOLUTE_FROM_MS
from edge.drivers import Driver

logger = logging.getLogger(__name__)

READ_TIMEOUT_SECONDS = 60.0
"""In real time: hardware that hangs does so in real time."""


def next_slot_ms(now_ms: int, last_slot_ms: int | None, interval_ms: int) -> int:
    """Return the next multiple of the interval.

    A timer that fires a little early does not give a slot twice; a clock that was set back does not wait for the old
    time to come again.
    """
    slot_ms = now_ms - now_ms % interval_ms + interval_ms
    fired_early = last_slot_ms is not None and slot_ms == last_slot_ms
    return slot_ms + interval_ms if fired_early else slot_ms


def clock_is_set(now_ms: int) -> bool:
    """Tell whether the moment can be one of ours: a machine without a battery starts in 1970."""
    return now_ms >= ABSOLUTE_FROM_MS


async def read_driver(driver: Driver, clock: Clock) -> list[Sample]:
    """Return the driver's samples; what it raises, and silence, becomes a bus error of all its channels."""
    try:
        async with asyncio.timeout(READ_TIMEOUT_SECONDS):
            return [checked(sample) for sample in await driver.read()]
    except Exception as error:
        # The boundary around other people's hardware: whatever it raises must not end the loop.
        logger.exception("reading %s failed: %s", type(driver).__name__, error)  # noqa: TRY401 - the name and the reason in one line
        now_ms = clock.now_ms()
        return [Sample(name, now_ms, None, Quality.BUS_ERROR) for name in driver.channels]


def checked(sample: Sample) -> Sample:
    """Return the sample with a value exactly where there is a usable one."""
    if not sample.quality.usable:
        return sample if sample.value is None else sample._replace(value=None)
    if sample.value is None or not isfinite(sample.value):
        return sample._replace(value=None, quality=Quality.BAD_VALUE)
    return sample
