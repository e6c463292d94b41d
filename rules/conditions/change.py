"""``changes_faster_than``, ``changes_slower_than``: how much the value moves within a stretch of time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import ClassVar

from domain.document import Path
from domain.places import Channel
from domain.quantities import Quantity
from rules.conditions.base import Condition, Flaw
from rules.signals import Recent, Scope, Signal
from rules.values import Amount, Limit, Reference, Stretch, difference, milliseconds, spaced, worded_difference

_ROUNDING = 1e-9
"""80 % less 75 % are 5 %, whatever binary fractions make of it."""


class Direction(StrEnum):
    """Which way a value moves."""

    RISING = "rising"
    FALLING = "falling"
    EITHER = "either"


class _Change(Condition):
    by: Limit
    within: Stretch
    direction: Direction = Direction.EITHER

    verbs: ClassVar[Mapping[Direction, str]]

    def flaws(self, quantity: Quantity) -> Iterator[Flaw]:
        """Yield a difference that is none."""
        if quantity.states:
            yield Flaw((), f"a number asked of {quantity.name}, which is a state", "a quantity that is a number")
        elif isinstance(self.by, Amount) and (allowed := self.by.difference_flaw(quantity)):
            yield Flaw(("by",), f"'{self.by}'", allowed)

    def flaws_at(self, channel: Channel) -> Iterator[Flaw]:
        """Yield a stretch of time in which no two readings are expected."""
        if self.within < channel.interval:
            allowed = f"at least {spaced(channel.interval)}, the interval between readings"
            yield Flaw(("within",), spaced(self.within), allowed)

    def differences(self) -> Iterator[tuple[Path, Amount | Reference]]:
        """Yield the difference and its path."""
        yield ("by",), self.by

    def words(self, quantity: Quantity) -> str:
        """Return e.g. ``rises by more than 2 °C within 1 h``."""
        much = worded_difference(self.by, quantity)
        return f"{self.verbs[self.direction]} {much} within {spaced(self.within)}"

    def _amount(self, channel: Channel) -> float | None:
        return difference(self.by, channel)


class ChangesFasterThan(_Change):
    """The newest value lies further from one measured within the time before than ``by``."""

    verbs = MappingProxyType(
        {
            Direction.RISING: "rises by more than",
            Direction.FALLING: "falls by more than",
            Direction.EITHER: "moves by more than",
        }
    )

    def signal(self, channel: Channel, scope: Scope) -> Signal | None:
        """Return whether it does; one reading alone says nothing."""
        by, place, within_ms = self._amount(channel), scope.place(channel), milliseconds(self.within)
        if by is None:
            return None
        sign = {"rising": 1, "falling": -1, "either": 0}[self.direction]
        return Signal(lambda: _Faster(place, by, within_ms, self.direction), within_ms, sign=sign)


class ChangesSlowerThan(_Change):
    """Since the beginning of that time the value has moved by less than ``by``."""

    verbs = MappingProxyType(
        {
            Direction.RISING: "has risen by less than",
            Direction.FALLING: "has fallen by less than",
            Direction.EITHER: "has moved by less than",
        }
    )

    def signal(self, channel: Channel, scope: Scope) -> Signal | None:
        """Return whether it has; unknown as long as the readings do not reach back so far."""
        by, place, within_ms = self._amount(channel), scope.place(channel), milliseconds(self.within)
        if by is None:
            return None
        gap_ms = scope.gap_ms(channel)
        return Signal(lambda: _Slower(place, by, within_ms, gap_ms, self.direction), within_ms + gap_ms)


class _Faster:
    """The readings of the time before."""

    __slots__ = ("_by", "_direction", "_place", "_recent", "_within_ms")

    def __init__(self, place: int, by: float, within_ms: int, direction: Direction) -> None:
        self._place, self._by, self._within_ms, self._direction = place, by, within_ms, direction
        self._recent = Recent()

    def take(self, place: int, moment_ms: int, value: float) -> None:
        if place == self._place:
            self._recent.add(moment_ms, value)

    def truth(self, moment_ms: int) -> bool | None:
        recent = self._recent
        recent.forget_before(moment_ms - self._within_ms)
        if len(recent) < 2:
            return None
        newest = recent.latest
        rise, fall = newest - min(recent.all()), max(recent.all()) - newest
        moved = {"rising": rise, "falling": fall, "either": max(rise, fall)}[self._direction]
        return moved > self._by + _ROUNDING

    def figure(self) -> float | None:
        return self._recent.latest if len(self._recent) else None


class _Slower:
    """The readings of the time before, and the one at its beginning."""

    __slots__ = ("_by", "_direction", "_gap_ms", "_place", "_recent", "_within_ms")

    def __init__(self, place: int, by: float, within_ms: int, gap_ms: int, direction: Direction) -> None:
        self._place, self._by, self._within_ms, self._gap_ms = place, by, within_ms, gap_ms
        self._direction = direction
        self._recent = Recent()

    def take(self, place: int, moment_ms: int, value: float) -> None:
        if place == self._place:
            self._recent.add(moment_ms, value)

    def truth(self, moment_ms: int) -> bool | None:
        recent, begin_ms = self._recent, moment_ms - self._within_ms
        recent.forget_before(begin_ms - self._gap_ms)
        if not len(recent) or recent.oldest_ms > begin_ms or moment_ms - recent.newest_ms > self._gap_ms:
            return None
        risen = recent.latest - recent.value_at(begin_ms)
        moved = {"rising": risen, "falling": -risen, "either": abs(risen)}[self._direction]
        return moved < self._by - _ROUNDING

    def figure(self) -> float | None:
        return self._recent.latest if len(self._recent) else None
