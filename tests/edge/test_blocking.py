"""Blocking calls: they come back with their outcome, and those that hang hold up nothing."""

from __future__ import annotations

import threading

import pytest

from domain.errors import OperatorError
from edge.hardware.blocking import Lane
from edge.hardware.libraries import hardware_library


async def test_results_and_errors_come_back() -> None:
    """The outcome of the call is the outcome of the wait, again and again."""
    lane = Lane("port")
    assert [await lane.run(lambda: 42, timeout_seconds=5) for _ in range(3)] == [42, 42, 42]
    with pytest.raises(ZeroDivisionError):
        await lane.run(lambda: 1 // 0, timeout_seconds=5)
    assert await lane.run(lambda: "again", timeout_seconds=5) == "again"


async def test_a_call_that_hangs_costs_one_thread() -> None:
    """While a call hangs no other is started; when it comes back late, its answer is thrown away."""
    lane, release, ended = Lane("a port that hangs"), threading.Event(), threading.Event()

    def hang() -> str:
        release.wait()
        ended.set()
        return "too late"

    with pytest.raises(TimeoutError, match="did not answer within"):
        await lane.run(hang, timeout_seconds=0.01)
    for _ in range(3):
        with pytest.raises(TimeoutError, match="has not come back"):
            await lane.run(lambda: "refused", timeout_seconds=5)
    # Of this lane: threads of others come and go.
    assert [thread.name for thread in threading.enumerate()].count("a port that hangs") == 1
    release.set()
    ended.wait()
    while (outcome := await _unless_busy(lane)) is None:
        pass
    assert outcome == "next"


async def _unless_busy(lane: Lane) -> str | None:
    try:
        return await lane.run(lambda: "next", timeout_seconds=5)
    except TimeoutError:
        return None


def test_a_missing_library_is_named_with_its_remedy() -> None:
    """Where a hardware library is missing, the message has the command that installs it."""
    with pytest.raises(OperatorError, match=r"pip install 'vitals\[i2c\]'"):
        hardware_library("no_such_library_of_ours", extra="i2c")
