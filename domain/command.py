"""What the service tells a node to do, and what the node replies."""

from __future__ import annotations

import json
import re
from enum import StrEnum
from typing import Any, NamedTuple, Self

from domain.instant import format_rfc3339, parse_rfc3339, to_ms
from domain.rejection import PayloadError, Reason
from domain.signed import read_signed, signed

MAX_REPLY_BYTES = 65_536
MAX_DETAIL_CHARACTERS = 4_000
LONGEST_LIFE_MS = 7 * 86_400_000
"""A command that may be obeyed for longer than this is refused: a node remembers every command for its life."""
_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


class CommandName(StrEnum):
    """What a node can be told to do."""

    SAMPLE_NOW = "sample_now"
    """Read every sensor now."""
    IDENTIFY = "identify"
    """Be seen or heard, so that a person in front of several nodes knows which is which."""
    RESTART = "restart"
    """Start the agent's process anew."""
    RESEND = "resend"
    """Send the readings of a time range again."""


CONFIG = "config"
"""Stands in a reply in the place of a command's name."""


class Outcome(StrEnum):
    """What became of a command or a configuration."""

    DONE = "done"
    REFUSED = "refused"
    """Nothing was done; ``reason`` says why."""
    FAILED = "failed"
    """It was begun and could not be finished."""
    TRYING = "trying"
    """The configuration is in use; whether it is kept is told later."""
    KEPT = "kept"
    """The node reported healthy with the configuration."""
    ROLLED_BACK = "rolled_back"
    """The configuration before it is in use again."""


class Refusal(StrEnum):
    """Why a node does not do what it is told."""

    NO_KEY = "no_key"
    """The node has no command key, and obeys nobody."""
    MALFORMED = "malformed"
    BAD_SIGNATURE = "bad_signature"
    CLOCK_NOT_TRUSTED = "clock_not_trusted"
    """The node does not know the time, so it cannot tell whether the command has expired."""
    EXPIRED = "expired"
    EXPIRES_TOO_LATE = "expires_too_late"
    UNKNOWN_COMMAND = "unknown_command"
    BAD_ARGUMENTS = "bad_arguments"
    TOO_MANY = "too_many"
    """The node remembers as many unexpired commands as it can."""
    GONE = "gone"
    """The readings asked for are not on the node any more."""
    OUTDATED = "outdated"
    """A newer configuration is known already."""
    PROTECTED = "protected"
    """The configuration would change what only a person at the node may change."""
    INVALID = "invalid"
    """The configuration has mistakes; the detail names line and field of each."""


class Command(NamedTuple):
    """One thing to do, once: a node that gets the same id again repeats its reply, not the deed."""

    id: str
    name: str
    arguments: dict[str, Any]
    expires_at_ms: int

    def encode(self, *, topic: str, key: str) -> bytes:
        """Return the signed payload for ``down/command``."""
        content = self._asdict() | {"expires_at": format_rfc3339(self.expires_at_ms)}
        del content["expires_at_ms"]
        return signed(content, topic=topic, key=key)

    @classmethod
    def decode(cls, payload: bytes) -> Self:
        """Return the command, its signature not looked at; raise ``PayloadError`` for anything else."""
        content = read_signed(payload)
        name, arguments = content.get("name"), content.get("arguments", {})
        if not isinstance(name, str) or not isinstance(arguments, dict):
            raise _malformed("name", '{"id", "name", "arguments": {}, "expires_at", "signature"}')
        return cls(_id(content), name, arguments, _moment_ms(content, "expires_at"))


class ConfigChange(NamedTuple):
    """A configuration for a node: what it says takes the place of the same keys in the node's own file."""

    id: str
    issued_at_ms: int
    """A node takes a configuration only when it is newer than the one it took before."""
    document: str
    """YAML, as in the node's own file."""

    def encode(self, *, topic: str, key: str) -> bytes:
        """Return the signed payload for ``down/config``."""
        content = {"id": self.id, "issued_at": format_rfc3339(self.issued_at_ms), "config": self.document}
        return signed(content, topic=topic, key=key)

    @classmethod
    def decode(cls, payload: bytes) -> Self:
        """Return the configuration, its signature not looked at; raise ``PayloadError`` for anything else."""
        content = read_signed(payload)
        document = content.get("config")
        if not isinstance(document, str):
            raise _malformed("config", '{"id", "issued_at", "config": "YAML", "signature"}')
        return cls(_id(content), _moment_ms(content, "issued_at"), document)


class Reply(NamedTuple):
    """What a node says about one command or configuration."""

    id: str | None
    """None where the message was so broken that its id could not be read."""
    name: str
    outcome: Outcome
    reason: Refusal | None
    detail: str
    """For a person: what was done, or what was found and what is allowed."""
    at_ms: int

    def encode(self) -> bytes:
        """Return the payload for ``up/reply``."""
        content = self._asdict() | {"at": format_rfc3339(self.at_ms), "detail": self.detail[:MAX_DETAIL_CHARACTERS]}
        del content["at_ms"]
        return json.dumps(content, separators=(",", ":"), ensure_ascii=False).encode()

    @classmethod
    def decode(cls, payload: bytes) -> Self:
        """Return the reply in a payload; raise ``PayloadError`` for anything else. Unknown fields are ignored."""
        if len(payload) > MAX_REPLY_BYTES:
            raise PayloadError(Reason.TOO_LARGE, f"found {len(payload)} bytes; allowed: {MAX_REPLY_BYTES}")
        try:
            content = json.loads(payload)
            reason = content["reason"]
            return cls(
                None if content["id"] is None else str(content["id"]),
                str(content["name"]),
                Outcome(content["outcome"]),
                None if reason is None else Refusal(reason),
                str(content["detail"]),
                to_ms(parse_rfc3339(content["at"])),
            )
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise PayloadError(Reason.MALFORMED, f"this is no reply: {error!r}") from error


def is_message_id(text: object) -> bool:
    """Tell whether a command or configuration may be called this."""
    return isinstance(text, str) and _ID.fullmatch(text) is not None


def _id(content: dict[str, Any]) -> str:
    if not is_message_id(content.get("id")):
        raise _malformed("id", _ID.pattern)
    return str(content["id"])


def _moment_ms(content: dict[str, Any], field: str) -> int:
    try:
        return to_ms(parse_rfc3339(content[field]))
    except (KeyError, TypeError, ValueError) as error:
        raise _malformed(field, "a moment such as 2026-11-20T12:00:00Z") from error


def _malformed(field: str, allowed: str) -> PayloadError:
    return PayloadError(Reason.MALFORMED, f"found no usable field {field!r}; allowed: {allowed}")
