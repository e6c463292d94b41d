"""Which of two readings of one channel and one moment is kept.

The choice must not depend on the order of arrival, so it is the least under a total order: the better quality; then a
value before none; then the greater value (arbitrary, but the same everywhere); then the earlier arrival. The least of
a set is the same for every permutation of it and for any number of duplicates.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

Rank = tuple[int, bool, float, int]


Row = tuple[int, float | None, int, int]
"""A stored reading of one series: measured, value, quality, received. A bare tuple: there are very many."""


def rank(value: float | None, quality: int, received: int) -> Rank:
    """Return the key by which the least of readings with equal channel and moment is kept."""
    return (quality, value is None, -value if value is not None else 0.0, received)


def excluded_wins(table: str) -> str:
    """Return the same comparison as SQL, for ``ON CONFLICT ... DO UPDATE ... WHERE`` on ``table``."""
    return wins("excluded", table)


def wins(source: str, other: str) -> str:
    """Return as SQL that the row of ``source`` is kept instead of that of ``other``."""
    return f"({_rank_sql(source)}) < ({_rank_sql(other)})"


def differs(source: str, other: str) -> str:
    """Return as SQL that two rows of one moment tell something different, whenever they came."""
    return f"({source}.value IS NOT {other}.value OR {source}.quality <> {other}.quality)"


def _rank_sql(source: str) -> str:
    return f"{source}.quality, {source}.value IS NULL, -coalesce({source}.value, 0.0), {source}.received"


def merged(settled: Sequence[Row], unsettled: Iterable[Row]) -> list[Row]:
    """Return the rows of both in order of time, each moment once."""
    best = {row[0]: row for row in settled}
    for row in unsettled:
        kept = best.get(row[0])
        if kept is None or rank(*row[1:]) < rank(*kept[1:]):
            best[row[0]] = row
    return [best[ts] for ts in sorted(best)]
