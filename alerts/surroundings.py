"""What every change of an alert is recorded with, within one transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from alerts.facts import Power, RuleText
from alerts.routing import Route
from alerts.settings import TellingSettings
from alerts.tables import AUDIT
from domain.directory import Directory

WriteLink = Callable[[int, str, datetime], str]
"""Returns the address that opens an alert for a contact, written at a moment; empty where there is none."""


def no_link(alert: int, contact: str, now: datetime) -> str:
    """Return that there is no link."""
    return ""


class Note(NamedTuple):
    """What happened to an alert, for the audit log."""

    alert: int
    what: str
    detail: str


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The world as it is at the moment of a change."""

    connection: AsyncConnection
    """In the caller's transaction."""
    directory: Directory
    rules: Mapping[str, RuleText]
    routes: Sequence[Route]
    now: datetime
    deadline: datetime
    """Until when what is queued now may still be sent."""
    power_of: Callable[[str], Power | None]
    settings: TellingSettings
    link: WriteLink = no_link

    def text_of(self, rule: str) -> RuleText:
        """Return what the rule says; its id where nobody wrote a text."""
        return self.rules.get(rule) or RuleText(rule)

    async def note(self, alert: int, entries: Sequence[tuple[str, str]], *, who: str = "vitals", origin: str) -> None:
        """Write what happened to an alert, and its details, to the audit log."""
        await self.note_all([Note(alert, what, detail) for what, detail in entries], who=who, origin=origin)

    async def note_all(self, notes: Iterable[Note], *, who: str = "vitals", origin: str) -> None:
        """Write what happened to several alerts to the audit log, in this order."""
        common = {"at": self.now, "who": who, "origin": origin}
        rows = [common | note._asdict() for note in notes]
        if rows:
            await self.connection.execute(insert(AUDIT), rows)
