"""``all``, ``any``, ``not``: conditions joined, with one meaning for what nobody can know.

Three-valued logic (Kleene): ``all`` is false as soon as one is false, true when all are true, else unknown; ``any`` the
other way round; ``not`` of unknown is unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from pydantic import Field, RootModel

from rules.signals import Scope, Signal, Tracker

if TYPE_CHECKING:
    from rules.conditions import Term


class All(RootModel[tuple["Term", ...]]):
    """Every one of several conditions."""

    root: tuple[Term, ...] = Field(min_length=1)

    def joined(self, scope: Scope) -> Signal | None:
        """Return whether every one holds; None where one of them judges nothing here."""
        signals = [term.signal(scope) for term in self.root]
        known = [signal for signal in signals if signal is not None]
        return join(known, every) if len(known) == len(signals) else None

    def sentence(self, words: Sequence[str]) -> str:
        """Return the conditions in one sentence."""
        return " and ".join(words)


class Any(RootModel[tuple["Term", ...]]):
    """At least one of several conditions."""

    root: tuple[Term, ...] = Field(min_length=1)

    def joined(self, scope: Scope) -> Signal | None:
        """Return whether one holds, of those that judge anything here; None where none does."""
        known = [signal for term in self.root if (signal := term.signal(scope)) is not None]
        # Too warm or too cold: neither end is the worse one.
        told = len({signal.sign for signal in known if signal.sign}) <= 1
        return join(known, some, told=told, worst=True) if known else None

    def sentence(self, words: Sequence[str]) -> str:
        """Return the conditions in one sentence."""
        return f"either {' or '.join(words)}" if len(words) > 1 else words[0]


class Not(RootModel["Term"]):
    """The opposite of a condition."""

    root: Term

    def joined(self, scope: Scope) -> Signal | None:
        """Return whether it does not hold; None where it judges nothing here."""
        signal = self.root.signal(scope)
        return None if signal is None else join([signal], lambda truths: _opposite(truths[0]), told=False)

    def sentence(self, words: Sequence[str]) -> str:
        """Return the condition in a sentence."""
        return f"it is not so that {words[0]}"


def every(truths: Sequence[bool | None]) -> bool | None:
    """Return whether all are true."""
    if False in truths:
        return False
    return None if None in truths else True


def some(truths: Sequence[bool | None]) -> bool | None:
    """Return whether any is true."""
    if True in truths:
        return True
    return None if None in truths else False


def _opposite(truth: bool | None) -> bool | None:
    return None if truth is None else not truth


def join(
    signals: Sequence[Signal],
    rule: Callable[[Sequence[bool | None]], bool | None],
    *,
    told: bool = True,
    worst: bool = False,
) -> Signal:
    """Return one signal of several; the first that has a figure of the rule's quantity lends it, if any is told.

    ``worst``: it is lent by the worst of those that hold, as long as any does.
    """
    lenders = [place for place, signal in enumerate(signals) if signal.sign] if told else []
    since = [signal.since_ms for signal in signals if signal.since_ms is not None]
    sign = signals[lenders[0]].sign if lenders else 0
    return Signal(
        lambda: _Joined([signal.start() for signal in signals], rule, lenders if worst else lenders[:1], sign),
        max(signal.reach_ms for signal in signals),
        min(since, default=None),
        sign,
    )


class _Joined:
    """Several trackers and how their answers make one."""

    __slots__ = ("_lenders", "_rule", "_sign", "_trackers", "_truths")

    def __init__(
        self,
        trackers: list[Tracker],
        rule: Callable[[Sequence[bool | None]], bool | None],
        lenders: Sequence[int],
        sign: int,
    ) -> None:
        self._trackers, self._rule, self._lenders, self._sign = trackers, rule, lenders, sign
        self._truths: list[bool | None] = [None] * len(trackers)

    def take(self, place: int, moment_ms: int, value: float) -> None:
        for tracker in self._trackers:
            tracker.take(place, moment_ms, value)

    def truth(self, moment_ms: int) -> bool | None:
        self._truths = [tracker.truth(moment_ms) for tracker in self._trackers]
        return self._rule(self._truths)

    def figure(self) -> float | None:
        holding = [place for place in self._lenders if self._truths[place]] or self._lenders[:1]
        figures = [figure for place in holding if (figure := self._trackers[place].figure()) is not None]
        return max(figures, key=lambda figure: figure * self._sign, default=None)
