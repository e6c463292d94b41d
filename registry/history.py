"""The history of limits: what is recorded when an import changes them, and which were in force when. Pure.

Recorded statements are never changed and never removed; each says that from a moment on these limits are in force,
whatever earlier statements said of that time. A channel whose limits never changed has none: what it is registered
with has been in force always.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from domain.errors import OperatorError
from domain.instant import format_rfc3339
from domain.limits import ALWAYS_MS, FOR_EVER_MS, LimitHistory, LimitsSince, history_of
from domain.places import Channel, LimitScope, PastLimits


@dataclass(frozen=True, slots=True)
class Occasion:
    """When, by whom and why documents are imported, and from when on the limits that they name are in force."""

    at_ms: int
    limits_from_ms: int | None = None
    """None: from ``at_ms`` on where they are other than before, and always for a channel that is new."""
    author: str = ""
    reason: str = ""
    origin: str = ""
    """``page 10.0.0.7 user:amina``; empty for the command line."""

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


@dataclass(frozen=True, slots=True)
class SharedLimitChange:
    """What was said of the limits of a scope; what it changed at a channel is recorded there."""

    scope: LimitScope
    valid_from_ms: int
    limits: Mapping[str, float | None]
    recorded_at_ms: int
    author: str = ""
    reason: str = ""


def changes_of(
    said: Channel,
    registered: Channel | None,
    recorded: Sequence[LimitChange],
    occasion: Occasion,
    names: Collection[str] | None = None,
) -> list[LimitChange]:
    """Return what to record when a channel's limits are said on an occasion: nothing where nothing becomes different.

    Where an import says only the limits of these ``names``, the others stay what they were at each time.
    """
    if registered is None and occasion.limits_from_ms is None:
        return []
    from_ms = occasion.at_ms if occasion.limits_from_ms is None else occasion.limits_from_ms
    first = registered.limits if registered else {}
    before = list(recorded) or [LimitChange(said.id, ALWAYS_MS, first, occasion.at_ms)]
    said_since = {from_ms: said.limits} if names is None else _with(_eras(before), from_ms, said.limits, names)
    new = [
        LimitChange(said.id, since_ms, limits, occasion.at_ms, occasion.author, occasion.reason)
        for since_ms, limits in said_since.items()
    ]
    if _content(_eras([*before, *new])) == _content(_eras(before)):
        return []
    return new if recorded else [*before, *new]


def _with(
    eras: Sequence[LimitChange], from_ms: int, limits: Mapping[str, float], names: Collection[str]
) -> dict[int, Mapping[str, float]]:
    """Return the limits from a moment on, and from each later change on, where those of these names are replaced."""
    replacing = {name: value for name, value in limits.items() if name in names}
    ends = [*(later.valid_from_ms for later in eras[1:]), FOR_EVER_MS]
    return {
        max(era.valid_from_ms, from_ms): {name: v for name, v in era.limits.items() if name not in names} | replacing
        for era, end_ms in zip(eras, ends, strict=True)
        if end_ms > from_ms
    }


def past_limits_of(recorded: Sequence[LimitChange]) -> tuple[PastLimits, ...]:
    """Return the limits that were in force before those of now, of a channel of which this was said, in order."""
    return tuple(PastLimits(later.valid_from_ms, era.limits) for era, later in pairwise(_eras(recorded)))


def _eras(recorded: Sequence[LimitChange]) -> list[LimitChange]:
    """Return of the statements those that count, in order of time, each until the next."""
    eras: list[LimitChange] = []
    for said in recorded:
        eras = [each for each in eras if each.valid_from_ms < said.valid_from_ms]
        if not eras or eras[-1].limits != said.limits:
            eras.append(said)
    return eras


def _content(eras: Sequence[LimitChange]) -> list[tuple[int, Mapping[str, float]]]:
    return [(era.valid_from_ms, era.limits) for era in eras]


def limits_of(channel: Channel, recorded: Sequence[LimitChange]) -> LimitHistory:
    """Return which limits a channel had when."""
    statements = [each.since for each in recorded] or [_since(ALWAYS_MS, channel.limits)]
    return history_of(statements)


def _since(valid_from_ms: int, limits: Mapping[str, float]) -> LimitsSince:
    return LimitsSince(valid_from_ms, limits.get("low"), limits.get("high"))
