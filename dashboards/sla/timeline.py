"""When something was up and when it was down; at all other times nobody knows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import pairwise

from dashboards.sla.spans import Span, Spans, difference, intersection, spans_of, union
from domain.limits import LimitHistory, eras
from domain.reading import Reading

_NEVER_MS = 2**62


@dataclass(frozen=True, slots=True)
class Timeline:
    """``up`` and ``down`` have no moment in common; what is in neither is unknown."""

    up: Spans = ()
    down: Spans = ()

    def within(self, spans: Spans) -> Timeline:
        """Return what is known of these times alone."""
        return Timeline(intersection(self.up, spans), intersection(self.down, spans))

    def up_throughout(self, spans: Spans) -> Timeline:
        """Return it as up at these times, whatever was found."""
        return Timeline(union(self.up, spans), difference(self.down, spans))

    def down_throughout(self, spans: Spans) -> Timeline:
        """Return it as down at these times, whatever was found."""
        return Timeline(difference(self.up, spans), union(self.down, spans))


def any_of(parts: Sequence[Timeline]) -> Timeline:
    """Return when at least one part was up, and when all of them are known to have been down; nothing for no parts."""
    if not parts:
        return Timeline()
    up = union(*(each.up for each in parts))
    return Timeline(up, difference(reduce(intersection, (each.down for each in parts)), up))


def all_of(parts: Sequence[Timeline]) -> Timeline:
    """Return when at least one part was down, and when all of them are known to have been up; nothing for no parts."""
    turned = any_of([Timeline(each.down, each.up) for each in parts])
    return Timeline(turned.down, turned.up)


def observed(readings: Sequence[Reading], cover_ms: int, is_up: Callable[[float], bool]) -> Timeline:
    """Return what readings in order of time say, each moment once.

    A usable reading covers the time up to the next reading of any quality, at most ``cover_ms``: as in roll-ups.
    """
    up: list[Span] = []
    down: list[Span] = []
    for span, value in covered(readings, cover_ms):
        (up if is_up(value) else down).append(span)
    return Timeline(spans_of(up), spans_of(down))


def in_limits(readings: Sequence[Reading], cover_ms: int, history: LimitHistory) -> Timeline:
    """Return when values were within the limits in force at the time: up; and strictly outside of them: down."""
    up: list[tuple[int, int]] = []
    down: list[tuple[int, int]] = []
    for span, value in covered(readings, cover_ms):
        for era in eras(history, *span):
            piece = max(span.from_ms, era.from_ms), min(span.to_ms, era.to_ms)
            (up if era.low <= value <= era.high else down).append(piece)
    return Timeline(spans_of(up), spans_of(down))


def covered(readings: Sequence[Reading], cover_ms: int) -> Iterable[tuple[Span, float]]:
    """Give what each usable reading covers, with its value."""
    moments = [*(each.measured_at_ms for each in readings), _NEVER_MS]
    for reading, (begin, following) in zip(readings, pairwise(moments), strict=True):
        if reading.value is not None and reading.quality.usable:
            yield Span(begin, min(following, begin + cover_ms)), reading.value
