"""Two tellers, one episode: what a node's own rules told, joined with what the engine here finds in the readings.

Both judge the same readings by the same rules, so in the end they agree to the second. Until all readings have come
they do not, and then:

- Episodes of one rule and channel that overlap are the same one, and keep the id that was told first.
- The engine knows nothing of what nodes tell: it finds, moves and takes back its own episodes, and is given back only
  those, as it told them (``for_engine``).
- What the engine has not found yet, or takes back, stands all the same while a node says it.
- An end that a node tells stands until the reading that ended it has come (``Adopted.settled``): from then on the
  engine, which has it too, knows better.
- An episode that only a node told ends with the node's word, or with the first reading here that clears the rule.
- What a node saw going on may go on still: an episode found here that begins later is taken for the same one until
  the node, or a reading, shows that it ended in between. Then the two part.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from app.adopted import Adopted, Fit, Word, earlier, known_until
from app.yardstick import Yardstick
from domain.directory import Directory
from domain.episode import ChangeKind, Episode, EpisodeChange
from domain.instant import to_datetime
from domain.reading import Reading
from rules.model import Rule
from rules.settings import EngineSettings

KEPT_FOR = timedelta(days=7)
"""How long after its last word an episode is remembered as a node's: the readings it is made of have come by then."""


class Adoption:
    """Remembers the episodes that nodes told; pure, whoever calls it stores what it returns."""

    def __init__(self, rules: Iterable[Rule], directory: Callable[[], Directory], settings: EngineSettings) -> None:
        self._yardstick = Yardstick(rules, directory, settings)
        self._known: dict[str, Adopted] = {}
        self._changed: dict[str, None] = {}
        self.channels: defaultdict[str, list[Adopted]] = defaultdict(list)
        """What is remembered, by channel."""

    def use(self, rules: Iterable[Rule]) -> None:
        """Judge by other rules from now on."""
        self._yardstick.use(rules)

    def load(self, known: Iterable[Adopted]) -> None:
        """Go on from what ``changed`` handed out in earlier lives."""
        for entry in known:
            self._add(entry)
        self._changed.clear()

    def changed(self) -> list[tuple[str, Adopted | None]]:
        """Return what changed since the last call, by the stored episode's id; None where it is forgotten."""
        changed = [(episode, self._known.get(episode)) for episode in self._changed]
        self._changed.clear()
        return changed

    # What a node says.

    def hear(self, word: Word, *, stored: Sequence[Episode], later: Sequence[Reading]) -> list[EpisodeChange]:
        """Return what a node's word changes.

        ``stored``: the stored episodes of the channel that may overlap; ``later``: its readings measured at the end
        that the node tells, or after what it last saw, in order.
        """
        self._forget(word.heard_at)
        word = self._yardstick.completed(word, later)
        settled = word.said.ended_at is not None and any(_at(each) == word.said.ended_at for each in later)
        entry = next((each for each in self._of(word.said) if each.word.said.id == word.said.id), None)
        if entry is None:
            return self._hear_new(word, stored, settled=settled)
        if entry.is_older(word):
            return []
        entry.word, entry.settled = word, settled
        parted = self._part(entry) if entry.found and word.fit(entry.found) is Fit.NONE else []
        return parted + self._restate(entry, live=self._yardstick.is_live(word))

    def _hear_new(self, word: Word, stored: Sequence[Episode], *, settled: bool) -> list[EpisodeChange]:
        loosened, same = self._loosened(word)
        same = same or self._same(word, stored)
        entry = self._known.get(same.id) if same else None
        if entry is not None:
            return self._hear_again(entry, word)
        entry = self._add(Adopted(same or word.said, word, found=same, settled=settled))
        kind = ChangeKind.OPENED if same is None else ChangeKind.AMENDED
        return loosened + self._restate(entry, live=self._yardstick.is_live(word), kind=kind)

    def _same(self, word: Word, stored: Sequence[Episode]) -> Episode | None:
        """Return the stored episode that the node means, if there is one."""
        of_rule = [each for each in stored if each.rule == word.said.rule]
        candidates = [each for each in of_rule if word.fit(each) and not self._is_another(each, word)]
        return max(candidates, key=word.closeness, default=None)

    def _is_another(self, stored: Episode, word: Word) -> bool:
        """Tell whether the node itself told both episodes apart, with what it remembers."""
        entry = self._known.get(stored.id)
        return entry is not None and entry.word.epoch == word.epoch

    def _loosened(self, word: Word) -> tuple[list[EpisodeChange], Episode | None]:
        """Return the engine's episode that was taken for another one of the node and is rather this one."""
        for entry in self._of(word.said):
            found = entry.found
            if entry.is_closer(word):
                return self._part(entry), found
        return [], None

    def _hear_again(self, entry: Adopted, word: Word) -> list[EpisodeChange]:
        """Take up an episode that the node begins anew in the middle: it lost its memory."""
        before = entry.word
        if word.seen_at <= before.seen_at:
            return []
        said = replace(word.said, started_at=before.said.started_at, confirmed_at=before.said.confirmed_at)
        entry.word = word._replace(said=said)
        return self._restate(entry, live=self._yardstick.is_live(word))

    # What the engine here finds.

    def translate(self, change: EpisodeChange, until: datetime | None) -> list[EpisodeChange]:
        """Return what the engine's change means for the stored episodes.

        ``until``: up to where the engine knows its episode; None means up to the channel's latest reading.
        """
        episode = change.episode
        entry = next((each for each in self._of(episode) if each.found and each.found.id == episode.id), None)
        if change.kind is ChangeKind.RETRACTED:
            return [change] if entry is None else self._take_back(entry)
        if entry is None:
            return self._joined_by(change, until, alone=change.kind is not ChangeKind.OPENED) or [change]
        if entry.word.fit(known_until(episode, until)) is Fit.NONE:
            parted = self._part(entry) if entry.stored.id == episode.id else self._take_back(entry)
            return parted + (self._joined_by(change, until) or [change])
        return self._join(entry, change)

    def _joined_by(self, change: EpisodeChange, until: datetime | None, *, alone: bool = False) -> list[EpisodeChange]:
        """Take the engine's episode for one that a node told, if one is free; nothing where none is.

        ``alone``: it is stored under its own id already, and gives that up only for an episode that it names.
        """
        entry = self._free(change.episode, until)
        if entry is None or (alone and not (entry.found is None and entry.word.names(change.episode))):
            return []
        changes = self._part(entry)
        if change.episode.id != entry.stored.id:
            changes.append(EpisodeChange(ChangeKind.RETRACTED, change.episode, live=False))
        return changes + self._join(entry, change)

    def _free(self, episode: Episode, until: datetime | None) -> Adopted | None:
        """Return what a node told of the engine's episode, where that does not mean another one rather."""
        found = known_until(episode, until)
        fitting = [
            entry
            for entry in self._of(episode)
            if entry.word.fit(found)
            and (entry.found is None or entry.word.closeness(found) > entry.word.closeness(entry.found))
        ]
        return max(fitting, key=lambda entry: entry.word.closeness(found), default=None)

    def _join(self, entry: Adopted, change: EpisodeChange) -> list[EpisodeChange]:
        entry.found, entry.found_live = change.episode, change.live
        return self._restate(entry, live=change.live, kind=change.kind)

    def note(self, reading: Reading) -> list[EpisodeChange]:
        """Return the ends of episodes that only nodes told and that this reading clears."""
        changes = []
        for entry in self.channels.get(reading.channel, ()):
            moment = _at(reading)
            if entry.word.said.ended_at == moment and not entry.settled:
                entry.settled = True
                self._changed[entry.stored.id] = None
            alone = entry.stored.ended_at is None and entry.found is None
            if alone and moment > entry.word.seen_at and self._yardstick.clears(entry.stored, reading):
                entry.word = entry.word._replace(over_at=moment)
                changes += self._restate(entry, live=True)
        return changes

    def for_engine(self, episodes: Iterable[Episode]) -> list[Episode]:
        """Return the episodes that the engine told, as it told them, out of the stored ones."""
        own = []
        for episode in episodes:
            entry = self._known.get(episode.id)
            found = episode if entry is None else entry.found
            if found is not None:
                own.append(found)
        return own

    # Between the two.

    def _take_back(self, entry: Adopted) -> list[EpisodeChange]:
        """Leave the stored episode to the node's word."""
        entry.found = None
        return self._restate(entry, live=False)

    def _part(self, entry: Adopted) -> list[EpisodeChange]:
        """Let the engine's episode go its own way, and return what that changes; the entry keeps the node's."""
        found, entry.found = entry.found, None
        if found is None:
            return []
        if entry.stored.id != found.id:
            return [*self._restate(entry, live=False), EpisodeChange(ChangeKind.OPENED, found, entry.found_live)]
        self._drop(entry)
        entry.stored = entry.word.said
        self._add(entry)
        opened = self._restate(entry, live=False, kind=ChangeKind.OPENED)
        return [EpisodeChange(ChangeKind.AMENDED, found, live=False), *opened]

    def _restate(self, entry: Adopted, *, live: bool, kind: ChangeKind = ChangeKind.AMENDED) -> list[EpisodeChange]:
        """Return the stored episode as it is to be now."""
        before, entry.stored = entry.stored, self._merged(entry)
        self._changed[before.id] = None
        new_end = entry.stored.ended_at is not None and (before.ended_at is None or kind is ChangeKind.OPENED)
        return [EpisodeChange(ChangeKind.ENDED if new_end else kind, entry.stored, live)]

    def _merged(self, entry: Adopted) -> Episode:
        """Return the node's episode completed by what is found here, under the stored id."""
        said, found = entry.word.said, entry.found
        if found is None:
            return replace(said, id=entry.stored.id, ended_at=entry.end)
        worst = self._yardstick.worse(found, said)
        return replace(
            found,
            id=entry.stored.id,
            started_at=min(found.started_at, said.started_at),
            confirmed_at=min(found.confirmed_at, said.confirmed_at),
            ended_at=earlier(found.ended_at, entry.word.over_at if entry.settled else entry.end),
            extreme=worst.extreme,
            extreme_at=worst.extreme_at,
        )

    # What is remembered.

    def _of(self, episode: Episode) -> list[Adopted]:
        return [each for each in self.channels.get(episode.subject, ()) if each.stored.rule == episode.rule]

    def _add(self, entry: Adopted) -> Adopted:
        self._known[entry.stored.id] = entry
        self._changed[entry.stored.id] = None
        self.channels[entry.stored.subject].append(entry)
        return entry

    def _drop(self, entry: Adopted) -> None:
        del self._known[entry.stored.id]
        self._changed[entry.stored.id] = None
        remaining = self.channels[entry.stored.subject]
        remaining.remove(entry)
        if not remaining:
            del self.channels[entry.stored.subject]

    def _forget(self, now: datetime) -> None:
        for entry in [each for each in self._known.values() if each.stored.ended_at is not None]:
            if now - entry.word.heard_at > KEPT_FOR:
                self._drop(entry)


def _at(reading: Reading) -> datetime:
    return to_datetime(reading.measured_at_ms)
