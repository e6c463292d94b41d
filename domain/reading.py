"""Readings: what a node measured (a sample), and what the service keeps of it (a reading)."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple


class Quality(IntEnum):
    """How far a value can be trusted; everything from ``BAD_VALUE`` on carries no usable value."""

    GOOD = 0
    UNCERTAIN = 1
    """There is a value, and a reason to doubt it (a sensor out of calibration, a repaired time)."""
    BAD_VALUE = 2
    """The sensor answered with something that cannot be true (85.000 at power-on, a failed checksum)."""
    SENSOR_GONE = 3
    """The bus works and the sensor does not answer."""
    BUS_ERROR = 4
    """The bus, port or connection to the sensor does not work."""

    @property
    def usable(self) -> bool:
        """Tell whether rules may judge the value."""
        return self <= Quality.UNCERTAIN

    @property
    def label(self) -> str:
        """Return the word used on the wire, in stores and in the API: ``sensor_gone``."""
        return self.name.lower()


QUALITY_BY_LABEL: dict[str, Quality] = {quality.label: quality for quality in Quality}


class Sample(NamedTuple):
    """One measurement as a node knows it: under the node's own name for the channel."""

    name: str
    measured_at_ms: int
    value: float | None
    """None exactly where the quality is not usable."""
    quality: Quality = Quality.GOOD
    unit: str | None = None
    """SenML unit symbol; None means the canonical unit of the channel's quantity."""


class Reading(NamedTuple):
    """One value of one channel, in the canonical unit of the channel's quantity."""

    channel: str
    """The registry's id of the channel."""
    measured_at_ms: int
    """Event time: when the sensor was read."""
    value: float | None
    quality: Quality
    received_at_ms: int
    """Arrival: when the collector took it."""


class Batch(NamedTuple):
    """What one message carries: samples of one node, with the identity that its receipt names.

    A batch from a foreign device has no epoch and no sequence number, and gets no receipt.
    """

    node: str
    epoch: str | None
    """Names one life of the node's outbox, so that a wiped node never reuses an identity."""
    seq: int | None
    samples: tuple[Sample, ...]
