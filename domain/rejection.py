"""Why data were refused: one closed list, used as log text, metric label and dead-letter column."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from domain.errors import Fault, VitalsError


class Reason(StrEnum):
    """The reason that a payload or a single record was not accepted."""

    BAD_TOPIC = "bad_topic"
    TOO_LARGE = "too_large"
    MALFORMED = "malformed"
    TOO_DEEP = "too_deep"
    NOT_SENML = "not_senml"
    NOT_FINITE = "not_finite"
    WRONG_NODE = "wrong_node"
    UNKNOWN_NODE = "unknown_node"
    UNKNOWN_CHANNEL = "unknown_channel"
    UNKNOWN_RULE = "unknown_rule"
    """An episode under a rule that the service does not judge by."""
    UNIT_MISMATCH = "unit_mismatch"
    TIME_TOO_OLD = "time_too_old"
    TIME_IN_FUTURE = "time_in_future"
    OUT_OF_RANGE = "out_of_range"

    @property
    def mendable(self) -> bool:
        """Tell whether the same bytes could ever be accepted: after a registration, a correction, a new version."""
        return self not in (Reason.TOO_LARGE, Reason.TOO_DEEP)


class Rejected(NamedTuple):
    """A refused payload or record, with what a person needs to find the sender and mend it."""

    reason: Reason
    detail: str
    """What was found and what is allowed, one sentence."""
    topic: str
    node: str | None
    payload: bytes
    """The bytes as they came (the one record re-encoded where only a record was refused)."""
    received_at_ms: int


class PayloadError(VitalsError):
    """Somebody sent something that is unusable as a whole; sending the same again cannot help."""

    fault = Fault.SENDER

    def __init__(self, reason: Reason, detail: str) -> None:
        self.reason = reason
        self.detail = detail
        super().__init__(f"{reason}: {detail}")
