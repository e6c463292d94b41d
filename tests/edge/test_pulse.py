"""Pulse counters: every pulse once, no bounce, and a count that survives restarts, full disks and lost chips."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from edge.drivers.pulse import PULSE_STATE, PulseCounter, PulseDriver, PulseSettings, create
from edge.hardware.lines import Edge
from edge.state_file import StateFile
from tests.edge.clocks import JumpingClock
from tests.edge.expectations import FIXTURES, cases, found
from tests.edge.lines import PlayedLine, play, written

WATER: dict[str, Any] = {"line": 17, "litres_per_pulse": 10.0, "total": "water/volume"}


def settings(tmp_path: Path, **fields: Any) -> PulseSettings:
    """Return settings for a water meter, unless the test says otherwise."""
    return PulseSettings.model_validate(WATER | {"state": tmp_path / "pulses.json"} | fields)


def driver(configured: PulseSettings, line: PlayedLine) -> PulseDriver:
    """Return a driver of a played line."""
    return PulseDriver(configured, JumpingClock(), line.open, StateFile(configured.state, PULSE_STATE))


def pulse(line: PlayedLine, times: int = 1) -> None:
    """Let the meter's contact close and open, as slowly as it does."""
    for _ in range(times):
        for level in ("low", "high"):
            line.at_s += 0.1
            line.happen(level)
    line.at_s += 0.1


@pytest.mark.parametrize("case", cases("pulse"))
async def test_a_recorded_timeline_is_counted_as_expected(case: str, tmp_path: Path) -> None:
    """A folder is a test case: what the line did, and every sample of the driver."""
    folder = FIXTURES / "pulse" / case

    def make(fields: dict[str, Any], clock: JumpingClock, line: PlayedLine) -> PulseDriver:
        configured = PulseSettings.model_validate(fields | {"state": tmp_path / "pulses.json"})
        return PulseDriver(configured, clock, line.open, StateFile(configured.state, PULSE_STATE))

    assert written(await play(folder, make)) == (folder / "expected.txt").read_text(encoding="utf-8")


async def test_the_count_goes_on_after_a_restart(tmp_path: Path) -> None:
    """What was reported is on the disk, whether the process ended in order or not; so is what came after, in order."""
    line = PlayedLine(high=True)
    for ends_in_order, total in ((True, 0.0), (False, 20.0), (True, 30.0)):
        counting = driver(settings(tmp_path), line)
        assert found(await counting.read()) == {"water/volume": ("good", total)}
        pulse(line)
        assert found(await counting.read()) == {"water/volume": ("good", total + 10.0)}
        if ends_in_order:
            pulse(line)
            await counting.close()
        line.close()


async def test_another_start_begins_anew(tmp_path: Path) -> None:
    """A meter that was exchanged begins from what the new one shows; the same settings never begin twice."""
    line = PlayedLine(high=True)
    for starts_at, total in ((0.0, 0.0), (500.0, 500.0), (500.0, 510.0)):
        counting = driver(settings(tmp_path, starts_at=starts_at), line)
        assert found(await counting.read()) == {"water/volume": ("good", total)}
        pulse(line)
        await counting.close()


async def test_another_worth_of_a_pulse_leaves_the_past_alone(tmp_path: Path) -> None:
    """Correcting the litres per pulse does not multiply what was counted before."""
    line = PlayedLine(high=True)
    for litres, total in ((10.0, 0.0), (1.0, 10.0), (1.0, 11.0)):
        counting = driver(settings(tmp_path, litres_per_pulse=litres), line)
        assert found(await counting.read()) == {"water/volume": ("good", total)}
        pulse(line)
        await counting.close()


async def test_a_disk_that_takes_nothing_makes_the_total_uncertain(tmp_path: Path) -> None:
    """Where the count cannot be kept it is said; when it can be again, nothing is missing."""
    in_the_way = tmp_path / "pulses.json.new"
    in_the_way.mkdir()
    line = PlayedLine(high=True)
    counting = driver(settings(tmp_path), line)
    await counting.read()
    pulse(line, 2)
    assert found(await counting.read()) == {"water/volume": ("uncertain", 20.0)}
    in_the_way.rmdir()
    assert found(await counting.read()) == {"water/volume": ("good", 20.0)}
    line.close()
    assert found(await driver(settings(tmp_path), line).read()) == {"water/volume": ("good", 20.0)}


async def test_a_count_that_cannot_be_read_is_not_replaced_by_nothing(tmp_path: Path) -> None:
    """While the disk does not give the count back there is no total; the pulses meanwhile are added later."""
    path = tmp_path / "pulses.json"
    path.mkdir()
    line = PlayedLine(high=True)
    counting = driver(settings(tmp_path), line)
    for _ in range(2):
        assert found(await counting.read()) == {"water/volume": ("bad_value", None)}
        pulse(line)
    path.rmdir()
    path.write_text('{"total": 700.0, "starts_at": 0.0}')
    assert found(await counting.read()) == {"water/volume": ("good", 720.0)}


async def test_a_missing_chip_is_the_bus(tmp_path: Path) -> None:
    """Without the GPIO device, with the real library, it is the bus that does not work."""
    pytest.importorskip("gpiod", reason="gpiod is not installed")
    counting = create(settings(tmp_path, chip="/nowhere/gpiochip9", rate="water/flow"), JumpingClock())
    assert set(found(await counting.read()).values()) == {("bus_error", None)}
    await counting.close()


@given(st.lists(st.tuples(st.integers(25, 500), st.integers(25, 500), st.integers(0, 6)), max_size=30))
def test_every_pulse_counts_once_however_it_bounces(story: list[tuple[int, int, int]]) -> None:
    """Contacts that close and open for longer than the debounce count once each, with any bounces at their edges."""
    counter, at_ns, millisecond = PulseCounter(high=True, counts_high=False, quiet_ns=20_000_000), 0, 1_000_000
    for closed_ms, open_ms, bounces in story:
        for lasts_ms, high in ((closed_ms, False), (open_ms, True)):
            for bounce in range(bounces):
                counter.edge(Edge(at_ns + 2 * bounce * millisecond, high))
                counter.edge(Edge(at_ns + (2 * bounce + 1) * millisecond, not high))
            at_ns += 2 * bounces * millisecond
            counter.edge(Edge(at_ns, high))
            at_ns += lasts_ms * millisecond
    assert counter.harvest(at_ns) == len(story)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"watt_hours_per_pulse": 1}, "either litres_per_pulse"),
        ({"litres_per_pulse": None}, "either litres_per_pulse"),
        ({"litres_per_pulse": 0}, "greater than 0"),
        ({"rate": "water/volume"}, "two channels"),
        ({"starts_at": -1}, "greater than or equal to 0"),
    ],
)
def test_settings_that_cannot_work_are_refused_in_words(wrong: dict[str, Any], message: str, tmp_path: Path) -> None:
    """What a technician may get wrong is answered with what is allowed."""
    with pytest.raises(ValidationError, match=message):
        settings(tmp_path, **wrong)
