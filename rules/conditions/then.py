"""``then``: one condition holds, and another one held not long before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rules.conditions.base import Part
from rules.signals import NEVER, Scope, Signal, Tracker
from rules.values import Stretch, milliseconds, spaced

if TYPE_CHECKING:
    from rules.conditions import Term


class Then(Part):
    """What came first, what comes now, and how much time may lie between."""

    first: Term
    second: Term
    within: Stretch

    def joined(self, scope: Scope) -> Signal | None:
        """Return whether the second holds now, and the first did at an earlier moment that is not too long ago."""
        first, second = self.first.signal(scope), self.second.signal(scope)
        if first is None or second is None:
            return None
        within_ms = milliseconds(self.within)
        since = [each.since_ms for each in (first, second) if each.since_ms is not None]
        return Signal(
            lambda: _Sequence(first.start(), second.start(), within_ms),
            max(first.reach_ms + within_ms, second.reach_ms),
            min(since, default=None),
            second.sign,
        )

    def sentence(self, words: Sequence[str]) -> str:
        """Return the condition in a sentence."""
        return f"first {words[0]} and then, within {spaced(self.within)}, {words[1]}"


class _Sequence:
    """When the first last held, and when nobody last knew whether it did."""

    __slots__ = ("_first", "_held_ms", "_second", "_unknown_ms", "_within_ms")

    def __init__(self, first: Tracker, second: Tracker, within_ms: int) -> None:
        self._first, self._second, self._within_ms = first, second, within_ms
        self._held_ms = self._unknown_ms = NEVER

    def take(self, place: int, moment_ms: int, value: float) -> None:
        self._first.take(place, moment_ms, value)
        self._second.take(place, moment_ms, value)

    def truth(self, moment_ms: int) -> bool | None:
        begin_ms = moment_ms - self._within_ms
        held_before: bool | None = self._held_ms >= begin_ms
        if not held_before and self._unknown_ms >= begin_ms:
            held_before = None
        first, second = self._first.truth(moment_ms), self._second.truth(moment_ms)
        if first:
            self._held_ms = moment_ms
        elif first is None:
            self._unknown_ms = moment_ms
        return held_before if second else second

    def figure(self) -> float | None:
        return self._second.figure()
