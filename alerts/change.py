"""What callers hear of: changes of alerts, counts, and errors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from alerts.lifecycle import AlertEvent
from alerts.routing import Decision
from domain.alert import Alert, AlertState
from domain.episode import Severity
from domain.errors import Fault, VitalsError


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something, and from where."""

    name: str
    origin: str
    """``api``, ``page``, or the channel and address that an answer came from: ``sms_modem +256700000001``."""
    contact: str = ""
    """Id of the contact, where it is one."""


@dataclass(frozen=True, slots=True)
class AlertChange:
    """What happened to an alert."""

    alert: Alert
    """As it is now."""
    was: AlertState | None
    """None for a new alert."""
    events: tuple[AlertEvent, ...]
    """Empty where only its times or its extreme moved."""
    decisions: tuple[Decision, ...] = ()
    """Who is told of it, and who is not, each with the reason."""
    escalated: bool = False
    """Whether a further step of its chain was taken."""


class OpenCount(NamedTuple):
    """How many alerts that are not over have these properties in common."""

    facility: str
    rule: str
    severity: Severity
    state: AlertState
    past: bool
    alerts: int


class UnknownAlertError(VitalsError):
    """Nobody ever gave this reference to an alert."""

    fault = Fault.SENDER

    def __init__(self, alert_id: int) -> None:
        self.alert_id = alert_id
        super().__init__(f"there is no alert {alert_id}")


class ActionRefusedError(VitalsError):
    """What was asked for is not allowed, or lacks what has to be said; says what is allowed."""

    fault = Fault.SENDER
