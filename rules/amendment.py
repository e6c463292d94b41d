"""Which stored readings have to be read so that a rule can judge a stretch of history again, and the judging of it.

A reading that clears a rule leaves it at rest, whatever came before (after ``clear_for`` of such readings, where the
rule asks for that). So history between two such places stands on its own: from the last one before the late data to
the first one after all that they matter to (or to the latest reading), nothing outside can change, and the episodes of
that stretch are a pure fold over its readings. Instead of the first of the two, a reading inside the streak that is
running now serves as well: what the rule remembered there is known.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from domain.places import Channel
from domain.reading import Reading
from rules.compile import Level
from rules.series import Sample, Window
from rules.signals import NEVER
from rules.streak import Point, Streak, Turn, advance
from rules.values import milliseconds

_WIDER = 4
_FIRST_STEP_MS = 3_600_000
_FIRST_STEP_READINGS = 60


class Judged(Protocol):
    """What is judged again: a channel with its rules on single values, or one rule that looks at more."""

    stale: dict[int, Window] | None
    last_ms: int

    @property
    def key(self) -> str:
        """Return the name under which its history is judged again."""

    @property
    def channel(self) -> Channel:
        """Return whom the episodes are about."""

    @property
    def inputs(self) -> tuple[Channel, ...]:
        """Return whose readings are judged."""

    @property
    def levels(self) -> tuple[Level, ...]:
        """Return the rules."""

    @property
    def streaks(self) -> Sequence[Streak | None]:
        """Return the streak of each rule."""

    @property
    def live_ms(self) -> int:
        """Return how long after its measurement a reading is live."""

    @property
    def is_cold(self) -> bool:
        """Tell whether readings have to be read before it can go on, even where no history changed."""

    def needs_from(self, moment_ms: int) -> int:
        """Return from when on readings are needed to judge at a moment."""

    def matters_until(self, moment_ms: int) -> int:
        """Return until when a reading of that moment makes a difference."""

    def points(self, index: int, samples: Sequence[Sample]) -> list[Point]:
        """Return what a rule makes of samples in order of time; of the first ones, perhaps for want of others."""

    def remember(self, index: int, verdict: Verdict) -> None:
        """Go on from what judging a stretch again found for a rule."""

    def settle(self, samples: Sequence[Sample]) -> None:
        """Go on from the end of these samples, which reach to the latest moment."""


class Stale(NamedTuple):
    """A history that changed by late data; both moments included."""

    key: str
    """What has to be judged again."""
    channel: str
    """Whom its episodes are about."""
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
    """Where the fold begins: the first point to fold, and what is remembered before it."""

    position: int
    after_ms: int
    streak: Streak | None


class _History:
    """What one rule makes of the samples read so far."""

    def __init__(self, level: Level, points: list[Point]) -> None:
        self.points = points
        self.rests = _rests(level, points)
        """Whether the rule is at rest after a point, whatever came before it."""

    def before(self, moment_ms: int) -> int:
        """Return how many points lie before a moment."""
        return bisect_left(self.points, moment_ms, key=lambda point: point.moment_ms)

    def upto(self, moment_ms: int) -> int:
        """Return how many points lie before a moment or at it."""
        return bisect_right(self.points, moment_ms, key=lambda point: point.moment_ms)


class Amendment:
    """Asks for stored readings until every stale rule of one channel can be judged again; knows no I/O."""

    def __init__(self, state: Judged) -> None:
        self.key, self.channel = state.key, state.channel.id
        self._state = state
        self._windows = dict(state.stale or {})
        self._end_ms = state.last_ms + 1
        first_ms = min((window.from_ms for window in self._windows.values()), default=self._end_ms)
        self._from_ms = self._to_ms = min(first_ms, self._end_ms)
        longest_ms = max(milliseconds(each.interval) for each in state.inputs)
        self._step_ms = max(_FIRST_STEP_MS, _FIRST_STEP_READINGS * longest_ms)
        self._samples: list[Sample] = []
        self._round: tuple[int, int] = (0, 0)
        self._pending: list[Ask] = []
        self._answers: list[Sample] = []
        self._histories: dict[int, _History] = {}

    def ask(self) -> Ask | None:
        """Return which readings are needed next, or None when what was taken suffices."""
        if not self._pending and (wanted := self._next()) is not None:
            self._round = (max(wanted[0], 0), min(wanted[1], self._end_ms))
            self._pending = [Ask(each.id, *self._round) for each in self._state.inputs]
        return self._pending[0] if self._pending else None

    def take(self, readings: Iterable[Reading]) -> None:
        """Take the stored readings of the last ``ask``, in any order."""
        if not self._pending:
            raise ValueError("nothing was asked for")
        _, from_ms, to_ms = self._pending.pop(0)
        place = len(self._state.inputs) - 1 - len(self._pending)
        self._answers += (
            (reading.measured_at_ms, place, reading.value)
            for reading in readings
            if reading.value is not None and reading.quality.usable and from_ms <= reading.measured_at_ms < to_ms
        )
        if not self._pending:
            self._take_round(from_ms, to_ms)

    def is_current(self, state: Judged) -> bool:
        """Tell whether nothing came to the channel since the amendment began."""
        return state is self._state and (state.stale or {}) == self._windows and state.last_ms == self._end_ms - 1

    @property
    def span(self) -> Window:
        """Return the stretch that was read: stored episodes that overlap it are needed for ``Engine.amend``."""
        return Window(self._from_ms, self._to_ms)

    @property
    def latest(self) -> Sequence[Sample] | None:
        """Return what was read, where it reaches to the latest moment."""
        return self._samples if self._to_ms >= self._end_ms else None

    def judge(self, is_live: Callable[[int], bool]) -> Mapping[int, Verdict]:
        """Judge again, once ``ask`` returned None; the key is the rule's place in the channel's plan."""
        return {index: self._judge(index, is_live) for index in sorted(self._windows)}

    def _take_round(self, from_ms: int, to_ms: int) -> None:
        taken = sorted(self._answers)
        self._answers = []
        if to_ms <= self._from_ms:
            self._samples[:0] = taken
        else:
            self._samples += taken
        self._from_ms, self._to_ms = min(self._from_ms, from_ms), max(self._to_ms, to_ms)
        self._step_ms *= _WIDER
        self._histories.clear()

    def _next(self) -> tuple[int, int] | None:
        if self._to_ms == self._from_ms:
            return self._first()
        if self._from_ms > 0 and any(self._start(index) is None for index in self._windows):
            return self._from_ms - self._step_ms, self._from_ms
        if self._to_ms < self._end_ms and any(self._stop(index) is None for index in self._windows):
            return self._to_ms, self._to_ms + self._step_ms
        return None

    def _first(self) -> tuple[int, int] | None:
        state = self._state
        if not self._windows:
            needed_ms = state.needs_from(state.last_ms + 1)
            return (needed_ms, self._end_ms) if state.is_cold and needed_ms < self._end_ms else None
        last_ms = max(state.matters_until(window.to_ms) for window in self._windows.values())
        begin_ms = state.needs_from(self._from_ms - self._step_ms)
        # Where what is needed to go on is not at hand, it is read in the same stroke.
        return begin_ms, self._end_ms if state.is_cold else last_ms + self._step_ms

    def _history(self, index: int) -> _History:
        if index not in self._histories:
            points = self._state.points(index, self._samples)
            if self._from_ms > 0:
                # Of the first moments the rule cannot know what it would have known.
                known = next((at for at, each in enumerate(points) if self._is_known(each)), len(points))
                points = points[known:]
            self._histories[index] = _History(self._state.levels[index], points)
        return self._histories[index]

    def _is_known(self, point: Point) -> bool:
        return self._state.needs_from(point.moment_ms) >= self._from_ms

    def _start(self, index: int) -> _Start | None:
        """Return the nearest place before the window where the rule's memory is known."""
        history, streak = self._history(index), self._state.streaks[index]
        known_ms = None if streak is None else max(streak.since_ms, streak.extreme_at_ms)
        for position in range(history.before(self._windows[index].from_ms) - 1, -1, -1):
            point = history.points[position]
            if history.rests[position]:
                return _Start(position + 1, point.moment_ms, None)
            if streak is not None and known_ms is not None and point.moment_ms >= known_ms and not point.cleared:
                return _Start(position + 1, point.moment_ms, streak.known_at(point.moment_ms))
        return _Start(0, NEVER, None) if self._from_ms <= 0 else None

    def _stop(self, index: int) -> int | None:
        """Return the place of the first point at which the late data can make no difference any more."""
        history, streak = self._history(index), self._state.streaks[index]
        first = history.upto(self._state.matters_until(self._windows[index].to_ms))
        # Inside the streak that is running there is none: where it turns out to have ended, all that follows is new.
        end = len(history.points) if streak is None else history.before(streak.since_ms)
        return next((at for at in range(first, end) if history.rests[at]), None)

    def _judge(self, index: int, is_live: Callable[[int], bool]) -> Verdict:
        start, stop = self._start(index) or _Start(0, NEVER, None), self._stop(index)
        points = self._history(index).points
        rest_from_ms = start.after_ms
        if start.position == 0 and points:
            rest_from_ms = points[0].moment_ms
        end = len(points) if stop is None else stop + 1
        fold = _Fold(self._state.levels[index], start.streak, start.after_ms, rest_from_ms)
        fold.over(points[start.position : end], is_live)
        before_ms = None if stop is None else points[stop].moment_ms
        return Verdict(start.after_ms, before_ms, fold.excursions(), fold.streak, fold.rest_from_ms)


