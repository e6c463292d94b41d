"""What changed between the episodes that were told and those that judging again found; pure.

An episode keeps its id, and with it its alert, as long as the start that the id names lies within it. Episodes of one
rule and subject never overlap, so this also keeps ids unique.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from domain.episode import ChangeKind, Episode, EpisodeChange
from domain.instant import SECOND_MS, to_ms

_ID_MOMENT = "%Y%m%dT%H%M%SZ"


def identity_ms(episode: Episode) -> int:
    """Return the start that the episode's id names, in whole seconds."""
    text = episode.id.rsplit("/", 1)[-1]
    return to_ms(datetime.strptime(text, _ID_MOMENT).replace(tzinfo=UTC))


def matched(
    told: Sequence[Episode], found: Sequence[Episode]
) -> tuple[list[tuple[Episode | None, Episode]], list[Episode]]:
    """Return every found episode, under the id it keeps, with what was told of it; and what was told wrongly."""
    left = list(told)
    pairs: list[tuple[Episode | None, Episode]] = []
    for episode in found:
        old = _predecessor(episode, left)
        if old is None:
            pairs.append((None, episode))
            continue
        left.remove(old)
        pairs.append((old, replace(episode, id=old.id)))
    return pairs, left


def _predecessor(episode: Episode, told: Sequence[Episode]) -> Episode | None:
    candidates = [old for old in told if _names(old, episode)]
    return min(candidates, key=lambda old: (old.id != episode.id, old.ended_at is not None), default=None)


def _names(old: Episode, episode: Episode) -> bool:
    moment_ms, start_ms = identity_ms(old), to_ms(episode.started_at)
    if moment_ms < start_ms - start_ms % SECOND_MS:
        return False
    return episode.ended_at is None or moment_ms < to_ms(episode.ended_at)


def changes_between(old: Episode | None, new: Episode, *, live: bool, known_live: bool) -> Iterator[EpisodeChange]:
    """Yield the changes that lead from what was told to what is so.

    ``live``: the episode goes on in live data now; ``known_live``: and was already told so.
    """
    if old is None:
        yield EpisodeChange(ChangeKind.OPENED, replace(new, ended_at=None), live)
        if new.ended_at is not None:
            yield EpisodeChange(ChangeKind.ENDED, new, live=False)
    elif old.ended_at is None and new.ended_at is not None:
        yield EpisodeChange(ChangeKind.ENDED, new, live)
    elif _figures(old) != _figures(new):
        yield EpisodeChange(ChangeKind.AMENDED, new, live)
    elif live and not known_live:
        yield EpisodeChange(ChangeKind.OPENED, new, live)


def _figures(episode: Episode) -> tuple[object, ...]:
    return episode.started_at, episode.confirmed_at, episode.ended_at, episode.extreme, episode.extreme_at
