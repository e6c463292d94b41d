"""Episodes and alerts as rows, read and written many at a time within the caller's transaction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import bindparam, insert, literal_column, update
from sqlalchemy.ext.asyncio import AsyncConnection

from alerts.lifecycle import ONGOING
from alerts.reconcile import Known, is_audible
from alerts.rows import alert_of, chunks, episode_values, known_of, select_alerts
from alerts.tables import ALERTS, EPISODES
from domain.alert import Alert, AlertState
from domain.episode import ChangeKind, EpisodeChange

_OF_EPISODE: Final = tuple(column.name for column in EPISODES.c if column.name != "id")
_OF_ALERT: Final = (
    "state",
    "past",
    "silent",
    "alarmed_severity",
    "alarmed_extreme",
    "acknowledged_at",
    "acknowledged_by",
)


class Stored:
    """An alert as it stands within the transaction."""

    __slots__ = ("alert", "incident", "known")

    def __init__(self, alert: Alert, known: Known, incident: int | None) -> None:
        self.alert = alert
        self.known = known
        self.incident = incident


class Raised(NamedTuple):
    """A change that makes an alert, and the state that it begins in."""

    change: EpisodeChange
    state: AlertState


class Ledger:
    """Reads and writes at one moment."""

    def __init__(self, connection: AsyncConnection, now: datetime) -> None:
        self._connection, self._now = connection, now

    async def of_episodes(self, ids: Iterable[str]) -> dict[str, Stored]:
        """Return the alerts of episodes by the episode's id, locked until the end of the transaction."""
        return {entry.alert.episode: entry for entry in (await self._load(ALERTS.c.episode, ids)).values()}

    async def of_alerts(self, ids: Iterable[int]) -> dict[int, Stored]:
        """Return alerts by number, locked until the end of the transaction."""
        return await self._load(ALERTS.c.id, ids)

    async def _load(self, column: Any, ids: Iterable[Any]) -> dict[int, Stored]:
        stored: dict[int, Stored] = {}
        for chunk in chunks(ids):
            # Writing first takes the lock, so that nothing can slip in between reading and writing.
            await self._connection.execute(
                update(ALERTS).where(column.in_(chunk)).values(transitions=literal_column("transitions"))
            )
            for row in await self._connection.execute(select_alerts().where(column.in_(chunk))):
                stored[row.alert_id] = Stored(alert_of(row), known_of(row), row.alert_incident)
        return stored

    async def add(self, raised: Sequence[Raised]) -> list[Stored]:
        """Write new episodes and their alerts, and return these in the same order."""
        if not raised:
            return []
        await self._connection.execute(insert(EPISODES), [self._episode(each.change) for each in raised])
        numbered = insert(ALERTS).returning(ALERTS.c.id, ALERTS.c.episode)
        rows = await self._connection.execute(numbered, [self._new_alert(each) for each in raised])
        numbers = {row.episode: row.id for row in rows}
        return [self._stored(numbers[each.change.episode.id], each) for each in raised]

    async def amend(self, changes: Sequence[EpisodeChange]) -> None:
        """Write episodes that are known, as they are now."""
        if changes:
            statement = update(EPISODES).where(EPISODES.c.id == bindparam("_id"))
            rows = [_renamed(self._episode(change)) for change in changes]
            await self._connection.execute(statement.values(_placed(_OF_EPISODE)), rows)

    async def save(self, entries: Sequence[Stored], acknowledged_until: datetime | None = None) -> None:
        """Write alerts that are known, as they are now; until when an answer holds where one is given or it is over."""
        changes_answer = acknowledged_until is not None
        answered = [entry for entry in entries if changes_answer or entry.alert.state not in ONGOING]
        others = [entry for entry in entries if not (changes_answer or entry.alert.state not in ONGOING)]
        statement = update(ALERTS).where(ALERTS.c.id == bindparam("_id"))
        if answered:
            rows = [_renamed(_alert_values(entry) | {"acknowledged_until": acknowledged_until}) for entry in answered]
            await self._connection.execute(statement.values(_placed((*_OF_ALERT, "acknowledged_until"))), rows)
        if others:
            rows = [_renamed(_alert_values(entry)) for entry in others]
            await self._connection.execute(statement.values(_placed(_OF_ALERT)), rows)

    def _episode(self, change: EpisodeChange) -> dict[str, Any]:
        retracted_at = self._now if change.kind is ChangeKind.RETRACTED else None
        return episode_values(change.episode) | {"retracted_at": retracted_at}

    def _new_alert(self, raised: Raised) -> dict[str, Any]:
        episode, audible = raised.change.episode, is_audible(raised.change)
        return {
            "episode": episode.id,
            "facility": episode.facility,
            "state": raised.state.value,
            "past": not audible,
            "silent": not audible,
            "raised_at": self._now,
            "alarmed_severity": int(episode.severity),
            "alarmed_extreme": episode.extreme,
            "acknowledged_by": "",
            "transitions": 0,
        }

    def _stored(self, number: int, raised: Raised) -> Stored:
        episode, audible = raised.change.episode, is_audible(raised.change)
        alert = Alert(
            id=number,
            episode=episode.id,
            rule=episode.rule,
            severity=episode.severity,
            state=raised.state,
            subject_kind=episode.subject_kind,
            subject=episode.subject,
            facility=episode.facility,
            started_at=episode.started_at,
            raised_at=self._now,
            past=not audible,
            ended_at=episode.ended_at,
            extreme=episode.extreme,
        )
        return Stored(alert, Known(episode, raised.state, not audible, False, episode.severity, episode.extreme), None)


def _alert_values(entry: Stored) -> dict[str, Any]:
    return {
        "id": entry.alert.id,
        "state": entry.alert.state.value,
        "past": entry.alert.past,
        "silent": entry.known.silent,
        "alarmed_severity": int(entry.known.alarmed_severity),
        "alarmed_extreme": entry.known.alarmed_extreme,
        "acknowledged_at": entry.alert.acknowledged_at,
        "acknowledged_by": entry.alert.acknowledged_by,
    }


def _renamed(values: dict[str, Any]) -> dict[str, Any]:
    """Return the values under the names of ``_placed``: a column's own name is not free for a parameter."""
    return {f"_{name}": value for name, value in values.items()}


def _placed(columns: Iterable[str]) -> dict[str, Any]:
    return {name: bindparam(f"_{name}") for name in columns}
