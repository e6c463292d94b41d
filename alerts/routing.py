"""Tell whom, now, why? One pure function that answers with a reason for everybody concerned, told or not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from alerts.bundle import Occasion
from alerts.lifecycle import ONGOING
from alerts.notification import NotificationKind
from domain.alert import AlertState
from domain.episode import Severity
from domain.people import Contact, QuietHours


class Reason(StrEnum):
    """Why somebody is told now, later or not: log text, audit text and assertion."""

    TOLD_NEW = "told_new"
    TOLD_AGAIN = "told_again"
    """Raised anew for somebody who has had the alarm and no all-clear since."""
    TOLD_WORSE = "told_worse"
    TOLD_CLEAR = "told_clear"
    TOLD_ESCALATED = "told_escalated"
    """Those who were told before have not answered."""
    TOLD_HELP = "told_help"
    """Somebody who was told asks for help."""
    TOLD_UNREACHED = "told_unreached"
    """Somebody who was to be told before could not be reached."""
    TOLD_PAST = "told_past"
    """An excursion of the past, for the digest."""

    HELD_TOGETHER = "held_together"
    """Waits a moment for others that are to be told with it."""
    HELD_FLAPPING = "held_flapping"
    """Came and went often of late; told only if it stays."""
    HELD_QUIET = "held_quiet"
    """Waits for the end of this person's quiet hours."""
    HELD_QUOTA = "held_quota"
    """This person had their share of messages; waits for the next digest."""
    HELD_PAST = "held_past"
    """An excursion of the past, which waits for the next digest."""

    SILENT_PAST = "silent_past"
    """Late data, or over before anybody could act."""
    SILENT_NO_CONTACT = "silent_no_contact"
    """Nobody answers for the facility."""
    SILENT_NO_ADDRESS = "silent_no_address"
    """This person has no address on any channel that is configured."""
    SILENT_NO_CHANNEL = "silent_no_channel"
    """No channel is configured, or no longer the one that carried the alarm."""
    SILENT_SAME_ADDRESS = "silent_same_address"
    """Another contact with this address is told already."""
    SILENT_ALREADY_TOLD = "silent_already_told"
    """Has had the all-clear."""
    SILENT_NEVER_TOLD = "silent_never_told"
    """No all-clear without an alarm."""
    SILENT_OVER = "silent_over"
    """It was over before its turn to be told came."""
    SILENT_GOES_ON = "silent_goes_on"
    """The all-clear waited, and meanwhile it turned out that it is not over."""
    SILENT_HANDLED = "silent_handled"
    """Somebody took it, or it was silenced, before its turn to be told came."""
    SILENT_TOLD_OTHERWISE = "silent_told_otherwise"
    """Another telling of the same alert says it in the same message."""

    @property
    def told(self) -> bool:
        """Tell whether a notification is sent for this reason."""
        return self.name.startswith("TOLD_")

    @property
    def held(self) -> bool:
        """Tell whether it waits."""
        return self.name.startswith("HELD_")


class Audience(StrEnum):
    """Whom a channel speaks to."""

    PERSON = "person"
    SYSTEM = "system"
    """Another program: told once, whoever answers for the facility."""


@dataclass(frozen=True, slots=True)
class Route:
    """A configured channel, and the address on it that a contact has (empty where none)."""

    channel: str
    audience: Audience
    address_of: Callable[[Contact], str]
    medium: str = ""
    """What it is for the one who is told (``sms``); several channels can serve one medium, one for another."""
    answerable: bool = False
    """Whether a message can say "reply 1": answers over this channel are heard."""
    on_request: bool = False
    """Whether it is used only where a person or a step asks for it, because it disturbs: a voice call."""


class Reach(NamedTuple):
    """A channel and somebody's address on it."""

    channel: str
    address: str


def lanes_of(contact: Contact, by: Sequence[str], routes: Sequence[Route]) -> tuple[tuple[Reach, ...], ...]:
    """Return how a message reaches a person: each lane carries it, over its first channel that works.

    ``by`` are the media or channels that were asked for, before those that the person prefers. Who prefers none gets
    it over every medium at once, save those on request.
    """
    named = tuple(by) or contact.channels
    personal = [route for route in routes if route.audience is Audience.PERSON]
    if named:
        chosen = [[route for name in named for route in personal if name in (route.channel, route.medium)]]
    else:
        usual = [route for route in personal if not route.on_request]
        media = dict.fromkeys(route.medium or route.channel for route in usual)
        chosen = [[route for route in usual if (route.medium or route.channel) == medium] for medium in media]
    lanes = (tuple(dict.fromkeys(_reaches(contact, lane))) for lane in chosen)
    return tuple(lane for lane in lanes if lane)


