"""A watch: one rule that looks at more than one value of one channel, on one channel with its companions.

Readings of several channels, perhaps of several nodes, are brought into one order of time. A moment is judged once
every input has told of it, or is not due, or is away, or has been waited for long enough: one clinic with a backlog
holds nobody back. What comes after its moment was judged changes history like any late reading.

What is remembered is how far it is and its streak. The readings of the time that its signal looks back on are not: they
are in the store, and are read from there after a restart.
"""

from __future__ import annotations

from array import array
from bisect import insort
from collections.abc import Sequence
from typing import NamedTuple

from domain.episode import EpisodeChange
from domain.instant import SECOND_MS
from domain.places import Channel
from rules.amendment import Verdict
from rules.compile import Level, Watching
from rules.series import KIND_OF_TURN, Sample, Window
from rules.signals import NEVER, Tracker
from rules.streak import Point, Streak, Turn, advance, episode_of

WAIT_MS = 10 * SECOND_MS
"""So long after its arrival a reading waits for those of other channels at its moment."""
AWAY = NEVER + 1
"""For the newest reading of an input that was waited for in vain: nobody waits for it again before it is heard."""
_NEARLY_DUE = 0.9
"""A next reading is due from this share of an interval on: clocks of sensors are not exact."""


_NOTHING: list[Waiting] = []
"""Shared by all watches that nothing waits for; never added to."""


class Waiting(NamedTuple):
    """A reading whose moment is not judged yet."""

    moment_ms: int
    place: int
    value: float
    arrived_ms: int
    live: bool


