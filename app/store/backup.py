"""``vitals store backup``: everything the service would need again, copied while it runs."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import shutil
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy.engine import make_url

from app.config import BROKER_CERTIFICATE_FILE, SERVICE_PASSWORD_FILE, ServiceConfig
from app.store.copying import Counts, Stopped, copy_database, verify_database
from app.store.postgresql import DUMP_FILE, dump_database, verify_dump
from collector.journal import Journal
from collector.journal.archive.parquet import PartFile, sync
from collector.journal.archive.parts import Part, load_parts
from collector.journal.archive.shelf import FOLDER
from collector.journal.schema import FILE_NAME
from domain.errors import OperatorError
from domain.instant import format_rfc3339

Say = Callable[[str], None]
MANIFEST = "backup.json"
SQL_FILE = "vitals.db"
KEYS = "node-keys"
AUTHORITY = "authority"
BROKER_FILES = (SERVICE_PASSWORD_FILE, BROKER_CERTIFICATE_FILE)
"""Beside the journal: what the service knows of a broker that it configured."""
_HOLD = "backup"


async def backup(config: ServiceConfig, folder: Path, *, now: datetime, say: Say, without_server: bool = False) -> Path:
    """Copy journal, SQL database, archive, node keys and authority into a new folder below ``folder``; return it.

    It appears under its name when it is complete and verified. ``without_server`` leaves a SQL database on a server
    out. Raises ``OperatorError`` where that cannot be.
    """
    target = folder / f"vitals-{now.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    if target.exists():
        raise OperatorError(f"there is a backup {target} already")
    unfinished = target.with_name(f".{target.name}.unfinished")
    stop = threading.Event()
    try:
        unfinished.mkdir(parents=True)
        await _fill(config, unfinished, now, say, stop.is_set, without_server=without_server)
        await asyncio.to_thread(_sync_all, unfinished)
        unfinished.rename(target)
        sync(folder)
    except OSError as error:
        raise OperatorError(f"the backup {target} cannot be written: {error}") from error
    finally:
        stop.set()
        shutil.rmtree(unfinished, ignore_errors=True)
    say(f"verified: {target}")
    return target


def sqlite_file(config: ServiceConfig) -> Path | None:
    """Return the file of the SQL database; None where a server has it."""
    url = make_url(config.database_url)
    return Path(url.database) if url.get_backend_name() == "sqlite" and url.database else None


def verify(folder: Path, stopped: Stopped = lambda: False) -> dict[str, Any]:
    """Return what a backup says of itself; raise ``OperatorError`` unless everything it names is there and whole."""
    try:
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise OperatorError(f"{folder} is not a backup of Vitals: {MANIFEST} cannot be read ({error})") from error
    for name, counts in manifest["databases"].items():
        verify_database(folder / name, counts, stopped)
    for name, size in manifest["files"].items():
        path = folder / name
        if not path.is_file() or path.stat().st_size != size:
            raise OperatorError(f"{path} is missing or has another size than when it was copied")
        if path.parent.name.startswith("month="):
            PartFile(path)
        if name == DUMP_FILE:
            verify_dump(path, stopped)
    return manifest


async def _fill(
    config: ServiceConfig, target: Path, now: datetime, say: Say, stopped: Stopped, *, without_server: bool
) -> None:
    databases: dict[str, Counts] = {}
    async with _log_held(config.data) as held:
        # SQL first: what it has judged is then in the journal's copy, and what it has not is still in the log.
        source = sqlite_file(config)
        if source is None and without_server:
            say("LEFT OUT: the SQL database, which is on a server; have pg_dump copy it before each backup")
        elif source is None:
            await asyncio.to_thread(dump_database, config.database_url, target / DUMP_FILE, stopped)
            say(f"{DUMP_FILE}: the SQL database on the server")
        elif source.exists():
            databases[SQL_FILE] = await asyncio.to_thread(copy_database, source, target / SQL_FILE, say, stopped)
        journal = target / FILE_NAME
        counts = await asyncio.to_thread(copy_database, config.data / FILE_NAME, journal, say, stopped)
        databases[FILE_NAME] = counts | {"cursor": counts["cursor"] - 1}
    with closing(sqlite3.connect(journal, isolation_level=None)) as connection:
        parts = load_parts(connection, 0).all()
        connection.execute("DELETE FROM cursor WHERE name = ?", (_HOLD,))
        connection.execute("UPDATE cursor SET position = min(position, ?)", (held,))
        (received,) = connection.execute(
            "SELECT max(m) FROM (SELECT max(received) AS m FROM log UNION ALL SELECT max(received) FROM latest)"
        ).fetchone()
    await asyncio.to_thread(_take_files, config, target, parts)
    say(f"{len(parts)} archive files")
    files = _sizes(target)
    manifest = {
        "made_at": format_rfc3339(now),
        "last_received_at": None if received is None else format_rfc3339(received),
        "databases": databases,
        "files": {name: size for name, size in files.items() if name not in databases},
    }
    (target / MANIFEST).write_text(json.dumps(manifest, indent=2), "utf-8")
    say("verifying ...")
    await asyncio.to_thread(verify, target, stopped)


@asynccontextmanager
async def _log_held(folder: Path) -> AsyncIterator[int]:
    """Keep what followers have not passed in the journal's log during the block; yield from where."""
    async with Journal.open(folder, read_only=True) as journal:
        held = min((await journal.cursors()).values(), default=journal.position)
        await journal.move_cursor(_HOLD, held)
        try:
            yield held
        finally:
            await journal.drop_cursor(_HOLD)


def _take_files(config: ServiceConfig, target: Path, parts: list[Part]) -> None:
    archive = config.data / FOLDER
    for part in parts:
        _link(archive / part.name, target / FOLDER / part.name)
    for path in archive.glob("*"):
        if path.is_file() and parts:
            shutil.copy2(path, target / FOLDER / path.name)
    if config.authority_folder.exists():
        shutil.copytree(config.authority_folder, target / AUTHORITY)
    for name in BROKER_FILES:
        if (config.data / name).exists():
            shutil.copy2(config.data / name, target / name)
    for key in config.key_folder.glob("*.key"):
        (target / KEYS).mkdir(exist_ok=True, mode=0o700)
        shutil.copy2(key, target / KEYS / key.name)


def _sizes(folder: Path) -> dict[str, int]:
    return {str(path.relative_to(folder)): path.stat().st_size for path in folder.rglob("*") if path.is_file()}


def _sync_all(folder: Path) -> None:
    for path in [*folder.rglob("*"), folder]:
        sync(path)


def _link(source: Path, target: Path) -> None:
    """Give a file a second name, or copy it to another disk; archive files are replaced, never changed."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target)
    except OSError as error:
        if error.errno not in {errno.EXDEV, errno.EPERM, errno.ENOTSUP, errno.EMLINK}:
            raise
        shutil.copy2(source, target)
