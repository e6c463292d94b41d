"""What rules and registry say about a node's word: how bad, over or not, and whether it is still news."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import timedelta

from app.adopted import Word
from domain.directory import Directory
from domain.episode import Episode
from domain.instant import to_datetime
from domain.reading import Reading
from rules.compile import live_ms
from rules.conditions.base import Band, ValueCondition
from rules.model import Rule
from rules.settings import EngineSettings


class Yardstick:
    """The rules in force, as far as single values go."""

    def __init__(self, rules: Iterable[Rule], directory: Callable[[], Directory], settings: EngineSettings) -> None:
        self.use(rules)
        self._directory = directory
        self._settings = settings

    def use(self, rules: Iterable[Rule]) -> None:
        """Judge by other rules from now on."""
        self._rules = {rule.id: rule for rule in rules}

    def worse(self, found: Episode, said: Episode) -> Episode:
        """Return the one whose extreme is worse."""
        band = self._band(found)
        if band is None or band.excess is None or said.extreme is None or found.extreme is None:
            return found
        return said if band.excess(said.extreme) > band.excess(found.extreme) else found

    def clears(self, episode: Episode, reading: Reading) -> bool:
        """Tell whether the reading ends such an episode."""
        band = self._band(episode)
        return band is not None and reading.value is not None and reading.quality.usable and band.cleared(reading.value)

    def is_live(self, word: Word) -> bool:
        """Tell whether the node saw it so recently that a reading of that age would be live."""
        channel = self._directory().channels.get(word.said.subject)
        within_ms = 0 if channel is None else live_ms(channel.interval, self._settings)
        return word.heard_at - word.seen_at <= timedelta(milliseconds=within_ms)

    def completed(self, word: Word, later: Sequence[Reading]) -> Word:
        """Return the node's word with what only the service knows: severity, place, a reading that ended it since."""
        said = word.said
        rule, channel = self._rules.get(said.rule), self._directory().channels.get(said.subject)
        moments = (to_datetime(each.measured_at_ms) for each in later if self.clears(said, each))
        over_at = next((moment for moment in moments if moment > word.seen_at), None)
        said = replace(
            said,
            severity=said.severity if rule is None else rule.severity,
            facility=said.facility if channel is None else channel.facility,
        )
        return word._replace(said=said, over_at=over_at if said.ended_at is None else None)

    def _band(self, episode: Episode) -> Band | None:
        rule, channel = self._rules.get(episode.rule), self._directory().channels.get(episode.subject)
        if rule is None or channel is None or not isinstance(rule.condition, ValueCondition):
            return None
        return rule.condition.band(channel)
