"""Episodes: excursions that lasted long enough for their rule."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import NamedTuple

from domain.instant import to_datetime


class Severity(IntEnum):
    """How bad; ordered, so that worsening is a comparison."""

    INFO = 1
    WARNING = 2
    CRITICAL = 3

    @property
    def label(self) -> str:
        """Return the word used in rules, in the API and on pages."""
        return self.name.lower()


class SubjectKind(StrEnum):
    """What a rule judges."""

    CHANNEL = "channel"
    NODE = "node"


def episode_id(rule: str, subject: str, started_at_ms: int) -> str:
    """Return the id that the edge and the centre both give to an episode that starts at this moment."""
    return f"{rule}/{subject}/{to_datetime(started_at_ms):%Y%m%dT%H%M%S}Z"


@dataclass(frozen=True, slots=True)
class Episode:
    """One excursion of one subject under one rule, on event time."""

    id: str
    rule: str
    severity: Severity
    subject_kind: SubjectKind
    subject: str
    """Id of the channel or node."""
    facility: str
    started_at: datetime
    """When the condition first held."""
    confirmed_at: datetime
    """When it had held for as long as the rule asks."""
    ended_at: datetime | None = None
    """When it was first seen to hold no more; None while it goes on."""
    extreme: float | None = None
    """The worst value, in the quantity's canonical unit."""
    extreme_at: datetime | None = None


class ChangeKind(StrEnum):
    """What happened to an episode."""

    OPENED = "opened"
    WORSENED = "worsened"
    """A new extreme."""
    ENDED = "ended"
    AMENDED = "amended"
    """Late data moved its start, end or extreme."""
    RETRACTED = "retracted"
    """Late data show that it never was."""


class EpisodeChange(NamedTuple):
    """A change that the rules found."""

    kind: ChangeKind
    episode: Episode
    live: bool
    """False where late data made the change: it amends history and wakes nobody."""
