"""``count``: a condition holds at so many of the last so many readings, breaks allowed."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from pydantic import Field

from rules.conditions.base import Flaw, Part
from rules.signals import NEVER, Scope, Signal, Tracker

if TYPE_CHECKING:
    from rules.conditions import Term


class Count(Part):
    """How often, out of how many readings of the channel that the rule judges."""

    at_least: int = Field(ge=1)
    out_of: int = Field(ge=1, le=1000)
    hold: Term

    def joined(self, scope: Scope) -> Signal | None:
        """Return whether it held often enough; readings that are missing or older than so many gaps are unknown."""
        signal = self.hold.signal(scope)
        if signal is None:
            return None
        gap_ms = scope.gap_ms(scope.subject)
        return Signal(
            lambda: _Counted(signal.start(), self.at_least, self.out_of, gap_ms),
            signal.reach_ms + self.out_of * gap_ms,
            signal.since_ms,
            signal.sign,
        )

    def flaws(self) -> Iterator[Flaw]:
        """Yield more hits than readings."""
        if self.at_least > self.out_of:
            yield Flaw(("at_least",), f"{self.at_least} out of {self.out_of}", f"at most {self.out_of}")

    def sentence(self, words: Sequence[str]) -> str:
        """Return the condition in a sentence."""
        return f"at {self.at_least} or more of the last {self.out_of} readings {words[0]}"


class _Counted:
    """What the condition said at the last readings."""

    __slots__ = ("_at_least", "_gap_ms", "_inner", "_out_of", "_said", "_taken_ms")

    def __init__(self, inner: Tracker, at_least: int, out_of: int, gap_ms: int) -> None:
        self._inner, self._at_least, self._out_of, self._gap_ms = inner, at_least, out_of, gap_ms
        self._said: deque[tuple[int, bool | None]] = deque(maxlen=out_of)
        self._taken_ms = NEVER

    def take(self, place: int, moment_ms: int, value: float) -> None:
        self._inner.take(place, moment_ms, value)
        if place == 0:
            self._taken_ms = moment_ms

    def truth(self, moment_ms: int) -> bool | None:
        said = self._inner.truth(moment_ms)
        if self._taken_ms == moment_ms:
            self._said.append((moment_ms, said))
        from_ms = moment_ms - self._out_of * self._gap_ms
        recent = [each for at_ms, each in self._said if at_ms > from_ms]
        hits, unknown = recent.count(True), recent.count(None) + self._out_of - len(recent)
        if hits >= self._at_least:
            return True
        return None if hits + unknown >= self._at_least else False

    def figure(self) -> float | None:
        return self._inner.figure()
