"""``all``, ``any``, ``not``: conditions joined, with one meaning for what nobody can know.

Three-valued logic (Kleene): ``all`` is false as soon as one is false, true when all are true, else unknown; ``any`` the
other way round; ``not`` of unknown is unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

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
    worst: bool = False,
    one_is_enough: bool = False,
) -> Signal:
    """Return one signal of several; the first that has a figure of the rule's quantity lends it, if any is told.

    ``worst``: it is lent by the worst of those that hold, as long as any does. ``one_is_enough``: the rule is false as
    soon as one is, so that dear ones are not asked where another says no.
    """
    lenders = [place for place, signal in enumerate(signals) if signal.sign] if told else []
    since = [signal.since_ms for signal in signals if signal.since_ms is not None]
    dear = [place for place, signal in enumerate(signals) if signal.is_dear and one_is_enough]
    manner = _Manner(
        rule,
        lenders if worst else lenders[:1],
        signals[lenders[0]].sign if lenders else 0,
        [place for place in range(len(signals)) if place not in dear],
        dear,
    )
    return Signal(
        lambda: _Joined([signal.start() for signal in signals], manner),
        max(signal.reach_ms for signal in signals),
        min(since, default=None),
        manner.sign,
    )


class _Manner(NamedTuple):
    """How several answers make one; shared by all trackers."""

    rule: Callable[[Sequence[bool | None]], bool | None]
    lenders: Sequence[int]
    """Places of those whose figure is told."""
    sign: int
    cheap: Sequence[int]
    dear: Sequence[int]
    """Places of those that are asked only where no other one says no."""


class _Joined:
    """Several trackers and how their answers make one."""

    __slots__ = ("_manner", "_trackers", "_truths")

    def __init__(self, trackers: list[Tracker], manner: _Manner) -> None:
        self._trackers, self._manner = trackers, manner
        self._truths: list[bool | None] = [None] * len(trackers)

    def take(self, place: int, moment_ms: int, value: float) -> None:
        for tracker in self._trackers:
            tracker.take(place, moment_ms, value)

    def truth(self, moment_ms: int) -> bool | None:
        manner, truths = self._manner, self._truths
        for place in manner.cheap:
            truths[place] = self._trackers[place].truth(moment_ms)
        if manner.dear:
            is_open = not any(truths[place] is False for place in manner.cheap)
            for place in manner.dear:
                truths[place] = self._trackers[place].truth(moment_ms) if is_open else None
        return manner.rule(truths)

    def figure(self) -> float | None:
        manner = self._manner
        holding = [place for place in manner.lenders if self._truths[place]] or manner.lenders[:1]
        figures = [figure for place in holding if (figure := self._trackers[place].figure()) is not None]
        return max(figures, key=lambda figure: figure * manner.sign, default=None)
