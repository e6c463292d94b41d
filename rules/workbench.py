"""An engine over memory: readings and episodes kept as the real stores keep them, for trials and backtests."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator

from domain.directory import Directory
from domain.episode import ChangeKind, Episode, EpisodeChange
from domain.instant import to_ms
from domain.reading import Reading
from rules.amendment import Ask
from rules.engine import Engine, Event
from rules.judgement import judge
from rules.model import Rule
from rules.series import Window
from rules.settings import EngineSettings


class Workbench:
    """Takes events in order of arrival; ``episodes`` is what the rules make of them."""

    def __init__(self, rules: Iterable[Rule], directory: Directory, settings: EngineSettings | None = None) -> None:
        self.engine = Engine(rules, directory, settings=settings)
        self.episodes: dict[str, Episode] = {}
        """By id, as they stand; those that late data took back are gone."""
        self._by_subject: defaultdict[str, dict[str, Episode]] = defaultdict(dict)
        self._moments: defaultdict[str, list[int]] = defaultdict(list)
        self._stored: defaultdict[str, dict[int, Reading]] = defaultdict(dict)

    def arrive(self, *events: Event) -> list[EpisodeChange]:
        """Store readings as the journal does (the first of a channel and moment stays), judge, return the changes."""
        for event in events:
            if isinstance(event, Reading):
                self.store(event)
        return judge(self.engine, events, self._series, self._overlapping, self._apply)

    def forget_before(self, moment_ms: int) -> None:
        """Let go of readings that no late reading can make the engine ask for any more."""
        for channel, moments in self._moments.items():
            end = bisect_left(moments, moment_ms)
            for gone in moments[:end]:
                del self._stored[channel][gone]
            del moments[:end]

    def store(self, reading: Reading) -> None:
        """Keep a reading without judging it."""
        stored, moments, moment_ms = self._stored[reading.channel], self._moments[reading.channel], reading[1]
        if moment_ms in stored:
            return
        stored[moment_ms] = reading
        if not moments or moment_ms > moments[-1]:
            moments.append(moment_ms)
        else:
            moments.insert(bisect_left(moments, moment_ms), moment_ms)

    def _series(self, ask: Ask) -> list[Reading]:
        moments, stored = self._moments[ask.channel], self._stored[ask.channel]
        span = slice(bisect_left(moments, ask.from_ms), bisect_left(moments, ask.to_ms))
        return [stored[moment_ms] for moment_ms in moments[span]]

    def _overlapping(self, subject: str, window: Window) -> list[Episode]:
        return [episode for episode in self._by_subject[subject].values() if _overlaps(episode, window)]

    def _apply(self, change: EpisodeChange) -> None:
        episode = change.episode
        for known in (self.episodes, self._by_subject[episode.subject]):
            if change.kind is ChangeKind.RETRACTED:
                del known[episode.id]
            else:
                known[episode.id] = episode

    def in_order(self) -> Iterator[Episode]:
        """Yield the episodes by start."""
        yield from sorted(self.episodes.values(), key=lambda episode: (episode.started_at, episode.id))


def _overlaps(episode: Episode, window: Window) -> bool:
    if to_ms(episode.started_at) > window.to_ms:
        return False
    return episode.ended_at is None or to_ms(episode.ended_at) >= window.from_ms
