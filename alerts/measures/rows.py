"""What measures are computed from: a period, a place, and rows as the database gives them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.directory import Directory
from domain.episode import Severity
from domain.errors import OperatorError


@dataclass(frozen=True, slots=True)
class Period:
    """A stretch of time, ``from_ <= t < to``."""

    from_: datetime
    to: datetime

    def __post_init__(self) -> None:
        """Refuse a period without length."""
        if self.to <= self.from_:
            raise OperatorError(f"the period ends at {self.to:%Y-%m-%d %H:%M}, which is not after its beginning")

    @property
    def length(self) -> timedelta:
        """Return how long it is."""
        return self.to - self.from_

    def holds(self, moment: datetime) -> bool:
        """Tell whether a moment is within."""
        return self.from_ <= moment < self.to


District = tuple[str, str, str]
"""Country, region and district: the name alone need not be unique."""

UNREGISTERED: District = ("", "", "")


def district_of(facility: str, directory: Directory) -> District:
    """Return where a facility is; ``UNREGISTERED`` for one that is not registered any more."""
    found = directory.facilities.get(facility)
    return UNREGISTERED if found is None else (found.country, found.region, found.district)


@dataclass(frozen=True, slots=True)
class AlertRow:
    """One alert, with what became of it."""

    id: int
    rule: str
    subject: str
    facility: str
    severity: Severity
    past: bool
    retracted: bool
    raised_at: datetime
    started_at: datetime
    ended_at: datetime | None
    told_at: datetime | None
    """When the first message that tells of it was queued; None: nobody was told."""
    answered_at: datetime | None
    """When it was first acknowledged."""
    escalated: bool


@dataclass(frozen=True, slots=True)
class MessageRow:
    """One notification, once for each facility that it tells of."""

    id: int
    facility: str
    contact: str
    channel: str
    kind: str
    state: str


@dataclass(frozen=True, slots=True)
class ClosingRow:
    """What was found about one alert."""

    facility: str
    reason: str
    doses_affected: int | None
