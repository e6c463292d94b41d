"""``vitals store backup|restore``: a copy of everything that a service keeps, taken while it runs and writes."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from app.config import ServiceConfig
from collector.journal.lock import FolderLock
from collector.journal.schema import FILE_NAME
from domain.errors import OperatorError
from domain.instant import format_rfc3339

Say = Callable[[str], None]
Progress = Callable[[str, float], None]
"""Told (file, share done) again and again."""

MANIFEST = "backup.json"
DATABASE_FILE = "vitals.db"
_PAGES_AT_ONCE = 2_048
_PRIVATE_PARTS = ("node-keys", "authority", "broker-password")


class Backup(NamedTuple):
    """What was copied."""

    folder: Path
    readings: int
    """Positions in the journal's log: as many readings as were ever committed."""


def back_up(config: ServiceConfig, to: Path, *, now: datetime, progress: Progress) -> Backup:
    """Copy journal, SQL database (where it is SQLite), keys and authority into a new folder below ``to``.

    Each database is one snapshot; the service goes on writing. The journal comes first: what the judge's state knows
    beyond it comes again with the readings. The folder gets its name when everything in it is complete, checked and on
    the disk. Raises ``OperatorError``.
    """
    name = f"vitals-{format_rfc3339(now.replace(microsecond=0)).replace(':', '')}"
    final, partial = to / name, to / f"{name}.partial"
    try:
        partial.mkdir(parents=True, mode=0o700)
        _copy_database(config.data / FILE_NAME, partial / FILE_NAME, progress)
        if config.database is None:
            _copy_database(config.data / DATABASE_FILE, partial / DATABASE_FILE, progress)
        for part in _private_parts(config):
            _copy(part, partial / part.name)
        readings = _position(partial / FILE_NAME)
        note = {"taken_at": format_rfc3339(now), "readings": readings, "database": config.database is None}
        (partial / MANIFEST).write_text(json.dumps(note, indent=2), "utf-8")
        _sync(partial)
        partial.rename(final)
        _sync_folder(to)
    except FileExistsError as error:
        raise OperatorError(f"{error.filename} is there already: a backup was cut short; remove it") from error
    except OSError as error:
        raise OperatorError(f"the backup into {to} failed: {error}") from error
    return Backup(final, readings)


def restore(config: ServiceConfig, source: Path, *, progress: Progress) -> Backup:
    """Put a backup into the service's data folder, which must hold no journal; raise ``OperatorError``."""
    if not (source / MANIFEST).exists():
        raise OperatorError(f"{source} is no backup: it has no {MANIFEST}")
    target = config.data
    target.mkdir(parents=True, exist_ok=True)
    lock = FolderLock(target)
    try:
        for name in (FILE_NAME, DATABASE_FILE):
            if (target / name).exists():
                raise OperatorError(f"{target / name} is there; move the old data away first, nothing is overwritten")
        for part in sorted(source.iterdir()):
            if part.name in (FILE_NAME, DATABASE_FILE):
                # The name of the journal appears last of all, when its content is complete.
                _copy_database(part, target / f"{part.name}.restoring", progress)
            elif part.name != MANIFEST:
                _copy(part, target / part.name)
        for name in (DATABASE_FILE, FILE_NAME):
            if (target / f"{name}.restoring").exists():
                _sync(target / f"{name}.restoring")
                (target / f"{name}.restoring").rename(target / name)
        _sync_folder(target)
    finally:
        lock.release()
    return Backup(target, _position(target / FILE_NAME))


def _private_parts(config: ServiceConfig) -> Iterator[Path]:
    folders = (config.key_folder, config.authority_folder, config.data / "broker-password")
    for folder, name in zip(folders, _PRIVATE_PARTS, strict=True):
        if folder.exists():
            if folder.name != name:
                raise OperatorError(f"{folder} is kept elsewhere under another name; copy it yourself")
            yield folder


def _copy_database(source: Path, target: Path, progress: Progress) -> None:
    """Copy one snapshot of a database that others write to, page by page, and check the copy."""
    if not source.exists():
        raise OperatorError(f"{source} is not there: nothing was stored yet")
    try:
        with (
            closing(
                sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)
            ) as reading,
            closing(sqlite3.connect(target, isolation_level=None)) as writing,
        ):
            # The open transaction holds the snapshot: without it the copy would begin anew at every commit.
            reading.execute("BEGIN")
            reading.execute("SELECT count(*) FROM sqlite_master").fetchone()

            def told(_status: int, left: int, total: int) -> None:
                progress(source.name, 1.0 - left / max(total, 1))

            reading.backup(writing, pages=_PAGES_AT_ONCE, progress=told)
            (verdict,) = writing.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.Error as error:
        raise OperatorError(f"{source} cannot be copied to {target}: {error}") from error
    if verdict != "ok":
        raise OperatorError(f"the copy of {source} is not sound: {verdict}")


def _position(journal: Path) -> int:
    with closing(_reading(journal)) as connection:
        (settled,) = connection.execute("SELECT value FROM meta WHERE key = 'settled'").fetchone()
        (last,) = connection.execute("SELECT max(position) FROM log").fetchone()
    return max(int(last or 0), int(settled))


def _reading(database: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target)
    else:
        shutil.copy2(source, target)


def _sync(path: Path) -> None:
    for each in [*path.rglob("*"), path] if path.is_dir() else [path]:
        _sync_folder(each)


def _sync_folder(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
