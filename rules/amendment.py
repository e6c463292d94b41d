"""Which stored readings have to be read so that a rule can judge a stretch of history again, and the judging of it.

A reading that clears a rule leaves it at rest, whatever came before. So history between two such readings stands on
its own: from the last one before the late data to the first one after them (or to the latest reading), nothing
outside can change, and the episodes of that stretch are a pure fold over its readings. Instead of the first of the
two, a reading inside the streak that is running now serves as well: what the rule remembered there is known.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from domain.reading import Reading
from rules.compile import Level
from rules.series import NEVER, ChannelState, Window
from rules.streak import Streak, Turn, advance

_WIDER = 4
_FIRST_STEP_MS = 3_600_000
_FIRST_STEP_READINGS = 60


class Stale(NamedTuple):
    """A channel whose history changed by late data; both moments included."""

    channel: str
    from_ms: int
    to_ms: int


class Ask(NamedTuple):
    """Stored readings that are needed: ``from_ms`` included, ``to_ms`` not (more than asked for does no harm)."""

    channel: str
    from_ms: int
    to_ms: int


class Excursion(NamedTuple):
    """An episode found by judging again."""

    streak: Streak
    ended_ms: int | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What judging a stretch again found for one rule."""

    after_ms: int
    """The stretch begins after this moment: earlier episodes are not touched ..."""
    before_ms: int | None
    """... and ends with this one; None where it reaches the latest reading."""
    found: list[Excursion]
    streak: Streak | None
    """The streak at the end of the stretch."""
    rest_from_ms: int
    """Since when, up to the end, the condition never held (where no streak is left)."""


class _Start(NamedTuple):
    """Where the fold begins: the first reading to fold, and what is remembered before it."""

    position: int
    after_ms: int
    streak: Streak | None


