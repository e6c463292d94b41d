"""When the service looks for garbage."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from app.garbage import keep_tidy


class Knot:
    """Something that only looking for garbage finds."""

    def __init__(self) -> None:
        self.self = self


@asynccontextmanager
async def tidy(**seconds: float) -> AsyncIterator[None]:
    """Keep tidy while the block runs."""
    task = asyncio.create_task(keep_tidy(asyncio.get_running_loop().time, new_seconds=0.01, **seconds))
    await asyncio.sleep(0)
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _goes(knot: weakref.ref[Knot]) -> bool:
    for _ in range(2000):
        if knot() is None:
            return True
        await asyncio.sleep(0.01)
    return False


async def test_what_is_new_and_garbage_goes_within_seconds() -> None:
    """A cycle that nobody holds any more is found though Python itself looks at nothing old."""
    async with tidy():
        assert await _goes(weakref.ref(Knot()))


async def test_what_became_garbage_later_goes_with_the_look_at_everything() -> None:
    """What outlived a look is not looked at again before everything is."""
    knot = Knot()
    async with tidy(all_seconds=3600):
        await asyncio.sleep(0.1)
        old = weakref.ref(knot)
        del knot
        await asyncio.sleep(0.1)
        assert old() is not None
    knot = Knot()
    async with tidy(all_seconds=0.2):
        await asyncio.sleep(0.1)
        old = weakref.ref(knot)
        del knot
        assert await _goes(old)


async def test_python_looks_as_before_when_the_service_ends() -> None:
    """Nothing stays set aside, and the thresholds are those of before."""
    before = gc.get_threshold()
    async with tidy():
        assert gc.get_threshold() != before
    assert gc.get_threshold() == before
    assert gc.get_freeze_count() == 0


@pytest.fixture(autouse=True)
def _leave_nothing() -> None:
    gc.collect()
