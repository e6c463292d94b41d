"""Whether a node does what a message tells it: decided from the message, the time and what the node remembers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from domain.command import CONFIG, LONGEST_LIFE_MS, Command, CommandName, ConfigChange, Refusal, is_message_id
from domain.rejection import PayloadError
from domain.signed import is_signed, read_signed


class Refused(NamedTuple):
    """A message that changes nothing, with what its reply says."""

    id: str | None
    name: str
    reason: Refusal
    detail: str
    authentic: bool
    """The service has signed it; anybody may send the others, so replies to them are few and not remembered."""


class Authentic(NamedTuple):
    """A message of the service's own."""

    command: Command | ConfigChange


def authenticate(payload: bytes, *, topic: str, key: str | None, is_config: bool) -> Authentic | Refused:
    """Return the message in a payload where the service has signed it for this topic."""
    name, message_id = CONFIG if is_config else "?", None
    try:
        content = read_signed(payload)
    except PayloadError as error:
        return Refused(None, name, Refusal.MALFORMED, error.detail, authentic=False)
    if is_message_id(content.get("id")):
        message_id = str(content["id"])
    if not is_config:
        name = str(content.get("name"))[:64]
    if key is None:
        return Refused(message_id, name, Refusal.NO_KEY, "command_key is not set in the node's file", authentic=False)
    if not is_signed(content, topic=topic, key=key):
        detail = f"the signature is not that of this node's key for {topic}"
        return Refused(message_id, name, Refusal.BAD_SIGNATURE, detail, authentic=False)
    try:
        return Authentic(ConfigChange.decode(payload) if is_config else Command.decode(payload))
    except PayloadError as error:
        return Refused(message_id, name, Refusal.MALFORMED, error.detail, authentic=True)


def refusal_of(command: Command, *, now_ms: int, clock_trusted: bool, room: bool) -> Refusal | None:
    """Return why an authentic command that was never seen before is not obeyed; None where it is.

    ``room`` tells whether the node can remember one more.
    """
    if not clock_trusted:
        return Refusal.CLOCK_NOT_TRUSTED
    if command.expires_at_ms <= now_ms:
        return Refusal.EXPIRED
    if command.expires_at_ms > now_ms + LONGEST_LIFE_MS:
        return Refusal.EXPIRES_TOO_LATE
    if command.name not in set(CommandName):
        return Refusal.UNKNOWN_COMMAND
    return None if room else Refusal.TOO_MANY


WORDS: Mapping[Refusal, str] = {
    Refusal.CLOCK_NOT_TRUSTED: "the node does not know the time, so it cannot tell whether this has expired",
    Refusal.EXPIRED: "the time to do this has passed",
    Refusal.EXPIRES_TOO_LATE: "a command may be valid for 7 days at most",
    Refusal.UNKNOWN_COMMAND: f"allowed: {', '.join(CommandName)}",
    Refusal.TOO_MANY: "too many commands that have not expired; try again when some have",
    Refusal.OUTDATED: "a newer configuration is known already",
}
