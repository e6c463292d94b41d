"""What a person can do with an alert now: one pure function, for whoever offers actions and for whoever takes them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from alerts.closing import Closed
from alerts.lifecycle import ONGOING, AlertEvent, Effect, allowed_events, step
from domain.alert import Alert


class AllowedAction(StrEnum):
    """What a person can do, in the order in which it is usually wanted."""

    ACKNOWLEDGE = "acknowledge"
    ASK_FOR_HELP = "ask_for_help"
    SHELVE = "shelve"
    UNSHELVE = "unshelve"
    CLOSE = "close"


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of an alert besides the alert itself."""

    incident: int | None = None
    """The number of its incident; None while nobody was to be told of it."""
    closed: Closed | None = None
    """What was found and done, once somebody has closed it."""


def allowed_actions(alert: Alert, standing: Standing) -> tuple[AllowedAction, ...]:
    """Return what would have an effect now.

    The table of the life cycle says most of it. Beyond it: nobody takes what somebody has taken; help is called to an
    incident that goes on; and what is over is closed once.
    """
    possible = allowed_events(alert.state)
    goes_on = alert.state in ONGOING
    can = {
        AllowedAction.ACKNOWLEDGE: AlertEvent.ACKNOWLEDGED in possible
        and Effect.RECORD_ACKNOWLEDGEMENT in step(alert.state, AlertEvent.ACKNOWLEDGED).effects
        and alert.acknowledged_at is None,
        AllowedAction.ASK_FOR_HELP: goes_on and standing.incident is not None,
        AllowedAction.SHELVE: AlertEvent.SHELVED in possible,
        AllowedAction.UNSHELVE: AlertEvent.UNSHELVED in possible,
        AllowedAction.CLOSE: not goes_on and standing.closed is None,
    }
    return tuple(action for action in AllowedAction if can[action])
