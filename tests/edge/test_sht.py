"""SHT3x and SHT4x: formulas and checksum of the datasheets, and every way in which the bus and the sensor fail."""

from __future__ import annotations

import json
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from domain.reading import Quality
from edge.drivers.sht import MODELS, ShtDriver, ShtSettings, checksum, create, decode, measure
from tests.edge.buses import PlayedBus
from tests.edge.clocks import JumpingClock
from tests.edge.expectations import FIXTURES, cases, expected, found


@pytest.mark.parametrize("case", cases("sht"))
async def test_a_recorded_talk_is_understood_as_expected(case: str) -> None:
    """A folder is a test case: the talk on the bus, and what each channel is worth."""
    folder = FIXTURES / "sht" / case
    settings = ShtSettings.model_validate(json.loads((folder / "settings.json").read_bytes()))
    bus = PlayedBus(folder)
    driver = ShtDriver(settings, JumpingClock(), bus.open)
    assert found(await driver.read()) == expected(folder)
    assert bus.finished
    await driver.close()


def test_the_time_of_a_measurement_is_waited_for() -> None:
    """Between command and answer lies the longest time that the datasheet gives a measurement."""
    waited: list[float] = []
    folder = FIXTURES / "sht" / "sht3x_room"
    settings = ShtSettings.model_validate(json.loads((folder / "settings.json").read_bytes()))
    measure(PlayedBus(folder).open, settings, waited.append)
    assert sum(waited) >= 0.0155


def test_the_checksum_is_the_one_of_the_datasheet() -> None:
    """The datasheet's example: the checksum of BE EF is 92."""
    assert checksum(b"\xbe\xef") == 0x92


@pytest.mark.parametrize(
    ("model", "raw", "celsius", "humidity"),
    [("sht3x", 0x6666, 25.0, 0.4), ("sht4x", 0x6666, 25.0, 0.44), ("sht3x", 0x8000, 42.501, 0.50001)],
)
def test_the_formulas_are_those_of_the_datasheets(model: str, raw: int, celsius: float, humidity: float) -> None:
    """Two fifths of the scale are 25 °C, and 40 % on an SHT3x but 44 % on an SHT4x."""
    word = raw.to_bytes(2) + bytes([checksum(raw.to_bytes(2))])
    findings = decode(MODELS[model], word + word)
    assert (findings["temperature"].value, findings["humidity"].value) == (celsius, humidity)


@given(st.integers(0, 0xFFFF), st.integers(0, 7), st.integers(0, 2))
def test_one_wrong_bit_is_never_believed(raw: int, bit: int, at: int) -> None:
    """A bit that changed on its way costs the value."""
    word = bytearray(raw.to_bytes(2) + bytes([checksum(raw.to_bytes(2))]))
    word[at] ^= 1 << bit
    findings = decode(MODELS["sht3x"], bytes(word) + bytes(word))
    assert {finding.value for finding in findings.values()} == {None}


@given(st.sampled_from(sorted(MODELS)), st.binary(max_size=8))
def test_no_bytes_do_worse_than_be_marked(model: str, answer: bytes) -> None:
    """Whatever comes from the bus, what comes out lies within what the sensor measures, or has no value."""
    findings = decode(MODELS[model], answer)
    assert findings["temperature"].value is None or -40 <= findings["temperature"].value <= 125
    assert findings["humidity"].value is None or 0 <= findings["humidity"].value <= 1


async def test_a_bus_that_is_not_there_is_the_bus() -> None:
    """Without the I2C device, with the real library, it is the bus that does not work."""
    pytest.importorskip("smbus2", reason="smbus2 is not installed")
    settings = ShtSettings(model="sht4x", bus=63, channels={"room": "temperature"})
    (sample,) = await create(settings, JumpingClock()).read()
    assert sample.quality is Quality.BUS_ERROR


@pytest.mark.parametrize(
    "wrong", [{"address": 0x50}, {"model": "sht2x"}, {"channels": {"a": "pressure"}}, {"channels": {}}]
)
def test_settings_that_cannot_work_are_refused(wrong: dict[str, object]) -> None:
    """Addresses, models and measures that the sensor does not have are refused."""
    make = partial(ShtSettings.model_validate, {"model": "sht3x", "channels": {"a": "humidity"}} | wrong)
    with pytest.raises(ValidationError):
        make()
