"""``flat_for``: the value does not move at all, as that of a sensor that is stuck."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import Field, model_validator

from domain.places import Channel
from domain.quantities import Quantity
from rules.conditions.base import Condition, Flaw
from rules.signals import Recent, Scope, Signal
from rules.values import Amount, Limit, Stretch, difference, milliseconds, spaced, worded_difference

FEWEST = 3
"""Fewer readings than this are not said to be flat."""


class FlatFor(Condition):
    """How long; written ``flat_for: 24h``, or with the width of a band that still counts as flat."""

    duration: Stretch = Field(alias="for")
    band: Limit = Amount(0.0)

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, raw: Any) -> Any:
        return raw if isinstance(raw, (Mapping, FlatFor)) else {"for": raw}

    def signal(self, channel: Channel, scope: Scope) -> Signal | None:
        """Return whether highest and lowest of that time lie no further apart than ``band``."""
        band = difference(self.band, channel)
        if band is None:
            return None
        place, for_ms, gap_ms = scope.place(channel), milliseconds(self.duration), scope.gap_ms(channel)
        return Signal(lambda: _Flat(place, band, for_ms, gap_ms), for_ms + gap_ms)

    def flaws(self, quantity: Quantity) -> Iterator[Flaw]:
        """Yield a band that is none, and no time at all."""
        if quantity.states:
            yield Flaw((), f"a number asked of {quantity.name}, which is a state", "a quantity that is a number")
        elif isinstance(self.band, Amount) and self.band.number and (allowed := self.band.difference_flaw(quantity)):
            yield Flaw(("band",), f"'{self.band}'", allowed)

    def flaws_at(self, channel: Channel) -> Iterator[Flaw]:
        """Yield a time in which too few readings are expected."""
        if self.duration < (FEWEST - 1) * channel.interval:
            allowed = f"at least {spaced((FEWEST - 1) * channel.interval)}, which is {FEWEST} readings"
            yield Flaw(("for",), spaced(self.duration), allowed)

    def words(self, quantity: Quantity) -> str:
        """Return e.g. ``has not moved for 24 h``."""
        much = (
            f" by more than {worded_difference(self.band, quantity)}"
            if not isinstance(self.band, Amount) or self.band.number
            else ""
        )
        return f"has not moved{much} for {spaced(self.duration)}"


class _Flat:
    """The readings of that time, and the one at its beginning."""

    __slots__ = ("_band", "_for_ms", "_gap_ms", "_place", "_recent")

    def __init__(self, place: int, band: float, for_ms: int, gap_ms: int) -> None:
        self._place, self._band, self._for_ms, self._gap_ms = place, band, for_ms, gap_ms
        self._recent = Recent()

    def take(self, place: int, moment_ms: int, value: float) -> None:
        if place != self._place:
            return
        if moment_ms - self._recent.newest_ms > self._gap_ms:
            self._recent.clear()  # nobody knows what it did meanwhile
        self._recent.add(moment_ms, value)

    def truth(self, moment_ms: int) -> bool | None:
        recent, begin_ms = self._recent, moment_ms - self._for_ms
        recent.forget_before(begin_ms - self._gap_ms)
        if len(recent) < FEWEST or moment_ms - recent.newest_ms > self._gap_ms:
            return None
        if recent.oldest_ms > begin_ms:
            return False if self._has_moved() else None
        recent.forget_before(recent.moment_at(begin_ms))
        return not self._has_moved()

    def figure(self) -> float | None:
        return self._recent.latest if len(self._recent) else None

    def _has_moved(self) -> bool:
        return max(self._recent.all()) - min(self._recent.all()) > self._band
