"""What a driver found out about one channel, and how it becomes a sample."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from math import isfinite
from typing import NamedTuple

from domain.instant import Clock
from domain.quantities import QUANTITIES
from domain.reading import Quality, Sample

_told: ContextVar[dict[str, str] | None] = ContextVar("told", default=None)


@contextmanager
def reasons_told() -> Iterator[Mapping[str, str]]:
    """Collect, by channel, the reasons that drivers tell while they are read inside this block."""
    told: dict[str, str] = {}
    token = _told.set(told)
    try:
        yield told
    finally:
        _told.reset(token)


def tell_reason(channel: str, reason: str) -> None:
    """Say why a channel has no value, or a doubtful one, to whoever reads the driver to show it to a person."""
    told = _told.get()
    if told is not None and reason:
        told[channel] = reason


class Finding(NamedTuple):
    """A value with its quality, or why there is none."""

    quality: Quality
    value: float | None = None
    """In the canonical unit of the channel's quantity; None exactly where the quality is not usable."""
    reason: str = ""
    """Why the value is missing or in doubt; the same words for the same cause."""
    found: str = ""
    """What was found instead; for the log, may differ at every read."""


def measured(quantity: str, value: float) -> Finding:
    """Return the value, or ``bad_value`` where it lies outside of what the quantity can be."""
    row = QUANTITIES[quantity]
    if not isfinite(value):
        return bad_value("not a finite number", str(value))
    if not row.lowest <= value <= row.highest:
        return bad_value(f"outside {row.lowest:g}..{row.highest:g} {row.unit.symbol}", f"{value:g}")
    return Finding(Quality.GOOD, value)


def uncertain(value: float, reason: str) -> Finding:
    """Return a value that there is a reason to doubt."""
    return Finding(Quality.UNCERTAIN, value, reason)


def bad_value(reason: str, found: str = "") -> Finding:
    """Return that the sensor answered with something that cannot be true."""
    return Finding(Quality.BAD_VALUE, None, reason, found)


def sensor_gone(reason: str, found: str = "") -> Finding:
    """Return that the bus works and the sensor does not answer."""
    return Finding(Quality.SENSOR_GONE, None, reason, found)


def bus_error(reason: str, found: str = "") -> Finding:
    """Return that the bus, port or connection does not work."""
    return Finding(Quality.BUS_ERROR, None, reason, found)


class Reporter:
    """Turns findings into samples, and logs each channel's trouble when it begins, changes and ends."""

    def __init__(self, clock: Clock, quantities: Mapping[str, str], logger: logging.Logger) -> None:
        self._clock = clock
        self._units = {channel: QUANTITIES[quantity].unit.symbol for channel, quantity in quantities.items()}
        self._logger = logger
        self._reasons: dict[str, str] = {}

    @property
    def channels(self) -> tuple[str, ...]:
        """Return the names of the channels that there are findings about."""
        return tuple(self._units)

    def samples(self, findings: Mapping[str, Finding]) -> list[Sample]:
        """Return one sample per finding, measured now, in the canonical unit and saying so."""
        now_ms = self._clock.now_ms()
        return [self.sample(channel, finding, now_ms) for channel, finding in findings.items()]

    def sample(self, channel: str, finding: Finding, measured_at_ms: int) -> Sample:
        """Return the sample of one finding."""
        self._log(channel, finding)
        tell_reason(channel, f"{finding.reason} (found {finding.found})" if finding.found else finding.reason)
        return Sample(channel, measured_at_ms, finding.value, finding.quality, self._units[channel])

    def all(self, finding: Finding) -> list[Sample]:
        """Return the same finding for every channel: the bus is down, the device is silent."""
        return self.samples(dict.fromkeys(self._units, finding))

    def _log(self, channel: str, finding: Finding) -> None:
        if self._reasons.get(channel, "") == finding.reason:
            return
        self._reasons[channel] = finding.reason
        if finding.reason:
            found = f" (found {finding.found})" if finding.found else ""
            self._logger.warning("%s: %s: %s%s", channel, finding.quality.label, finding.reason, found)
        else:
            self._logger.info("%s: measured again", channel)
