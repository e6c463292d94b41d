"""Tell whom, now, why? One pure function that answers with a reason for everybody concerned, told or not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from alerts.notification import UNREACHED, NotificationKind, NotificationState
from domain.people import Contact


class Reason(StrEnum):
    """Why somebody is told or not: log text, audit text and assertion."""

    TOLD_NEW = "told_new"
    TOLD_AGAIN = "told_again"
    """Raised anew for somebody who has had the alarm and no all-clear since."""
    TOLD_WORSE = "told_worse"
    TOLD_CLEAR = "told_clear"
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

    @property
    def told(self) -> bool:
        """Tell whether a notification is sent for this reason."""
        return self.name.startswith("TOLD_")


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


class Sent(NamedTuple):
    """What was queued or sent for this alert before."""

    contact: str
    channel: str
    address: str
    kind: NotificationKind
    state: NotificationState


class Decision(NamedTuple):
    """One answer: whom, where, why; the contact is empty where it concerns nobody in particular."""

    reason: Reason
    kind: NotificationKind
    contact: str = ""
    channel: str = ""
    address: str = ""


def decide(
    kind: NotificationKind,
    *,
    live: bool,
    contacts: Iterable[Contact],
    routes: Sequence[Route],
    sent: Sequence[Sent],
) -> tuple[Decision, ...]:
    """Return a decision for everybody concerned.

    ``live`` is False where late data alone tell of the excursion; ``sent`` is in the order of queueing.
    An all-clear goes to exactly those who got the alarm, in the same channel and to the same address, and does not
    ask whether it is live.
    """
    if kind is NotificationKind.ALL_CLEAR:
        return _clear(routes, sent)
    if not live:
        return (Decision(Reason.SILENT_PAST, kind),)
    if not routes:
        return (Decision(Reason.SILENT_NO_CHANNEL, kind),)
    waiting = {key for key, state in _last_word(sent).items() if state.kind is not NotificationKind.ALL_CLEAR}
    return _without_repeats(_alarms(kind, tuple(contacts), routes), waiting)


def is_owed_all_clear(contact: str, channel: str, sent: Iterable[Sent]) -> bool:
    """Tell whether the last message that reached this recipient, or still may, is an alarm."""
    word = _last_word(sent).get((contact, channel))
    return word is not None and word.kind is not NotificationKind.ALL_CLEAR


def _alarms(kind: NotificationKind, contacts: Sequence[Contact], routes: Sequence[Route]) -> list[Decision]:
    reason = Reason.TOLD_WORSE if kind is NotificationKind.WORSE else Reason.TOLD_NEW
    decisions = [Decision(reason, kind, "", route.channel) for route in routes if route.audience is Audience.SYSTEM]
    if not contacts:
        decisions.append(Decision(Reason.SILENT_NO_CONTACT, kind))
    personal = [route for route in routes if route.audience is Audience.PERSON]
    for contact in contacts if personal else ():
        told = [
            Decision(reason, kind, contact.id, route.channel, address)
            for route in personal
            if (address := route.address_of(contact).strip())
        ]
        decisions += told or [Decision(Reason.SILENT_NO_ADDRESS, kind, contact.id)]
    return decisions


def _without_repeats(decisions: Iterable[Decision], waiting: set[tuple[str, str]]) -> tuple[Decision, ...]:
    used: set[tuple[str, str]] = set()
    kept = []
    for decision in decisions:
        if decision.address and (decision.channel, decision.address) in used:
            kept.append(decision._replace(reason=Reason.SILENT_SAME_ADDRESS))
            continue
        used.add((decision.channel, decision.address))
        again = decision.reason is Reason.TOLD_NEW and (decision.contact, decision.channel) in waiting
        kept.append(decision._replace(reason=Reason.TOLD_AGAIN) if again else decision)
    return tuple(kept)


def _last_word(sent: Iterable[Sent]) -> dict[tuple[str, str], Sent]:
    """Return the last message per recipient that reached them or still may."""
    return {(item.contact, item.channel): item for item in sent if item.state not in UNREACHED}


def _clear(routes: Sequence[Route], sent: Sequence[Sent]) -> tuple[Decision, ...]:
    kind = NotificationKind.ALL_CLEAR
    configured = {route.channel for route in routes}
    last = _last_word(sent)
    recipients = {(item.contact, item.channel): item.address for item in sent}
    if not recipients:
        return (Decision(Reason.SILENT_NEVER_TOLD, kind),)
    decisions = []
    for (contact, channel), address in recipients.items():
        word = last.get((contact, channel))
        if word is None:
            reason = Reason.SILENT_NEVER_TOLD
        elif word.kind is kind:
            reason = Reason.SILENT_ALREADY_TOLD
        else:
            reason = Reason.TOLD_CLEAR if channel in configured else Reason.SILENT_NO_CHANNEL
        decisions.append(Decision(reason, kind, contact, channel, word.address if word else address))
    return tuple(decisions)