def _rests(level: Level, points: Sequence[Point]) -> list[bool]:
    """Tell of each point whether the rule is at rest after it: all has been well for as long as the rule asks."""
    rests, since_ms, previous_ms = [], NEVER, NEVER
    for point in points:
        if not point.cleared:
            since_ms = NEVER
        elif since_ms == NEVER or point.moment_ms - previous_ms > level.gap_ms:
            since_ms = point.moment_ms
        rests.append(since_ms != NEVER and point.moment_ms - since_ms >= level.clear_for_ms)
        previous_ms = point.moment_ms
    return rests


class _Fold:
    """One rule over points in order, collecting the episodes."""

    def __init__(self, level: Level, streak: Streak | None, previous_ms: int, rest_from_ms: int) -> None:
        self.streak = streak
        self.rest_from_ms = rest_from_ms
        self._level = level
        self._previous_ms = previous_ms
        self._ended: list[Excursion] = []

    def over(self, points: Iterable[Point], is_live: Callable[[int], bool]) -> None:
        """Fold the points."""
        for point in points:
            before = self.streak
            if before is not None or point.holds:
                live = is_live(point.moment_ms)
                moment_ms, value, holds, cleared = point
                self.streak, turn = advance(
                    self._level, before, moment_ms, value, self._previous_ms, holds=holds, cleared=cleared, live=live
                )
                if self.streak is None:
                    self.rest_from_ms = point.moment_ms
                if turn is Turn.ENDED and before is not None:
                    self._ended.append(Excursion(before, before.clearing_ms))
            self._previous_ms = point.moment_ms

    def excursions(self) -> list[Excursion]:
        """Return the episodes, the open one last."""
        if self.streak is None or self.streak.confirmed_ms is None:
            return self._ended
        return [*self._ended, Excursion(self.streak, None)]