class Amendment:
    """Asks for stored readings until every stale rule of one channel can be judged again; knows no I/O."""

    def __init__(self, state: ChannelState) -> None:
        self.channel = state.channel.id
        self._state = state
        self._windows = dict(state.stale or {})
        self._end_ms = state.last_ms + 1
        self._from_ms = min((window.from_ms for window in self._windows.values()), default=state.last_ms)
        self._to_ms = self._from_ms
        self._step_ms = max(_FIRST_STEP_MS, _FIRST_STEP_READINGS * _interval_ms(state))
        self._readings: list[tuple[int, float]] = []
        self._pending: Ask | None = None

    def ask(self) -> Ask | None:
        """Return which readings are needed next, or None when what was taken suffices."""
        self._pending = self._next()
        return self._pending

    def take(self, readings: Iterable[Reading]) -> None:
        """Take the stored readings of the last ``ask``, in any order."""
        if self._pending is None:
            raise ValueError("nothing was asked for")
        _, from_ms, to_ms = self._pending
        usable = sorted(
            (reading.measured_at_ms, reading.value)
            for reading in readings
            if reading.value is not None and reading.quality.usable and from_ms <= reading.measured_at_ms < to_ms
        )
        if to_ms <= self._from_ms:
            self._readings[:0] = usable
        else:
            self._readings += usable
        self._from_ms, self._to_ms = min(self._from_ms, from_ms), max(self._to_ms, to_ms)
        self._step_ms *= _WIDER

    def is_current(self, state: ChannelState) -> bool:
        """Tell whether nothing came to the channel since the amendment began."""
        return state is self._state and state.stale == self._windows and state.last_ms == self._end_ms - 1

    @property
    def span(self) -> Window:
        """Return the stretch that was read: stored episodes that overlap it are needed for ``Engine.amend``."""
        return Window(self._from_ms, self._to_ms)

    @property
    def last_value(self) -> float | None:
        """Return the stored value at the channel's latest moment, where it was read."""
        if self._readings and self._readings[-1][0] == self._end_ms - 1:
            return self._readings[-1][1]
        return None

    def judge(self, is_live: Callable[[int], bool]) -> dict[int, Verdict]:
        """Judge again, once ``ask`` returned None; the key is the rule's place in the channel's plan."""
        return {index: self._judge(index, is_live) for index in sorted(self._windows)}

    def _next(self) -> Ask | None:
        if self._to_ms == self._from_ms:
            last = max((window.to_ms for window in self._windows.values()), default=self._from_ms)
            return self._bounded(self._from_ms - self._step_ms, last + self._step_ms)
        if self._from_ms > 0 and any(self._start(index) is None for index in self._windows):
            return self._bounded(self._from_ms - self._step_ms, self._from_ms)
        if self._to_ms < self._end_ms and any(self._stop(index) is None for index in self._windows):
            return self._bounded(self._to_ms, self._to_ms + self._step_ms)
        return None

    def _bounded(self, from_ms: int, to_ms: int) -> Ask:
        return Ask(self.channel, max(from_ms, 0), min(to_ms, self._end_ms))

    def _start(self, index: int) -> _Start | None:
        """Return the nearest place before the window where the rule's memory is known."""
        level, streak = self._state.plan.levels[index], self._state.streaks[index]
        known_ms = None if streak is None else max(streak.since_ms, streak.extreme_at_ms)
        for position in range(self._position(self._windows[index].from_ms) - 1, -1, -1):
            moment_ms, value = self._readings[position]
            if level.cleared(value):
                return _Start(position + 1, moment_ms, None)
            if streak is not None and known_ms is not None and moment_ms >= known_ms:
                return _Start(position + 1, moment_ms, streak.known_at(moment_ms))
        return _Start(0, NEVER, None) if self._from_ms <= 0 else None

    def _stop(self, index: int) -> int | None:
        """Return the place of the first reading after the window that clears the rule."""
        level = self._state.plan.levels[index]
        first = self._position(self._windows[index].to_ms + 1)
        return next((at for at in range(first, len(self._readings)) if level.cleared(self._readings[at][1])), None)

    def _judge(self, index: int, is_live: Callable[[int], bool]) -> Verdict:
        start, stop = self._start(index) or _Start(0, NEVER, None), self._stop(index)
        rest_from_ms = start.after_ms
        if start.position == 0 and self._readings:
            rest_from_ms = self._readings[0][0]
        end = len(self._readings) if stop is None else stop + 1
        fold = _Fold(self._state.plan.levels[index], start.streak, start.after_ms, rest_from_ms)
        fold.over(self._readings[start.position : end], is_live)
        before_ms = None if stop is None else self._readings[stop][0]
        return Verdict(start.after_ms, before_ms, fold.excursions(), fold.streak, fold.rest_from_ms)

    def _position(self, moment_ms: int) -> int:
        return bisect_left(self._readings, moment_ms, key=lambda reading: reading[0])


class _Fold:
    """One rule over readings in order, collecting the episodes."""

    def __init__(self, level: Level, streak: Streak | None, previous_ms: int, rest_from_ms: int) -> None:
        self.streak = streak
        self.rest_from_ms = rest_from_ms
        self._level = level
        self._previous_ms = previous_ms
        self._ended: list[Excursion] = []

    def over(self, readings: Sequence[tuple[int, float]], is_live: Callable[[int], bool]) -> None:
        """Fold the readings."""
        for moment_ms, value in readings:
            before = self.streak
            if before is not None or self._level.holds(value):
                live = is_live(moment_ms)
                self.streak, turn = advance(self._level, before, moment_ms, value, self._previous_ms, live=live)
                if self.streak is None:
                    self.rest_from_ms = moment_ms
                if turn is Turn.ENDED and before is not None:
                    self._ended.append(Excursion(before, moment_ms))
            self._previous_ms = moment_ms

    def excursions(self) -> list[Excursion]:
        """Return the episodes, the open one last."""
        if self.streak is None or self.streak.confirmed_ms is None:
            return self._ended
        return [*self._ended, Excursion(self.streak, None)]


def _interval_ms(state: ChannelState) -> int:
    return round(state.channel.interval.total_seconds() * 1000)
