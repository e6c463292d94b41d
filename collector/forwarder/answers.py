"""What InfluxDB's answers mean for the lines that were sent. Pure: (status, headers, body) in, a decision out."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from http import HTTPStatus
from typing import Any

LONGEST_RETRY_AFTER_SECONDS = 3600.0
"""A server that asks for more is asked again after this."""


class Action(StrEnum):
    """What to do with the lines of one request."""

    ADVANCE = "advance"
    """They are stored."""
    EXPIRED = "expired"
    """They are stored, except those older than the server keeps: it would delete them anyway."""
    BISECT = "bisect"
    """At least one line is refused: find it. What the server has stored already may be sent again."""
    HALVE = "halve"
    """The request is too large."""
    HOLD = "hold"
    """A person has to mend something first: keep everything, say so, try again slowly."""
    RETRY = "retry"
    """The server is away or busy: keep everything and try again, without an end."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back for one request; no status where no answer came."""

    status: int | None
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Decision:
    """An action, and why."""

    action: Action
    detail: str
    """What the server said, for logs and health: one line, cut to a readable length."""
    retry_after_seconds: float = 0.0
    """Try again no sooner."""
    names_a_line: bool = False
    """The refusal is certainly about what stands in a line, not about the request."""
    dropped: int | None = None
    """How many points the server says it did not store (1.x and 2.x)."""


_BY_STATUS = {
    204: Action.ADVANCE,
    # Clustered and Serverless 3.x: some lines stored, some refused.
    201: Action.BISECT,
    400: Action.BISECT,
    422: Action.BISECT,
    401: Action.HOLD,
    403: Action.HOLD,
    404: Action.HOLD,
    408: Action.RETRY,
    413: Action.HALVE,
    429: Action.RETRY,
}

_PARTIAL = r"(?:failure writing points to database: )?(?:partial write: )?"
# Anchored at the start: the rest of a message may quote a line, and a line may say anything.
_EXPIRED = re.compile(_PARTIAL + r"points beyond retention policy dropped=\d+$")
_SERVER_LIMIT = re.compile(_PARTIAL + r"max-(?:series-per-database|values-per-tag) limit exceeded")
_NAMES_A_LINE = re.compile(
    _PARTIAL + r"(?:unable to parse|field type conflict|input field|max key length|partial write of line protocol)"
)
_DROPPED = re.compile(r"dropped=(\d+)$")


def decide(answer: Answer, *, now: datetime) -> Decision:
    """Return what the answer means; ``now`` reads a Retry-After that names a date."""
    if answer.status is None:
        return Decision(Action.RETRY, _readable(answer.body.decode("utf-8", "replace")))
    message = error_message(answer)
    action = _action(answer.status, message)
    dropped = _DROPPED.search(message)
    return Decision(
        action,
        _readable(f"{_status_text(answer.status)}: {message}" if message else _status_text(answer.status)),
        retry_after_seconds=retry_after_seconds(_header(answer, "retry-after"), now),
        names_a_line=_NAMES_A_LINE.match(message) is not None,
        dropped=int(dropped[1]) if dropped else None,
    )


def _action(status: int, message: str) -> Action:
    action = _BY_STATUS.get(status)
    if action is None:
        # Everything else that is not a server's trouble is another program's answer: a proxy, a portal, a wrong port.
        return Action.RETRY if status >= 500 else Action.HOLD
    if action is not Action.BISECT:
        return action
    if _EXPIRED.match(message):
        return Action.EXPIRED
    return Action.HOLD if _SERVER_LIMIT.match(message) else Action.BISECT


def error_message(answer: Answer) -> str:
    """Return what the server says: ``error`` of 1.x and 3.x, ``message`` of 2.x, else the body's text."""
    text = answer.body.decode("utf-8", "replace").strip()
    try:
        document = json.loads(text)
    except ValueError:
        return text or _header(answer, "location")
    return _said(document) or text


def _said(document: Any) -> str:
    if not isinstance(document, dict):
        return ""
    results = document.get("results")
    # A query's errors stand inside its results.
    inner = results[0] if isinstance(results, list) and results and isinstance(results[0], dict) else {}
    said = document.get("error") or document.get("message") or inner.get("error")
    return said if isinstance(said, str) else ""


def retry_after_seconds(value: str, now: datetime) -> float:
    """Return the seconds that a Retry-After header asks for (RFC 9110 section 10.2.3), 0 where it cannot be read."""
    text = value.strip()
    if text.isascii() and text.isdigit():
        return min(float(text), LONGEST_RETRY_AFTER_SECONDS)
    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return 0.0
    aware = until if until.tzinfo else until.replace(tzinfo=UTC)
    return min(max((aware - now).total_seconds(), 0.0), LONGEST_RETRY_AFTER_SECONDS)


def _header(answer: Answer, name: str) -> str:
    return next((value for key, value in answer.headers.items() if key.lower() == name), "")


def _status_text(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def _readable(text: str, longest: int = 300) -> str:
    line = " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
    return line if len(line) <= longest else f"{line[:longest]}…"
