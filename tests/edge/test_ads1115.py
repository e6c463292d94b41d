"""Analogue inputs: two-point calibration, and what currents and voltages beyond their ends mean."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from domain.reading import Quality
from edge.drivers.ads1115 import Ads1115Driver, Ads1115Settings, AnalogInput, create, setting_for
from tests.edge.buses import PlayedBus
from tests.edge.clocks import JumpingClock
from tests.edge.expectations import FIXTURES, cases, expected, found

LOOP: dict[str, Any] = {
    "input": 0,
    "signal": "4-20mA",
    "shunt_ohms": 150,
    "quantity": "tank_level",
    "unit": "%",
    "points": [{"raw": 4, "value": 0}, {"raw": 20, "value": 100}],
}
ENDS = [{"raw": 0, "value": 0}, {"raw": 10, "value": 100}]
VOLTS = LOOP | {"signal": "0-10V", "shunt_ohms": None, "divider": 4, "points": ENDS}


@pytest.mark.parametrize("case", cases("ads1115"))
async def test_a_recorded_talk_is_understood_as_expected(case: str) -> None:
    """A folder is a test case: the talk on the bus, and what each channel is worth."""
    folder = FIXTURES / "ads1115" / case
    settings = Ads1115Settings.model_validate(json.loads((folder / "settings.json").read_bytes()))
    bus = PlayedBus(folder)
    driver = Ads1115Driver(settings, JumpingClock(), bus.open)
    assert found(await driver.read()) == expected(folder)
    assert bus.finished
    await driver.close()


@pytest.mark.parametrize(
    ("milliamperes", "quality", "level"),
    [
        (0.0, Quality.SENSOR_GONE, None),
        (3.79, Quality.SENSOR_GONE, None),
        (3.81, Quality.GOOD, 0.0),
        (4.0, Quality.GOOD, 0.0),
        (8.0, Quality.GOOD, 0.25),
        (20.0, Quality.GOOD, 1.0),
        (20.49, Quality.GOOD, 1.0),
        (20.51, Quality.BAD_VALUE, None),
        (24.0, Quality.BAD_VALUE, None),
    ],
)
def test_a_current_loop_keeps_to_its_limits(milliamperes: float, quality: Quality, level: float | None) -> None:
    """3.8 to 20.5 mA measure; less is a broken wire, more a failure that the sensor reports."""
    finding = AnalogInput.model_validate(LOOP).judge(milliamperes / 1000 * 150)
    assert (finding.quality, finding.value) == (quality, level)


@given(st.floats(4, 20), st.floats(-50, 50), st.floats(60, 120))
def test_two_points_make_a_line(milliamperes: float, low: float, high: float) -> None:
    """At the points it is their values, and between them in proportion."""
    points = [{"raw": 4, "value": low}, {"raw": 20, "value": high}]
    wanted = AnalogInput.model_validate(LOOP | {"quantity": "temperature", "unit": "Cel", "points": points})
    value = wanted.judge(milliamperes / 1000 * 150).value
    assert value == pytest.approx(low + (milliamperes - 4) / 16 * (high - low), abs=1e-3)


@given(st.one_of(st.floats(-10, 10), st.just(float("nan"))))
def test_no_voltage_does_worse_than_be_marked(volts: float) -> None:
    """Whatever the converter sees, what comes out lies within what the quantity can be."""
    for fields in (LOOP, VOLTS):
        value = AnalogInput.model_validate(fields).judge(volts).value
        assert value is None or 0 <= value <= 1


@pytest.mark.parametrize(("shunt", "full"), [(150, 4.096), (90, 2.048), (10, 0.256), (5, 0.256)])
def test_the_finest_range_that_shows_the_signal_is_taken(shunt: float, full: float) -> None:
    """The converter's resolution is used as far as the signal allows."""
    assert setting_for(AnalogInput.model_validate(LOOP | {"shunt_ohms": shunt})).full_volts == full


async def test_a_bus_that_is_not_there_is_the_bus() -> None:
    """Without the I2C device, with the real library, it is the bus that does not work."""
    pytest.importorskip("smbus2", reason="smbus2 is not installed")
    settings = Ads1115Settings.model_validate({"bus": 63, "channels": {"tank": LOOP}})
    (sample,) = await create(settings, JumpingClock()).read()
    assert sample.quality is Quality.BUS_ERROR


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"shunt_ohms": 250}, "smaller shunt"),
        ({"shunt_ohms": None}, "goes with shunt_ohms"),
        ({"signal": "0-10V"}, "goes without"),
        ({"signal": "0-10V", "shunt_ohms": None}, "larger divider"),
        ({"unit": "Cel"}, "tank_level comes in"),
        ({"quantity": "level"}, "a quantity is one of"),
        ({"points": [{"raw": 4, "value": 0}, {"raw": 4, "value": 1}]}, "same raw value"),
        ({"input": 4}, "Input should be 0, 1, 2 or 3"),
    ],
)
def test_settings_that_cannot_work_are_refused_in_words(wrong: dict[str, Any], message: str) -> None:
    """What a technician may get wrong, also with a soldering iron, is answered with what is allowed."""
    with pytest.raises(ValidationError, match=message):
        Ads1115Settings.model_validate({"channels": {"tank": LOOP | wrong}})


def test_an_input_belongs_to_one_channel() -> None:
    """Two channels on one input are a typing error."""
    with pytest.raises(ValidationError, match="same input"):
        Ads1115Settings.model_validate({"channels": {"a": LOOP, "b": LOOP}})
