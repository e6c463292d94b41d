"""``exposure``: how long in all, or by how many degree-minutes, a value was beyond a limit, breaks allowed.

Time between two readings counts where both are beyond the limit and no gap lies between them, so that N readings span
N - 1 intervals, as they do for ``for``. Degree-minutes are the area beyond the limit: the mean excess of the two.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from datetime import timedelta
from typing import NamedTuple, Self

from pydantic import Field, model_validator

from domain.instant import MINUTE_MS
from domain.places import Channel
from domain.quantities import Quantity
from rules.conditions.base import Bands, Flaw, bands_of
from rules.conditions.beyond import Beyond
from rules.conditions.since import Since, since_ms
from rules.signals import NEVER, Scope, Signal
from rules.values import Stretch, milliseconds, spaced


class Exposure(Beyond):
    """Beyond what, how much of it, and counted over which time: ``within`` rolls, ``since`` begins once."""

    why_no_clear = "what was counted does not go back at a level"

    total: Stretch | None = None
    """So much time in all is enough."""
    degree_minutes: float | None = Field(default=None, gt=0)
    """Or so much time by how far: 30 min at 2 °C beyond the limit are 60."""
    within: Stretch | None = None
    since: Since | None = None

    @model_validator(mode="after")
    def _one_of_each(self) -> Self:
        for names in (("total", "degree_minutes"), ("within", "since")):
            if sum(getattr(self, name) is not None for name in names) != 1:
                raise ValueError(f"exactly one of '{names[0]}' and '{names[1]}'")
        return self

    def signal(self, channel: Channel, scope: Scope) -> Signal | None:
        """Return whether it was enough."""
        bands = bands_of(self.bound.band, channel)
        if bands is None:
            return None
        asked = _Asked(
            scope.place(channel), bands, self.bound.sign, self._enough, self.degree_minutes is not None, self._within_ms
        )
        gap_ms, begin_ms = scope.gap_ms(channel), None if self.since is None else since_ms(self.since, scope.timezone)
        reach_ms = 0 if self._within_ms is None else self._within_ms + gap_ms
        return Signal(
            lambda: _Exposed(asked, gap_ms, NEVER if begin_ms is None else begin_ms),
            reach_ms,
            begin_ms,
            self.bound.sign,
        )

    def flaws(self, quantity: Quantity) -> Iterator[Flaw]:
        """Yield what is wrong for this quantity."""
        yield from super().flaws(quantity)
        if self.degree_minutes is not None and quantity.name != "temperature":
            yield Flaw(("degree_minutes",), f"degree-minutes of {quantity.name}", "'total', or a temperature")
        if self.total is not None and self.within is not None and self.total > self.within:
            yield Flaw(("total",), spaced(self.total), f"at most {spaced(self.within)}, over which it is counted")

    def flaws_at(self, channel: Channel) -> Iterator[Flaw]:
        """Yield a stretch of time in which no two readings are expected."""
        if self.within is not None and self.within < channel.interval:
            allowed = f"at least {spaced(channel.interval)}, the interval between readings"
            yield Flaw(("within",), spaced(self.within), allowed)

    def words(self, quantity: Quantity) -> str:
        """Return e.g. ``has been above 30 °C for 10 h in all within the last 7 d``."""
        much = f"for {spaced(self.total)} in all" if self.total else f"by {self.degree_minutes:g} degree-minutes in all"
        over = f"within the last {spaced(self.within)}" if self.within else f"since {self.since}"
        return f"has been {self.bound.bound_words(quantity)} {much} {over}"

    @property
    def _within_ms(self) -> int | None:
        return None if self.within is None else milliseconds(self.within)

    @property
    def _enough(self) -> float:
        return (
            self.degree_minutes * MINUTE_MS if self.degree_minutes else float(milliseconds(self.total or timedelta(0)))
        )


class _Asked(NamedTuple):
    """What of whom; shared by all trackers."""

    place: int
    bands: Bands
    sign: int
    """1 where higher is worse, -1 where lower is."""
    enough: float
    """Milliseconds, or degrees times milliseconds."""
    weighed: bool
    within_ms: int | None


class _Span(NamedTuple):
    """Time beyond the limit, between two readings."""

    begin_ms: int
    end_ms: int
    weight: float
    """What a millisecond of it counts."""
    worst: float


class _Exposed:
    """The spans of the time that is counted, and their sum; nothing while all is well."""

    __slots__ = ("_asked", "_begin_ms", "_excess", "_gap_ms", "_moment_ms", "_spans", "_total", "_value", "_worst")

    def __init__(self, asked: _Asked, gap_ms: int, begin_ms: int) -> None:
        self._asked, self._gap_ms, self._begin_ms = asked, gap_ms, begin_ms
        self._spans: deque[_Span] | None = None
        self._total = 0.0
        self._moment_ms, self._value = NEVER, 0.0
        self._excess: float | None = None
        """How far the last value was beyond the limit; None where it was not."""
        self._worst: float | None = None

    def take(self, place: int, moment_ms: int, value: float) -> None:
        if place != self._asked.place or moment_ms < self._begin_ms:
            return
        beyond = self._beyond(moment_ms, value)
        if moment_ms - self._moment_ms <= self._gap_ms and beyond is not None and self._excess is not None:
            weight = (beyond + self._excess) / 2 if self._asked.weighed else 1.0
            self._add(_Span(self._moment_ms, moment_ms, weight, max(value, self._value, key=self._badness)))
        self._moment_ms, self._value, self._excess = moment_ms, value, beyond

    def truth(self, moment_ms: int) -> bool | None:
        if self._moment_ms == NEVER:
            return None
        if self._asked.within_ms is None:
            return self._total >= self._asked.enough - _ROUNDING
        begin_ms = moment_ms - self._asked.within_ms
        spans = self._spans
        while spans and spans[0].end_ms <= begin_ms:
            gone = spans.popleft()
            self._total -= (gone.end_ms - gone.begin_ms) * gone.weight
        if not spans:
            self._spans, self._total, self._worst = None, 0.0, None
            return False
        cut = max(begin_ms - spans[0].begin_ms, 0) * spans[0].weight
        return self._total - cut >= self._asked.enough - _ROUNDING

    def figure(self) -> float | None:
        """Return the worst value while it was beyond the limit, in the time that is counted."""
        if self._spans is not None:
            return max((span.worst for span in self._spans), key=self._badness)
        return self._worst if self._worst is not None else (None if self._moment_ms == NEVER else self._value)

    def _beyond(self, moment_ms: int, value: float) -> float | None:
        """Return how far a value is beyond the limit of its time; None where it is not."""
        band = self._asked.bands.at(moment_ms)
        if band is None or band.excess is None or not band.holds(value):
            return None
        return band.excess(value)

    def _badness(self, value: float) -> float:
        return value * self._asked.sign

    def _add(self, span: _Span) -> None:
        self._total += (span.end_ms - span.begin_ms) * span.weight
        if self._asked.within_ms is None:
            self._worst = span.worst if self._worst is None else max(self._worst, span.worst, key=self._badness)
            return
        if self._spans is None:
            self._spans = deque()
        self._spans.append(span)


_ROUNDING = 1e-6
