"""Which rules were in force when: every wording of a rule, from the moment on when a service judged by it.

Takes inserts only, so that what somebody was told last year can be explained by last year's rule.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import BigInteger, Column, Integer, MetaData, String, Table, Text, func, insert, select
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.document import Document
from rules.loader import load_rules
from rules.model import Rule

METADATA = MetaData()

_VERSION = Table(
    "rule_version",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("rule", String(60), nullable=False, index=True),
    Column("since_ms", BigInteger, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("written", Text),  # JSON; NULL where the rule was taken out of force
)
_DIGITS = 12


class RuleVersion(NamedTuple):
    """A wording of a rule."""

    rule: Rule | None
    """None where it was not in force."""
    digest: str
    """Twelve hexadecimal digits that stand for the wording."""
    since_ms: int
    """When a service began to judge by it."""


class RuleVersions:
    """Notes wordings and finds them again."""

    def __init__(self, database: AsyncEngine) -> None:
        self._database = database

    async def create_tables(self) -> None:
        """Create the table where it is missing."""
        async with self._database.begin() as connection:
            await connection.run_sync(METADATA.create_all)

    async def note(self, rules: Iterable[Rule], now_ms: int) -> None:
        """Note that these rules, and no others, are in force from now on."""
        newest = select(func.max(_VERSION.c.id)).group_by(_VERSION.c.rule)
        async with self._database.begin() as connection:
            rows = await connection.execute(select(_VERSION).where(_VERSION.c.id.in_(newest)))
            known = {row.rule: row.digest for row in rows if row.written is not None}
            wordings = {rule.id: _wording(rule) for rule in rules}
            changed = [
                {"rule": name, "since_ms": now_ms, "digest": digest_of(text), "written": text}
                for name, text in wordings.items()
                if known.get(name) != digest_of(text)
            ]
            changed += (
                {"rule": name, "since_ms": now_ms, "digest": "", "written": None}
                for name in known
                if name not in wordings
            )
            if changed:
                await connection.execute(insert(_VERSION), changed)

    async def at(self, rule: str, moment_ms: int) -> RuleVersion | None:
        """Return the wording in force at a moment, or the oldest known one; None where no service ever knew it."""
        versions = select(_VERSION).where(_VERSION.c.rule == rule)
        then = versions.where(_VERSION.c.since_ms <= moment_ms).order_by(_VERSION.c.id.desc()).limit(1)
        async with self._database.connect() as connection:
            row = (await connection.execute(then)).first()
            row = row or (await connection.execute(versions.order_by(_VERSION.c.id).limit(1))).first()
        if row is None:
            return None
        found = None if row.written is None else load_rules(_document(rule, row.written))[0]
        return RuleVersion(found, row.digest, row.since_ms)


def digest_of(wording: str) -> str:
    """Return twelve hexadecimal digits that stand for a wording."""
    return hashlib.sha256(wording.encode()).hexdigest()[:_DIGITS]


def _wording(rule: Rule) -> str:
    return json.dumps(rule.written, sort_keys=True, ensure_ascii=False)


def _document(rule: str, wording: str) -> Document:
    return Document(f"{rule}, as it was in force", {"rules": [json.loads(wording)]})
