"""What happens to alerts, written into the caller's transaction: by the rules, by people, by the passing of time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from alerts.bundle import Occasion
from alerts.change import Actor, AlertChange
from alerts.escalation import answered
from alerts.incidents import Incidents
from alerts.ledger import Ledger, Raised, Stored
from alerts.lifecycle import AlertEvent, Effect, Transition, walk
from alerts.notification import NotificationKind
from alerts.post import Post
from alerts.reconcile import Known, apart, events_of, is_audible, is_news
from alerts.routing import Decision
from alerts.silences import Silence, SilenceKind, Silences, covering, silenced, subject_of
from alerts.suppression import Suppression
from alerts.surroundings import Note, Surroundings
from alerts.telling import News, Story, Telling, describe
from domain.alert import AlertState
from domain.episode import ChangeKind, Episode, EpisodeChange

_TELLING: Final = frozenset(
    {
        AlertEvent.RAISED,
        AlertEvent.WORSENED,
        AlertEvent.UNSUPPRESSED,
        AlertEvent.UNSHELVED,
        AlertEvent.RETURNED_TO_SERVICE,
        AlertEvent.ACKNOWLEDGEMENT_EXPIRED,
    }
)
_KIND: Final = {
    Effect.NOTIFY_RAISED: NotificationKind.ALARM,
    Effect.NOTIFY_WORSENED: NotificationKind.WORSE,
    Effect.NOTIFY_ALL_CLEAR: NotificationKind.ALL_CLEAR,
}
_RAISED_SILENTLY: Final = {
    SilenceKind.SHELVING: AlertEvent.RAISED_SHELVED,
    SilenceKind.MAINTENANCE: AlertEvent.RAISED_OUT_OF_SERVICE,
}
RULES: Final = Actor("vitals", "rules")
TIME: Final = Actor("vitals", "time")


@dataclass(slots=True)
class _Turn:
    """What a change means for its alert."""

    change: EpisodeChange
    entry: Stored | None
    """None where there is no alert yet."""
    was: AlertState | None
    events: tuple[AlertEvent, ...]

    @property
    def transition(self) -> Transition:
        """Return where the events lead."""
        return walk(self.was or AlertState.NORMAL, self.events)


class Recorder:
    """Writes what happens; lives as long as the caller's transaction. ``finish`` queues the messages."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._connection = around.connection
        self._now = around.now
        self._suppression = Suppression(around.connection, around.rules, around.now)
        self._ledger = Ledger(around.connection, around.now)
        self._incidents = Incidents(around)
        self._telling = Telling(around)
        self._silences: Sequence[Silence] | None = None

    async def record(self, changes: Sequence[EpisodeChange]) -> list[AlertChange]:
        """Write every change that is news, in order, and return what happened to alerts.

        What explains others comes first; alerts that outlast their explanation are told at the end.
        """
        changes = sorted(changes, key=lambda change: not self._suppression.explains_others(change.episode.rule))
        by_episode = await self._ledger.of_episodes(change.episode.id for change in changes)
        happened = []
        for together in apart(changes):
            happened += await self._apply(together, by_episode)
        outlasting = await self._ledger.of_episodes(await self._suppression.outlasting())
        waiting = [entry for entry in outlasting.values() if entry.alert.state is AlertState.SUPPRESSED]
        happened += [
            await self.happen(entry, AlertEvent.UNSUPPRESSED, by=RULES, occasion=Occasion.NEW) for entry in waiting
        ]
        await self.finish()
        return happened

    async def finish(self) -> None:
        """Queue the messages for everything that is to be told now."""
        await Post(self._around).flush()

    async def load(self, alerts: Iterable[int]) -> dict[int, Stored]:
        """Return alerts by number, locked until the end of the transaction."""
        return await self._ledger.of_alerts(alerts)

    async def happen(
        self,
        entry: Stored,
        event: AlertEvent,
        *,
        by: Actor,
        detail: str = "",
        until: datetime | None = None,
        occasion: Occasion = Occasion.AGAIN,
    ) -> AlertChange:
        """Let an event happen to an alert: a person's answer, a time that is over.

        ``until`` is when an acknowledgement is forgotten. Raises ``ImpossibleEventError``.
        """
        was = entry.alert.state
        transition = walk(was, (event,))
        self._change_known(entry, entry.known.episode, (event,), transition, audible=True)
        if Effect.RECORD_ACKNOWLEDGEMENT in transition.effects:
            entry.alert = replace(entry.alert, acknowledged_at=self._now, acknowledged_by=by.name)
        await self._ledger.save([entry], acknowledged_until=until)
        await self._around.note(entry.alert.id, [(event.value, detail)], who=by.name, origin=by.origin)
        (decisions,) = await self._tell([_told(entry, transition.effects, live=True, occasion=occasion)])
        if entry.incident is not None:
            await answered(self._connection, [entry.incident])
        return AlertChange(entry.alert, was, (event,), decisions)

    async def end_shelving(self, entry: Stored, *, by: str) -> None:
        """Take back whatever shelves an alert now."""
        subject = self._subject(entry.known.episode)
        holding = [
            silence.id
            for silence in await self._standing()
            if silence.kind is SilenceKind.SHELVING and covering([silence], subject, self._now)
        ]
        await Silences(self._connection).cancel(holding, by=by, now=self._now)
        self._silences = None

    async def _apply(self, changes: Sequence[EpisodeChange], by_episode: dict[str, Stored]) -> list[AlertChange]:
        """Write changes at different facilities: none of them decides about another."""
        turns = await self._decided(changes, by_episode)
        entries = await self._write(turns)
        pairs = list(zip(turns, entries, strict=True))
        by_episode.update((entry.alert.episode, entry) for entry in entries)
        notes = [note for turn, entry in pairs for note in _notes(turn, entry)]
        await self._around.note_all(notes, origin="rules")
        for turn, entry in pairs:
            if turn.was is AlertState.SHELVED and AlertEvent.WORSENED in turn.events:
                # Whoever shelved it did not know of this.
                await self.end_shelving(entry, by=RULES.name)
        await self._join(entry for entry in entries if entry.alert.state is AlertState.SUPPRESSED)
        decided = await self._tell(
            [_told(entry, turn.transition.effects, live=is_audible(turn.change)) for turn, entry in pairs]
        )
        changed = [entry.incident for turn, entry in pairs if turn.events]
        await answered(self._connection, [incident for incident in changed if incident is not None])
        return [
            AlertChange(entry.alert, turn.was, turn.events, decisions)
            for (turn, entry), decisions in zip(pairs, decided, strict=True)
        ]

    async def _decided(self, changes: Sequence[EpisodeChange], by_episode: Mapping[str, Stored]) -> list[_Turn]:
        turns = []
        for change in changes:
            entry = by_episode.get(change.episode.id)
            known = entry.known if entry else None
            if is_news(known, change):
                worse_by = self._around.text_of(change.episode.rule).worse_by
                was = entry.alert.state if entry else None
                turns.append(_Turn(change, entry, was, events_of(known, change, worse_by)))
        await self._silence([turn for turn in turns if _is_first(turn)])
        return turns

    async def _silence(self, turns: Sequence[_Turn]) -> None:
        """Change the events of alerts that people would hear of now, where they are to be silent."""
        places = {(turn.change.episode.rule, turn.change.episode.facility) for turn in turns}
        explained = await self._suppression.explained(places)
        for turn in turns:
            episode = turn.change.episode
            subject, directory = self._subject(episode), self._around.directory
            kind = silenced(await self._standing(), subject, self._now, directory)
            if kind is not None:
                turn.events = (_RAISED_SILENTLY[kind], *turn.events[1:])
            elif (episode.rule, episode.facility) in explained:
                turn.events = (AlertEvent.RAISED_SUPPRESSED, *turn.events[1:])

    async def _write(self, turns: Sequence[_Turn]) -> list[Stored]:
        """Write episodes and alerts, and return the alerts as they are then."""
        new = [turn for turn in turns if turn.entry is None]
        known = [(turn, turn.entry) for turn in turns if turn.entry is not None]
        for turn, entry in known:
            audible = is_audible(turn.change)
            self._change_known(entry, turn.change.episode, turn.events, turn.transition, audible=audible)
            entry.known = replace(entry.known, retracted=turn.change.kind is ChangeKind.RETRACTED)
        await self._ledger.amend([turn.change for turn, _ in known])
        await self._ledger.save([entry for turn, entry in known if turn.events])
        added = await self._ledger.add([Raised(turn.change, turn.transition.state) for turn in new])
        made = iter(added)
        return [turn.entry or next(made) for turn in turns]

    async def _standing(self) -> Sequence[Silence]:
        if self._silences is None:
            self._silences = await Silences(self._connection).standing(self._now)
        return self._silences

    def _subject(self, episode: Episode) -> Any:
        return subject_of(episode.rule, episode.subject_kind, episode.subject, episode.facility, self._around.directory)

    async def _join(self, entries: Iterable[Stored]) -> None:
        alone = [entry for entry in entries if entry.incident is None]
        joined = await self._incidents.join([entry.alert for entry in alone])
        for entry in alone:
            entry.incident = joined[entry.alert.id]

    async def _tell(self, told: Sequence[_Told]) -> list[tuple[Decision, ...]]:
        """Tell of alerts of different facilities, and return the decisions on each."""
        await self._join(entry for entry, news in told if news)
        decided: list[tuple[Decision, ...]] = [() for _ in told]
        for number in range(max((len(news) for _, news in told), default=0)):
            stories = {
                index: Story(entry.alert, entry.incident or entry.alert.id, news[number])
                for index, (entry, news) in enumerate(told)
                if number < len(news)
            }
            for index, decisions in zip(stories, await self._telling.tell(list(stories.values())), strict=True):
                decided[index] += decisions
        notes = [
            Note(entry.alert.id, decision.reason.value, describe(decision))
            for (entry, _), decisions in zip(told, decided, strict=True)
            for decision in decisions
        ]
        await self._around.note_all(notes, origin="rules")
        return decided

    def _change_known(
        self, entry: Stored, episode: Episode, events: Sequence[AlertEvent], transition: Transition, *, audible: bool
    ) -> None:
        told = bool(_TELLING.intersection(events))
        forget = Effect.FORGET_ACKNOWLEDGEMENT in transition.effects
        known, alert = entry.known, entry.alert
        entry.known = Known(
            episode=episode,
            state=transition.state,
            silent=not audible if told else known.silent,
            retracted=known.retracted,
            alarmed_severity=episode.severity if told else known.alarmed_severity,
            alarmed_extreme=episode.extreme if told else known.alarmed_extreme,
        )
        entry.alert = replace(
            alert,
            severity=episode.severity,
            state=transition.state,
            started_at=episode.started_at,
            past=alert.past and not (told and audible),
            ended_at=episode.ended_at,
            extreme=episode.extreme,
            acknowledged_at=None if forget else alert.acknowledged_at,
            acknowledged_by="" if forget else alert.acknowledged_by,
        )


