"""What a notification is: one message to one person (or system) on one channel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any


class NotificationKind(StrEnum):
    """What a notification says."""

    ALARM = "alarm"
    WORSE = "worse"
    ALL_CLEAR = "all_clear"
    PAST = "past"
    """An excursion that late data alone told of: for the digest."""
    REPLY = "reply"
    """An answer to what somebody wrote."""
    TEST = "test"


class NotificationState(StrEnum):
    """How far a notification came."""

    QUEUED = "queued"
    SUBMITTED = "submitted"
    """Handed to the notifier; whether it arrived is not known yet."""
    DELIVERED = "delivered"
    """The other side took responsibility for it."""
    FAILED = "failed"
    """Refused for good, or not taken until its deadline."""
    UNKNOWN = "unknown"
    """Taken by the other side, which never said whether it arrived."""
    ACKNOWLEDGED = "acknowledged"
    """The person answered: it arrived, whatever the other side said."""
    CANCELLED = "cancelled"
    """An all-clear to somebody whom the alarm never reached."""

    @property
    def is_final(self) -> bool:
        """Tell whether nothing more can come of it."""
        return self not in {NotificationState.QUEUED, NotificationState.SUBMITTED}


UNREACHED = frozenset({NotificationState.FAILED, NotificationState.CANCELLED})


@dataclass(frozen=True, slots=True)
class Notification:
    """One row of the outbox."""

    id: int
    key: str
    """The idempotency key, the same for every attempt, so that a receiver can drop a repetition: of an alarm
    ``<alert>-<telling>-<contact>-<channel>``."""
    bundle: int | None
    """Names what it tells of, the same for all notifications of one message; None for an answer or a test."""
    alert: int | None
    """The alert that gives the message its reference; None for an answer or a test."""
    kind: NotificationKind
    contact: str
    """Id of the contact; empty for a system."""
    channel: str
    """Name of the notifier."""
    fallbacks: tuple[tuple[str, str], ...]
    """Channels, with the addresses on them, that are left if this one does not bring it there."""
    address: str
    reason: str
    """Why it was sent: a ``routing.Reason``."""
    subject: str
    short_text: str
    long_text: str
    facts: Mapping[str, Any]
    state: NotificationState
    attempts: int
    queued_at: datetime
    next_attempt_at: datetime | None
    """When it is due; for a submitted one, when the sender counts as dead; None once nothing is to be done."""
    report_due_at: datetime | None
    """Of a submitted one: until when the other side may say what came of it."""
    deadline: datetime
    settled_at: datetime | None = None
    delivery_reference: str = ""
    """The other side's name for the message."""
    last_error: str = ""


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Who did what to an alert, when and from where."""

    alert: int
    at: datetime
    who: str
    origin: str
    what: str
    detail: str
