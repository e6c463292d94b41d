"""The heart of judging: readings of one channel, one by one in the order they were measured, under one rule.

A streak is an unbroken run of readings for which the condition holds. It becomes an episode once it spans as long as
the rule asks: N readings span (N - 1) intervals. Until then a reading for which the condition does not hold ends it
without a trace, and after a gap it starts again, because nobody knows what happened in the gap. An open episode is
different: a gap does not end it (silence is no proof of recovery), it ends at the first reading that clears it.

Readings without a usable value are unknown: they never come here, so they neither extend a streak nor end it.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from domain.episode import Episode, Severity, SubjectKind, episode_id
from domain.instant import to_datetime
from domain.places import Channel
from rules.compile import Level

_ROUNDING = 1e-9


class Point(NamedTuple):
    """What a rule makes of one moment at which it can be known."""

    moment_ms: int
    value: float | None
    """What people are told, in the channel's unit."""
    holds: bool
    cleared: bool
    """Neither of the two: nothing begins and nothing ends."""


def points_of(level: Level, readings: Iterable[tuple[int, float]]) -> list[Point]:
    """Return what a rule on single values makes of readings."""
    return [
        Point(moment_ms, value, *seen)
        for moment_ms, value in readings
        if (seen := level.sees(moment_ms, value)) is not None
    ]


class Turn(Enum):
    """What a reading did to a streak that people may have to know of."""

    OPENED = "opened"
    SEEN_LIVE = "seen_live"
    """An episode that late data opened goes on in live data."""
    WORSENED = "worsened"
    ENDED = "ended"


@dataclass(slots=True)
class Streak:
    """An unbroken run of readings for which a condition holds; an open episode once it is confirmed."""

    since_ms: int
    extreme: float | None
    extreme_at_ms: int
    confirmed_ms: int | None = None
    identity_ms: int = 0
    """The start that its id names; late data may have moved the start since."""
    told: float | None = None
    """The extreme when a change was last reported."""
    live: bool = False
    """Whether live data showed it open."""
    clearing_ms: int | None = None
    """Since when every reading clears it, without a gap; it ends once that has lasted as long as the rule asks."""
    worst: float = 0.0
    """How far the extreme lies beyond the limit; follows from the extreme and the rule, like the next one."""
    tell_at: float = math.inf
    """How far beyond the limit an extreme has to lie to be told again."""

    def weigh(self, level: Level) -> Streak:
        """Work out what follows from the extreme under this rule, and return the streak itself."""
        if level.excess is not None and self.extreme is None:
            self.worst = -math.inf
        if level.excess is not None and self.extreme is not None:
            self.worst = level.excess(self.extreme)
            if self.told is not None:
                self.tell_at = level.excess(self.told) + level.worse_by - _ROUNDING
        return self

    def tell(self, level: Level) -> None:
        """Note that its present extreme is being told."""
        self.told = self.extreme
        self.weigh(level)

    def known_at(self, moment_ms: int) -> Streak:
        """Return a copy: what the streak was at a reading that did not clear it, not before its extreme."""
        known = copy.copy(self)
        known.clearing_ms = None
        if known.confirmed_ms is not None and known.confirmed_ms > moment_ms:
            known.confirmed_ms = None
        return known


def advance(
    level: Level,
    streak: Streak | None,
    moment_ms: int,
    value: float | None,
    previous_ms: int,
    *,
    holds: bool,
    cleared: bool,
    live: bool,
) -> tuple[Streak | None, Turn | None]:
    """Return the streak after one more point, and what it did; the given streak is changed in place.

    The point is what a ``Point`` says; ``previous_ms`` is the moment of the one before. After ``ENDED`` the given
    streak is the one that ended, at its ``clearing_ms``.
    """
    if not holds:
        if streak is None or streak.confirmed_ms is None:
            return None, None
        if cleared:
            return _clearing(level, streak, moment_ms, previous_ms)
        streak.clearing_ms = None
        return streak, _told_again(level, streak, live=live)
    if streak is not None:
        streak.clearing_ms = None
    if streak is None or (streak.confirmed_ms is None and moment_ms - previous_ms > level.gap_ms):
        streak = Streak(moment_ms, value if level.excess else None, moment_ms).weigh(level)
    elif level.excess is not None and value is not None and (beyond := level.excess(value)) > streak.worst:
        streak.worst, streak.extreme, streak.extreme_at_ms = beyond, value, moment_ms
    if streak.confirmed_ms is not None:
        return streak, _told_again(level, streak, live=live)
    if moment_ms - streak.since_ms < level.for_ms:
        return streak, None
    streak.confirmed_ms = streak.since_ms + level.for_ms
    streak.identity_ms, streak.live = streak.since_ms, live
    streak.tell(level)
    return streak, Turn.OPENED


def _clearing(level: Level, streak: Streak, moment_ms: int, previous_ms: int) -> tuple[Streak | None, Turn | None]:
    if streak.clearing_ms is None or moment_ms - previous_ms > level.gap_ms:
        streak.clearing_ms = moment_ms
    if moment_ms - streak.clearing_ms >= level.clear_for_ms:
        return None, Turn.ENDED
    return streak, None


def _told_again(level: Level, streak: Streak, *, live: bool) -> Turn | None:
    if live and not streak.live:
        streak.live = True
        turn = Turn.SEEN_LIVE
    elif streak.worst >= streak.tell_at:
        turn = Turn.WORSENED
    else:
        return None
    streak.tell(level)
    return turn


def episode_of(level: Level, channel: Channel, streak: Streak, ended_ms: int | None = None) -> Episode:
    """Return the episode that a confirmed streak is."""
    return confirmed_episode(level.rule, level.severity, channel.id, channel.facility, streak, ended_ms)


def confirmed_episode(
    rule: str, severity: Severity, channel: str, facility: str, streak: Streak, ended_ms: int | None
) -> Episode:
    """Return the episode of a streak, whether its rule and channel are still there or not."""
    return Episode(
        id=episode_id(rule, channel, streak.identity_ms),
        rule=rule,
        severity=severity,
        subject_kind=SubjectKind.CHANNEL,
        subject=channel,
        facility=facility,
        started_at=to_datetime(streak.since_ms),
        confirmed_at=to_datetime(streak.since_ms if streak.confirmed_ms is None else streak.confirmed_ms),
        ended_at=None if ended_ms is None else to_datetime(ended_ms),
        extreme=streak.extreme,
        extreme_at=None if streak.extreme is None else to_datetime(streak.extreme_at_ms),
    )
