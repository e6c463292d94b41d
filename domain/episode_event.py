"""Events: episodes that a node's own rules found, as JSON on ``up/event``; one message, one episode.

``{"epoch": "9b1d22f0", "seq": 4, "id": "who-heat/clinic/fridge-1/temperature/20261120T040000Z", "rule": "who-heat",
"channel": "clinic/fridge-1/temperature", "severity": "critical", "started": "2026-11-20T04:00:00Z",
"confirmed": "2026-11-20T14:00:00Z", "ended": null, "extreme": 9.4, "extreme_at": "2026-11-20T13:20:00Z",
"seen": "2026-11-20T14:00:00Z"}``

``epoch`` and ``seq`` identify the message, and a receipt names it as it names a batch. A later message about the same
episode takes the place of an earlier one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from math import isfinite
from typing import Any, Final, NamedTuple, Self, TypeVar

from domain.episode import Episode, Severity, SubjectKind
from domain.instant import format_rfc3339, parse_rfc3339
from domain.receipt import MAX_SEQ
from domain.rejection import PayloadError, Reason

MAX_EVENT_BYTES: Final = 4_096

_EPOCH = re.compile(r"[A-Za-z0-9._-]{1,64}")
_RULE = re.compile(r"[a-z0-9][a-z0-9-]{0,59}")
_CHANNEL = re.compile(r"[^\x00-\x1f]{1,200}")
_MOMENT = re.compile(r"\d{8}T\d{6}Z")
_SEVERITIES = {severity.label: severity for severity in Severity}
_T = TypeVar("_T")


class EpisodeEvent(NamedTuple):
    """What a node says of one episode on one of its channels."""

    epoch: str
    """Names one life of the node's store of events, other than the epoch of its readings."""
    seq: int
    episode: Episode
    """Its facility is empty: only the registry knows it."""
    seen_at: datetime
    """When the node last saw a reading of the channel: up to then, what it says is so."""

    def encode(self) -> bytes:
        """Return the payload for ``up/event``."""
        episode = self.episode
        fields = {
            "epoch": self.epoch,
            "seq": self.seq,
            "id": episode.id,
            "rule": episode.rule,
            "channel": episode.subject,
            "severity": episode.severity.label,
            "started": format_rfc3339(episode.started_at),
            "confirmed": format_rfc3339(episode.confirmed_at),
            "ended": None if episode.ended_at is None else format_rfc3339(episode.ended_at),
            "extreme": episode.extreme,
            "extreme_at": None if episode.extreme_at is None else format_rfc3339(episode.extreme_at),
            "seen": format_rfc3339(self.seen_at),
        }
        return json.dumps(fields, separators=(",", ":"), ensure_ascii=False).encode()

    @classmethod
    def decode(cls, payload: bytes) -> Self:
        """Return the event in a payload; raise ``PayloadError`` for anything else. Unknown fields are ignored."""
        fields = _Fields(_object(payload))
        rule, channel = fields.text("rule", _RULE), fields.text("channel", _CHANNEL)
        extreme = fields.optional("extreme", _number)
        episode = Episode(
            id=fields.take("id", lambda found: _id(found, rule, channel)),
            rule=rule,
            severity=fields.take("severity", lambda found: _SEVERITIES[found]),
            subject_kind=SubjectKind.CHANNEL,
            subject=channel,
            facility="",
            started_at=fields.take("started", parse_rfc3339),
            confirmed_at=fields.take("confirmed", parse_rfc3339),
            ended_at=fields.optional("ended", parse_rfc3339),
            extreme=extreme,
            extreme_at=None if extreme is None else fields.take("extreme_at", parse_rfc3339),
        )
        seen_at = fields.take("seen", parse_rfc3339)
        if not episode.started_at <= episode.confirmed_at <= seen_at:
            raise _refused("confirmed", episode.confirmed_at, "a time from started to seen")
        if episode.ended_at is not None and not episode.started_at < episode.ended_at <= seen_at:
            raise _refused("ended", episode.ended_at, "a time after started, up to seen")
        return cls(fields.text("epoch", _EPOCH), fields.take("seq", _count), episode, seen_at)


class _Fields:
    """Takes field by field, refusing the first that is not what it should be."""

    def __init__(self, found: Mapping[str, Any]) -> None:
        self._found = found

    def take(self, name: str, read: Callable[[Any], _T]) -> _T:
        found = self._found.get(name)
        try:
            return read(found)
        except (ValueError, TypeError, KeyError, OverflowError):
            raise _refused(name, found, "what docs/wire.md says of it") from None

    def optional(self, name: str, read: Callable[[Any], _T]) -> _T | None:
        return None if self._found.get(name) is None else self.take(name, read)

    def text(self, name: str, shape: re.Pattern[str]) -> str:
        def read(found: Any) -> str:
            if not shape.fullmatch(found):
                raise ValueError(found)
            return str(found)

        return self.take(name, read)


def _object(payload: bytes) -> Mapping[str, Any]:
    if len(payload) > MAX_EVENT_BYTES:
        raise PayloadError(Reason.TOO_LARGE, f"found {len(payload)} bytes; allowed: {MAX_EVENT_BYTES}")
    try:
        fields = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise PayloadError(Reason.MALFORMED, f"the event is not JSON: {type(error).__name__}") from error
    if not isinstance(fields, dict):
        raise PayloadError(Reason.MALFORMED, "found no JSON object; allowed: the fields of one event")
    return fields


def _id(found: Any, rule: str, channel: str) -> str:
    if not isinstance(found, str) or not found.startswith(f"{rule}/{channel}/"):
        raise ValueError(found)
    moment = found[len(rule) + len(channel) + 2 :]
    if not _MOMENT.fullmatch(moment):
        raise ValueError(found)
    parse_rfc3339(moment)
    return found


def _count(found: Any) -> int:
    if type(found) is not int or not 0 <= found <= MAX_SEQ:
        raise ValueError(found)
    return found


def _number(found: Any) -> float:
    if isinstance(found, bool) or not isinstance(found, int | float):
        raise TypeError(found)
    number = float(found)
    if not isfinite(number):
        raise ValueError(found)
    return number


def _refused(name: str, found: object, allowed: str) -> PayloadError:
    shown = repr(found)[:80] if not isinstance(found, datetime) else format_rfc3339(found)
    return PayloadError(Reason.MALFORMED, f"found {name} {shown}; allowed: {allowed}")
