"""What people wrote, kept in SQL: each text once, with what came of it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import ColumnElement, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from alerts.among import among
from alerts.notifiers.notifier import IncomingText
from alerts.tables import INBOX

_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)
_MINUTE = timedelta(minutes=1)


class Kept(NamedTuple):
    """A text in the inbox."""

    id: int
    channel: str
    sender: str
    contact: str
    """Id of the one who wrote; empty for a stranger."""
    text: str
    received_at: datetime
    meaning: str
    alerts: tuple[int, ...]
    """What it was about."""
    answered: str
    """What was replied; empty where nothing."""


class Inbox:
    """The inbox within a transaction of the caller's."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def keep(self, incoming: IncomingText, now: datetime) -> int | None:
        """Keep a text and return its number, or None where it is there already.

        A text without a reference of the channel's is the same as one with these words from this sender in this minute
        or the one before. A reference that is kept already raises ``IntegrityError``.
        """
        names = _names(incoming, now)
        values = {"channel": incoming.channel, "reference": names[0], "sender": incoming.sender, "text": incoming.text}
        pending = {"received_at": now, "contact": "", "meaning": "", "alerts": "", "answered": ""}
        # Writing first takes the lock, so that what is read next cannot change underneath.
        kept = insert(INBOX).values(**values, **pending).returning(INBOX.c.id)
        number = int((await self._connection.execute(kept)).scalar_one())
        before = INBOX.c.reference.in_(names[1:]) & (INBOX.c.channel == incoming.channel)
        if len(names) > 1 and await self._connection.scalar(select(INBOX.c.id).where(before)) is not None:
            await self._connection.execute(delete(INBOX).where(INBOX.c.id == number))
            return None
        return number

    async def has(self, incoming: IncomingText, now: datetime) -> bool:
        """Tell whether a text is kept already."""
        same = INBOX.c.reference.in_(_names(incoming, now))
        query = select(INBOX.c.id).where(INBOX.c.channel == incoming.channel, same).limit(1)
        return await self._connection.scalar(query) is not None

    async def note(
        self, kept: int, *, contact: str, meaning: str, alerts: Iterable[int] = (), answered: str = ""
    ) -> None:
        """Note what came of a text."""
        about = ",".join(map(str, alerts))
        values = {"contact": contact, "meaning": meaning, "alerts": about, "answered": answered}
        await self._connection.execute(update(INBOX).where(INBOX.c.id == kept).values(**values))

    async def is_echo(self, incoming: IncomingText, now: datetime) -> bool:
        """Tell whether a text is one that we answered this sender with within a day."""
        replies = select(INBOX.c.answered).where(*_from(incoming), INBOX.c.received_at > now - _DAY).distinct()
        said = _alike(incoming.text)
        return bool(said) and any(_alike(reply) == said for reply in await self._connection.scalars(replies))

    async def answered_within_hour(self, incoming: IncomingText, now: datetime) -> int:
        """Return how many texts of this sender were answered within the last hour."""
        return await self._answered(incoming, now - _HOUR)

    async def answered_within_day(self, incoming: IncomingText, now: datetime) -> int:
        """Return how many texts of this sender were answered within the last day."""
        return await self._answered(incoming, now - _DAY)

    async def newest(
        self, *, limit: int = 100, before_id: int | None = None, contacts: frozenset[str] | None = None
    ) -> list[Kept]:
        """Return texts, or only those of these contacts, newest first; page on with ``before_id``."""
        query = select(INBOX).order_by(INBOX.c.id.desc()).limit(limit)
        if before_id is not None:
            query = query.where(INBOX.c.id < before_id)
        if contacts is not None:
            query = query.where(among(INBOX.c.contact, contacts))
        return [
            Kept(
                id=row.id,
                channel=row.channel,
                sender=row.sender,
                contact=row.contact,
                text=row.text,
                received_at=row.received_at,
                meaning=row.meaning,
                alerts=tuple(map(int, filter(None, row.alerts.split(",")))),
                answered=row.answered,
            )
            for row in await self._connection.execute(query)
        ]

    async def forget(self, before: datetime) -> int:
        """Delete the texts that came before a moment and return how many."""
        return (await self._connection.execute(delete(INBOX).where(INBOX.c.received_at < before))).rowcount

    async def _answered(self, incoming: IncomingText, since: datetime) -> int:
        answered = (*_from(incoming), INBOX.c.received_at > since, INBOX.c.answered != "")
        return await self._connection.scalar(select(func.count()).select_from(INBOX).where(*answered)) or 0


def _from(incoming: IncomingText) -> tuple[ColumnElement[bool], ...]:
    return INBOX.c.channel == incoming.channel, INBOX.c.sender == incoming.sender


def _alike(text: str) -> str:
    return " ".join(text.split()).casefold()


def _names(incoming: IncomingText, now: datetime) -> tuple[str, ...]:
    if incoming.reference:
        return (incoming.reference,)
    return tuple(_own_name(incoming, moment) for moment in (now, now - _MINUTE))


def _own_name(incoming: IncomingText, moment: datetime) -> str:
    written = f"{incoming.sender}\0{incoming.text}\0{moment:%Y-%m-%dT%H:%M}"
    return f"~{hashlib.sha256(written.encode('utf-8', 'surrogatepass')).hexdigest()}"
