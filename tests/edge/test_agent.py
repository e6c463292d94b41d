"""The agent: every driver is read on time, none stalls another, and stopping is clean."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.reading import Quality, Sample
from edge.agent import Agent, build_agent
from edge.outbox import Outbox
from edge.publisher import Publisher
from edge.sampling import checked, next_slot_ms
from edge.settings import EdgeSettings
from tests.edge.clocks import START_MS, JumpingClock

MINUTE_MS = 60_000


class FakeDriver:
    """Measures 1.0 each time, or does what its test wants."""

    def __init__(self, name: str, clock: JumpingClock, *, failure: str = "", times: int = 1000) -> None:
        self.name = name
        self.closed = False
        self.enough = asyncio.Event()
        self._clock = clock
        self._failure = failure
        self._times = times

    @property
    def channels(self) -> Sequence[str]:
        """Return its one channel."""
        return (self.name,)

    async def read(self) -> list[Sample]:
        """Return one sample, raise, or never return."""
        self._times -= 1
        if self._times <= 0:
            self.enough.set()
        if self._failure == "hangs":
            await asyncio.Event().wait()
        if self._failure:
            raise OSError(self._failure)
        return [Sample(self.name, self._clock.now_ms(), 1.0)]

    async def close(self) -> None:
        """Remember that it was closed."""
        self.closed = True


def agent_with(tmp_path: Path, clock: JumpingClock, *drivers: FakeDriver) -> Agent:
    """Return an agent with these drivers whose broker is nowhere."""
    settings = EdgeSettings.model_validate(
        {
            "node": "n1",
            "broker": "mqtt://127.0.0.1:1",
            "outbox": tmp_path / "outbox.sqlite",
            "interval": timedelta(minutes=1),
            "drivers": [{"driver": "ds18b20", "probes": {"28-0316a2795dff": "unused"}}],
        }
    )
    outbox = Outbox.open(settings.outbox)
    publisher = Publisher(
        outbox, node="n1", broker=settings.broker, settings=settings.publish, clock=clock, version="0"
    )
    return Agent(settings, clock=clock, drivers=drivers, outbox=outbox, publisher=publisher)


async def run_until(agent: Agent, *events: asyncio.Event) -> None:
    """Run the agent until all events happened, then stop it within a second."""
    task = asyncio.create_task(agent.run())
    async with asyncio.timeout(30):
        for event in events:
            await event.wait()
    task.cancel()
    done, _ = await asyncio.wait({task}, timeout=1.0)
    assert done == {task}
    assert task.cancelled()


def kept(tmp_path: Path) -> list[Sample]:
    """Return what the outbox has after the agent ended."""
    outbox = Outbox.open(tmp_path / "outbox.sqlite", batch_readings=10_000)
    batches = outbox.next_batches(START_MS, 2)
    samples = [sample for batch in batches for sample in outbox.samples(batch.seq)]
    outbox.close()
    return sorted(samples, key=lambda sample: sample.measured_at_ms)


async def test_drivers_are_read_at_every_full_interval(tmp_path: Path) -> None:
    """Readings fall on multiples of the interval, without gaps, and are kept."""
    clock = JumpingClock(START_MS + 12_345)
    driver = FakeDriver("a", clock, times=50)
    await run_until(agent_with(tmp_path, clock, driver), driver.enough)
    moments = [sample.measured_at_ms for sample in kept(tmp_path)]
    first = START_MS + MINUTE_MS
    assert len(moments) >= 49
    assert moments == [first + index * MINUTE_MS for index in range(len(moments))]
    assert driver.closed


@pytest.mark.parametrize("failure", ["it burns", "hangs"])
async def test_a_bad_driver_stalls_no_other(tmp_path: Path, failure: str) -> None:
    """One driver raises or hangs for ever; the other goes on."""
    clock = JumpingClock()
    good, bad = FakeDriver("good", clock, times=20), FakeDriver("bad", clock, failure=failure)
    await run_until(agent_with(tmp_path, clock, good, bad), good.enough)
    assert sum(sample.name == "good" for sample in kept(tmp_path)) >= 19


async def test_what_a_driver_raises_is_a_bus_error_of_its_channels(tmp_path: Path) -> None:
    """The centre sees that the sensor cannot be read, not a gap."""
    clock = JumpingClock()
    bad = FakeDriver("bad", clock, failure="it burns", times=5)
    await run_until(agent_with(tmp_path, clock, bad), bad.enough)
    samples = kept(tmp_path)
    assert len(samples) >= 4
    assert {(sample.name, sample.value, sample.quality) for sample in samples} == {("bad", None, Quality.BUS_ERROR)}


async def test_nothing_is_measured_before_the_clock_is_set(tmp_path: Path) -> None:
    """A machine that believes it is 1970 makes no readings that would be misread as relative times."""
    clock = JumpingClock(0)
    driver = FakeDriver("a", clock, times=1)
    agent = agent_with(tmp_path, clock, driver)
    task = asyncio.create_task(agent.run())
    await clock.reach(60 * MINUTE_MS)
    assert not driver.enough.is_set()
    clock.moment_ms = START_MS
    await driver.enough.wait()
    task.cancel()
    await asyncio.wait({task})


async def test_an_agent_is_built_from_its_settings(tmp_path: Path) -> None:
    """Drivers come from the table, the outbox from its path, and everything closes again."""
    settings = EdgeSettings.model_validate(
        {
            "node": "n1",
            "broker": "mqtt://127.0.0.1:1",
            "outbox": tmp_path / "deep" / "outbox.sqlite",
            "drivers": [{"driver": "ds18b20", "root": tmp_path, "probes": {"28-0316a2795dff": "fridge"}}],
        }
    )
    clock = JumpingClock()
    task = asyncio.create_task(build_agent(settings, clock).run())
    await clock.reach(START_MS + 3 * MINUTE_MS)
    task.cancel()
    await asyncio.wait({task})
    reopened = Outbox.open(tmp_path / "deep" / "outbox.sqlite")
    (batch, *_) = reopened.next_batches(START_MS, 2)
    assert {(s.name, s.quality) for s in reopened.samples(batch.seq)} == {("fridge", Quality.SENSOR_GONE)}
    reopened.close()


@given(now_ms=st.integers(0, 2**45), interval_ms=st.integers(1, 10**7), early_ms=st.integers(0, 50))
def test_slots_are_aligned_ahead_and_never_twice(now_ms: int, interval_ms: int, early_ms: int) -> None:
    """The next slot is a multiple of the interval, ahead, at most two away; firing early does not repeat it."""
    slot_ms = next_slot_ms(now_ms, None, interval_ms)
    assert slot_ms % interval_ms == 0
    assert now_ms < slot_ms <= now_ms + interval_ms
    after_ms = next_slot_ms(slot_ms - min(early_ms, interval_ms), slot_ms, interval_ms)
    assert after_ms != slot_ms
    assert after_ms <= slot_ms + interval_ms


@given(last_ms=st.integers(10**12, 10**13), back_ms=st.integers(10**9, 10**11))
def test_a_clock_that_was_set_back_is_followed(last_ms: int, back_ms: int) -> None:
    """Nobody waits for the old time to come again."""
    now_ms = last_ms - back_ms
    assert next_slot_ms(now_ms, last_ms, MINUTE_MS) <= now_ms + 2 * MINUTE_MS


@pytest.mark.parametrize(
    ("value", "quality", "expected"),
    [
        (1.0, Quality.GOOD, (1.0, Quality.GOOD)),
        (1.0, Quality.UNCERTAIN, (1.0, Quality.UNCERTAIN)),
        (float("nan"), Quality.GOOD, (None, Quality.BAD_VALUE)),
        (float("inf"), Quality.UNCERTAIN, (None, Quality.BAD_VALUE)),
        (None, Quality.GOOD, (None, Quality.BAD_VALUE)),
        (5.0, Quality.SENSOR_GONE, (None, Quality.SENSOR_GONE)),
        (None, Quality.BUS_ERROR, (None, Quality.BUS_ERROR)),
    ],
)
def test_a_value_stands_exactly_where_it_is_usable(
    value: float | None, quality: Quality, expected: tuple[float | None, Quality]
) -> None:
    """Drivers may be careless; what leaves the node is not."""
    sample = checked(Sample("a", START_MS, value, quality))
    assert (sample.value, sample.quality) == expected
