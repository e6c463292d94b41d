"""What follows where a message did not arrive: the person's next channel, or the next person; in one transaction."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from sqlalchemy import Select, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from alerts.bundle import Occasion
from alerts.escalation import hurry
from alerts.lifecycle import ONGOING
from alerts.notification import UNREACHED, Notification, NotificationKind, NotificationState
from alerts.tables import ALERTS, AUDIT, NOTIFICATIONS, TELLINGS
from domain.alert import AlertState

_ASKING = (NotificationKind.ALARM.value, NotificationKind.WORSE.value)


async def go_on(
    connection: AsyncConnection, failed: Notification, *, now: datetime, error: str, is_certain: bool = True
) -> None:
    """Use the next channel; where none is left and the person is not reached otherwise, the next person is told.

    What is over by now is told to nobody any more.
    """
    if await _is_all_over(connection, failed):
        pass
    elif failed.fallbacks:
        await _fall_back(connection, failed, now=now)
    elif is_certain and failed.contact and not await _is_reached_otherwise(connection, failed):
        await _tell_the_next(connection, failed, now=now)
    if is_certain and failed.alert is not None:
        entry = {
            "alert": failed.alert,
            "at": now,
            "who": "vitals",
            "origin": "dispatcher",
            "what": "undeliverable",
            "detail": f"{failed.kind} to {failed.contact or 'a system'} by {failed.channel} "
            f"after {failed.attempts} attempts: {error}",
        }
        await connection.execute(insert(AUDIT).values(entry))


async def _is_all_over(connection: AsyncConnection, failed: Notification) -> bool:
    if failed.kind not in _ASKING:
        return False
    told = (
        select(TELLINGS.c.kind, ALERTS.c.state)
        .join(ALERTS, ALERTS.c.id == TELLINGS.c.alert)
        .where(TELLINGS.c.bundle == failed.bundle, TELLINGS.c.contact == failed.contact)
    )
    return all(row.kind in _ASKING and AlertState(row.state) not in ONGOING for row in await connection.execute(told))


async def _fall_back(connection: AsyncConnection, failed: Notification, *, now: datetime) -> None:
    (channel, address), *others = failed.fallbacks
    itself = select(NOTIFICATIONS).where(NOTIFICATIONS.c.id == failed.id)
    for row in [*await connection.execute(itself), *await connection.execute(_all_clears_after(failed))]:
        values = row._asdict()
        del values["id"]
        values |= {
            "key": f"{row.key.removesuffix(failed.channel)}{channel}",
            "channel": channel,
            "address": address,
            "fallbacks": json.dumps(others) if row.id == failed.id else "[]",
            "state": NotificationState.QUEUED.value,
            "attempts": 0,
            "queued_at": now,
            "next_attempt_at": now,
            "report_due_at": None,
            "deadline": now + (failed.deadline - failed.queued_at),
            "settled_at": None,
            "delivery_reference": "",
            "last_error": "",
        }
        known = select(NOTIFICATIONS.c.id).where(NOTIFICATIONS.c.key == values["key"])
        if await connection.scalar(known) is None:
            await connection.execute(insert(NOTIFICATIONS).values(values))


def _all_clears_after(failed: Notification) -> Select[Any]:
    """Return the query for what said of some of a message's alerts that they are over, for who hears of them anew."""
    table, told = NOTIFICATIONS.c, TELLINGS.alias()
    of_message = select(TELLINGS.c.alert).where(
        TELLINGS.c.bundle == failed.bundle, TELLINGS.c.contact == failed.contact, TELLINGS.c.kind.in_(_ASKING)
    )
    over = select(told.c.bundle).where(
        told.c.alert.in_(of_message), told.c.contact == failed.contact, told.c.kind == NotificationKind.ALL_CLEAR.value
    )
    theirs = (table.contact == failed.contact) & (table.channel == failed.channel) & (table.id > failed.id)
    is_clear = (table.kind == NotificationKind.ALL_CLEAR.value) & table.bundle.in_(over)
    return select(NOTIFICATIONS).where(theirs, is_clear).order_by(table.id)


async def _is_reached_otherwise(connection: AsyncConnection, failed: Notification) -> bool:
    table = NOTIFICATIONS.c
    others = select(table.id).where(
        table.bundle == failed.bundle,
        table.contact == failed.contact,
        table.id != failed.id,
        table.state.not_in([state.value for state in UNREACHED]),
    )
    return await connection.scalar(others.limit(1)) is not None


async def _tell_the_next(connection: AsyncConnection, failed: Notification, *, now: datetime) -> None:
    if failed.kind not in _ASKING or failed.bundle is None:
        return
    incidents = (
        select(ALERTS.c.incident)
        .join(TELLINGS, TELLINGS.c.alert == ALERTS.c.id)
        .where(TELLINGS.c.bundle == failed.bundle, ALERTS.c.incident.is_not(None))
    )
    for incident in set(await connection.scalars(incidents)):
        await hurry(connection, incident, now=now, occasion=Occasion.UNREACHABLE, who=failed.contact)
