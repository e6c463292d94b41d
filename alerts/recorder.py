"""What happens to alerts, written into the caller's transaction: by the rules, by people, by the passing of time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import insert, literal_column, update

from alerts.bundle import Occasion
from alerts.change import Actor, AlertChange
from alerts.escalation import answered
from alerts.incidents import Incidents
from alerts.lifecycle import ONGOING, AlertEvent, Effect, Transition, walk
from alerts.notification import NotificationKind
from alerts.post import Post
from alerts.reconcile import Known, events_of, is_news
from alerts.routing import Decision
from alerts.rows import alert_of, episode_values, known_of, select_alerts
from alerts.silences import Silence, SilenceKind, Silences, covering, subject_of
from alerts.suppression import Suppression
from alerts.surroundings import Surroundings
from alerts.tables import ALERTS, EPISODES
from alerts.telling import News, Story, Telling, describe
from domain.alert import Alert, AlertState
from domain.episode import ChangeKind, Episode, EpisodeChange

_CHUNK: Final = 500
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


class Stored:
    """An alert as it stands within the transaction."""

    __slots__ = ("alert", "incident", "known")

    def __init__(self, alert: Alert, known: Known, incident: int | None) -> None:
        self.alert = alert
        self.known = known
        self.incident = incident


def is_audible(change: EpisodeChange) -> bool:
    """Tell whether somebody can still act on it: live, and not over in the same breath."""
    return change.live and change.episode.ended_at is None


class Recorder:
    """Writes what happens; lives as long as the caller's transaction. ``finish`` queues the messages."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._connection = around.connection
        self._now = around.now
        self._suppression = Suppression(around.connection, around.rules, around.now)
        self._incidents = Incidents(around)
        self._telling = Telling(around)
        self._silences: Sequence[Silence] | None = None

    async def record(self, changes: Sequence[EpisodeChange]) -> list[AlertChange]:
        """Write every change that is news, in order, and return what happened to alerts.

        What explains others comes first; alerts that outlast their explanation are told at the end.
        """
        changes = sorted(changes, key=lambda change: not self._suppression.explains_others(change.episode.rule))
        stored = await self._load(EPISODES.c.id, dict.fromkeys(change.episode.id for change in changes))
        by_episode = {entry.alert.episode: entry for entry in stored.values()}
        happened = []
        for change in changes:
            entry = by_episode.get(change.episode.id)
            if not is_news(entry.known if entry else None, change):
                continue
            entry, news = await self._apply(entry, change)
            by_episode[change.episode.id] = entry
            happened.append(news)
        outlasting = await self._load(EPISODES.c.id, dict.fromkeys(await self._suppression.outlasting()))
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
        return await self._load(ALERTS.c.id, dict.fromkeys(alerts))

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
        await self._save_alert(entry, acknowledged_until=until)
        await self._around.note(entry.alert.id, [(event.value, detail)], who=by.name, origin=by.origin)
        decisions = await self._tell(entry, transition.effects, live=True, occasion=occasion)
        if entry.incident is not None:
            await answered(self._connection, [entry.incident])
        return AlertChange(entry.alert, was, (event,), decisions)

    async def _load(self, column: Any, ids: Mapping[Any, None]) -> dict[int, Stored]:
        stored: dict[int, Stored] = {}
        for chunk in _chunks(list(ids)):
            chosen = ALERTS.c.id if column is ALERTS.c.id else ALERTS.c.episode
            # Writing first takes the lock, so that nothing can slip in between reading and writing.
            await self._connection.execute(
                update(ALERTS).where(chosen.in_(chunk)).values(transitions=literal_column("transitions"))
            )
            for row in await self._connection.execute(select_alerts().where(column.in_(chunk))):
                stored[row.alert_id] = Stored(alert_of(row), known_of(row), row.alert_incident)
        return stored

    async def _apply(self, entry: Stored | None, change: EpisodeChange) -> tuple[Stored, AlertChange]:
        worse_by = self._around.text_of(change.episode.rule).worse_by
        events = events_of(entry.known if entry else None, change, worse_by)
        events = await self._silently(entry, change, events)
        was = entry.alert.state if entry else None
        transition = walk(was or AlertState.NORMAL, events)
        await self._write_episode(entry, change)
        if entry is None:
            entry = await self._insert_alert(change, transition)
        else:
            self._change_known(entry, change.episode, events, transition, audible=is_audible(change))
            entry.known = replace(entry.known, retracted=change.kind is ChangeKind.RETRACTED)
            if events:
                await self._save_alert(entry)
        await self._note(entry, change, events)
        if was is AlertState.SHELVED and AlertEvent.WORSENED in events:
            await self._end_shelving(entry)
        if entry.alert.state is AlertState.SUPPRESSED and entry.incident is None:
            entry.incident = (await self._incidents.join([entry.alert]))[entry.alert.id]
        decisions = await self._tell(entry, transition.effects, live=is_audible(change))
        if entry.incident is not None and events:
            await answered(self._connection, [entry.incident])
        return entry, AlertChange(entry.alert, was, events, decisions)

    async def _silently(
        self, entry: Stored | None, change: EpisodeChange, events: tuple[AlertEvent, ...]
    ) -> tuple[AlertEvent, ...]:
        """Return the events for an alert that people would hear of now, unless it is to be silent."""
        is_first = entry is None or entry.alert.state is AlertState.NORMAL
        if not (is_first and events[:1] == (AlertEvent.RAISED,) and is_audible(change)):
            return events
        episode = change.episode
        silence = covering(await self._standing(), self._subject(episode), self._now)
        if silence is not None:
            return (_RAISED_SILENTLY[silence.kind], *events[1:])
        if await self._suppression.explained([(episode.rule, episode.facility)]):
            return (AlertEvent.RAISED_SUPPRESSED, *events[1:])
        return events

    async def _standing(self) -> Sequence[Silence]:
        if self._silences is None:
            self._silences = await Silences(self._connection).standing(self._now)
        return self._silences

    def _subject(self, episode: Episode) -> Any:
        return subject_of(episode.rule, episode.subject_kind, episode.subject, episode.facility, self._around.directory)

    async def _end_shelving(self, entry: Stored) -> None:
        """Take back what shelved an alert that got worse: whoever shelved it did not know of this."""
        subject = self._subject(entry.known.episode)
        holding = [
            silence.id
            for silence in await self._standing()
            if silence.kind is SilenceKind.SHELVING and covering([silence], subject, self._now)
        ]
        await Silences(self._connection).cancel(holding, by="vitals", now=self._now)
        self._silences = None

    async def _tell(
        self, entry: Stored, effects: Sequence[Effect], *, live: bool, occasion: Occasion = Occasion.NEW
    ) -> tuple[Decision, ...]:
        decisions: list[Decision] = []
        for kind in (_KIND[effect] for effect in effects if effect in _KIND):
            if entry.incident is None:
                entry.incident = (await self._incidents.join([entry.alert]))[entry.alert.id]
            news = News(kind, live, Occasion.NEW if kind is NotificationKind.WORSE else occasion)
            (told,) = await self._telling.tell([Story(entry.alert, entry.incident, news)])
            decisions += told
        notes = [(decision.reason.value, describe(decision)) for decision in decisions]
        await self._around.note(entry.alert.id, notes, origin="rules")
        return tuple(decisions)

    async def _note(self, entry: Stored, change: EpisodeChange, events: Sequence[AlertEvent]) -> None:
        """Write one row for every event; a mere new extreme leaves none."""
        entries = [(event.value, _described(change.episode)) for event in events]
        if not events and change.kind is ChangeKind.AMENDED:
            entries.append((change.kind.value, _described(change.episode)))
        await self._around.note(entry.alert.id, entries, origin="rules")

    async def _write_episode(self, entry: Stored | None, change: EpisodeChange) -> None:
        values = episode_values(change.episode)
        values["retracted_at"] = self._now if change.kind is ChangeKind.RETRACTED else None
        if entry is None:
            await self._connection.execute(insert(EPISODES).values(values))
        else:
            await self._connection.execute(update(EPISODES).where(EPISODES.c.id == values.pop("id")).values(values))

    async def _insert_alert(self, change: EpisodeChange, transition: Transition) -> Stored:
        episode, audible = change.episode, is_audible(change)
        values = {
            "episode": episode.id,
            "facility": episode.facility,
            "state": transition.state.value,
            "past": not audible,
            "silent": not audible,
            "raised_at": self._now,
            "alarmed_severity": int(episode.severity),
            "alarmed_extreme": episode.extreme,
            "acknowledged_by": "",
            "transitions": 0,
        }
        alert_id = await self._connection.scalar(insert(ALERTS).values(values).returning(ALERTS.c.id))
        alert = Alert(
            id=int(alert_id or 0),
            episode=episode.id,
            rule=episode.rule,
            severity=episode.severity,
            state=transition.state,
            subject_kind=episode.subject_kind,
            subject=episode.subject,
            facility=episode.facility,
            started_at=episode.started_at,
            raised_at=self._now,
            past=not audible,
            ended_at=episode.ended_at,
            extreme=episode.extreme,
        )
        known = Known(episode, transition.state, not audible, False, episode.severity, episode.extreme)
        return Stored(alert, known, None)

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

    async def _save_alert(self, entry: Stored, acknowledged_until: datetime | None = None) -> None:
        values = {
            "state": entry.alert.state.value,
            "past": entry.alert.past,
            "silent": entry.known.silent,
            "alarmed_severity": int(entry.known.alarmed_severity),
            "alarmed_extreme": entry.known.alarmed_extreme,
            "acknowledged_at": entry.alert.acknowledged_at,
            "acknowledged_by": entry.alert.acknowledged_by,
        }
        if acknowledged_until is not None or entry.alert.state not in ONGOING:
            values["acknowledged_until"] = acknowledged_until
        await self._connection.execute(update(ALERTS).where(ALERTS.c.id == entry.alert.id).values(values))


def _described(episode: Episode) -> str:
    until = f" to {episode.ended_at:%Y-%m-%dT%H:%M:%SZ}" if episode.ended_at else ""
    extreme = "" if episode.extreme is None else f", extreme {episode.extreme:g}"
    return f"{episode.severity.label} from {episode.started_at:%Y-%m-%dT%H:%M:%SZ}{until}{extreme}"


def _chunks(ids: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(ids), _CHUNK):
        yield ids[start : start + _CHUNK]
