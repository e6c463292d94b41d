"""``all``, ``any``, ``not``: conditions joined, with one meaning for what nobody can know.

Three-valued logic (Kleene): ``all`` is false as soon as one is false, true when all are true, else unknown; ``any`` the
other way round; ``not`` of unknown is unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
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
        return join(known, every, one_is_enough=True) if len(known) == len(signals) else None

    def sentence(self, words: Sequence[str]) -> str:
        """Return the conditions in one sentence."""
        return " and ".join(words)


class Any(RootModel[tuple["Term", ...]]):
    """At least one of several conditions."""

    root: tuple[Term, ...] = Field(min_length=1)

    def joined(self, scope: Scope) -> Signal | None:
        """Return whether one holds, of those that judge anything here; None where none does."""
        known = [signal for term in self.root if (signal := term.signal(scope)) is not None]
        return join(known, some) if known else None

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
        (clause,) = words
        is_short = clause.count(" is ") == 1 and not any(joint in clause for joint in _JOINTS)
        return clause.replace(" is ", " is not ") if is_short else f"it is not so that {clause}"


_JOINTS = (" and ", " or ", " without a break ", " within ")
"""What makes a clause too long to be turned round by one word."""


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
    one_is_enough: bool = False,
) -> Signal:
    """Return one signal of several; the first that has a figure of the rule's quantity lends it, if any is told.

    ``one_is_enough``: it is false as soon as one is, so that dear ones are not asked where another says no.
    """
    dear = {place for place, signal in enumerate(signals) if signal.is_dear and one_is_enough}
    leading = next((place for place, signal in enumerate(signals) if signal.sign), None) if told else None
    since = [signal.since_ms for signal in signals if signal.since_ms is not None]
    return Signal(
        lambda: _Joined([signal.start() for signal in signals], rule, leading, dear),
        max(signal.reach_ms for signal in signals),
        min(since, default=None),
        0 if leading is None else signals[leading].sign,
    )


class _Joined:
    """Several trackers and how their answers make one."""

    __slots__ = ("_cheap", "_dear", "_leading", "_rule", "_trackers")

    def __init__(
        self,
        trackers: list[Tracker],
        rule: Callable[[Sequence[bool | None]], bool | None],
        leading: int | None,
        dear: Collection[int],
    ) -> None:
        self._trackers, self._rule, self._leading = trackers, rule, leading
        self._cheap = [tracker for place, tracker in enumerate(trackers) if place not in dear]
        self._dear = [tracker for place, tracker in enumerate(trackers) if place in dear]

    def take(self, place: int, moment_ms: int, value: float) -> None:
        for tracker in self._trackers:
            tracker.take(place, moment_ms, value)

    def truth(self, moment_ms: int) -> bool | None:
        truths = [tracker.truth(moment_ms) for tracker in self._cheap]
        if self._dear and False in truths:
            return False
        return self._rule(truths + [tracker.truth(moment_ms) for tracker in self._dear])

    def figure(self) -> float | None:
        return None if self._leading is None else self._trackers[self._leading].figure()
