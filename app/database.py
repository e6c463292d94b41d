"""The SQL database of registry, alerts and the judge: SQLite by default, PostgreSQL by configuration."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiosqlite
from sqlalchemy import URL, event, make_url
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import ArgumentError, InterfaceError, NoSuchModuleError, OperationalError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from domain.errors import OperatorError

BUSY_SECONDS = 30


@asynccontextmanager
async def open_database(url: str | URL) -> AsyncIterator[AsyncEngine]:
    """Open the database and close it at the end; raise ``OperatorError`` where it cannot be used."""
    engine = _engine(url)
    try:
        try:
            async with engine.connect():
                pass
        except OSError as error:  # a server that is away; whatever else raises it later is not the database's
            raise _unusable(engine, error) from error
        yield engine
    except SQLAlchemyError as error:
        if getattr(error, "connection_invalidated", False):
            raise
        raise _unusable(engine, error) from error
    finally:
        await engine.dispose()


def _engine(url: str | URL) -> AsyncEngine:
    try:
        sqlite = make_url(url).get_backend_name() == "sqlite"
        engine = create_async_engine(url, connect_args={"async_creator_fn": _connect_sqlite} if sqlite else {})
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError) as error:
        raise OperatorError(
            f"database: {error}; allowed: sqlite+aiosqlite:///FILE or postgresql+asyncpg://USER@HOST/NAME"
        ) from error
    if sqlite:
        event.listen(engine.sync_engine, "connect", _prepare_sqlite)
    return engine


async def _connect_sqlite(*arguments: Any, **options: Any) -> aiosqlite.Connection:
    """Open the file before aiosqlite has a thread: one that could not open it would outlive the event loop."""
    opened = await asyncio.to_thread(sqlite3.connect, *arguments, **{**options, "check_same_thread": False})
    connection = aiosqlite.Connection(lambda: opened, iter_chunk_size=64)
    connection._thread.daemon = True  # noqa: SLF001 - as SQLAlchemy does: a process that fails must be able to end
    return await connection


def _prepare_sqlite(connection: Any, _: Any) -> None:
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", f"busy_timeout={BUSY_SECONDS * 1000}"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def count_errors(engine: AsyncEngine) -> Callable[[], int]:
    """Count from now on how often the database itself failed, and not what it was asked; return who knows."""
    failed = 0

    def note(context: ExceptionContext) -> None:
        nonlocal failed
        failed += isinstance(context.sqlalchemy_exception, (OperationalError, InterfaceError))

    event.listen(engine.sync_engine, "handle_error", note)
    return lambda: failed


def _unusable(engine: AsyncEngine, error: Exception) -> OperatorError:
    return OperatorError(f"the database {engine.url.render_as_string()} cannot be used: {_cause(error)}")


def _cause(error: BaseException) -> str:
    cause = getattr(error, "orig", None) or error
    return str(cause).splitlines()[0]


def make_folder(folder: Path) -> None:
    """Make the folder that the database and the journal stand in; raise ``OperatorError`` where that cannot be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OperatorError(f"the data folder {folder} cannot be made: {error.strerror}") from error