class Watch:
    """What is remembered of one rule on one channel."""

    __slots__ = (
        "_is_cold",
        "_newest",
        "_newest_ms",
        "_tracker",
        "dirty",
        "inputs",
        "last_ms",
        "plan",
        "previous_ms",
        "stale",
        "streak",
        "waiting",
    )

    def __init__(self, plan: Watching, inputs: Sequence[Channel]) -> None:
        self.plan = plan
        self.inputs = tuple(inputs)
        """Whose readings are judged; the first is the one that episodes are about."""
        self.last_ms = NEVER
        """The latest moment that was judged."""
        self.previous_ms = NEVER
        """The latest moment at which it was known whether the condition holds."""
        self.streak: Streak | None = None
        self.stale: dict[int, Window] | None = None
        self.waiting: list[Waiting] = _NOTHING
        self._is_cold = False
        self.dirty = False
        self._tracker: Tracker = plan.signal.start()
        self._newest_ms = array("q", [NEVER] * len(inputs))
        self._newest = array("d", [0.0] * len(inputs))

    @property
    def key(self) -> str:
        """Return the name under which it is remembered, which is also that under which its history is judged again."""
        return f"{WATCH_KEY}{self.plan.level.rule}/{self.channel.id}"

    @property
    def channel(self) -> Channel:
        """Return whom the episodes are about."""
        return self.inputs[0]

    @property
    def levels(self) -> tuple[Level, ...]:
        """Return the one rule."""
        return (self.plan.level,)

    @property
    def streaks(self) -> tuple[Streak | None]:
        """Return its streak."""
        return (self.streak,)

    @property
    def live_ms(self) -> int:
        """Return how long after its measurement a reading is live."""
        return self.plan.live_ms

    @property
    def is_cold(self) -> bool:
        """Tell whether what its signal looks back on has to be read before it can go on."""
        return self._is_cold

    @property
    def is_halted(self) -> bool:
        """Tell whether readings have to wait until history was judged again."""
        return self._is_cold or bool(self.stale)

    def needs_from(self, moment_ms: int) -> int:
        """Return from when on readings are needed to judge at a moment."""
        return self.plan.signal.needs_from(moment_ms)

    def matters_until(self, moment_ms: int) -> int:
        """Return until when a reading of that moment makes a difference."""
        return self.plan.signal.matters_until(moment_ms)

    def take(self, place: int, moment_ms: int, value: float, *, live: bool, now_ms: int) -> list[EpisodeChange]:
        """Take a usable reading of the input at ``place``; return what is known by it."""
        if moment_ms == self._newest_ms[place] and value == self._newest[place]:
            return []
        if moment_ms <= self.last_ms:
            stale = self.stale = self.stale or {}
            stale[0] = stale.get(0, Window(moment_ms, moment_ms)).with_moment(moment_ms)
            return []
        if moment_ms >= self._newest_ms[place]:
            self._newest_ms[place], self._newest[place] = moment_ms, value
        if len(self.inputs) == 1 and not self.waiting and not self.is_halted:
            self._tracker.take(place, moment_ms, value)
            return self._judge(moment_ms, live=live)
        self.waiting = self.waiting or []
        insort(self.waiting, Waiting(moment_ms, place, value, now_ms, live))
        return self.go_on(now_ms)

    def go_on(self, now_ms: int) -> list[EpisodeChange]:
        """Judge the moments that wait no more; return what is known by it."""
        changes: list[EpisodeChange] = []
        while self.waiting and not self.is_halted and self._is_whole(self.waiting[0].moment_ms, now_ms):
            moment_ms, live = self.waiting[0].moment_ms, False
            while self.waiting and self.waiting[0].moment_ms == moment_ms:
                each = self.waiting.pop(0)
                self._tracker.take(each.place, moment_ms, each.value)
                live = live or each.live
            changes += self._judge(moment_ms, live=live)
        return changes

    def points(self, index: int, samples: Sequence[Sample]) -> list[Point]:
        """Return what the rule makes of samples in order of time, where it is known."""
        del index
        tracker, points = self.plan.signal.start(), []
        for position, (moment_ms, place, value) in enumerate(samples):
            tracker.take(place, moment_ms, value)
            if position + 1 < len(samples) and samples[position + 1][0] == moment_ms:
                continue
            holds = tracker.truth(moment_ms)
            if holds is not None:
                points.append(Point(moment_ms, tracker.figure(), holds, not holds))
        return points

    def remember(self, index: int, verdict: Verdict) -> None:
        """Go on from what judging a stretch again found."""
        del index
        if verdict.before_ms is None:
            self.streak = verdict.streak

    def settle(self, samples: Sequence[Sample]) -> None:
        """Go on from the end of these samples, which reach to the latest moment."""
        self._tracker = self.plan.signal.start()
        for position, (moment_ms, place, value) in enumerate(samples):
            self._tracker.take(place, moment_ms, value)
            if moment_ms >= self._newest_ms[place]:
                self._newest_ms[place], self._newest[place] = moment_ms, value
            is_last = position + 1 == len(samples) or samples[position + 1][0] > moment_ms
            if is_last and self._tracker.truth(moment_ms) is not None:
                self.previous_ms = max(self.previous_ms, moment_ms)
        self._newest_ms = array("q", [AWAY if newest_ms == NEVER else newest_ms for newest_ms in self._newest_ms])
        self._is_cold = False

    def resume(self, last_ms: int, previous_ms: int, waiting: Sequence[Waiting]) -> None:
        """Go on from a moment, once the readings that the signal looks back on were read again."""
        self.last_ms, self.previous_ms, self.waiting = last_ms, previous_ms, list(waiting)
        self._is_cold = last_ms != NEVER
        for each in waiting:
            self._newest_ms[each.place], self._newest[each.place] = each.moment_ms, each.value

    def shift_clock(self, by_ms: int, now_ms: int) -> None:
        """Wait for the others as long as before, where the service's clock was set on by so much."""
        if self.waiting:
            self.waiting = [each._replace(arrived_ms=min(each.arrived_ms + by_ms, now_ms)) for each in self.waiting]

    def take_over(self, other: Watch) -> None:
        """Go on with the readings that another watch has at hand, where it was asked the same of the same channels."""
        same = self.plan.asked == other.plan.asked and self.inputs == other.inputs
        if same and not other.is_cold:
            self._tracker, self._newest_ms, self._newest = other._tracker, other._newest_ms, other._newest
            self._is_cold = False

    def _is_whole(self, moment_ms: int, now_ms: int) -> bool:
        """Tell whether a moment can be judged: whoever is still missing is not due, away, or was waited for."""
        missing = [
            place
            for place, (newest_ms, (interval_ms, gap_ms)) in enumerate(
                zip(self._newest_ms, self.plan.paces, strict=True)
            )
            if newest_ms == NEVER
            or (newest_ms + _NEARLY_DUE * interval_ms <= moment_ms <= newest_ms + gap_ms and newest_ms < moment_ms)
        ]
        if missing and now_ms - self.waiting[0].arrived_ms < WAIT_MS:
            return False
        for place in missing:
            if self._newest_ms[place] == NEVER:
                self._newest_ms[place] = AWAY
        return True

    def _judge(self, moment_ms: int, *, live: bool) -> list[EpisodeChange]:
        self.last_ms = moment_ms
        holds, level, streak = self._tracker.truth(moment_ms), self.plan.level, self.streak
        if holds is None:
            return []
        previous_ms, self.previous_ms = self.previous_ms, moment_ms
        if streak is None and not holds:
            return []
        figure = self._tracker.figure()
        after, turn = advance(level, streak, moment_ms, figure, previous_ms, holds=holds, cleared=not holds, live=live)
        self.streak = after
        if turn is None or (told := after or streak) is None:
            return []
        ended_ms = told.clearing_ms if turn is Turn.ENDED else None
        return [EpisodeChange(KIND_OF_TURN[turn], episode_of(level, self.channel, told, ended_ms), live)]


WATCH_KEY = "watch:"
