"""Signals: what a condition says at each moment, as a fold over the readings of one channel or of several.

A condition on one value needs nothing but that value (``Band``). One that looks at a stretch of time or at several
channels is a signal: a tracker takes the readings in order of time and says, at a moment, whether the condition holds:
True, False, or None where nobody can know. Unknown is what follows from missing data; it begins nothing, ends nothing,
and does not count as time.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from datetime import tzinfo
from itertools import islice
from typing import Protocol
from zoneinfo import ZoneInfo

from domain.directory import Directory
from domain.places import Channel
from rules.settings import EngineSettings
from rules.values import milliseconds

NEVER = -(2**62)
FOR_EVER = 2**62
_COMPACT_AT = 64


class Tracker(Protocol):
    """The memory of one signal."""

    def take(self, place: int, moment_ms: int, value: float) -> None:
        """Take a usable reading of the input at ``place``; each place in order of time."""

    def truth(self, moment_ms: int) -> bool | None:
        """Tell whether the condition holds at a moment, once everything up to it was taken; None where unknown."""

    def figure(self) -> float | None:
        """Return the value that people are told, as of the last ``truth``, in the channel's unit; None for none."""


@dataclass(frozen=True, slots=True, eq=False)
class Signal:
    """A condition as the engine runs it; channels that are asked the same share one."""

    start: Callable[[], Tracker]
    """Returns a tracker that has taken nothing."""
    reach_ms: int
    """What it says at a moment depends on no reading older than this ..."""
    since_ms: int | None = None
    """... or, where it counts from a moment on, on all of them since then."""
    sign: int = 0
    """1 where a higher figure is worse, -1 where a lower one is, 0 where none is."""
    is_dear: bool = False
    """It costs a hundred times what others do, and need not be asked at every moment."""

    def needs_from(self, moment_ms: int) -> int:
        """Return from when on readings are needed to judge at a moment."""
        rolling_ms = moment_ms - self.reach_ms
        return rolling_ms if self.since_ms is None else min(rolling_ms, self.since_ms)

    def matters_until(self, moment_ms: int) -> int:
        """Return until when a reading of that moment can make a difference."""
        if self.since_ms is not None and moment_ms >= self.since_ms:
            return FOR_EVER
        return moment_ms + self.reach_ms


class Scope:
    """Where a condition is compiled: the channel that is judged, and the others that it takes in as it goes."""

    def __init__(self, subject: Channel, directory: Directory, settings: EngineSettings) -> None:
        self.inputs = [subject]
        """The channels whose readings the trackers get; their place in this list names them."""
        self.directory = directory
        self._settings = settings

    @property
    def subject(self) -> Channel:
        """Return the channel that the rule judges."""
        return self.inputs[0]

    @property
    def timezone(self) -> tzinfo:
        """Return the time zone of the facility."""
        facility = self.directory.facilities.get(self.subject.facility)
        return ZoneInfo(facility.timezone if facility else "UTC")

    def place(self, channel: Channel) -> int:
        """Return the place of a channel among the inputs."""
        if channel not in self.inputs:
            self.inputs.append(channel)
        return self.inputs.index(channel)

    def interval_ms(self, channel: Channel) -> int:
        """Return how often a reading of the channel is expected."""
        return milliseconds(channel.interval)

    def gap_ms(self, channel: Channel) -> int:
        """Return for how long a reading of the channel stands; a longer pause is a gap."""
        return round(self.interval_ms(channel) * self._settings.gap_factor)


class Recent:
    """The readings of a stretch of time up to now, oldest first: two bare arrays, 16 bytes a reading."""

    __slots__ = ("_first", "moments", "values")

    def __init__(self) -> None:
        self.moments = array("q")
        self.values = array("d")
        self._first = 0

    def add(self, moment_ms: int, value: float) -> None:
        """Take the newest reading; one of the same moment replaces it."""
        if self.moments and self.moments[-1] == moment_ms:
            self.values[-1] = value
            return
        self.moments.append(moment_ms)
        self.values.append(value)

    def forget_before(self, moment_ms: int) -> None:
        """Let go of what was measured before a moment."""
        self._first = bisect_left(self.moments, moment_ms, self._first)
        if self._first >= _COMPACT_AT and self._first * 2 >= len(self.moments):
            del self.moments[: self._first], self.values[: self._first]
            self._first = 0

    def __len__(self) -> int:
        return len(self.moments) - self._first

    @property
    def oldest_ms(self) -> int:
        """Return the moment of the oldest reading; there has to be one."""
        return self.moments[self._first]

    @property
    def newest_ms(self) -> int:
        """Return the moment of the newest reading; NEVER where there is none."""
        return self.moments[-1] if len(self) else NEVER

    @property
    def latest(self) -> float:
        """Return the newest value; there has to be one."""
        return self.values[-1]

    def moment_at(self, moment_ms: int) -> int:
        """Return the moment of the reading that stood at a moment; there has to be one."""
        return self.moments[bisect_right(self.moments, moment_ms, self._first) - 1]

    def value_at(self, moment_ms: int) -> float:
        """Return the value that stood at a moment; there has to be one."""
        return self.values[bisect_right(self.moments, moment_ms, self._first) - 1]

    def all_moments(self) -> list[int]:
        """Return the moments, oldest first."""
        return self.moments[self._first :].tolist()

    def clear(self) -> None:
        """Let go of everything."""
        self._first = len(self.moments)

    def all(self) -> islice[float]:
        """Return the values, oldest first."""
        return islice(self.values, self._first, None)
