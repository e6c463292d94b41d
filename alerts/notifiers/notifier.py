"""What every notifier is and answers."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from alerts.notification import Notification, NotificationKind, NotificationState


@dataclass(frozen=True, slots=True)
class OutgoingMessage:
    """What a notifier is asked to send."""

    key: str
    """The same for every attempt: a receiver that keeps keys drops a repetition."""
    reference: int
    kind: NotificationKind
    contact: str
    address: str
    subject: str
    short_text: str
    long_text: str
    facts: Mapping[str, Any]


def outgoing(notification: Notification) -> OutgoingMessage:
    """Return what a notifier needs to know of a notification."""
    return OutgoingMessage(
        key=notification.key,
        reference=notification.alert,
        kind=notification.kind,
        contact=notification.contact,
        address=notification.address,
        subject=notification.subject,
        short_text=notification.short_text,
        long_text=notification.long_text,
        facts=notification.facts,
    )


@dataclass(frozen=True, slots=True)
class Delivery:
    """What came of an attempt."""

    state: NotificationState
    """DELIVERED, FAILED, or SUBMITTED where a report of the other side is still to come."""
    sentence: str = ""
    """What went wrong and where, for a person."""
    recoverable: bool = False
    """Of a failure: whether the same message may go through later."""
    retry_after_seconds: float | None = None
    """Of a recoverable failure: how long the other side asks us to wait."""
    reference: str = ""
    """The other side's name for the message."""

    @classmethod
    def delivered(cls, reference: str = "") -> Delivery:
        """Say that the other side took it."""
        return cls(NotificationState.DELIVERED, reference=reference[:200])

    @classmethod
    def failed(cls, sentence: str, *, recoverable: bool, retry_after_seconds: float | None = None) -> Delivery:
        """Say that the other side did not take it."""
        return cls(NotificationState.FAILED, sentence[:500], recoverable, retry_after_seconds)


class Notifier(Protocol):
    """One channel. A defect of its own it may raise; what the other side does wrong it answers as a Delivery."""

    async def send(self, message: OutgoingMessage) -> Delivery:
        """Try once."""


@dataclass(frozen=True, slots=True)
class Workplace:
    """What notifiers are given by whoever runs them."""

    writer: Callable[[str], None]
    """Takes a line of text."""
    unix_seconds: Callable[[], float] = time.time
    """Real time, whatever clock the service runs on: other servers compare it with theirs."""
