"""``vitals store restore``: a backup becomes the data of a service that has none."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from sqlalchemy.engine import make_url

from app.config import ServiceConfig
from app.database import make_folder
from app.store.backup import AUTHORITY, BROKER_FILES, KEYS, SQL_FILE, sqlite_file, verify
from app.store.postgresql import DUMP_FILE, load_dump, require_empty
from collector.journal.archive.parquet import sync
from collector.journal.archive.shelf import FOLDER
from collector.journal.schema import FILE_NAME
from domain.errors import OperatorError

Say = Callable[[str], None]


async def restore(config: ServiceConfig, source: Path, *, say: Say) -> None:
    """Put a verified backup where the configuration wants its data; the journal last, so that a cut run is seen.

    Raises ``OperatorError`` where there are data already, or the backup is not whole, or its SQL database is of
    another kind than the configured one.
    """
    manifest = verify(source)
    moves = _moves(config, source)
    on_server = await _for_server(config, source, say)
    for _, target in moves:
        if target.exists():
            raise OperatorError(f"there is {target} already: move it away first, nothing is ever written over it")
    make_folder(config.data)
    if on_server is not None:
        load_dump(config.database_url, on_server, lambda: False)
        say(f"{make_url(config.database_url).render_as_string()}")
    for each, target in moves:
        say(f"{target}")
        _place(each, target)
    since = manifest["last_received_at"]
    say(f"restored as of {manifest['made_at']}; start the service now")
    if since is not None:
        say(f"nodes may still have what came later: vitals node command NODE resend from={since} to=NOW --config ...")


async def _for_server(config: ServiceConfig, source: Path, say: Say) -> Path | None:
    """Return the dump that is to be loaded into the configured server; None where there is nothing to load."""
    dump, kept = source / DUMP_FILE, source / SQL_FILE
    if sqlite_file(config) is not None:
        if dump.exists():
            raise OperatorError(f"{source} holds a PostgreSQL database; name a PostgreSQL server as `database` for it")
        return None
    if kept.exists():
        raise OperatorError(f"{source} holds an SQLite database; leave `database` out of the configuration for it")
    if not dump.exists():
        say("NOT IN IT: the SQL database; restore it with PostgreSQL's own tools before you start the service")
        return None
    await require_empty(config.database_url)
    return dump


def _moves(config: ServiceConfig, source: Path) -> list[tuple[Path, Path]]:
    sql = sqlite_file(config)
    wanted = [
        (source / FOLDER, config.data / FOLDER),
        (source / KEYS, config.key_folder),
        (source / AUTHORITY, config.authority_folder),
        *((source / name, config.data / name) for name in BROKER_FILES),
        *([] if sql is None else [(source / SQL_FILE, sql)]),
        (source / FILE_NAME, config.data / FILE_NAME),
    ]
    return [(each, target) for each, target in wanted if each.exists()]


def _place(source: Path, target: Path) -> None:
    unfinished = target.with_name(f".{target.name}.unfinished")
    try:
        if source.is_dir():
            shutil.rmtree(unfinished, ignore_errors=True)
            shutil.copytree(source, unfinished)
        else:
            shutil.copy2(source, unfinished)
        for each in [unfinished, *unfinished.rglob("*")]:
            sync(each)
        unfinished.rename(target)
        sync(target.parent)
    except OSError as error:
        raise OperatorError(f"{target} cannot be written: {error}") from error
