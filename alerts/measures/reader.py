"""The rows of a period out of SQL: three queries, the same for SQLite and PostgreSQL."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncEngine

from alerts.lifecycle import AlertEvent
from alerts.measures.compute import Measures, Rows, measures_of
from alerts.measures.rows import AlertRow, ClosingRow, MessageRow, Period
from alerts.notification import NotificationKind
from alerts.tables import ALERTS, AUDIT, CLOSINGS, EPISODES, NOTIFICATIONS, TELLINGS
from domain.directory import Directory
from domain.episode import Severity
from domain.places import Place

_MOST_NAMED: Final = 500
"""So many facilities are named to the database, such as those of a district; of more it gives all."""
_ALARMS: Final = (NotificationKind.ALARM.value, NotificationKind.WORSE.value)


async def read_measures(
    database: AsyncEngine,
    period: Period,
    place: Place,
    directory: Directory,
    within: frozenset[str] | None = None,
) -> Measures:
    """Return the measures of a period at a place, of all facilities there or of those ``within``."""
    rows = await read_rows(database, period, place, within)
    # A year of a nation takes seconds to count, and the caller's event loop has messages to send.
    return await asyncio.to_thread(measures_of, rows, period, place, directory)


async def read_rows(database: AsyncEngine, period: Period, place: Place, within: frozenset[str] | None = None) -> Rows:
    """Return what measures are computed from: of the place or of more, which only the directory can tell apart."""
    async with database.connect() as connection:
        alerts = (await connection.execute(_alerts(period, _at(place, within)))).all()
        messages = (await connection.execute(_messages(period, _at(place, within)))).all()
        closings = (await connection.execute(_closings(period, _at(place, within)))).all()

    def sort_out() -> Rows:
        return Rows(
            [_alert(row) for row in alerts if within is None or row.facility in within],
            [MessageRow(*row) for row in messages if within is None or row.facility in within],
            [ClosingRow(*row) for row in closings if within is None or row.facility in within],
        )

    return await asyncio.to_thread(sort_out)


def _at(place: Place, within: frozenset[str] | None) -> ColumnElement[bool]:
    # Larger places are many facilities, which only the directory knows.
    if place.facility:
        return ALERTS.c.facility == place.facility
    if within is not None and len(within) <= _MOST_NAMED:
        return ALERTS.c.facility.in_(sorted(within))
    return ALERTS.c.id.is_not(None)


def _alerts(period: Period, there: ColumnElement[bool]) -> Select[Any]:
    present = and_(
        ALERTS.c.raised_at < period.to,
        or_(ALERTS.c.raised_at >= period.from_, EPISODES.c.ended_at.is_(None), EPISODES.c.ended_at > period.from_),
        there,
    )
    alert, first = ALERTS.c, NOTIFICATIONS.c.queued_at
    told = (
        select(TELLINGS.c.alert, func.min(first).label("at"))
        .join(NOTIFICATIONS, NOTIFICATIONS.c.bundle == TELLINGS.c.bundle)
        .where(TELLINGS.c.kind.in_(_ALARMS), first < period.to)
        .group_by(TELLINGS.c.alert)
        .subquery()
    )
    answered = _first_entry(AlertEvent.ACKNOWLEDGED.value).subquery()
    escalated = _first_entry("escalated").subquery()
    episode = EPISODES.c
    return (
        select(
            *(alert.id, episode.rule, episode.subject, alert.facility, episode.severity, alert.past),
            *(episode.retracted_at, alert.raised_at, episode.started_at, episode.ended_at),
            *(told.c.at.label("told_at"), answered.c.at.label("answered_at"), escalated.c.at.label("escalated_at")),
        )
        .join(EPISODES, episode.id == alert.episode)
        .outerjoin(told, told.c.alert == alert.id)
        .outerjoin(answered, answered.c.alert == alert.id)
        .outerjoin(escalated, escalated.c.alert == alert.id)
        .where(present)
    )


def _first_entry(what: str) -> Select[Any]:
    table = AUDIT.c
    return select(table.alert, func.min(table.at).label("at")).where(table.what == what).group_by(table.alert)


def _alert(row: Any) -> AlertRow:
    return AlertRow(
        id=row.id,
        rule=row.rule,
        subject=row.subject,
        facility=row.facility,
        severity=Severity(row.severity),
        past=row.past,
        retracted=row.retracted_at is not None,
        raised_at=row.raised_at,
        started_at=row.started_at,
        ended_at=row.ended_at,
        told_at=row.told_at,
        answered_at=row.answered_at,
        escalated=row.escalated_at is not None,
    )


def _messages(period: Period, there: ColumnElement[bool]) -> Select[Any]:
    # Through the tellings: one message may tell of many alerts, and of several facilities.
    sent = NOTIFICATIONS.c
    within = and_(sent.queued_at >= period.from_, sent.queued_at < period.to, there)
    query = select(sent.id, ALERTS.c.facility, sent.contact, sent.channel, sent.kind, sent.state).distinct()
    told = query.select_from(NOTIFICATIONS).join(TELLINGS, TELLINGS.c.bundle == sent.bundle)
    return told.join(ALERTS, ALERTS.c.id == TELLINGS.c.alert).where(within)


def _closings(period: Period, there: ColumnElement[bool]) -> Select[Any]:
    closed = CLOSINGS.c
    within = and_(closed.at >= period.from_, closed.at < period.to, there)
    query = select(ALERTS.c.facility, closed.reason, closed.doses_affected).select_from(CLOSINGS)
    return query.join(ALERTS, ALERTS.c.id == closed.alert).where(within)
