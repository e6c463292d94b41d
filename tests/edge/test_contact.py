"""Contacts: every change at its moment, no bounce, and the seconds in between."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from edge.drivers.contact import ContactDriver, ContactSettings, Watch, create
from edge.hardware.lines import Edge
from tests.edge.clocks import JumpingClock
from tests.edge.expectations import FIXTURES, cases, found
from tests.edge.lines import PlayedLine, play, written

DOOR: dict[str, Any] = {"line": 27, "channel": "fridge/door", "quantity": "door", "normally": "closed"}


@pytest.mark.parametrize("case", cases("contact"))
async def test_a_recorded_timeline_is_read_as_expected(case: str) -> None:
    """A folder is a test case: what the line did, and every sample of the driver."""
    folder = FIXTURES / "contact" / case

    def make(fields: dict[str, Any], clock: JumpingClock, line: PlayedLine) -> ContactDriver:
        return ContactDriver(ContactSettings.model_validate(fields), clock, line.open)

    assert written(await play(folder, make)) == (folder / "expected.txt").read_text(encoding="utf-8")


async def test_a_missing_chip_is_the_bus() -> None:
    """Without the GPIO device, with the real library, it is the bus that does not work."""
    pytest.importorskip("gpiod", reason="gpiod is not installed")
    driver = create(ContactSettings.model_validate(DOOR | {"chip": "/nowhere/gpiochip9"}), JumpingClock())
    assert found(await driver.read()) == {"fridge/door": ("bus_error", None)}
    await driver.close()


@pytest.mark.parametrize(
    ("normally", "closed_is", "high", "active"),
    [
        ("open", "low", True, False),
        ("open", "low", False, True),
        ("closed", "low", True, True),
        ("closed", "low", False, False),
        ("open", "high", True, True),
        ("closed", "high", True, False),
    ],
)
def test_wiring_decides_what_a_level_means(normally: str, closed_is: str, high: bool, active: bool) -> None:
    """The value is 1 where the contact does not stand as it normally does, whichever way it is wired."""
    fields = DOOR | {"normally": normally, "closed_is": closed_is, "pull": "none"}
    assert ContactSettings.model_validate(fields).is_active(high=high) is active


@given(st.lists(st.integers(60, 90_000), min_size=1, max_size=40), st.integers(1, 20))
def test_open_and_shut_seconds_add_up(steps_ms: list[int], reads: int) -> None:
    """However often a door is read, the seconds open are those between its openings and closings."""
    settings = ContactSettings.model_validate(DOOR)
    watch, at_ns, open_s, told_s = Watch(settings, high=False, now_ns=0), 0, 0.0, 0.0
    for number, step_ms in enumerate(steps_ms):
        watch.edge(Edge(at_ns, number % 2 == 0))
        at_ns += step_ms * 1_000_000
        open_s += step_ms / 1000 if number % 2 == 0 else 0.0
        if number % reads == 0:
            watch.look(high=number % 2 == 0, now_ns=at_ns)
            told_s += watch.active_seconds(at_ns)
    watch.look(high=len(steps_ms) % 2 == 1, now_ns=at_ns)
    assert told_s + watch.active_seconds(at_ns) == pytest.approx(open_s)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"seconds": "fridge/door"}, "two channels"),
        ({"pull": "down"}, "closed_is: high"),
        ({"quantity": "temperature"}, "door"),
        ({"normally": "shut"}, "closed"),
        ({"debounce_ms": 0}, "greater than or equal to 1"),
    ],
)
def test_settings_that_cannot_work_are_refused_in_words(wrong: dict[str, Any], message: str) -> None:
    """What a technician may get wrong is answered with what is allowed."""
    with pytest.raises(ValidationError, match=message):
        ContactSettings.model_validate(DOOR | wrong)
