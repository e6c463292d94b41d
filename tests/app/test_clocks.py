"""The clocks: the machine's, one that runs faster, and the one that tests move by hand."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.clock import ScaledClock, SystemClock
from app.stories.clock import HandClock
from domain.instant import Clock


def test_the_system_clock_shows_the_machines_time() -> None:
    """Milliseconds since 1970."""
    before = time.time_ns() // 1_000_000
    assert before <= SystemClock().now_ms() <= time.time_ns() // 1_000_000


@given(speed=st.floats(0.1, 600), seconds=st.floats(0, 1e6))
def test_a_scaled_clock_runs_as_much_faster(speed: float, seconds: float) -> None:
    """From its start on, machine seconds count ``speed`` times."""
    shown = [100.0]
    clock = ScaledClock(5_000, speed, monotonic=lambda: shown[0])
    assert clock.now_ms() == 5_000
    shown[0] = 100.0 + seconds
    assert clock.now_ms() == pytest.approx(5_000 + seconds * speed * 1000, abs=1 + seconds * speed * 1e-3)


@pytest.mark.parametrize("speed", [0.0, -1.0])
def test_a_scaled_clock_runs_forward(speed: float) -> None:
    """A speed that makes no sense is refused."""
    with pytest.raises(ValueError, match="allowed: above 0"):
        ScaledClock(0, speed)


@pytest.mark.parametrize("clock", [SystemClock(), ScaledClock(0, 600.0)])
async def test_sleeping_lets_the_clock_come_so_far(clock: Clock) -> None:
    """After sleeping, at least that much time has passed on the clock itself."""
    before = clock.now_ms()
    await clock.sleep(0.02)
    assert clock.now_ms() - before >= 19


async def test_who_sleeps_on_the_hand_clock_wakes_in_order() -> None:
    """The hand wakes exactly those whose time has come, the earliest first."""
    clock, woken = HandClock(1_000), []

    async def sleep(seconds: float) -> None:
        await clock.sleep(seconds)
        woken.append(seconds)

    sleepers = [asyncio.create_task(sleep(seconds)) for seconds in (3, 1, 2, 60, 0)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert (woken, clock.next_due_ms) == ([0], 2_000)
    clock.move(timedelta(seconds=3))
    await asyncio.gather(*(sleepers[index] for index in (0, 1, 2)))
    assert (woken, clock.next_due_ms) == ([0, 1, 2, 3], 61_000)
    sleepers[3].cancel()
    await asyncio.gather(sleepers[3], return_exceptions=True)
    assert clock.next_due_ms is None


def test_the_hand_does_not_move_back() -> None:
    """Time that runs backwards would be a mistake of the test."""
    clock = HandClock(1_000)
    clock.move_to(1_000)
    with pytest.raises(ValueError, match="does not move back"):
        clock.move_to(999)
