"""What every kind of condition is: a typed model that can find its own flaws, put itself in words and compile."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from domain.document import Path
from domain.places import Channel
from domain.quantities import Quantity
from rules.signals import NEVER, Scope, Signal
from rules.values import Amount, Duration, Reference, milliseconds, spaced

Predicate = Callable[[float], bool]


class Flaw(NamedTuple):
    """Something wrong inside a condition, at a path below it."""

    path: Path
    found: str
    allowed: str


class Band(NamedTuple):
    """What a condition asks of one value, with every limit resolved to the canonical unit.

    A value can be neither: inside the band between the limit and the clear level nothing begins and nothing ends.
    """

    holds: Predicate
    cleared: Predicate
    excess: Callable[[float], float] | None
    """How far a value lies beyond its limit, for telling which is worse; None where no value is worse."""
    key: tuple[float | str, ...]
    """Equal for bands that judge alike, so that channels can share one."""


Past = tuple[tuple[int, Band | None], ...]
"""Bands that were in force until a moment, in order of time; None where the registry lacked a limit then."""


class Bands(NamedTuple):
    """What is asked of a value now, and what was asked of those measured while other limits were in force."""

    now: Band
    past: Past = ()

    def at(self, moment_ms: int) -> Band | None:
        """Return what is asked of a value of that moment."""
        return next((band for until_ms, band in self.past if moment_ms < until_ms), self.now)


def bands_of(band: Callable[[Channel], Band | None], channel: Channel) -> Bands | None:
    """Return the bands of all times for a channel, or None where the registry lacks a limit today."""
    now = band(channel)
    if now is None:
        return None
    past = tuple(
        (era.until_ms, band(replace(channel, limits=era.limits, past_limits=()))) for era in channel.past_limits
    )
    return Bands(now, () if all(each is not None and each.key == now.key for _, each in past) else past)


class Part(BaseModel):
    """A group of fields in a rule; unknown fields are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Condition(Part):
    """A condition on the readings of one channel, as they were measured."""

    def signal(self, channel: Channel, scope: Scope) -> Signal | None:
        """Return what this says of the channel, or None where the registry lacks a limit."""
        raise NotImplementedError

    def limits(self) -> Iterator[tuple[Path, Amount | Reference]]:
        """Yield every limit and the path where it stands below the condition."""
        yield from ()

    def flaws(self, quantity: Quantity) -> Iterator[Flaw]:
        """Yield what is wrong for this quantity, whatever the registry holds."""
        if quantity.states:
            yield Flaw(
                (), f"a number asked of {quantity.name}, which is a state", "'is', or a quantity that is a number"
            )
            return
        amounts = ((path, limit, limit.flaw(quantity)) for path, limit in self.limits() if isinstance(limit, Amount))
        wrong = [Flaw(path, f"'{limit}'", allowed) for path, limit, allowed in amounts if allowed]
        yield from wrong or self.flaws_at(Channel("", "", "", "", "", quantity, timedelta(0)))

    def flaws_at(self, channel: Channel) -> Iterator[Flaw]:
        """Yield what is wrong once limits and interval are taken from the channel."""
        yield from ()

    def words(self, quantity: Quantity) -> str:
        """Return the condition as the predicate of a sentence: ``is above 8 °C``."""
        raise NotImplementedError


class ValueCondition(Condition):
    """A condition on the value of a channel that has to hold without a break."""

    duration: Duration = Field(default=timedelta(0), alias="for")
    """How long, on event time; zero means that one reading is enough."""

    def band(self, channel: Channel) -> Band | None:
        """Return the test for this channel's values, or None where the registry lacks a limit."""
        raise NotImplementedError

    def signal(self, channel: Channel, scope: Scope) -> Signal | None:
        """Return whether the newest value passes the test, and has without a break for as long as ``for`` says."""
        bands = bands_of(self.band, channel)
        if bands is None:
            return None
        place, gap_ms, for_ms = scope.place(channel), scope.gap_ms(channel), milliseconds(self.duration)
        excess = bands.now.excess
        # A range is left on either side, so that neither end of the scale is the worse one.
        sign = 0 if excess is None else (excess(math.inf) > 0) - (excess(-math.inf) > 0)
        return Signal(lambda: _Holding(place, bands, for_ms, gap_ms), for_ms + gap_ms, sign=sign)

    def words(self, quantity: Quantity) -> str:
        """Return the test and how long it has to be passed: ``is above 8 °C without a break for 10 h``."""
        lasting = f" without a break for {spaced(self.duration)}" if self.duration else ""
        return self.test_words(quantity) + lasting

    def test_words(self, quantity: Quantity) -> str:
        """Return the test alone: ``is above 8 °C``."""
        raise NotImplementedError

    def ending(self, quantity: Quantity) -> str:
        """Return how the episode ends, where that is not simply the opposite; else nothing."""
        return ""


class _Holding:
    """Since when the newest values pass a test."""

    __slots__ = ("_bands", "_for_ms", "_gap_ms", "_moment_ms", "_place", "_since_ms", "_value")

    def __init__(self, place: int, bands: Bands, for_ms: int, gap_ms: int) -> None:
        self._place, self._bands, self._for_ms, self._gap_ms = place, bands, for_ms, gap_ms
        self._moment_ms, self._since_ms, self._value = NEVER, NEVER, 0.0

    def take(self, place: int, moment_ms: int, value: float) -> None:
        if place != self._place:
            return
        band = self._bands.at(moment_ms)
        if band is None:
            return  # nobody said what was allowed then
        if not band.holds(value):
            self._since_ms = NEVER
        elif self._since_ms == NEVER or moment_ms - self._moment_ms > self._gap_ms:
            self._since_ms = moment_ms
        self._moment_ms, self._value = moment_ms, value

    def truth(self, moment_ms: int) -> bool | None:
        if moment_ms - self._moment_ms > self._gap_ms:
            return None
        return self._since_ms != NEVER and moment_ms - self._since_ms >= self._for_ms

    def figure(self) -> float | None:
        return None if self._moment_ms == NEVER else self._value
