"""Newest values: by event time, whatever the order of arrival, and told to readers without waiting for them."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.latest import Latest
from domain.reading import Quality, Reading


def reading(channel: str, measured_at_ms: int, value: float = 1.0) -> Reading:
    """Return a good reading."""
    return Reading(channel, measured_at_ms, value, Quality.GOOD, measured_at_ms)


def test_late_and_repeated_readings_change_nothing() -> None:
    """A value never moves back, and the same moment again is no change."""
    latest = Latest()
    assert latest.update([reading("a", 2), reading("b", 1)]) == {"a", "b"}
    assert not latest.update([reading("a", 1, 9.0), reading("a", 2, 9.0)])
    assert latest.get("a") == reading("a", 2)
    assert latest.get("c") is None


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 20)), max_size=30))
def test_the_order_and_grouping_of_arrival_do_not_matter(arrived: list[tuple[str, int]]) -> None:
    """One by one, or shuffled in one go: the newest is the newest."""
    one_by_one, at_once = Latest(), Latest()
    readings = [reading(channel, at_ms, float(at_ms)) for channel, at_ms in arrived]
    for item in readings:
        one_by_one.update([item])
    at_once.update(sorted(readings, key=lambda item: (item.value or 0.0, item.channel)))
    assert dict(one_by_one.readings) == dict(at_once.readings)
    assert {channel: kept.measured_at_ms for channel, kept in at_once.readings.items()} == {
        channel: max(at_ms for name, at_ms in arrived if name == channel) for channel, _ in arrived
    }


async def test_a_slow_reader_gets_all_changes_joined() -> None:
    """However much happened between two steps, it is one set of channels."""
    latest = Latest()
    with latest.subscribe() as changes:
        for moment in range(1_000):
            latest.update([reading("a", moment), reading(f"b{moment % 3}", moment)])
        assert await anext(changes) == {"a", "b0", "b1", "b2"}
        latest.update([reading("a", 5_000)])
        assert await anext(changes) == {"a"}


async def test_each_reader_sees_every_change_and_no_late_data() -> None:
    """Readers are independent, and data that change no newest value wake nobody."""
    latest = Latest()
    latest.update([reading("a", 10)])
    with latest.subscribe() as first, latest.subscribe() as second:
        latest.update([reading("a", 5)])
        waiting = asyncio.ensure_future(anext(first))
        await asyncio.sleep(0)
        assert not waiting.done()
        latest.update([reading("a", 11)])
        assert await waiting == {"a"}
        assert await anext(second) == {"a"}


async def test_closing_ends_the_iteration_and_the_bookkeeping() -> None:
    """A reader that is waiting when it is closed ends, and nothing is collected for it any more."""
    latest = Latest()
    changes = latest.subscribe()
    waiting = asyncio.ensure_future(anext(changes, None))
    await asyncio.sleep(0)
    changes.close()
    assert await waiting is None
    latest.update([reading("a", 1)])
    with pytest.raises(StopAsyncIteration):
        await anext(changes)
