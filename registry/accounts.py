"""Who may sign in: people with what they may do where. Of a password only its hash is kept."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.access import Grant
from domain.errors import Fault, VitalsError
from domain.instant import to_datetime, to_ms
from registry.account_tables import account, create_account_tables, read_grants, written_grants

_ID: Final = re.compile(r"[a-z0-9][a-z0-9._@+-]{0,63}")
SIGN_IN_NAME: Final = "small letters, digits and . _ @ + -, at most 64, the first a letter or digit"


class AccountError(VitalsError):
    """An account cannot be made or changed as asked; the sentence says why."""

    fault = Fault.OPERATOR


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who may sign in."""

    id: str
    """The name to sign in with."""
    name: str
    """What stands in records as who did something."""
    grants: frozenset[Grant]
    created_at: datetime
    language: str = ""
    """In which pages are shown; empty: as the browser asks."""
    disabled_at: datetime | None = None
    secret: str = field(default="", repr=False)
    """The hash of the password; empty: signs in elsewhere only."""
    change_by: datetime | None = None
    """The password was made up by somebody else: until then it lets in to choose another one, and to nothing else."""

    @property
    def disabled(self) -> bool:
        """Tell whether this person is shut out."""
        return self.disabled_at is not None

    def password_over(self, now: datetime) -> bool:
        """Tell whether the password was to be changed and was not in time."""
        return self.change_by is not None and now >= self.change_by


def sign_in_name(written: str) -> str:
    """Return the name to sign in with that somebody wrote, in small letters; raise ``AccountError`` for none."""
    folded = written.strip().casefold()
    if not _ID.fullmatch(folded):
        raise AccountError(f"found the sign-in name {written[:80]!r}; allowed: {SIGN_IN_NAME}")
    return folded


class AccountStore:
    """The table in the registry's database."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def create_tables(self) -> None:
        """Create what is missing: accounts, sessions and tokens."""
        await create_account_tables(self._engine)

    async def add(self, new: Account) -> None:
        """Keep a new account; raise ``AccountError`` where the name is taken."""
        try:
            async with self._engine.begin() as connection:
                await connection.execute(insert(account).values(**_cells(new)))
        except IntegrityError:
            raise AccountError(f"there is a user {new.id!r} already") from None

    async def get(self, id_: str) -> Account | None:
        """Return one account."""
        async with self._engine.connect() as connection:
            row = (await connection.execute(select(account).where(account.c.id == id_))).one_or_none()
        return None if row is None else read_account(row)

    async def all(self) -> Sequence[Account]:
        """Return all accounts by name."""
        async with self._engine.connect() as connection:
            return [read_account(row) for row in await connection.execute(select(account).order_by(account.c.id))]

    async def any_yet(self) -> bool:
        """Tell whether anybody can sign in at all."""
        count = select(func.count()).select_from(account).where(account.c.disabled_ms.is_(None))
        async with self._engine.connect() as connection:
            return bool(await connection.scalar(count))

    async def set_password(self, id_: str, secret: str, *, change_by: datetime | None = None) -> None:
        """Keep the hash of a new password; ``change_by`` where its owner has to choose another one."""
        await self._change(id_, secret=secret, change_by_ms=None if change_by is None else to_ms(change_by))

    async def rehash(self, id_: str, before: str, secret: str) -> None:
        """Keep the same password's hash made by newer parameters, unless the password was changed meanwhile."""
        async with self._engine.begin() as connection:
            changing = update(account).where(account.c.id == id_, account.c.secret == before)
            await connection.execute(changing.values(secret=secret))

    async def set_grants(self, id_: str, grants: Iterable[Grant]) -> None:
        """Keep what somebody may do where."""
        await self._change(id_, grants=written_grants(grants))

    async def set_language(self, id_: str, language: str) -> None:
        """Keep in which language somebody reads."""
        await self._change(id_, language=language)

    async def disable(self, id_: str, now: datetime) -> None:
        """Shut somebody out."""
        await self._change(id_, disabled_ms=to_ms(now))

    async def enable(self, id_: str) -> None:
        """Let somebody in again."""
        await self._change(id_, disabled_ms=None)

    async def _change(self, id_: str, **cells: object) -> None:
        async with self._engine.begin() as connection:
            changed = await connection.execute(update(account).where(account.c.id == id_).values(**cells))
        if not changed.rowcount:
            raise AccountError(f"there is no user {id_[:80]!r}")


def read_account(row: Row[Any]) -> Account:
    """Return the account of a row."""
    disabled, change_by = (
        None if moment is None else to_datetime(moment) for moment in (row.disabled_ms, row.change_by_ms)
    )
    return Account(
        id=row.id,
        name=row.name,
        grants=read_grants(row.grants),
        created_at=to_datetime(row.created_ms),
        language=row.language,
        disabled_at=disabled,
        secret=row.secret,
        change_by=change_by,
    )


def _cells(new: Account) -> dict[str, object]:
    disabled, change_by = (None if each is None else to_ms(each) for each in (new.disabled_at, new.change_by))
    return {
        "id": new.id,
        "name": new.name,
        "language": new.language,
        "grants": written_grants(new.grants),
        "secret": new.secret,
        "change_by_ms": change_by,
        "created_ms": to_ms(new.created_at),
        "disabled_ms": disabled,
    }
