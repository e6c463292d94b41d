"""What is remembered of an episode until everybody has heard of it, and when it is worth a word; pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from domain.episode import Episode, episode_id
from domain.instant import MINUTE_MS, to_datetime, to_ms

RENEWED_AFTER_MS = 5 * MINUTE_MS
"""While an event waits for the link, what it says is renewed this seldom: each time costs a write to the flash."""


@dataclass(slots=True)
class Record:
    """An episode that the service, or somebody with a phone, has still to hear of."""

    episode: Episode
    """On the node's own line of time."""
    told_id: str = ""
    """The id under which it was told: that of its start in the time of day, as known then."""
    told_seen_ms: int | None = None
    """Up to where the last word went; None where nothing was said yet."""
    told_end: bool = False

    @property
    def key(self) -> str:
        """Return what tells it apart from other episodes of this node."""
        return self.episode.id

    @property
    def goes_on(self) -> bool:
        """Tell whether it is not over."""
        return self.episode.ended_at is None

    def seen_ms(self, newest_ms: int | None) -> int:
        """Return up to where what is known of it goes; ``newest_ms``: the channel's last reading."""
        known_ms = to_ms(self.episode.ended_at or self.episode.confirmed_at)
        return known_ms if newest_ms is None or not self.goes_on else max(known_ms, newest_ms)

    def is_due(self, seen_ms: int, *, waiting: bool, paused: bool) -> bool:
        """Tell whether the service has to hear of it now.

        ``waiting``: the last word is not confirmed; ``paused``: the node itself saw nothing for a while since, so that
        the service takes what it heard for old.
        """
        if self.told_seen_ms is None:
            return True
        if not self.goes_on:
            return not self.told_end
        return (waiting or paused) and seen_ms - self.told_seen_ms >= RENEWED_AFTER_MS

    def in_time_of_day(self, wall_ms: Callable[[int], int]) -> Episode:
        """Return the episode as others know time; ``wall_ms`` leads there."""

        def told(moment: datetime) -> datetime:
            return to_datetime(wall_ms(to_ms(moment)))

        episode = self.episode
        started_at = told(episode.started_at)
        return replace(
            episode,
            id=self.told_id or episode_id(episode.rule, episode.subject, to_ms(started_at)),
            started_at=started_at,
            confirmed_at=told(episode.confirmed_at),
            ended_at=None if episode.ended_at is None else told(episode.ended_at),
            extreme_at=None if episode.extreme_at is None else told(episode.extreme_at),
        )


class Telling(NamedTuple):
    """A word for the service, in the time of day."""

    key: str
    episode: Episode
    seen_at: datetime
