"""Alerts: episodes that somebody must know of, in the states of ISA-18.2 / IEC 62682."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from domain.episode import Severity, SubjectKind


class AlertState(StrEnum):
    """The state of an alert; NORMAL is the state of one that is over and needs nobody."""

    NORMAL = "normal"
    UNACKNOWLEDGED = "unacknowledged"
    ACKNOWLEDGED = "acknowledged"
    RETURNED_UNACKNOWLEDGED = "returned_unacknowledged"
    """Back in range before anybody answered."""
    SHELVED = "shelved"
    SUPPRESSED = "suppressed"
    OUT_OF_SERVICE = "out_of_service"


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert as pages, API and notifiers see it."""

    id: int
    """Also the reference that a technician reads and answers with."""
    episode: str
    rule: str
    severity: Severity
    state: AlertState
    subject_kind: SubjectKind
    subject: str
    facility: str
    started_at: datetime
    raised_at: datetime
    """When the service raised it (processing time)."""
    past: bool = False
    """Told by late data only: over before anybody could know."""
    ended_at: datetime | None = None
    extreme: float | None = None
    acknowledged_at: datetime | None = None
    acknowledged_by: str = ""
