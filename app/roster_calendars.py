"""The commands that write rosters as calendars and read calendars as overrides."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from types import ModuleType

from alerts.oncall.roster import Span
from app.check import registered
from app.config import ServiceConfig
from app.database import make_folder, open_database
from app.roster_commands import roster_of
from domain.document import Document
from domain.errors import OperatorError
from domain.instant import to_ms
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
    ical, window = _library(), _window(period)
    content = _content(file)
    make_folder(config.data)
    async with open_database(config.database_url) as database:
        store = RegistryStore(database)
        await store.create_tables()
        directory = await store.load_directory()
        roster = roster_of(directory, name)
        found = ical.overrides_of(content, str(file), roster, directory, window)
        overrides = _added(roster, found) if add else ical.renewed(roster, found, window)
        changed = replace(roster, overrides=overrides)
        document = Document(str(file), {"rosters": [exported_roster(changed)]})
        await store.import_document(document, occasion=Occasion(to_ms(now)))
    came, went = set(overrides) - set(roster.overrides), set(roster.overrides) - set(overrides)
    say(f"{name}: {len(found)} events, {len(came)} overrides added, {len(went)} forgotten")


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
