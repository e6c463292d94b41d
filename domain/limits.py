"""Limits in force: which limits a channel had at which time, so that last month is judged by last month's limits.

A value is outside where it is strictly above ``high`` or strictly below ``low``: a fridge kept at +2 to +8 °C may be at
8.0 °C. Rules state their own comparisons; this one is of the time that roll-ups and pages count.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

ALWAYS_MS = 0
"""Limits valid from here have been in force for as long as there are readings."""
FOR_EVER_MS = 2**62


class LimitsSince(NamedTuple):
    """Limits in force from a moment on, in the canonical unit; None where that side has no limit."""

    valid_from_ms: int
    low: float | None = None
    high: float | None = None


LimitHistory = tuple[LimitsSince, ...]
"""In order of time, each in force until the next; before the first there are no limits."""


class Era(NamedTuple):
    """A stretch [from, to) with the same limits all along; infinite where a side has none."""

    from_ms: int
    to_ms: int
    low: float
    high: float


def eras(history: LimitHistory, from_ms: int, to_ms: int) -> list[Era]:
    """Return the stretches of [from, to) in which any limit is in force."""
    ends = [later.valid_from_ms for later in history[1:]] + [FOR_EVER_MS]
    return [
        Era(
            max(since.valid_from_ms, from_ms),
            min(end_ms, to_ms),
            -math.inf if since.low is None else since.low,
            math.inf if since.high is None else since.high,
        )
        for since, end_ms in zip(history, ends, strict=False)
        if since.valid_from_ms < to_ms and end_ms > from_ms and (since.low, since.high) != (None, None)
    ]


def changed_between(old: LimitHistory, new: LimitHistory) -> tuple[int, int] | None:
    """Return the shortest stretch [from, to) outside of which both say the same; None where they never differ."""
    moments = [*sorted({since.valid_from_ms for since in (*old, *new)}), FOR_EVER_MS]
    differing = [
        (begin, end) for begin, end in pairwise(moments) if limits_at(old, begin)[1:] != limits_at(new, begin)[1:]
    ]
    return (differing[0][0], differing[-1][1]) if differing else None


def limits_at(history: LimitHistory, moment_ms: int) -> LimitsSince:
    """Return the limits in force at a moment."""
    number = bisect_right(history, moment_ms, key=lambda since: since.valid_from_ms)
    return history[number - 1] if number else LimitsSince(ALWAYS_MS)


def from_then_on(history: LimitHistory, since: LimitsSince) -> LimitHistory:
    """Return the history once it is said that from a moment on these limits are in force, whatever was said before."""
    earlier = tuple(each for each in history if each.valid_from_ms < since.valid_from_ms)
    return earlier if limits_at(earlier, since.valid_from_ms)[1:] == since[1:] else (*earlier, since)


def history_of(said: Sequence[LimitsSince]) -> LimitHistory:
    """Return what statements come to, each from its moment on, in the order in which they were made."""
    history: LimitHistory = ()
    for since in said:
        history = from_then_on(history, since)
    return history
