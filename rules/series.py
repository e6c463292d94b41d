"""What the engine remembers of one channel, and how one reading moves it on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from domain.episode import ChangeKind, EpisodeChange
from domain.places import Channel
from rules.compile import Level, Plan, Silence
from rules.signals import NEVER
from rules.streak import Point, Streak, Turn, advance, episode_of, points_of

if TYPE_CHECKING:
    from rules.amendment import Verdict
    from rules.watch import Watch

KIND_OF_TURN = {
    Turn.OPENED: ChangeKind.OPENED,
    Turn.SEEN_LIVE: ChangeKind.OPENED,
    Turn.WORSENED: ChangeKind.WORSENED,
    Turn.ENDED: ChangeKind.ENDED,
}


class Window(NamedTuple):
    """A stretch of event time, both ends included."""

    from_ms: int
    to_ms: int

    def with_moment(self, moment_ms: int) -> Window:
        """Return the smallest window that also holds the moment."""
        return Window(min(self.from_ms, moment_ms), max(self.to_ms, moment_ms))


Sample = tuple[int, int, float]
"""A usable reading of an input: measured, the input's place, value. They sort by time."""


class Silent(NamedTuple):
    """An open episode of silence."""

    started_ms: int
    confirmed_ms: int
    silence: Silence


class NodeState:
    """What is remembered of one node."""

    __slots__ = ("away_ms", "back_ms", "dirty", "facility", "heard_ms", "id", "silent")

    def __init__(self, node: str, facility: str, away_ms: int) -> None:
        self.id = node
        self.facility = facility
        self.away_ms = away_ms
        """Unheard for longer than this, the node is away and its channels' silence is its own."""
        self.heard_ms: int | None = None
        """Arrival of the last reading; of the first tick for a node that never reported."""
        self.back_ms = NEVER
        """When it was heard again after it had been away."""
        self.silent: dict[str, Silent] | None = None
        self.dirty = False

    def shift_clock(self, by_ms: int, now_ms: int) -> None:
        """Have been heard as long ago as before, where the service's clock was set on by so much."""
        if self.heard_ms is not None:
            self.heard_ms = min(self.heard_ms + by_ms, now_ms)
        if self.back_ms != NEVER:
            self.back_ms = min(self.back_ms + by_ms, now_ms)


class ChannelState:
    """What is remembered of one channel: small while nothing is wrong, because most channels are fine."""

    __slots__ = (
        "channel",
        "dirty",
        "heard_ms",
        "last_ms",
        "last_value",
        "node",
        "plan",
        "rest_from_ms",
        "silent",
        "stale",
        "streaks",
        "watches",
    )

    def __init__(self, channel: Channel, plan: Plan, node: NodeState) -> None:
        self.channel = channel
        self.plan = plan
        self.node = node
        self.last_ms = NEVER
        """The latest moment with a usable reading."""
        self.last_value = 0.0
        self.heard_ms: int | None = None
        """Arrival of the last usable reading."""
        self.streaks: list[Streak | None] = [None] * len(plan.levels)
        """The streak of each rule on single values."""
        self.rest_from_ms = [NEVER] * len(plan.levels)
        """Where a rule has no streak: from here to the latest reading its condition never held."""
        self.stale: dict[int, Window] | None = None
        """Which rules have to judge which stretch of history again."""
        self.silent: dict[str, Silent] | None = None
        self.watches: tuple[tuple[Watch, int], ...] = ()
        """Rules that look at more than one value of one channel, and this channel's place among their inputs."""
        self.dirty = False

    def shift_clock(self, by_ms: int, now_ms: int) -> None:
        """Have been heard as long ago as before, where the service's clock was set on by so much."""
        if self.heard_ms is not None:
            self.heard_ms = min(self.heard_ms + by_ms, now_ms)

    @property
    def key(self) -> str:
        """Return the name under which its history is judged again."""
        return self.channel.id

    @property
    def inputs(self) -> tuple[Channel, ...]:
        """Return whose readings are judged."""
        return (self.channel,)

    @property
    def levels(self) -> tuple[Level, ...]:
        """Return the rules on single values."""
        return self.plan.levels

    @property
    def live_ms(self) -> int:
        """Return how long after its measurement a reading is live."""
        return self.plan.live_ms

    @property
    def is_cold(self) -> bool:
        """Tell that nothing of the past has to be known beside what is remembered."""
        return False

    def needs_from(self, moment_ms: int) -> int:
        """Return from when on readings are needed to judge at a moment: that one alone."""
        return moment_ms

    def matters_until(self, moment_ms: int) -> int:
        """Return until when a reading makes a difference to what the rules make of one moment."""
        return moment_ms

    def points(self, index: int, samples: Sequence[Sample]) -> list[Point]:
        """Return what a rule makes of samples in order of time."""
        return points_of(self.plan.levels[index], ((moment_ms, value) for moment_ms, _, value in samples))

    def remember(self, index: int, verdict: Verdict) -> None:
        """Go on from what judging a stretch again found for a rule."""
        if verdict.before_ms is None:
            self.streaks[index] = verdict.streak
            self.rest_from_ms[index] = self.last_ms if verdict.rest_from_ms == NEVER else verdict.rest_from_ms
        elif self.streaks[index] is None and verdict.before_ms >= self.rest_from_ms[index]:
            self.rest_from_ms[index] = verdict.rest_from_ms

    def settle(self, samples: Sequence[Sample]) -> None:
        """Take over the stored value of the latest moment, where two were told."""
        if samples and samples[-1][0] == self.last_ms:
            self.last_value = samples[-1][2]


