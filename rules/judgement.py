"""One whole round of judging over any store: step, read what late data need, amend.

Without a shell, for tests, backtests and the edge; an asynchronous shell writes the same few lines with ``await``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from domain.episode import Episode, EpisodeChange
from domain.reading import Reading
from rules.amendment import Ask
from rules.engine import Engine, Event
from rules.series import Window

ReadSeries = Callable[[Ask], Sequence[Reading]]
"""The stored readings of ``ask.channel`` from ``ask.from_ms`` (included) to ``ask.to_ms``."""
ReadEpisodes = Callable[[str, Window], Sequence[Episode]]
"""The stored episodes of a channel that overlap a window, open ones included."""
Apply = Callable[[EpisodeChange], None]
"""Stores a change, so that ``ReadEpisodes`` sees it."""


def judge(
    engine: Engine, events: Iterable[Event], series: ReadSeries, episodes: ReadEpisodes, apply: Apply
) -> list[EpisodeChange]:
    """Judge events whose readings are already stored; return every change, each applied before the next is sought."""
    changes: list[EpisodeChange] = []

    def told(new: Iterable[EpisodeChange]) -> None:
        for change in new:
            apply(change)
            changes.append(change)

    for event in events:
        told(engine.step(event))
    for stale in engine.stale():
        amendment = engine.amendment(stale)
        while (ask := amendment.ask()) is not None:
            amendment.take(series(ask))
        told(engine.amend(amendment, episodes(stale.channel, amendment.span)))
    return changes
