"""Calibration: what was found off is put right from its date on, and nothing else is touched."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from domain.errors import OperatorError
from domain.instant import to_ms
from domain.reading import Quality, Sample
from edge.calibration import Calibration, CalibrationBook, calibrated

MARCH, JUNE = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC)


def calibration(**fields: Any) -> Calibration:
    """Return a calibration of the fridge from March on, unless the test says otherwise."""
    usual = {"channel": "fridge", "offset": -0.4, "valid_from": MARCH, "author": "A. Okello"}
    return Calibration.model_validate(usual | fields)


def sample(value: float | None, at: datetime = JUNE, **fields: Any) -> Sample:
    """Return a sample of the fridge."""
    return Sample("fridge", to_ms(at), value)._replace(**fields)


def test_the_offset_is_added_from_its_date_on() -> None:
    """A sample of the moment of the calibration is corrected, one of the moment before is not."""
    book = CalibrationBook([calibration()])
    assert book.apply(sample(5.0, MARCH)).value == 4.6
    before = sample(5.0, MARCH)._replace(measured_at_ms=to_ms(MARCH) - 1)
    assert book.apply(before) is before


def test_the_latest_one_holds_whatever_the_order_in_the_file() -> None:
    """Each calibration replaces the one before; they do not add up."""
    book = CalibrationBook([calibration(offset=0.3, valid_from=JUNE), calibration()])
    assert [book.apply(sample(5.0, at)).value for at in (MARCH, JUNE)] == [4.6, 5.3]


def test_with_a_clock_that_is_not_trusted_the_latest_one_holds() -> None:
    """A node that believes to be in 1970 was calibrated all the same."""
    book = CalibrationBook([calibration(), calibration(offset=0.3, valid_from=JUNE)])
    lost = sample(5.0, datetime(1970, 1, 1, tzinfo=UTC))
    assert (book.apply(lost).value, book.apply(lost, trusted=False).value) == (5.0, 5.3)


def test_a_difference_of_temperatures_converts_as_a_difference() -> None:
    """An offset of 1.8 degrees Fahrenheit is one degree Celsius, not minus sixteen."""
    assert CalibrationBook([calibration(offset=1.8, unit="degF")]).apply(sample(5.0)).value == 6.0


def test_samples_in_other_units_are_corrected_in_the_canonical_one() -> None:
    """A sensor that speaks Fahrenheit is converted before, and its sample says so."""
    corrected = CalibrationBook([calibration()]).apply(sample(41.0, unit="degF"))
    assert (corrected.value, corrected.unit) == (4.6, "Cel")
    unknown = sample(41.0, unit="furlong")
    assert CalibrationBook([calibration()]).apply(unknown) is unknown


def test_a_corrected_value_stays_within_its_bounds() -> None:
    """A humidity that reads 99 % and was 3 % too low is 100 %, not 102 %."""
    book = CalibrationBook([calibration(offset=3.0, unit="%", scale=1.0, lowest=0.0, highest=1.0)])
    assert [book.apply(sample(value, unit="/")).value for value in (0.99, 0.5)] == [1.0, 0.53]


@pytest.mark.parametrize("quality", [Quality.BAD_VALUE, Quality.SENSOR_GONE, Quality.BUS_ERROR])
def test_what_has_no_value_gets_none(quality: Quality) -> None:
    """A missing value is not zero plus an offset."""
    missing = sample(None, quality=quality)
    assert CalibrationBook([calibration()]).apply(missing) is missing


@given(st.floats(-200, 150), st.text(min_size=1), st.sampled_from(list(Quality)))
def test_uncalibrated_samples_pass_unchanged(value: float, name: str, quality: Quality) -> None:
    """Not a digit of a channel that was never calibrated changes."""
    untouched = Sample(f"{name}!", to_ms(JUNE), value, quality)
    assert CalibrationBook([calibration()]).apply(untouched) is untouched


@given(st.floats(-50, 50), st.floats(0.5, 2), st.floats(-40, 60))
def test_a_corrected_value_leads_back_to_the_measured_one(offset: float, scale: float, value: float) -> None:
    """Correction loses nothing but digits that no sensor has."""
    corrected = calibration(offset=offset, scale=scale).correct(value)
    assert (corrected - offset) / scale == pytest.approx(value, abs=2e-6)


class Probe:
    """A driver with two channels."""

    channels: Sequence[str] = ("fridge", "freezer")
    closed = False

    async def read(self) -> list[Sample]:
        """Return both."""
        return [sample(5.0), sample(-18.0, name="freezer")]

    async def close(self) -> None:
        """Remember it."""
        self.closed = True


async def test_a_driver_is_wrapped_where_it_has_a_calibrated_channel() -> None:
    """Its other channels pass; a driver without a calibrated channel is left alone."""
    probe = Probe()
    wrapped = calibrated(probe, CalibrationBook([calibration()]))
    assert [each.value for each in await wrapped.read()] == [4.6, -18.0]
    assert wrapped.channels == probe.channels
    await wrapped.close()
    assert probe.closed
    assert calibrated(probe, CalibrationBook([calibration(channel="tank")])) is probe


def test_mistakes_are_said_in_words() -> None:
    """A channel that no driver has, and two calibrations of one moment, are refused by name."""
    with pytest.raises(OperatorError, match="freeezer"):
        CalibrationBook([calibration(channel="freeezer")]).check(Probe.channels)
    with pytest.raises(OperatorError, match="same moment"):
        CalibrationBook([calibration(), calibration(offset=1.0)]).check(Probe.channels)
    CalibrationBook([calibration(), calibration(valid_from=JUNE)]).check(Probe.channels)


@pytest.mark.parametrize(
    "wrong",
    [
        {"author": ""},
        {"valid_from": "2026-03-01T00:00:00"},
        {"scale": 0},
        {"offset": float("nan")},
        {"unit": "C"},
        {"lowest": 1.0, "highest": 0.0},
    ],
)
def test_a_calibration_says_who_when_and_by_how_much(wrong: dict[str, Any]) -> None:
    """Without an author, a date with a zone, or numbers that can be, it is refused."""
    with pytest.raises(ValidationError):
        calibration(**wrong)