def _reaches(contact: Contact, routes: Iterable[Route]) -> Iterable[Reach]:
    for route in routes:
        if address := route.address_of(contact).strip():
            yield Reach(route.channel, address)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What the decision about one person, or one system, and one alert depends on."""

    kind: NotificationKind
    occasion: Occasion
    severity: Severity
    now: datetime
    state: AlertState
    """Of the alert, now."""
    live: bool
    """False where late data alone tell of the excursion."""
    last: NotificationKind | None
    """The last word on this alert that reached the person, or still may."""
    has_address: bool
    shares_address: bool = False
    """Whether somebody else is told at the same address anyway."""
    waits_until: datetime | None = None
    """For others that may join, or to see whether it stays ..."""
    waits_for: Reason = Reason.HELD_TOGETHER
    """... and which of the two."""
    quiet: QuietHours | None = None
    past_told_at: datetime | None = None
    """When the next digest of past excursions is due; None: there is none."""
    was_pending: bool = False
    """Whether it has waited, so that what happened meanwhile counts."""


class Verdict(NamedTuple):
    """Told now, told later (then ``until`` when), or not told, and why."""

    reason: Reason
    until: datetime | None = None


def decide(question: Question) -> Verdict:
    """Return what to do about this person and this alert now."""
    if question.kind is NotificationKind.ALL_CLEAR:
        unwanted = _unwanted_clear(question)
        return Verdict(unwanted) if unwanted else _timed(question, Reason.TOLD_CLEAR)
    if not question.has_address:
        return Verdict(Reason.SILENT_NO_ADDRESS)
    if question.shares_address:
        return Verdict(Reason.SILENT_SAME_ADDRESS)
    if question.kind is NotificationKind.PAST or not question.live:
        return _past(question)
    if question.was_pending and question.state not in _TO_BE_TOLD.get(question.occasion, _UNANSWERED):
        return Verdict(Reason.SILENT_OVER if question.state in _OVER else Reason.SILENT_HANDLED)
    return _timed(question, _told(question))


_UNANSWERED = frozenset({AlertState.UNACKNOWLEDGED})
_TO_BE_TOLD = {Occasion.HELP_WANTED: _UNANSWERED | {AlertState.ACKNOWLEDGED}}
_OVER = frozenset({AlertState.NORMAL, AlertState.RETURNED_UNACKNOWLEDGED})
_OF_OCCASION = {
    Occasion.NOBODY_ANSWERED: Reason.TOLD_ESCALATED,
    Occasion.HELP_WANTED: Reason.TOLD_HELP,
    Occasion.UNREACHABLE: Reason.TOLD_UNREACHED,
}


def _unwanted_clear(question: Question) -> Reason | None:
    if question.last is None:
        return Reason.SILENT_NEVER_TOLD
    if question.last is NotificationKind.ALL_CLEAR:
        return Reason.SILENT_ALREADY_TOLD
    return Reason.SILENT_GOES_ON if question.was_pending and question.state in ONGOING else None


def _told(question: Question) -> Reason:
    if question.occasion in _OF_OCCASION:
        return _OF_OCCASION[question.occasion]
    if question.kind is NotificationKind.WORSE:
        return Reason.TOLD_WORSE
    waiting = question.last not in (None, NotificationKind.ALL_CLEAR)
    return Reason.TOLD_AGAIN if waiting else Reason.TOLD_NEW


def _past(question: Question) -> Verdict:
    if question.kind is NotificationKind.PAST and question.was_pending:
        return _timed(question, Reason.TOLD_PAST)
    if question.past_told_at is None or question.severity < Severity.WARNING:
        return Verdict(Reason.SILENT_PAST)
    return Verdict(Reason.HELD_PAST, question.past_told_at)


def _timed(question: Question, reason: Reason) -> Verdict:
    if question.waits_until is not None and question.now < question.waits_until:
        return Verdict(question.waits_for, question.waits_until)
    until = quiet_until(question.quiet, question.severity, question.now)
    return Verdict(reason) if until is None else Verdict(Reason.HELD_QUIET, until)


def quiet_until(quiet: QuietHours | None, severity: Severity, now: datetime) -> datetime | None:
    """Return when the quiet hours that hold now are over; None where none hold for this severity."""
    if quiet is None or severity >= quiet.woken_from or quiet.start == quiet.end:
        return None
    try:
        zone = ZoneInfo(quiet.timezone)
    except (ZoneInfoNotFoundError, ValueError):
        return None
    local = now.astimezone(zone)
    for days_back in (1, 0):
        day = local.date() - timedelta(days=days_back)
        start = datetime.combine(day, quiet.start, zone)
        over_midnight = timedelta(days=1) if quiet.end <= quiet.start else timedelta(0)
        end = datetime.combine(day + over_midnight, quiet.end, zone)
        if start <= local < end:
            return end.astimezone(now.tzinfo)
    return None


class Decision(NamedTuple):
    """One answer: whom, why, and when if later; the contact is empty where it concerns nobody in particular."""

    reason: Reason
    kind: NotificationKind
    contact: str = ""
    channel: str = ""
    """Of a system."""
    until: datetime | None = None