_Told = tuple[Stored, Sequence[News]]


def _told(
    entry: Stored, effects: Sequence[Effect], *, live: bool, occasion: Occasion = Occasion.NEW
) -> tuple[Stored, list[News]]:
    """Return what there is to tell of an alert."""
    kinds = [_KIND[effect] for effect in effects if effect in _KIND]
    return entry, [News(kind, live, Occasion.NEW if kind is NotificationKind.WORSE else occasion) for kind in kinds]


def _is_first(turn: _Turn) -> bool:
    """Tell whether people would hear of it now, and have not before."""
    is_first = turn.was in (None, AlertState.NORMAL)
    return is_first and turn.events[:1] == (AlertEvent.RAISED,) and is_audible(turn.change)


def _notes(turn: _Turn, entry: Stored) -> list[Note]:
    """Return one note for every event; a mere new extreme leaves none."""
    words = [event.value for event in turn.events]
    if not words and turn.change.kind is ChangeKind.AMENDED:
        words.append(turn.change.kind.value)
    return [Note(entry.alert.id, word, _described(turn.change.episode)) for word in words]


def _described(episode: Episode) -> str:
    until = f" to {episode.ended_at:%Y-%m-%dT%H:%M:%SZ}" if episode.ended_at else ""
    extreme = "" if episode.extreme is None else f", extreme {episode.extreme:g}"
    return f"{episode.severity.label} from {episode.started_at:%Y-%m-%dT%H:%M:%SZ}{until}{extreme}"
