"""Puts the outcome of judging history again in place: the changes to tell, and what is remembered from now on."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from domain.episode import ChangeKind, Episode, EpisodeChange
from domain.instant import to_ms
from rules.amendment import Judged, Verdict
from rules.compile import Level
from rules.history import changes_between, identity_ms, matched
from rules.streak import Streak, episode_of


def revise(
    state: Judged, index: int, verdict: Verdict, episodes: Sequence[Episode], is_live: Callable[[int], bool]
) -> list[EpisodeChange]:
    """Return the changes from what was told of one rule to what judging again found, and remember the latter."""
    level, running = state.levels[index], state.streaks[index]
    told = _told(state, level, running, verdict, episodes)
    for excursion in verdict.found:
        excursion.streak.identity_ms = excursion.streak.since_ms
    found = [episode_of(level, state.channel, excursion.streak, excursion.ended_ms) for excursion in verdict.found]
    pairs, wrong = matched(told, found)
    changes = [EpisodeChange(ChangeKind.RETRACTED, episode, live=False) for episode in wrong]
    for (old, new), excursion in zip(pairs, verdict.found, strict=True):
        known_live = running is not None and running.live and old is not None and old.ended_at is None
        if old is not None:
            excursion.streak.identity_ms = identity_ms(old)
        if excursion.ended_ms is None:
            live = is_live(state.last_ms)
            changes += changes_between(old, new, live=live, known_live=known_live)
            excursion.streak.live = live or known_live
            excursion.streak.tell(level)
        else:
            # One that nobody was told of is news only where live data showed it open: that the reading which ends it
            # is live says nothing, for the rest of a backlog may still be on its way.
            live = excursion.streak.live if old is None else is_live(excursion.ended_ms)
            changes += changes_between(old, new, live=live, known_live=known_live)
    state.remember(index, verdict)
    return changes


def _told(
    state: Judged, level: Level, running: Streak | None, verdict: Verdict, episodes: Sequence[Episode]
) -> list[Episode]:
    """Return what was told of the stretch: from the store, and of what goes on, from memory, which is exact."""
    told = {}
    for episode in episodes:
        start_ms = to_ms(episode.started_at)
        before_end = verdict.before_ms is None or start_ms < verdict.before_ms
        if (
            episode.rule == level.rule
            and episode.subject == state.channel.id
            and start_ms > verdict.after_ms
            and before_end
        ):
            told[episode.id] = episode
    if running is not None and running.confirmed_ms is not None:
        current = episode_of(level, state.channel, running)
        told.pop(current.id, None)
        if verdict.before_ms is None or running.since_ms < verdict.before_ms:
            told[current.id] = current
    return sorted(told.values(), key=lambda episode: episode.started_at)
