"""An episode that a node told, and whether one found in the readings is the same."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import IntEnum
from typing import NamedTuple

from domain.episode import Episode
from domain.instant import to_datetime
from rules.history import identity_ms


class Fit(IntEnum):
    """Whether an episode found here is the one that a node told."""

    NONE = 0
    MAYBE = 1
    """It begins after what the node last saw, and nothing shows that the node's ended before."""
    SURE = 2
    """The two overlap."""


class Closeness(NamedTuple):
    """How well one fits, compared with others; the later field decides where the earlier ones are equal."""

    fit: Fit
    named: bool
    """The moment that its id names lies within."""
    same_id: bool
    distance: timedelta
    """How far the two beginnings lie apart, negative."""


class Word(NamedTuple):
    """What a node says of an episode."""

    said: Episode
    epoch: str
    """Names the node's memory: what it tells apart within one, it told apart on purpose."""
    seen_at: datetime
    """Up to when the word goes."""
    heard_at: datetime
    """When it came."""
    over_at: datetime | None = None
    """When a reading here shows that it is over, at the latest."""

    def fit(self, found: Episode) -> Fit:
        """Return whether an episode found here is the one that is meant."""
        ended_at = earlier(self.said.ended_at, self.over_at)
        if not (_before_end(found.started_at, ended_at) and _before_end(self.said.started_at, found.ended_at)):
            return Fit.NONE
        if not _before_end(to_datetime(identity_ms(found)), ended_at):
            return Fit.NONE  # found in readings after the end, and joined over a gap with those before
        return Fit.MAYBE if self.said.ended_at is None and found.started_at > self.seen_at else Fit.SURE

    def closeness(self, found: Episode) -> Closeness:
        """Return how close an episode found here is to the one that is meant."""
        distance = -abs(found.started_at - self.said.started_at)
        return Closeness(self.fit(found), self.names(found), found.id == self.said.id, distance)

    def names(self, found: Episode) -> bool:
        """Tell whether the moment that its id names lies within the one that is meant."""
        moment = to_datetime(identity_ms(found))
        return _second(self.said.started_at) <= moment and _before_end(
            moment, earlier(self.said.ended_at, self.over_at)
        )


@dataclass(slots=True, eq=False)
class Adopted:
    """An episode that a node told."""

    stored: Episode
    """As it was last told here."""
    word: Word
    """The node's latest word."""
    found: Episode | None = None
    """What the engine tells of the same episode, in its own words."""
    found_live: bool = False
    """Whether it last told so by live data."""
    settled: bool = False
    """Whether the reading that ended it, by the node's word, was judged here too."""

    @property
    def end(self) -> datetime | None:
        """Return when it ended, by the node's word or a reading here."""
        return earlier(self.word.said.ended_at, self.word.over_at)

    def is_older(self, word: Word) -> bool:
        """Tell whether the node said at least as much before."""
        if word.seen_at != self.word.seen_at:
            return word.seen_at < self.word.seen_at
        return word.said.ended_at is None or self.word.said.ended_at is not None

    def is_closer(self, word: Word) -> bool:
        """Tell whether another word of the node rather means what is taken for this one."""
        if self.found is None or word.fit(self.found) is Fit.NONE:
            return False
        return word.closeness(self.found) > self.word.closeness(self.found)


def known_until(found: Episode, until: datetime | None) -> Episode:
    """Return the engine's episode as far as the engine knows it."""
    return found if until is None or found.ended_at is not None else replace(found, ended_at=until)


def earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    """Return the earlier of two moments, of which either may not be known."""
    if one is None or other is None:
        return one or other
    return min(one, other)


def _before_end(moment: datetime, ended_at: datetime | None) -> bool:
    return ended_at is None or moment < ended_at


def _second(moment: datetime) -> datetime:
    return moment.replace(microsecond=0)
