"""How long cold-chain appliances were within their limits, by the readings that come in live.

A usable reading covers the time up to the next one of any quality, at most the channel's interval times the journal's
cover factor, as in roll-ups and contract figures; it is counted when the next one comes. What is older than the newest
reading of its channel came late and counts nothing here: a counter may only grow.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, NamedTuple

from dashboards.figures.watched import is_probe
from domain.directory import Directory
from domain.reading import Reading

_MS: Final = timedelta(milliseconds=1)


class TimeInRange(NamedTuple):
    """Milliseconds that readings cover, and those of them that were within the limits."""

    observed_ms: float
    in_range_ms: float


@dataclass(slots=True)
class _Sum:
    observed_ms: float = 0
    in_range_ms: float = 0

    def time(self) -> TimeInRange:
        # In this order: what is added meanwhile must not make more in range than was observed.
        in_range_ms = self.in_range_ms
        return TimeInRange(self.observed_ms, in_range_ms)


@dataclass(slots=True)
class _Probe:
    """A temperature channel of an appliance, and what its newest reading said."""

    low: float
    high: float
    cover_ms: int
    facility: _Sum
    share: float
    """Which part of its appliance it stands for: those of one appliance share it."""
    own: _Sum
    at_ms: int
    usable: bool = False
    in_range: bool = False

    def take(self, at_ms: int, value: float | None, *, usable: bool) -> None:
        if at_ms <= self.at_ms:
            return
        if self.usable:
            covered_ms = min(at_ms - self.at_ms, self.cover_ms)
            self.own.observed_ms += covered_ms
            self.facility.observed_ms += covered_ms * self.share
            if self.in_range:
                self.own.in_range_ms += covered_ms
                self.facility.in_range_ms += covered_ms * self.share
        self.at_ms = at_ms
        self.usable = usable and value is not None
        self.in_range = self.usable and value is not None and self.low <= value <= self.high


class RangeWatch:
    """Adds up the time in range by channel and by facility as readings come in; nothing older than its start counts."""

    def __init__(self, directory: Callable[[], Directory], cover_factor: float, since_ms: int) -> None:
        self._directory, self._cover_factor, self._since_ms = directory, cover_factor, since_ms
        self._known: Directory | None = None
        self._probes: dict[str, _Probe | None] = {}
        """What each channel is by the present registry, found out when it is first heard; None: no probe."""
        self._sums: dict[str, _Sum] = {}
        self._facilities: dict[str, _Sum] = {}
        self._earlier: dict[str, _Probe | None] = {}

    def update(self, readings: Iterable[Reading]) -> None:
        """Take readings in order of arrival."""
        directory = self._directory()
        if directory is not self._known:
            self._known, self._earlier, self._probes = directory, {**self._earlier, **self._probes}, {}
        probes = self._probes
        for channel, at_ms, value, quality, _ in readings:  # every reading of the country passes here
            try:
                probe = probes[channel]
            except KeyError:
                probe = probes[channel] = self._found(directory, channel)
            if probe is not None:
                probe.take(at_ms, value, usable=quality.usable)

    def of_channel(self, channel: str) -> TimeInRange:
        """Return the time in range of a channel."""
        return self._sums.get(channel, _NOTHING).time()

    def of_facility(self, facility: str) -> TimeInRange:
        """Return the time in range of all appliances of a facility together."""
        return self._facilities.get(facility, _NOTHING).time()

    def _found(self, directory: Directory, id_: str) -> _Probe | None:
        earlier = self._earlier.pop(id_, None)
        channel = directory.channels.get(id_)
        if channel is None or channel.equipment in directory.out_of_service or not is_probe(channel, directory):
            return None
        probes = sum(
            each.equipment == channel.equipment and is_probe(each, directory)
            for each in directory.channels_of(channel.facility)
        )
        found = _Probe(
            low=channel.limits.get("low", -math.inf),
            high=channel.limits.get("high", math.inf),
            cover_ms=round(channel.interval / _MS * self._cover_factor),
            facility=self._facilities.setdefault(channel.facility, _Sum()),
            share=1 / probes,
            own=self._sums.setdefault(id_, _Sum()),
            at_ms=self._since_ms - 1,
        )
        if earlier is not None:
            found.at_ms, found.usable, found.in_range = earlier.at_ms, earlier.usable, earlier.in_range
        return found


_NOTHING: Final = _Sum()
