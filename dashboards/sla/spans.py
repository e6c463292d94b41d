"""Sets of moments as sorted, disjoint stretches of time ``[from, to)`` in milliseconds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import NamedTuple


class Span(NamedTuple):
    """A stretch of time; ``to_ms`` is not part of it."""

    from_ms: int
    to_ms: int

    @property
    def length_ms(self) -> int:
        """Return how long it is."""
        return self.to_ms - self.from_ms


Spans = tuple[Span, ...]
"""In order, none empty, none touching another."""


def spans_of(pieces: Iterable[tuple[int, int]]) -> Spans:
    """Return the set of all moments in any piece, whatever their order and however they overlap."""
    found: list[Span] = []
    for begin, end in sorted(piece for piece in pieces if piece[0] < piece[1]):
        if found and begin <= found[-1].to_ms:
            found[-1] = Span(found[-1].from_ms, max(found[-1].to_ms, end))
        else:
            found.append(Span(begin, end))
    return tuple(found)


def union(*sets: Spans) -> Spans:
    """Return the moments that are in any set."""
    return spans_of(chain.from_iterable(sets))


def intersection(one: Spans, other: Spans) -> Spans:
    """Return the moments that are in both sets."""
    return tuple(_common(one, other))


def _common(one: Spans, other: Spans) -> Iterator[Span]:
    left, right = iter(one), iter(other)
    mine, yours = next(left, None), next(right, None)
    while mine is not None and yours is not None:
        begin, end = max(mine.from_ms, yours.from_ms), min(mine.to_ms, yours.to_ms)
        if begin < end:
            yield Span(begin, end)
        if mine.to_ms <= yours.to_ms:
            mine = next(left, None)
        else:
            yours = next(right, None)


def difference(one: Spans, other: Spans) -> Spans:
    """Return the moments of the first set that are not in the other."""
    if not one or not other:
        return one
    edges = [one[0].from_ms, *chain.from_iterable(other), one[-1].to_ms]
    gaps = zip(edges[::2], edges[1::2], strict=True)
    return intersection(one, spans_of(gaps))


def total_ms(spans: Spans) -> int:
    """Return how long all of it is together."""
    return sum(each.length_ms for each in spans)
