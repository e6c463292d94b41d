"""The life of an alert as one table, (state, event) → (state, effects), after ISA-18.2 / IEC 62682.

The table is about one alert, that is one episode. Three choices go beyond the standard's state diagram:
worsening re-alarms an acknowledged or shelved alert; an acknowledgement while an alert is silenced keeps the name and
stays silent; a reply that comes after the end changes nothing. ``docs/alerts.md`` shows the table to a person.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

from domain.alert import AlertState
from domain.errors import Fault, VitalsError


class AlertEvent(StrEnum):
    """What can happen to an alert."""

    RAISED = "raised"
    """The condition holds and nobody was told yet, or it holds again."""
    RAISED_SHELVED = "raised_shelved"
    """The condition holds where a person had shelved the rule or equipment beforehand."""
    RAISED_SUPPRESSED = "raised_suppressed"
    """The condition holds as the known consequence of another one."""
    RAISED_OUT_OF_SERVICE = "raised_out_of_service"
    """The condition holds for equipment that is under maintenance."""
    WORSENED = "worsened"
    """A higher severity, or a value further out than the rule lets pass without a word."""
    RETURNED = "returned"
    """The condition no longer holds."""
    RETRACTED = "retracted"
    """Late data show that the condition never held."""
    ACKNOWLEDGED = "acknowledged"
    ACKNOWLEDGEMENT_EXPIRED = "acknowledgement_expired"
    SHELVED = "shelved"
    UNSHELVED = "unshelved"
    """By a person, or because the time is over."""
    SUPPRESSED = "suppressed"
    UNSUPPRESSED = "unsuppressed"
    TAKEN_OUT_OF_SERVICE = "taken_out_of_service"
    RETURNED_TO_SERVICE = "returned_to_service"


class Effect(StrEnum):
    """What a transition asks for; whom to tell is the business of ``alerts.routing``."""

    NOTIFY_RAISED = "notify_raised"
    NOTIFY_WORSENED = "notify_worsened"
    NOTIFY_ALL_CLEAR = "notify_all_clear"
    RECORD_ACKNOWLEDGEMENT = "record_acknowledgement"
    FORGET_ACKNOWLEDGEMENT = "forget_acknowledgement"


class Transition(NamedTuple):
    """Where an event leads, and what it asks for on the way."""

    state: AlertState
    effects: tuple[Effect, ...] = ()


class ImpossibleEventError(VitalsError):
    """An event that cannot happen in a state; names what can. The caller asked for it."""

    fault = Fault.SENDER

    def __init__(self, state: AlertState, event: AlertEvent) -> None:
        self.state = state
        self.event = event
        self.allowed = tuple(sorted(allowed_events(state)))
        super().__init__(f"an alert that is {state} cannot be {event}; possible: {', '.join(self.allowed)}")


_S, _E = AlertState, AlertEvent
_TOLD_AFRESH = Transition(_S.UNACKNOWLEDGED, (Effect.NOTIFY_RAISED, Effect.FORGET_ACKNOWLEDGEMENT))
_TOLD_WORSE = Transition(_S.UNACKNOWLEDGED, (Effect.NOTIFY_WORSENED, Effect.FORGET_ACKNOWLEDGEMENT))
_OVER = Transition(_S.NORMAL, (Effect.NOTIFY_ALL_CLEAR,))
_TAKEN = (Effect.RECORD_ACKNOWLEDGEMENT,)

TABLE: dict[tuple[AlertState, AlertEvent], Transition] = {
    (_S.NORMAL, _E.RAISED): _TOLD_AFRESH,
    (_S.NORMAL, _E.RAISED_SHELVED): Transition(_S.SHELVED),
    (_S.NORMAL, _E.RAISED_SUPPRESSED): Transition(_S.SUPPRESSED),
    (_S.NORMAL, _E.RAISED_OUT_OF_SERVICE): Transition(_S.OUT_OF_SERVICE),
    (_S.NORMAL, _E.ACKNOWLEDGED): Transition(_S.NORMAL),
    (_S.NORMAL, _E.RETRACTED): Transition(_S.NORMAL),
    (_S.UNACKNOWLEDGED, _E.RAISED): _TOLD_AFRESH,
    (_S.UNACKNOWLEDGED, _E.WORSENED): _TOLD_WORSE,
    (_S.UNACKNOWLEDGED, _E.RETURNED): Transition(_S.RETURNED_UNACKNOWLEDGED, (Effect.NOTIFY_ALL_CLEAR,)),
    (_S.UNACKNOWLEDGED, _E.RETRACTED): _OVER,
    (_S.UNACKNOWLEDGED, _E.ACKNOWLEDGED): Transition(_S.ACKNOWLEDGED, _TAKEN),
    (_S.UNACKNOWLEDGED, _E.SHELVED): Transition(_S.SHELVED),
    (_S.UNACKNOWLEDGED, _E.SUPPRESSED): Transition(_S.SUPPRESSED),
    (_S.UNACKNOWLEDGED, _E.TAKEN_OUT_OF_SERVICE): Transition(_S.OUT_OF_SERVICE),
    (_S.ACKNOWLEDGED, _E.RAISED): _TOLD_AFRESH,
    (_S.ACKNOWLEDGED, _E.WORSENED): _TOLD_WORSE,
    (_S.ACKNOWLEDGED, _E.RETURNED): _OVER,
    (_S.ACKNOWLEDGED, _E.RETRACTED): _OVER,
    (_S.ACKNOWLEDGED, _E.ACKNOWLEDGED): Transition(_S.ACKNOWLEDGED),
    (_S.ACKNOWLEDGED, _E.ACKNOWLEDGEMENT_EXPIRED): _TOLD_AFRESH,
    (_S.ACKNOWLEDGED, _E.SHELVED): Transition(_S.SHELVED),
    (_S.ACKNOWLEDGED, _E.SUPPRESSED): Transition(_S.SUPPRESSED),
    (_S.ACKNOWLEDGED, _E.TAKEN_OUT_OF_SERVICE): Transition(_S.OUT_OF_SERVICE),
    (_S.RETURNED_UNACKNOWLEDGED, _E.RAISED): _TOLD_AFRESH,
    (_S.RETURNED_UNACKNOWLEDGED, _E.RETRACTED): Transition(_S.NORMAL),
    (_S.RETURNED_UNACKNOWLEDGED, _E.ACKNOWLEDGED): Transition(_S.NORMAL, _TAKEN),
    (_S.SHELVED, _E.WORSENED): _TOLD_WORSE,
    (_S.SHELVED, _E.RETURNED): _OVER,
    (_S.SHELVED, _E.RETRACTED): _OVER,
    (_S.SHELVED, _E.ACKNOWLEDGED): Transition(_S.SHELVED, _TAKEN),
    (_S.SHELVED, _E.SHELVED): Transition(_S.SHELVED),
    (_S.SHELVED, _E.UNSHELVED): _TOLD_AFRESH,
    (_S.SHELVED, _E.TAKEN_OUT_OF_SERVICE): Transition(_S.OUT_OF_SERVICE),
    (_S.SUPPRESSED, _E.WORSENED): Transition(_S.SUPPRESSED),
    (_S.SUPPRESSED, _E.RETURNED): _OVER,
    (_S.SUPPRESSED, _E.RETRACTED): _OVER,
    (_S.SUPPRESSED, _E.ACKNOWLEDGED): Transition(_S.SUPPRESSED, _TAKEN),
    (_S.SUPPRESSED, _E.UNSUPPRESSED): _TOLD_AFRESH,
    (_S.SUPPRESSED, _E.TAKEN_OUT_OF_SERVICE): Transition(_S.OUT_OF_SERVICE),
    (_S.OUT_OF_SERVICE, _E.WORSENED): Transition(_S.OUT_OF_SERVICE),
    (_S.OUT_OF_SERVICE, _E.RETURNED): _OVER,
    (_S.OUT_OF_SERVICE, _E.RETRACTED): _OVER,
    (_S.OUT_OF_SERVICE, _E.ACKNOWLEDGED): Transition(_S.OUT_OF_SERVICE, _TAKEN),
    (_S.OUT_OF_SERVICE, _E.RETURNED_TO_SERVICE): _TOLD_AFRESH,
}

ONGOING = frozenset(_S) - {_S.NORMAL, _S.RETURNED_UNACKNOWLEDGED}
"""The states in which the condition still holds."""


def allowed_events(state: AlertState) -> frozenset[AlertEvent]:
    """Return the events that can happen to an alert in this state."""
    return frozenset(event for known, event in TABLE if known is state)


def step(state: AlertState, event: AlertEvent) -> Transition:
    """Return where the event leads; raises ``ImpossibleEventError`` naming what is allowed."""
    transition = TABLE.get((state, event))
    if transition is None:
        raise ImpossibleEventError(state, event)
    return transition


def walk(state: AlertState, events: Iterable[AlertEvent]) -> Transition:
    """Return where several events lead one after the other, with the effects of all of them in order."""
    effects: list[Effect] = []
    for event in events:
        state, asked = step(state, event)
        effects += asked
    return Transition(state, tuple(effects))