def in_order(state: ChannelState, moment_ms: int, value: float, *, live: bool) -> list[EpisodeChange]:
    """Move every rule of the channel on by the newest reading; a rule that is stale only notes it."""
    changes: list[EpisodeChange] = []
    previous_ms, streaks = state.last_ms, state.streaks
    state.last_ms, state.last_value = moment_ms, value
    if previous_ms == NEVER:
        state.rest_from_ms = [moment_ms] * len(streaks)
    for index, level in enumerate(state.plan.levels):
        streak = streaks[index]
        if moment_ms >= level.since_ms:
            holds = level.holds(value)
            if streak is None and not holds:
                continue  # nearly always
            cleared = not holds and level.cleared(value)
        elif (seen := level.sees(moment_ms, value)) is not None:
            holds, cleared = seen
        else:
            continue
        if state.stale and _noted(state.stale, index, moment_ms):
            continue
        after, turn = advance(level, streak, moment_ms, value, previous_ms, holds=holds, cleared=cleared, live=live)
        streaks[index] = after
        if after is None:
            state.rest_from_ms[index] = moment_ms
        if turn is not None and (told := after or streak) is not None:
            ended_ms = told.clearing_ms if turn is Turn.ENDED else None
            changes.append(EpisodeChange(KIND_OF_TURN[turn], episode_of(level, state.channel, told, ended_ms), live))
    return changes


def _noted(stale: dict[int, Window], index: int, moment_ms: int) -> bool:
    window = stale.get(index)
    if window is None:
        return False
    stale[index] = window.with_moment(moment_ms)
    return True


def late(state: ChannelState, moment_ms: int, value: float) -> bool:
    """Take a reading older than the latest; return whether a rule has to judge history again because of it."""
    if moment_ms == state.last_ms:
        if value == state.last_value:
            return False
        touched = list(range(len(state.streaks)))  # two values for one moment: the store knows which one is kept
    else:
        touched = [index for index in range(len(state.streaks)) if not _absorbs(state, index, moment_ms, value)]
    for index in touched:
        stale = state.stale = state.stale or {}
        stale[index] = stale.get(index, Window(moment_ms, moment_ms)).with_moment(moment_ms)
    return bool(touched)


def _absorbs(state: ChannelState, index: int, moment_ms: int, value: float) -> bool:
    """Tell whether one more reading at this moment provably changes nothing for the rule."""
    level, streak = state.plan.levels[index], state.streaks[index]
    if (state.stale and index in state.stale) or moment_ms < level.since_ms:
        return False
    if streak is None:
        return moment_ms > state.rest_from_ms[index] and not level.holds(value)
    if moment_ms < streak.since_ms or not level.holds(value):
        return False
    if moment_ms == streak.extreme_at_ms and value != streak.extreme:
        return False  # of two values for one moment the store keeps one, and that may not be the extreme
    if level.clear_for_ms and streak.confirmed_ms is not None:
        return False  # it may reset the time for which all was well
    if level.excess is None:
        return True
    beyond = level.excess(value)
    return beyond < streak.worst or (beyond == streak.worst and moment_ms >= streak.extreme_at_ms)
