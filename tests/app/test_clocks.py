"""The clocks: the machine's, one that runs faster, and the one that tests move by hand."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.clock import TOLERANCE_MS, Beat, ScaledClock, SteadyClock, SystemClock
from app.stories.clock import HandClock
from app.timekeeping import resumed
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


@dataclass
class Machine:
    """The two clocks of a machine: people set one, nobody the other."""

    wall_ms: int = 1_000_000
    elapsed_ms: int = 0

    def steady(self) -> SteadyClock:
        """Return a clock on this machine."""
        return SteadyClock(lambda: self.wall_ms, lambda: self.elapsed_ms)

    def run(self, milliseconds: int, *, slewed: int = 0) -> None:
        """Let time pass, with the wall clock going a little wrong or right meanwhile."""
        self.wall_ms += milliseconds + slewed
        self.elapsed_ms += milliseconds


@given(
    jump_ms=st.integers(-(10**12), 10**12).filter(lambda jump_ms: abs(jump_ms) > TOLERANCE_MS),
    ran_ms=st.integers(0, 10**9),
)
def test_a_jump_of_the_machine_is_not_shown_before_it_is_followed(jump_ms: int, ran_ms: int) -> None:
    """Time goes on as if nobody had set the clock; then all of the jump at once."""
    machine = Machine()
    clock = machine.steady()
    machine.run(500)
    assert (clock.now_ms(), clock.jump_ms) == (machine.wall_ms, 0)
    machine.wall_ms += jump_ms
    machine.run(ran_ms)
    assert (clock.now_ms(), clock.jump_ms) == (1_000_500 + ran_ms, jump_ms)
    clock.follow()
    assert (clock.now_ms(), clock.jump_ms) == (machine.wall_ms, 0)


@given(st.lists(st.integers(-TOLERANCE_MS, TOLERANCE_MS), max_size=50))
def test_small_corrections_are_the_machines_business(corrections: list[int]) -> None:
    """A clock that is set right bit by bit never jumps, however much it adds up to."""
    machine = Machine(wall_ms=10**9)
    clock = machine.steady()
    for correction in corrections:
        machine.run(60_000, slewed=correction)
        assert (clock.now_ms(), clock.jump_ms) == (machine.wall_ms, 0)


@pytest.mark.parametrize(
    ("now", "same_boot", "jump_ms"),
    [
        (Beat(1_060_000, 160_000), True, 0),
        (Beat(8_260_000, 160_000), True, 7_200_000),
        (Beat(400_000, 160_000), True, -660_000),
        (Beat(8_260_000, 5_000), False, 0),
        (Beat(8_260_000, 5_000), True, 0),
        (Beat(0, 5_000), False, -1_000_000),
    ],
    ids=[
        "a minute later",
        "set on while the service was away",
        "set back while the service was away",
        "the machine was off for two hours",
        "a container with the same boot id on a machine that was off",
        "a machine without a battery begins in 1970",
    ],
)
def test_what_happened_to_the_clock_while_the_service_was_away(now: Beat, same_boot: bool, jump_ms: int) -> None:
    """Within one start of the machine a jump is seen; over a restart only that time cannot go back."""
    machine = Machine(now.wall_ms, now.elapsed_ms)
    clock = machine.steady()
    clock.begin_from(resumed(Beat(1_000_000, 100_000), same_boot=same_boot, now=now))
    assert clock.jump_ms == jump_ms
