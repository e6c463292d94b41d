"""The commands that write rosters as calendars and read calendars as overrides."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from types import ModuleType

from sqlalchemy.ext.asyncio import AsyncEngine

from alerts.oncall.roster import Span
from api.services import CalendarTaken, RosterDesk
from app.check import registered
from app.config import ServiceConfig
from app.database import make_folder, open_database
from app.registry_view import RegistryView
from app.roster_commands import roster_of
from domain.directory import Directory
from domain.document import Document
from domain.errors import OperatorError
from domain.instant import Clock, to_datetime, to_ms
from domain.people import Override, Roster
from registry.history import Occasion
from registry.people_export import exported_roster
from registry.store import RegistryStore

MAX_BYTES = 16 * 1024 * 1024


async def export_roster(config: ServiceConfig, name: str, period: tuple[datetime, int], *, now: datetime) -> bytes:
    """Return a roster as a calendar, from a moment on for so many days."""
    ical = _library()
    directory = await registered(config)
    return bytes(ical.calendar_of(roster_of(directory, name), directory, _window(period), now))


async def import_roster(
    config: ServiceConfig,
    name: str,
    file: Path,
    period: tuple[datetime, int],
    *,
    now: datetime,
    add: bool,
    say: Callable[[str], None],
) -> None:
    """Take the events of a calendar as overrides of a roster; say what came and what went."""
    _library()
    content = _content(file)
    make_folder(config.data)
    async with open_database(config.database_url) as database:
        store = RegistryStore(database)
        await store.create_tables()
        taken = await take_calendar(store, name, content, str(file), _window(period), now=now, add=add)
    say(f"{name}: {taken.events} events, {taken.added} overrides added, {taken.forgotten} forgotten")


async def take_calendar(
    store: RegistryStore,
    name: str,
    content: bytes,
    source: str,
    window: Span,
    *,
    now: datetime,
    add: bool,
    people: Collection[str] | None = None,
) -> CalendarTaken:
    """Register the events of a calendar as overrides of a roster, all of them or nothing.

    Events may name every contact, or only these ``people``. Raises ``DocumentError`` naming the events of
    ``source`` that cannot be used.
    """
    ical = _library()
    directory = await store.load_directory()
    roster = roster_of(directory, name)
    if people is not None:
        directory = Directory(contacts=(each for each in directory.contacts.values() if each.id in people))
    # Repetitions that unfold to thousands take seconds, in which others want their answers.
    found = await asyncio.to_thread(ical.overrides_of, content, source, roster, directory, window)
    overrides = _added(roster, found) if add else ical.renewed(roster, found, window)
    document = Document(source, {"rosters": [exported_roster(replace(roster, overrides=overrides))]})
    await store.import_document(document, occasion=Occasion(to_ms(now)))
    came, went = set(overrides) - set(roster.overrides), set(roster.overrides) - set(overrides)
    return CalendarTaken(len(found), len(came), len(went))


def roster_desk(database: AsyncEngine, registry: RegistryView, clock: Clock) -> RosterDesk:
    """Return what the API asks of rosters; a change is in force when ``take`` returns."""
    store = RegistryStore(database)

    async def calendar(roster: str, window: Span) -> bytes:
        directory, now = registry.directory, to_datetime(clock.now_ms())
        found = roster_of(directory, roster)
        return bytes(await asyncio.to_thread(_library().calendar_of, found, directory, window, now))

    async def take(
        roster: str, content: bytes, window: Span, *, add: bool, people: Collection[str] | None = None
    ) -> CalendarTaken:
        now = to_datetime(clock.now_ms())
        taken = await take_calendar(store, roster, content, f"{roster}.ics", window, now=now, add=add, people=people)
        await registry.look()
        return taken

    return RosterDesk(calendar, take)


def _added(roster: Roster, found: tuple[Override, ...]) -> tuple[Override, ...]:
    """Return the overrides with those of a file after them, for the last one written counts."""
    return (*(each for each in roster.overrides if each not in found), *found)


def _window(period: tuple[datetime, int]) -> Span:
    start, days = period
    return Span(start, start + timedelta(days=days))


def _content(file: Path) -> bytes:
    try:
        if file.stat().st_size > MAX_BYTES:
            raise OperatorError(f"{file}: the file is larger than {MAX_BYTES // 1024 // 1024} MB")
        return file.read_bytes()
    except OSError as error:
        raise OperatorError(f"{file}: cannot be read: {error.strerror}") from error


def _library() -> ModuleType:
    try:
        from alerts.oncall import ical
    except ModuleNotFoundError as error:
        raise OperatorError(f"calendars need {error.name}: pip install 'vitals[calendar]'") from error
    return ical
