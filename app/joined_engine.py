"""The rules engine as the judge uses it, alone or joined with what nodes tell."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from app.adoption import Adoption
from domain.directory import Directory
from domain.episode import Episode, EpisodeChange
from domain.instant import to_datetime
from rules.amendment import Amendment, Stale
from rules.engine import Engine, Event, Tick
from rules.model import Rule


class JudgingEngine(Protocol):
    """As much of ``rules.engine.Engine`` as the judge calls."""

    def step(self, event: Event) -> list[EpisodeChange]:
        """Return what one reading or one tick changes."""

    def stale(self) -> list[Stale]:
        """Return the channels whose history has to be judged again."""

    def amendment(self, stale: Stale) -> Amendment:
        """Return what asks for the stored readings that this needs."""

    def amend(self, amendment: Amendment, episodes: Sequence[Episode]) -> list[EpisodeChange]:
        """Return the changes that late readings make to history."""

    def changed_state(self) -> list[tuple[str, bytes | None]]:
        """Return what has to be remembered and changed since the last call."""

    def restore(self, items: Iterable[tuple[str, bytes]]) -> list[EpisodeChange]:
        """Go on from what was remembered."""

    def replace_rules(self, rules: Iterable[Rule], directory: Directory) -> list[EpisodeChange]:
        """Judge by other rules or another registry from now on."""

    def shift_clock(self, by_ms: int, now_ms: int) -> None:
        """Go on where the service's clock was set on by this much."""


class JoinedEngine:
    """An engine whose changes come out as changes of the episodes that are stored; it knows nothing of that itself."""

    def __init__(self, engine: Engine, adoption: Adoption) -> None:
        self._engine, self._adoption = engine, adoption
        self.stale = engine.stale
        self.amendment = engine.amendment
        self.changed_state = engine.changed_state
        self.shift_clock = engine.shift_clock

    def step(self, event: Event) -> list[EpisodeChange]:
        """Return what one reading or one tick changes, for the engine and for what only nodes told."""
        changes = self._engine.step(event)
        if isinstance(event, Tick) or event.channel not in self._adoption.channels:
            return changes
        seen_at = to_datetime(event.measured_at_ms + 1)
        translated = [each for change in changes for each in self._adoption.translate(change, seen_at)]
        return translated + self._adoption.note(event)

    def amend(self, amendment: Amendment, episodes: Sequence[Episode]) -> list[EpisodeChange]:
        """Return the changes that late readings make to history; ``episodes`` are the stored ones."""
        return self._translated(self._engine.amend(amendment, self._adoption.for_engine(episodes)))

    def restore(self, items: Iterable[tuple[str, bytes]]) -> list[EpisodeChange]:
        """Go on from what was remembered."""
        return self._translated(self._engine.restore(items))

    def replace_rules(self, rules: Iterable[Rule], directory: Directory) -> list[EpisodeChange]:
        """Judge by other rules or another registry from now on."""
        known = list(rules)
        self._adoption.use(known)
        return self._translated(self._engine.replace_rules(known, directory))

    def _translated(self, changes: list[EpisodeChange]) -> list[EpisodeChange]:
        ends = {change.episode.id: change.episode.ended_at for change in changes}
        return [each for change in changes for each in self._adoption.translate(change, ends[change.episode.id])]
