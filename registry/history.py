"""The history of limits: what is recorded when an import changes them, and which were in force when. Pure.

Recorded statements are never changed and never removed; each says that from a moment on these limits are in force,
whatever earlier statements said of that time. A channel whose limits never changed has none: what it is registered
with has been in force always.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from domain.errors import OperatorError
from domain.instant import format_rfc3339
from domain.limits import ALWAYS_MS, LimitHistory, LimitsSince, from_then_on, history_of
from domain.places import Channel, PastLimits


@dataclass(frozen=True, slots=True)
class Occasion:
    """When, by whom and why documents are imported, and from when on the limits that they name are in force."""

    at_ms: int
    limits_from_ms: int | None = None
    """None: from ``at_ms`` on where they are other than before, and always for a channel that is new."""
    author: str = ""
    reason: str = ""

    def __post_init__(self) -> None:
        if self.limits_from_ms is not None and not ALWAYS_MS <= self.limits_from_ms <= self.at_ms:
            found, now = format_rfc3339(self.limits_from_ms), format_rfc3339(self.at_ms)
            raise OperatorError(f"limits in force from {found} on; allowed: from 1970 to now ({now})")


@dataclass(frozen=True, slots=True)
class LimitChange:
    """A statement: these limits of a channel are in force from a moment on."""

    channel: str
    valid_from_ms: int
    limits: Mapping[str, float]
    recorded_at_ms: int
    author: str = ""
    reason: str = ""

    @property
    def since(self) -> LimitsSince:
        """Return what of it is compared with values."""
        return _since(self.valid_from_ms, self.limits)


def changes_of(
    said: Channel, registered: Channel | None, recorded: Sequence[LimitChange], occasion: Occasion
) -> list[LimitChange]:
    """Return what to record when a channel is imported on an occasion: nothing where nothing becomes different."""
    if registered is None and occasion.limits_from_ms is None:
        return []
    from_ms = occasion.at_ms if occasion.limits_from_ms is None else occasion.limits_from_ms
    first = registered.limits if registered else {}
    before = list(recorded) or [LimitChange(said.id, ALWAYS_MS, first, occasion.at_ms)]
    new = LimitChange(said.id, from_ms, said.limits, occasion.at_ms, occasion.author, occasion.reason)
    history = history_of([each.since for each in before])
    if first == said.limits and from_then_on(history, new.since) == history:
        return []
    return [new] if recorded else [*before, new]


def past_limits_of(recorded: Sequence[LimitChange]) -> tuple[PastLimits, ...]:
    """Return the limits that were in force before those of now, of a channel of which this was said, in order."""
    eras: list[LimitChange] = []
    for said in recorded:
        eras = [each for each in eras if each.valid_from_ms < said.valid_from_ms]
        if not eras or eras[-1].limits != said.limits:
            eras.append(said)
    return tuple(PastLimits(later.valid_from_ms, era.limits) for era, later in pairwise(eras))


def limits_of(channel: Channel, recorded: Sequence[LimitChange]) -> LimitHistory:
    """Return which limits a channel had when."""
    statements = [each.since for each in recorded] or [_since(ALWAYS_MS, channel.limits)]
    return history_of(statements)


def _since(valid_from_ms: int, limits: Mapping[str, float]) -> LimitsSince:
    return LimitsSince(valid_from_ms, limits.get("low"), limits.get("high"))
