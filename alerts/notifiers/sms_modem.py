"""Tell by SMS through a GSM modem: gammu-smsd drives it, and we meet in its SQL tables.

``CreatorID`` carries the key of a message through gammu's tables. A message that is sent again after a crash is
recognised by it and not sent twice, and what came of it is told until somebody has taken the news.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from itertools import groupby
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, SecretStr
from sqlalchemy import Row, insert, select, union_all, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from alerts.notification import NotificationState
from alerts.notifiers.gammu_tables import INBOX, OUTBOX, OUTBOX_MULTIPART, SENT_ITEMS
from alerts.notifiers.notifier import Delivery, DeliveryReport, IncomingText, OutgoingMessage, Workplace
from alerts.notifiers.sms_parts import MOST_PARTS, header_of, parts_of, placed
from domain.people import Contact

log = logging.getLogger(__name__)

CHANNEL = "sms_modem"
_OURS, _TOLD = "vitals:", "vitals-told:"
# Its default is the database's time in UTC, which gammu compares with local time: west of Greenwich it would wait.
_AT_ONCE = datetime(2000, 1, 1)  # noqa: DTZ001  # gammu's columns have no zone
_FAILED = frozenset({"SendingError", "DeliveryFailed", "Error"})
_ARRIVED = frozenset({"DeliveryOK", "SendingOKNoReport"})
_UNKNOWN = frozenset({"DeliveryUnknown"})
_AT_A_TIME = 100


class SmsModemSettings(BaseModel):
    """Where gammu-smsd keeps its tables."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    database: SecretStr
    """SQLAlchemy URL of an asyncio driver: ``sqlite+aiosqlite:////var/lib/gammu/smsd.db``,
    ``postgresql+asyncpg://smsd:...@localhost/smsd``."""
    phone: str = ""
    """gammu's ``PhoneID`` of the modem that sends; empty: any."""
    delivery_reports: bool = True
    """Ask the network whether it arrived. Without, what the network took counts as delivered."""
    poll_real_seconds: float = Field(default=2.0, gt=0, le=600)
    """How often to look for answers and reports."""
    join_within_real_seconds: float = Field(default=600.0, gt=0)
    """How long to wait for the missing parts of a long text before taking what is there."""


class SmsModemNotifier:
    """Writes into gammu's outbox; ``listen`` reads its inbox and its reports."""

    def __init__(self, settings: SmsModemSettings, database: AsyncEngine, workplace: Workplace) -> None:
        self._settings = settings
        self._database = database
        self._workplace = workplace
        self._incomplete_since: dict[str, float] = {}

    async def send(self, message: OutgoingMessage) -> Delivery:
        """Queue it for the modem, once per key."""
        if len(parts_of(message.short_text).texts) > MOST_PARTS:
            return Delivery.failed("the text is too long for an SMS", recoverable=False)
        try:
            async with self._database.begin() as connection:
                if not await _is_queued(connection, message.key):
                    await self._queue(connection, message)
        except (SQLAlchemyError, OSError) as error:
            return Delivery.failed(f"gammu's tables cannot be written: {_cause(error)}", recoverable=True)
        return Delivery(NotificationState.SUBMITTED, reference=message.key)

    async def listen(self) -> None:
        """Pass on what the modem received and what came of messages, until cancelled."""
        ill = False
        while True:
            try:
                await self.look_once()
                ill = False
            except Exception:
                # Nothing is lost: rows that nobody took stay as they are. One line for a long illness is enough.
                if not ill:
                    log.exception("gammu's tables cannot be heard for now")
                ill = True
            await asyncio.sleep(self._settings.poll_real_seconds)

    async def look_once(self) -> None:
        """Pass on what is there now; a row is marked only after it was taken."""
        async with self._database.connect() as connection:
            received = (await connection.execute(_received())).all()
            sent = (await connection.execute(_sent())).all()
        for text in self._complete(joined(received)):
            if text.readable:
                await self._workplace.heard(IncomingText(CHANNEL, text.sender, text.text, f"gammu-{text.ids[0]}"))
            async with self._database.begin() as connection:
                await connection.execute(update(INBOX).where(INBOX.c.ID.in_(text.ids)).values(Processed=True))
        for creator, items in groupby(sent, key=lambda row: str(row.CreatorID)):
            report = report_of(creator.removeprefix(_OURS), list(items))
            if report is not None:
                await self._workplace.heard(report)
                await self._mark_told(creator)

    def _complete(self, texts: Sequence[Joined]) -> list[Joined]:
        now = self._workplace.unix_seconds()
        waiting = {text.group for text in texts if not text.complete}
        self._incomplete_since = {group: self._incomplete_since.get(group, now) for group in waiting}
        longest = self._settings.join_within_real_seconds
        return [text for text in texts if text.complete or now - self._incomplete_since[text.group] >= longest]

    async def _mark_told(self, creator: str) -> None:
        told = _TOLD + creator.removeprefix(_OURS)
        async with self._database.begin() as connection:
            await connection.execute(update(SENT_ITEMS).where(SENT_ITEMS.c.CreatorID == creator).values(CreatorID=told))

    async def _queue(self, connection: AsyncConnection, message: OutgoingMessage) -> None:
        gsm7, texts = parts_of(message.short_text)
        coding = "Default_No_Compression" if gsm7 else "Unicode_No_Compression"
        # Any number does, as long as two long texts to one phone do not share it.
        number = sum(message.key.encode())
        headers = [header_of(number, len(texts), position) for position in range(1, len(texts) + 1)]
        first = {
            "DestinationNumber": message.address,
            "Coding": coding,
            "UDH": headers[0] if len(texts) > 1 else "",
            "TextDecoded": texts[0],
            "MultiPart": len(texts) > 1,
            "SenderID": self._settings.phone,
            "SendingDateTime": _AT_ONCE,
            "SendingTimeOut": _AT_ONCE,
            "DeliveryReport": "yes" if self._settings.delivery_reports else "no",
            "CreatorID": _OURS + message.key,
        }
        inserted = await connection.execute(insert(OUTBOX).values(first))
        (row_id,) = inserted.inserted_primary_key or (None,)
        rest = [
            {"ID": row_id, "SequencePosition": position, "Coding": coding, "UDH": header, "TextDecoded": text}
            for position, (header, text) in enumerate(zip(headers, texts, strict=True), start=1)
        ]
        if rest[1:]:
            await connection.execute(insert(OUTBOX_MULTIPART), rest[1:])


