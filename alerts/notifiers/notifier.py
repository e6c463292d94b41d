"""What every notifier is and answers."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from alerts.notification import Notification, NotificationKind, NotificationState
from domain.errors import Fault, VitalsError


@dataclass(frozen=True, slots=True)
class OutgoingMessage:
    """What a notifier is asked to send."""

    key: str
    """The same for every attempt: a receiver that keeps keys drops a repetition."""
    reference: int
    """Number of the alert; 0 where there is none."""
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
        reference=notification.alert or 0,
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


class DeliveryReport(NamedTuple):
    """What the other side says later of a message that it took."""

    channel: str
    """Name of the notifier's row."""
    reference: str
    """The other side's name for the message, as ``Delivery.reference`` gave it."""
    state: NotificationState
    """DELIVERED, FAILED, or UNKNOWN where the other side cannot tell."""
    sentence: str = ""
    """Of a failure: what went wrong, for a person."""


class IncomingText(NamedTuple):
    """What somebody wrote to us."""

    channel: str
    sender: str
    """The address it came from, as the channel's ``address_of`` spells addresses."""
    text: str
    reference: str
    """The other side's name for it: the same text handed over twice has the same one. Empty where it has none."""


class Callback(NamedTuple):
    """A request by which a gateway tells us something."""

    method: str
    headers: Mapping[str, str]
    """Names in lower case."""
    query: Mapping[str, str]
    body: bytes


class Heard(NamedTuple):
    """What a gateway's request says, and what to answer it with."""

    events: tuple[DeliveryReport | IncomingText, ...]
    answer: bytes = b""
    content_type: str = "text/plain"


class CallbackRefusedError(VitalsError):
    """A request that does not come from the gateway, or that nobody can read; says which and what is allowed."""

    fault = Fault.SENDER


async def _nobody_listens(_: DeliveryReport | IncomingText) -> None:
    return None


@dataclass(frozen=True, slots=True)
class Workplace:
    """What notifiers are given by whoever runs them."""

    writer: Callable[[str], None]
    """Takes a line of text."""
    unix_seconds: Callable[[], float] = time.time
    """Real time, whatever clock the service runs on: other servers compare it with theirs."""
    heard: Callable[[DeliveryReport | IncomingText], Awaitable[None]] = _nobody_listens
    """Takes what a notifier hears by itself (from a modem, over a connection of its own); returns once it is kept, so
    that the notifier may then tell the other side that it has it. Raises where it could not be kept."""
