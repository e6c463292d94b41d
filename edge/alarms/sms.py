"""Which messages a modem has to send: one alarm an episode and number, and its all-clear. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from domain.instant import HOUR_MS, MINUTE_MS, SECOND_MS

FIRST_RETRY_MS = 30 * SECOND_MS
LONGEST_RETRY_MS = 30 * MINUTE_MS


class MessageKind(StrEnum):
    """What a message says."""

    ALARM = "alarm"
    ALL_CLEAR = "all_clear"


class MessageState(StrEnum):
    """What became of a message."""

    WAITING = "waiting"
    SENT = "sent"
    GIVEN_UP = "given_up"


@dataclass(slots=True)
class Message:
    """A message to one number; moments are the node's own."""

    key: str
    """The episode's."""
    number: str
    kind: MessageKind
    text: str
    due_ms: int
    until_ms: int
    """When it is given up."""
    state: MessageState = MessageState.WAITING
    attempts: int = 0
    sent_ms: int | None = None


def next_message(messages: Iterable[Message], now_ms: int, *, most_per_hour: int) -> Message | None:
    """Return the message to send now: alarms before all-clears, the oldest first; None while none is due or allowed."""
    known = list(messages)
    recent = sum(each.sent_ms is not None and now_ms - each.sent_ms < HOUR_MS for each in known)
    if recent >= most_per_hour:
        return None
    due = [each for each in known if each.state is MessageState.WAITING and each.due_ms <= now_ms]
    return min(due, key=lambda each: (each.kind is MessageKind.ALL_CLEAR, each.until_ms), default=None)


def note_failed(message: Message, now_ms: int) -> None:
    """Note a failed attempt: it is tried again, more and more rarely, until it is given up."""
    message.attempts += 1
    wait_ms = min(FIRST_RETRY_MS * 2 ** (message.attempts - 1), LONGEST_RETRY_MS)
    message.due_ms = now_ms + wait_ms
    if message.due_ms > message.until_ms:
        message.state = MessageState.GIVEN_UP


def note_sent(message: Message, now_ms: int) -> None:
    """Note that the network took it."""
    message.state, message.sent_ms = MessageState.SENT, now_ms


def superfluous(messages: Sequence[Message], *, audible: Collection[str], goes_on: Collection[str]) -> list[Message]:
    """Return the alarms that wait and that nobody needs any more: over, or told by the service."""
    return [
        each
        for each in messages
        if each.kind is MessageKind.ALARM
        and each.state is MessageState.WAITING
        and (each.key not in goes_on or each.key not in audible)
    ]


def owed_all_clear(messages: Sequence[Message], goes_on: Collection[str]) -> list[Message]:
    """Return the alarms that were sent, of what is over, and that no all-clear has followed."""
    followed = {(each.key, each.number) for each in messages if each.kind is MessageKind.ALL_CLEAR}
    return [
        each
        for each in messages
        if each.kind is MessageKind.ALARM
        and each.state is MessageState.SENT
        and each.key not in goes_on
        and (each.key, each.number) not in followed
    ]


def finished(messages: Sequence[Message], goes_on: Collection[str], now_ms: int) -> list[Message]:
    """Return the messages that need not be remembered: of what is over, with nothing waiting, an hour ago."""
    waiting = {each.key for each in messages if each.state is MessageState.WAITING}
    return [
        each
        for each in messages
        if each.key not in goes_on
        and each.key not in waiting
        and (each.sent_ms is None or now_ms - each.sent_ms >= HOUR_MS)
    ]