class Joined(NamedTuple):
    """A received text, of one row or several."""

    ids: tuple[int, ...]
    sender: str
    text: str
    group: str
    complete: bool
    readable: bool
    """False for binary messages, such as settings of an operator."""


def joined(rows: Sequence[Row[Any]]) -> list[Joined]:
    """Return the texts that rows of the inbox hold, parts of a long one put together in their order."""
    groups: dict[str, list[tuple[int, int, Row[Any]]]] = {}
    for row in rows:
        place = placed(row.UDH or "")
        group = f"{row.SenderNumber} {place.group}" if place else f"row {row.ID}"
        total, position = (place.total, place.position) if place else (1, 1)
        groups.setdefault(group, []).append((position, total, row))
    return [_joined(group, sorted(parts, key=lambda part: part[0])) for group, parts in groups.items()]


def _joined(group: str, parts: Sequence[tuple[int, int, Row[Any]]]) -> Joined:
    positions = {position for position, _, _ in parts}
    # A part that came twice is kept once.
    once = {position: str(row.TextDecoded) for position, _, row in parts}
    return Joined(
        ids=tuple(sorted(row.ID for _, _, row in parts)),
        sender=spelled(str(parts[0][2].SenderNumber)),
        text="".join(once.values()),
        group=group,
        complete=len(positions) >= parts[0][1],
        readable=all(row.Coding != "8bit" for _, _, row in parts),
    )


def report_of(key: str, items: Sequence[Row[Any]]) -> DeliveryReport | None:
    """Return what became of a message whose parts have these states, or None where that is not known yet."""
    states = {str(item.Status) for item in items}
    if failed := [item for item in items if item.Status in _FAILED]:
        why = f"the modem says {failed[0].Status}"
        code = f" ({failed[0].StatusError})" if (failed[0].StatusError or -1) >= 0 else ""
        return DeliveryReport(CHANNEL, key, NotificationState.FAILED, why + code)
    if states <= _ARRIVED:
        return DeliveryReport(CHANNEL, key, NotificationState.DELIVERED)
    if states <= _ARRIVED | _UNKNOWN:
        return DeliveryReport(CHANNEL, key, NotificationState.UNKNOWN)
    return None


def spelled(number: str) -> str:
    """Return a telephone number without the spaces and signs between its digits."""
    digits = "".join(character for character in number if character.isdigit())
    if not digits:
        return number
    return f"+{digits}" if number.strip().startswith("+") else digits


def address_of(contact: Contact) -> str:
    """Return the person's telephone number."""
    return spelled(contact.phone)


@asynccontextmanager
async def open_sms_modem(settings: SmsModemSettings, workplace: Workplace) -> AsyncIterator[SmsModemNotifier]:
    """Give the notifier, which listens until it is closed."""
    database = create_async_engine(settings.database.get_secret_value())
    notifier = SmsModemNotifier(settings, database, workplace)
    listening = asyncio.create_task(notifier.listen(), name="listen to gammu")
    try:
        yield notifier
    finally:
        listening.cancel()
        with suppress(asyncio.CancelledError):
            await listening
        await database.dispose()


async def _is_queued(connection: AsyncConnection, key: str) -> bool:
    outbox = select(OUTBOX.c.ID).where(OUTBOX.c.CreatorID == _OURS + key)
    sent = select(SENT_ITEMS.c.ID).where(SENT_ITEMS.c.CreatorID == _OURS + key)
    return (await connection.execute(union_all(outbox, sent).limit(1))).first() is not None


def _received() -> Any:
    return select(INBOX).where(INBOX.c.Processed.in_((False,))).order_by(INBOX.c.ID).limit(_AT_A_TIME)


def _sent() -> Any:
    settled = _FAILED | _ARRIVED | _UNKNOWN
    ours = SENT_ITEMS.c.CreatorID.startswith(_OURS, autoescape=True)
    # The daemon notes each part as it leaves, and takes the message out of the outbox after the last.
    leaving = select(OUTBOX.c.ID).where(OUTBOX.c.CreatorID == SENT_ITEMS.c.CreatorID).exists()
    some = select(SENT_ITEMS.c.CreatorID).where(ours, SENT_ITEMS.c.Status.in_(settled), ~leaving)
    return select(SENT_ITEMS).where(SENT_ITEMS.c.CreatorID.in_(some)).order_by(SENT_ITEMS.c.CreatorID)


def _cause(error: Exception) -> str:
    return str(getattr(error, "orig", None) or error)
