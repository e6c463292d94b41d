"""Tokens of programs that ask the API: shown once, kept as their mark."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, insert, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.access import Grant
from domain.instant import to_datetime, to_ms
from registry.account_tables import api_token, read_grants, written_grants

PREFIX: Final = "vt_"
"""Every token begins with it, so that one that got somewhere by mistake is found."""


@dataclass(frozen=True, slots=True)
class ApiToken:
    """What one program may do."""

    mark: str
    """SHA-256 of the token (``registry.credentials.token_mark``)."""
    name: str
    """What the program is, for records."""
    grants: frozenset[Grant]
    created_at: datetime
    issued_by: str = ""
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    id: int = 0

    def valid(self, now: datetime) -> bool:
        """Tell whether it lets anybody in at this moment."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


class ApiTokenStore:
    """The table in the registry's database."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def issue(self, new: ApiToken) -> int:
        """Keep a new token; return its number."""
        async with self._engine.begin() as connection:
            cells = {
                "mark": new.mark,
                "name": new.name,
                "grants": written_grants(new.grants),
                "issued_by": new.issued_by,
                "created_ms": to_ms(new.created_at),
                "expires_ms": None if new.expires_at is None else to_ms(new.expires_at),
                "revoked_ms": None,
            }
            result = await connection.execute(insert(api_token).values(**cells).returning(api_token.c.id))
            return int(result.scalar_one())

    async def find(self, mark: str) -> ApiToken | None:
        """Return the token of a mark, valid or not."""
        async with self._engine.connect() as connection:
            row = (await connection.execute(select(api_token).where(api_token.c.mark == mark))).one_or_none()
        return None if row is None else _read(row)

    async def all(self) -> Sequence[ApiToken]:
        """Return every token that was ever issued, the oldest first."""
        async with self._engine.connect() as connection:
            return [_read(row) for row in await connection.execute(select(api_token).order_by(api_token.c.id))]

    async def revoke(self, id_: int, now: datetime) -> bool:
        """Let a token in no more; tell whether there was a valid one of this number."""
        revoking = update(api_token).where(api_token.c.id == id_, api_token.c.revoked_ms.is_(None))
        async with self._engine.begin() as connection:
            return (await connection.execute(revoking.values(revoked_ms=to_ms(now)))).rowcount > 0


def _read(row: Row[Any]) -> ApiToken:
    expires, revoked = (None if each is None else to_datetime(each) for each in (row.expires_ms, row.revoked_ms))
    return ApiToken(
        id=row.id,
        mark=row.mark,
        name=row.name,
        grants=read_grants(row.grants),
        issued_by=row.issued_by,
        created_at=to_datetime(row.created_ms),
        expires_at=expires,
        revoked_at=revoked,
    )
