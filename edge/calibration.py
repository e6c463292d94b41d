"""What a sensor was found to be off by, when, and by whom; applied to samples in this one place."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from domain.errors import OperatorError
from domain.instant import to_ms
from domain.reading import Sample
from domain.units import UNITS, UNITS_BY_SYMBOL
from edge.drivers import ChannelName, Driver

DECIMALS = 6
"""Finer than any sensor; what binary fractions add behind would travel over the network."""


class Calibration(BaseModel):
    """One comparison of a channel with a reference; holds from its date until the channel's next one.

    True value = measured value x scale + offset, in the canonical unit of the channel's quantity.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    channel: ChannelName
    offset: float = Field(default=0.0, allow_inf_nan=False)
    """Added to what is measured; a difference, in ``unit``."""
    scale: float = Field(default=1.0, gt=0, allow_inf_nan=False)
    unit: str | None = None
    """The unit of the offset, as ``Cel``, ``degF`` or ``%``; without it the canonical one."""
    lowest: float | None = None
    """A corrected value below this is this one: a humidity stays above 0."""
    highest: float | None = None
    """A corrected value above this is this one: a humidity stays below 1."""
    valid_from: AwareDatetime
    author: str = Field(min_length=1, max_length=80)
    """Who compared."""
    reason: str = Field(default="", max_length=400)
    """With what, and why."""

    @model_validator(mode="after")
    def _makes_sense(self) -> Calibration:
        if self.unit is not None and self.unit not in UNITS_BY_SYMBOL:
            raise ValueError(f"a unit is one of {', '.join(UNITS_BY_SYMBOL)}; found {self.unit!r}")
        if self.lowest is not None and self.highest is not None and self.lowest >= self.highest:
            raise ValueError("lowest is not below highest")
        return self

    def correct(self, value: float) -> float:
        """Return the true value for a measured one, both in the canonical unit."""
        # A difference of two temperatures converts by the scale alone.
        step = 1.0 if self.unit is None else UNITS_BY_SYMBOL[self.unit].scale
        corrected = round(value * self.scale + self.offset * step, DECIMALS)
        if self.lowest is not None:
            corrected = max(corrected, self.lowest)
        return corrected if self.highest is None else min(corrected, self.highest)


class CalibrationBook:
    """All calibrations of a node, by channel and date."""

    def __init__(self, calibrations: Iterable[Calibration]) -> None:
        pages: dict[str, list[Calibration]] = {}
        for calibration in sorted(calibrations, key=lambda each: each.valid_from):
            pages.setdefault(calibration.channel, []).append(calibration)
        self._pages: Mapping[str, Sequence[Calibration]] = pages

    @property
    def channels(self) -> frozenset[str]:
        """Return the channels that were ever calibrated."""
        return frozenset(self._pages)

    def check(self, channels: Iterable[str]) -> None:
        """Raise ``OperatorError`` where a calibration is of none of these channels, or two begin at the same moment."""
        if unknown := sorted(self.channels - set(channels)):
            raise OperatorError(f"calibrated channels that no driver measures: {', '.join(unknown)}")
        for channel, page in self._pages.items():
            if len({each.valid_from for each in page}) < len(page):
                raise OperatorError(f"{channel} has two calibrations from the same moment on")

    def find(self, channel: str, measured_at_ms: int, *, trusted: bool = True) -> Calibration | None:
        """Return the calibration that held at this moment.

        Where the clock is not ``trusted`` it is the latest one: what is measured now was measured after all of them.
        """
        page = self._pages.get(channel, ())
        held = [each for each in page if not trusted or to_ms(each.valid_from) <= measured_at_ms]
        return held[-1] if held else None

    def apply(self, sample: Sample, *, trusted: bool = True) -> Sample:
        """Return the sample corrected, in the canonical unit; one without a value or calibration as it is."""
        calibration = self.find(sample.name, sample.measured_at_ms, trusted=trusted)
        if calibration is None or sample.value is None or not sample.quality.usable:
            return sample
        if sample.unit is None:
            return sample._replace(value=calibration.correct(sample.value))
        unit = UNITS_BY_SYMBOL.get(sample.unit)
        if unit is None:  # the collector refuses it anyway, with the reason
            return sample
        corrected = calibration.correct(unit.to_canonical(sample.value))
        return sample._replace(value=corrected, unit=UNITS[unit.canonical].symbol)


class CalibratedDriver:
    """A driver whose samples are corrected before anybody sees them."""

    def __init__(self, driver: Driver, book: CalibrationBook, clock_trusted: Callable[[], bool]) -> None:
        self._driver = driver
        self._book = book
        self._clock_trusted = clock_trusted

    @property
    def channels(self) -> Sequence[str]:
        """Return the channels of the driver."""
        return self._driver.channels

    async def read(self) -> list[Sample]:
        """Return the driver's samples, corrected."""
        samples = await self._driver.read()
        trusted = self._clock_trusted()
        return [self._book.apply(sample, trusted=trusted) for sample in samples]

    async def close(self) -> None:
        """Close the driver."""
        await self._driver.close()


def calibrated(driver: Driver, book: CalibrationBook, *, clock_trusted: Callable[[], bool] = lambda: True) -> Driver:
    """Return the driver with its samples corrected; the driver itself where none of its channels was calibrated."""
    if book.channels.isdisjoint(driver.channels):
        return driver
    return CalibratedDriver(driver, book, clock_trusted)
