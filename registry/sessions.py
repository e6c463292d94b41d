"""Who is signed in where: of a session's token only its mark is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Row, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.instant import to_datetime, to_ms
from registry.account_tables import account, session
from registry.accounts import Account, read_account

KEPT: Final = timedelta(days=180)
"""So long a session that is over is remembered, for the devices that somebody signed in with."""
SEEN_EVERY: Final = timedelta(minutes=5)
"""How exactly it is known when a session was last used: not every request writes."""


@dataclass(frozen=True, slots=True)
class Lasting:
    """How long somebody stays signed in."""

    idle: timedelta
    """Without asking for anything."""
    longest: timedelta
    """In any case."""


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody signed in, on one device."""

    mark: str
    """SHA-256 of the token that the browser holds (``registry.credentials.token_mark``)."""
    account: str
    device: str
    """The mark of what the browser is known by also after the session."""
    created_at: datetime
    seen_at: datetime
    address: str = ""
    browser: str = ""
    ended_at: datetime | None = None
    id: int = 0

    def valid(self, now: datetime, lasting: Lasting) -> bool:
        """Tell whether whoever holds the token is signed in at this moment."""
        return self.ended_at is None and now < min(self.seen_at + lasting.idle, self.created_at + lasting.longest)

    def to_be_noted(self, now: datetime) -> bool:
        """Tell whether it is time to write down that the session is used."""
        return now - self.seen_at >= SEEN_EVERY


class SessionStore:
    """The table in the registry's database."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def begin(self, new: Session) -> None:
        """Keep a new session, and forget those that were over long ago."""
        async with self._engine.begin() as connection:
            await connection.execute(delete(session).where(session.c.seen_ms < to_ms(new.created_at - KEPT)))
            await connection.execute(insert(session).values(**_cells(new)))

    async def find(self, mark: str) -> tuple[Session, Account] | None:
        """Return the session of a token and whose it is, valid or not."""
        async with self._engine.connect() as connection:
            row = (await connection.execute(select(session).where(session.c.mark == mark))).one_or_none()
            if row is None:
                return None
            owner = (await connection.execute(select(account).where(account.c.id == row.account))).one()
        return _read(row), read_account(owner)

    async def of(self, account_id: str) -> Sequence[Session]:
        """Return the sessions of somebody that nobody ended, the newest first."""
        wanted = select(session).where(session.c.account == account_id, session.c.ended_ms.is_(None))
        async with self._engine.connect() as connection:
            return [_read(row) for row in await connection.execute(wanted.order_by(session.c.id.desc()))]

    async def last_seen(self, account_id: str = "") -> Mapping[str, datetime]:
        """Return when everybody was last seen, or one alone."""
        wanted = select(session.c.account, func.max(session.c.seen_ms).label("seen_ms")).group_by(session.c.account)
        if account_id:
            wanted = wanted.where(session.c.account == account_id)
        async with self._engine.connect() as connection:
            return {row.account: to_datetime(row.seen_ms) for row in await connection.execute(wanted)}

    async def knows_device(self, account_id: str, device: str) -> bool:
        """Tell whether somebody has signed in with this device before."""
        wanted = select(session.c.id).where(session.c.account == account_id, session.c.device == device).limit(1)
        async with self._engine.connect() as connection:
            return (await connection.execute(wanted)).first() is not None

    async def saw(self, mark: str, now: datetime) -> None:
        """Write down that a session is used."""
        async with self._engine.begin() as connection:
            await connection.execute(update(session).where(session.c.mark == mark).values(seen_ms=to_ms(now)))

    async def end(self, mark: str, now: datetime) -> None:
        """Sign one session out."""
        async with self._engine.begin() as connection:
            await connection.execute(_ending(now).where(session.c.mark == mark))

    async def end_all(self, account_id: str, now: datetime, *, but: str = "") -> int:
        """Sign somebody out everywhere, but for the session of one mark; return how many sessions ended."""
        async with self._engine.begin() as connection:
            others = _ending(now).where(session.c.account == account_id, session.c.mark != but)
            return (await connection.execute(others)).rowcount

    async def end_one(self, account_id: str, id_: int, now: datetime) -> bool:
        """Sign one session of somebody out; tell whether there was one."""
        async with self._engine.begin() as connection:
            one = _ending(now).where(session.c.account == account_id, session.c.id == id_)
            return (await connection.execute(one)).rowcount > 0


def _ending(now: datetime) -> Any:
    return update(session).where(session.c.ended_ms.is_(None)).values(ended_ms=to_ms(now))


def _read(row: Row[Any]) -> Session:
    return Session(
        id=row.id,
        mark=row.mark,
        account=row.account,
        device=row.device,
        address=row.address,
        browser=row.browser,
        created_at=to_datetime(row.created_ms),
        seen_at=to_datetime(row.seen_ms),
        ended_at=None if row.ended_ms is None else to_datetime(row.ended_ms),
    )


def _cells(new: Session) -> dict[str, object]:
    return {
        "mark": new.mark,
        "account": new.account,
        "device": new.device,
        "address": new.address[:100],
        "browser": new.browser[:300],
        "created_ms": to_ms(new.created_at),
        "seen_ms": to_ms(new.seen_at),
        "ended_ms": None,
    }
