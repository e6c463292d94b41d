"""What came of an answer for each alert; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from alerts.actions import Acted
from alerts.answers.parse import Meaning
from domain.alert import Alert
from domain.instant import to_ms
from domain.people import Contact


class Result(StrEnum):
    """What came of it, for one alert."""

    TAKEN = "taken"
    YOURS_ALREADY = "yours_already"
    SOMEBODY_HAS_IT = "somebody_has_it"
    OVER = "over"
    """It had ended before anybody took it."""
    HELP_CALLED = "help_called"
    NO_MORE_HELP = "no_more_help"
    """Everybody who could be asked was asked before."""
    CLOSED = "closed"
    CLOSED_BEFORE = "closed_before"
    GOES_ON = "goes_on"
    """It cannot be closed while it goes on."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an answer for one alert."""

    result: Result
    alert: Alert
    """As it is now."""
    people: tuple[str, ...] = ()
    """Names of those who were called to help."""


def outcome_of(
    meaning: Meaning, acted: Acted, contact: Contact, contacts: Mapping[str, Contact], now: datetime
) -> Outcome:
    """Return what to say of an action."""
    alert = acted.alert
    if meaning is Meaning.HELP:
        called = dict.fromkeys(
            contacts[decision.contact].name
            for change in acted.changes
            for decision in change.decisions
            if decision.reason.told and decision.contact in contacts and decision.contact != contact.id
        )
        return Outcome(Result.HELP_CALLED if acted.took_effect else Result.NO_MORE_HELP, alert, tuple(called))
    if meaning is Meaning.DONE:
        return Outcome(_closed(acted), alert)
    return Outcome(_taken(acted, contact, now), alert)


def _closed(acted: Acted) -> Result:
    if acted.alert.ended_at is None:
        return Result.GOES_ON
    return Result.CLOSED if acted.took_effect else Result.CLOSED_BEFORE


def without_echoes(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Return the outcomes without "nobody else" for alerts at a place to which help was called by the same answer."""
    helped = {outcome.alert.facility for outcome in outcomes if outcome.result is Result.HELP_CALLED}
    return [
        outcome
        for outcome in outcomes
        if outcome.result is not Result.NO_MORE_HELP or outcome.alert.facility not in helped
    ]


def _taken(acted: Acted, contact: Contact, now: datetime) -> Result:
    is_theirs = acted.alert.acknowledged_by in {contact.id, contact.name}
    since = acted.alert.acknowledged_at
    # One answer takes all alerts of an incident; for the second of them there is nothing left to do.
    if acted.took_effect or (is_theirs and since is not None and to_ms(since) == to_ms(now)):
        return Result.TAKEN
    if is_theirs:
        return Result.YOURS_ALREADY
    return Result.SOMEBODY_HAS_IT if acted.alert.acknowledged_by else Result.OVER
