"""How long cold-chain appliances were within their limits, by the readings that come in live.

A usable reading covers the time up to the next one of any quality, at most the channel's interval times the journal's
cover factor, as in roll-ups and contract figures; it is counted when the next one comes. What is older than the newest
reading of its channel came late and counts nothing here: a counter may only grow.
"""

from __future__ import annotations

import math
from collections import defaultdict
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
class _Probe:
    """A temperature channel of an appliance: what its newest reading said, and what came together before."""

    facility: str
    share: float
    """Which part of its appliance it stands for: those of one appliance share it."""
    at_ms: int
    low: float = -math.inf
    high: float = math.inf
    cover_ms: int = 0
    in_range: bool | None = None
    """None: the newest reading cannot be used."""
    observed_ms: int = 0
    in_range_ms: int = 0

    def take(self, at_ms: int, value: float | None) -> None:
        passed_ms = at_ms - self.at_ms
        if passed_ms <= 0:
            return
        if self.in_range is not None:
            # In this order, and read in the other: never more in range than was observed.
            covered_ms = min(passed_ms, self.cover_ms)
            self.observed_ms += covered_ms
            if self.in_range:
                self.in_range_ms += covered_ms
        self.at_ms = at_ms
        self.in_range = None if value is None else self.low <= value <= self.high


class RangeWatch:
    """Adds up the time in range by channel and by facility as readings come in; nothing older than its start counts."""

    def __init__(self, directory: Callable[[], Directory], cover_factor: float, since_ms: int) -> None:
        self._directory, self._cover_factor, self._since_ms = directory, cover_factor, since_ms
        self._known: Directory | None = None
        self._probes: dict[str, _Probe | None] = {}
        """What each channel is by the present registry, found out when it is first heard; None: no probe."""
        self._of_channel: defaultdict[str, list[_Probe]] = defaultdict(list)
        self._of_facility: defaultdict[str, list[_Probe]] = defaultdict(list)
        """Also what they were before, so that no sum ever falls."""

    def update(self, readings: Iterable[Reading]) -> None:
        """Take readings in order of arrival."""
        directory = self._directory()
        if directory is not self._known:
            self._known, self._probes = directory, {}
        probes = self._probes
        for channel, at_ms, value, _, _ in readings:  # every reading of the country passes here
            try:
                probe = probes[channel]
            except KeyError:
                probe = probes[channel] = self._found(directory, channel)
            if probe is not None:
                probe.take(at_ms, value)

    def of_channel(self, channel: str) -> TimeInRange:
        """Return the time in range of a channel."""
        probes = self._of_channel.get(channel, ())
        in_range_ms = sum([each.in_range_ms for each in probes])
        return TimeInRange(sum([each.observed_ms for each in probes]), in_range_ms)

    def of_facility(self, facility: str) -> TimeInRange:
        """Return the time in range of all appliances of a facility together."""
        probes = self._of_facility.get(facility, ())
        in_range_ms = sum([each.in_range_ms * each.share for each in probes])
        return TimeInRange(sum([each.observed_ms * each.share for each in probes]), in_range_ms)

    def _found(self, directory: Directory, id_: str) -> _Probe | None:
        channel = directory.channels.get(id_)
        if channel is None or channel.equipment in directory.out_of_service or not is_probe(channel, directory):
            return None
        neighbours = directory.channels_of(channel.facility)
        share = 1 / sum(each.equipment == channel.equipment and is_probe(each, directory) for each in neighbours)
        found = self._as_before(id_, channel.facility, share)
        found.low, found.high = channel.limits.get("low", -math.inf), channel.limits.get("high", math.inf)
        found.cover_ms = round(channel.interval / _MS * self._cover_factor)
        return found

    def _as_before(self, id_: str, facility: str, share: float) -> _Probe:
        """Return the probe to go on with: another one where what it stands for is another."""
        before = self._of_channel[id_]
        if before and (before[-1].facility, before[-1].share) == (facility, share):
            return before[-1]
        last = before[-1] if before else None
        found = _Probe(facility, share, self._since_ms - 1 if last is None else last.at_ms)
        before.append(found)
        self._of_facility[facility].append(found)
        return found
