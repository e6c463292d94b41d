"""One batch of changes written into the caller's transaction: episodes and alerts, and through telling the rest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from sqlalchemy import insert, literal_column, update

from alerts.change import AlertChange
from alerts.lifecycle import AlertEvent, Effect, Transition, walk
from alerts.reconcile import Known, events_of, is_news
from alerts.rows import alert_of, episode_values, known_of, select_alerts
from alerts.suppression import Suppression
from alerts.tables import ALERTS, EPISODES
from alerts.telling import Surroundings, audit, is_audible, tell
from domain.alert import Alert, AlertState
from domain.episode import ChangeKind, EpisodeChange

_CHUNK = 500
_TELLING = frozenset({AlertEvent.RAISED, AlertEvent.WORSENED, AlertEvent.UNSUPPRESSED})


class _Stored:
    """An alert as it stands within the transaction."""

    __slots__ = ("alert", "known", "transitions")

    def __init__(self, alert: Alert, known: Known, transitions: int) -> None:
        self.alert = alert
        self.known = known
        self.transitions = transitions


class Recorder:
    """Writes one batch; lives as long as the caller's transaction."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._connection = around.connection
        self._now = around.now
        self._suppression = Suppression(around.connection, around.rules, around.now)

    async def record(self, changes: Sequence[EpisodeChange]) -> list[AlertChange]:
        """Write every change that is news, in order, and return what happened to alerts.

        What explains others comes first; alerts that outlast their explanation are told at the end.
        """
        changes = sorted(changes, key=lambda change: not self._suppression.explains_others(change.episode.rule))
        stored = await self._load(dict.fromkeys(change.episode.id for change in changes))
        happened = []
        for change in changes:
            entry = stored.get(change.episode.id)
            if not is_news(entry.known if entry else None, change):
                continue
            entry, news = await self._apply(entry, change)
            stored[change.episode.id] = entry
            happened.append(news)
        outlasting = await self._load(dict.fromkeys(await self._suppression.outlasting()))
        suppressed = (entry for entry in outlasting.values() if entry.alert.state is AlertState.SUPPRESSED)
        return happened + [await self._release(entry) for entry in suppressed]

    async def _load(self, ids: Mapping[str, None]) -> dict[str, _Stored]:
        stored: dict[str, _Stored] = {}
        for chunk in _chunks(list(ids)):
            # Writing first takes the lock, so that an acknowledgement cannot slip in between reading and writing.
            await self._connection.execute(
                update(ALERTS).where(ALERTS.c.episode.in_(chunk)).values(transitions=literal_column("transitions"))
            )
            for row in await self._connection.execute(select_alerts().where(EPISODES.c.id.in_(chunk))):
                stored[row.id] = _Stored(alert_of(row), known_of(row), row.alert_transitions)
        return stored

    async def _apply(self, entry: _Stored | None, change: EpisodeChange) -> tuple[_Stored, AlertChange]:
        worse_by = self._around.text_of(change.episode.rule).worse_by
        events = events_of(entry.known if entry else None, change, worse_by)
        if await self._is_consequence(entry, change, events):
            events = (AlertEvent.RAISED_SUPPRESSED, *events[1:])
        was = entry.alert.state if entry else None
        transition = walk(was or AlertState.NORMAL, events)
        await self._write_episode(entry, change)
        if entry is None:
            entry = await self._insert_alert(change, transition)
        else:
            await self._update_alert(entry, change, events, transition)
        decisions = await tell(self._around, entry.alert, change, transition.effects, transitions=entry.transitions)
        entry.transitions += len({decision.kind for decision in decisions if decision.reason.told})
        await audit(self._around, entry.alert, change, events, decisions)
        return entry, AlertChange(entry.alert, was, events, decisions)

    async def _is_consequence(self, entry: _Stored | None, change: EpisodeChange, events: Sequence[AlertEvent]) -> bool:
        """Tell whether people would hear of it now for the first time, and another alert explains it."""
        is_first = entry is None or entry.alert.state is AlertState.NORMAL
        if not (is_first and events[:1] == (AlertEvent.RAISED,) and is_audible(change)):
            return False
        return await self._suppression.is_explained(change.episode.rule, change.episode.facility)

    async def _release(self, entry: _Stored) -> AlertChange:
        """Tell of an alert that outlasts its explanation."""
        change = EpisodeChange(ChangeKind.OPENED, entry.known.episode, live=True)
        events = (AlertEvent.UNSUPPRESSED,)
        transition = walk(AlertState.SUPPRESSED, events)
        await self._update_alert(entry, change, events, transition)
        decisions = await tell(self._around, entry.alert, change, transition.effects, transitions=entry.transitions)
        await audit(self._around, entry.alert, change, events, decisions)
        return AlertChange(entry.alert, AlertState.SUPPRESSED, events, decisions)

    async def _write_episode(self, entry: _Stored | None, change: EpisodeChange) -> None:
        values = episode_values(change.episode)
        values["retracted_at"] = self._now if change.kind is ChangeKind.RETRACTED else None
        if entry is None:
            await self._connection.execute(insert(EPISODES).values(values))
        else:
            await self._connection.execute(update(EPISODES).where(EPISODES.c.id == values.pop("id")).values(values))

    async def _insert_alert(self, change: EpisodeChange, transition: Transition) -> _Stored:
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
        return _Stored(alert, known, 0)

    async def _update_alert(
        self, entry: _Stored, change: EpisodeChange, events: Sequence[AlertEvent], transition: Transition
    ) -> None:
        episode, audible = change.episode, is_audible(change)
        told = bool(_TELLING.intersection(events))
        forget = Effect.FORGET_ACKNOWLEDGEMENT in transition.effects
        known, alert = entry.known, entry.alert
        entry.known = Known(
            episode=episode,
            state=transition.state,
            silent=not audible if told else known.silent,
            retracted=change.kind is ChangeKind.RETRACTED,
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
        if events:
            await self._save_alert(entry)

    async def _save_alert(self, entry: _Stored) -> None:
        values = {
            "state": entry.alert.state.value,
            "past": entry.alert.past,
            "silent": entry.known.silent,
            "alarmed_severity": int(entry.known.alarmed_severity),
            "alarmed_extreme": entry.known.alarmed_extreme,
            "acknowledged_at": entry.alert.acknowledged_at,
            "acknowledged_by": entry.alert.acknowledged_by,
        }
        await self._connection.execute(update(ALERTS).where(ALERTS.c.id == entry.alert.id).values(values))


def _chunks(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(ids), _CHUNK):
        yield ids[start : start + _CHUNK]
