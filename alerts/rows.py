"""Between rows and the vocabulary: the one place that knows both spellings."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields
from typing import Any, Final, TypeVar

from sqlalchemy import Row, Select, literal_column, select

from alerts.notification import AuditEntry, Notification, NotificationKind, NotificationState
from alerts.reconcile import Known
from alerts.tables import ALERTS, AUDIT, EPISODES
from domain.alert import Alert, AlertState
from domain.episode import Episode, Severity, SubjectKind

IS_OPEN = ALERTS.c.state != literal_column("'normal'")
"""Spelled without a parameter, so that both databases recognise the index that is made for it."""


_CHUNK: Final = 500
_OF_EPISODE: Final = tuple(field.name for field in fields(Episode))
Value = TypeVar("Value")


def chunks(values: Iterable[Value]) -> Iterator[Sequence[Value]]:
    """Give the values, each once, in portions that a database takes as parameters of one query."""
    wanted = list(dict.fromkeys(values))
    for start in range(0, len(wanted), _CHUNK):
        yield wanted[start : start + _CHUNK]


def select_alerts() -> Select[Any]:
    """Return the query that ``alert_of`` and ``known_of`` read: every alert with its episode."""
    alert = [column.label(f"alert_{column.name}") for column in ALERTS.c]
    return select(*EPISODES.c, *alert).join(ALERTS, ALERTS.c.episode == EPISODES.c.id)


def episode_values(episode: Episode) -> dict[str, Any]:
    """Return the columns of an episode."""
    plain = {"severity": int(episode.severity), "subject_kind": episode.subject_kind.value}
    return {name: getattr(episode, name) for name in _OF_EPISODE} | plain


def episode_of(row: Row[Any]) -> Episode:
    """Return the episode in a row."""
    return Episode(
        id=row.id,
        rule=row.rule,
        severity=Severity(row.severity),
        subject_kind=SubjectKind(row.subject_kind),
        subject=row.subject,
        facility=row.facility,
        started_at=row.started_at,
        confirmed_at=row.confirmed_at,
        ended_at=row.ended_at,
        extreme=row.extreme,
        extreme_at=row.extreme_at,
    )


def alert_of(row: Row[Any]) -> Alert:
    """Return the alert in a row of ``select_alerts``."""
    return Alert(
        id=row.alert_id,
        episode=row.id,
        rule=row.rule,
        severity=Severity(row.severity),
        state=AlertState(row.alert_state),
        subject_kind=SubjectKind(row.subject_kind),
        subject=row.subject,
        facility=row.facility,
        started_at=row.started_at,
        raised_at=row.alert_raised_at,
        past=row.alert_past,
        ended_at=row.ended_at,
        extreme=row.extreme,
        acknowledged_at=row.alert_acknowledged_at,
        acknowledged_by=row.alert_acknowledged_by,
    )


def known_of(row: Row[Any]) -> Known:
    """Return what the next change of this episode is measured against."""
    return Known(
        episode=episode_of(row),
        state=AlertState(row.alert_state),
        silent=row.alert_silent,
        retracted=row.retracted_at is not None,
        alarmed_severity=Severity(row.alert_alarmed_severity),
        alarmed_extreme=row.alert_alarmed_extreme,
    )


def notification_of(row: Row[Any]) -> Notification:
    """Return the notification in a row."""
    values = row._asdict()
    values["kind"] = NotificationKind(values["kind"])
    values["state"] = NotificationState(values["state"])
    values["facts"] = json.loads(values["facts"])
    values["fallbacks"] = tuple((channel, address) for channel, address in json.loads(values["fallbacks"]))
    return Notification(**values)


def audit_of(row: Row[Any]) -> AuditEntry:
    """Return the audit entry in a row."""
    return AuditEntry(row.alert, row.at, row.who, row.origin, row.what, row.detail)


def audit_columns() -> Select[Any]:
    """Return the query that ``audit_of`` reads, oldest first."""
    table = AUDIT.c
    return select(table.alert, table.at, table.who, table.origin, table.what, table.detail).order_by(table.id)
