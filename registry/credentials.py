"""What was issued to nodes so that they may publish: never a secret itself, only what is needed to know it again."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import BigInteger, Column, Index, Integer, MetaData, String, Table, Text, Update, insert, select, update
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.schema import CreateIndex, CreateTable

from domain.instant import to_datetime, to_ms

metadata = MetaData()
_CREDENTIAL = Table(
    "credential",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("node", String(64), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("mark", Text, nullable=False),
    Column("issued_ms", BigInteger, nullable=False),
    Column("expires_ms", BigInteger),
    Column("ends_ms", BigInteger),
)
_BY_NODE = Index("credential_by_node", _CREDENTIAL.c.node, _CREDENTIAL.c.id)


class CredentialKind(StrEnum):
    """How a node shows who it is."""

    CERTIFICATE = "certificate"
    PASSWORD = "password"  # noqa: S105 - a word, not a password
    TOKEN = "token"  # noqa: S105 - likewise


class Credential(NamedTuple):
    """One thing that was issued to a node."""

    node: str
    kind: CredentialKind
    mark: str
    """A certificate's serial number (hexadecimal), the broker's hash of a password, SHA-256 of a token."""
    issued_at: datetime
    expires_at: datetime | None = None
    """By itself; a password has no such moment."""
    ends_at: datetime | None = None
    """Revoked, or replaced, from this moment on."""

    def valid(self, now: datetime) -> bool:
        """Tell whether it lets the node in at this moment."""
        return all(end is None or now < end for end in (self.expires_at, self.ends_at))


def token_mark(token: str) -> str:
    """Return what is kept of a token, which has 256 random bits and so needs no salt."""
    return hashlib.sha256(token.encode()).hexdigest()


class CredentialStore:
    """The table in the registry's database."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def create_tables(self) -> None:
        """Create what is missing."""
        async with self._engine.begin() as connection:
            await connection.execute(CreateTable(_CREDENTIAL, if_not_exists=True))
            await connection.execute(CreateIndex(_BY_NODE, if_not_exists=True))

    async def issue(self, credentials: Iterable[Credential], *, ends_at: datetime | None = None) -> None:
        """Note what was issued; what the node had of these kinds ends at ``ends_at``, or goes on where that is None."""
        new = list(credentials)
        async with self._engine.begin() as connection:
            if ends_at is not None:
                for node, kind in {(each.node, each.kind) for each in new}:
                    await connection.execute(_ending(node, ends_at).where(_CREDENTIAL.c.kind == kind.value))
            await connection.execute(insert(_CREDENTIAL), [_cells(each) for each in new])

    async def revoke(self, node: str, now: datetime) -> int:
        """End everything that lets the node in; return how much that was."""
        async with self._engine.begin() as connection:
            return (await connection.execute(_ending(node, now))).rowcount

    async def all(self, node: str | None = None) -> Sequence[Credential]:
        """Return everything that was ever issued, to one node or to all, oldest first."""
        query = select(_CREDENTIAL).order_by(_CREDENTIAL.c.id)
        if node is not None:
            query = query.where(_CREDENTIAL.c.node == node)
        async with self._engine.connect() as connection:
            rows = await connection.execute(query)
            return [
                Credential(
                    row.node,
                    CredentialKind(row.kind),
                    row.mark,
                    to_datetime(row.issued_ms),
                    *(None if end is None else to_datetime(end) for end in (row.expires_ms, row.ends_ms)),
                )
                for row in rows
            ]


def tokens_of(credentials: Iterable[Credential], now: datetime) -> Mapping[str, str]:
    """Return the node of each valid token, by the token's mark."""
    valid = (each for each in credentials if each.kind is CredentialKind.TOKEN and each.valid(now))
    return {each.mark: each.node for each in valid}


def _ending(node: str, ends_at: datetime) -> Update:
    ends_ms = to_ms(ends_at)
    later = _CREDENTIAL.c.ends_ms.is_(None) | (_CREDENTIAL.c.ends_ms > ends_ms)
    return update(_CREDENTIAL).where(_CREDENTIAL.c.node == node, later).values(ends_ms=ends_ms)


def _cells(credential: Credential) -> dict[str, object]:
    ends = (credential.expires_at, credential.ends_at)
    expires_ms, ends_ms = (None if end is None else to_ms(end.astimezone(UTC)) for end in ends)
    return {
        "node": credential.node,
        "kind": credential.kind.value,
        "mark": credential.mark,
        "issued_ms": to_ms(credential.issued_at),
        "expires_ms": expires_ms,
        "ends_ms": ends_ms,
    }
