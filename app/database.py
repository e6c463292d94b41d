"""The SQL database of registry, alerts and the judge: SQLite by default, PostgreSQL by configuration."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import event
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from domain.errors import OperatorError

BUSY_SECONDS = 30


@asynccontextmanager
async def open_database(url: str) -> AsyncIterator[AsyncEngine]:
    """Open the database and close it at the end; raise ``OperatorError`` where it cannot be used."""
    engine = _engine(url)
    try:
        async with engine.connect():
            pass
        yield engine
    except (SQLAlchemyError, OSError) as error:
        if isinstance(error, SQLAlchemyError) and getattr(error, "connection_invalidated", False):
            raise
        raise OperatorError(f"the database {engine.url.render_as_string()} cannot be used: {_cause(error)}") from error
    finally:
        await engine.dispose()


def _engine(url: str) -> AsyncEngine:
    try:
        engine = create_async_engine(url)
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError) as error:
        raise OperatorError(
            f"database: {error}; allowed: sqlite+aiosqlite:///FILE or postgresql+asyncpg://USER@HOST/NAME"
        ) from error
    if engine.dialect.name == "sqlite":
        event.listen(engine.sync_engine, "connect", _prepare_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _: Any) -> None:
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", f"busy_timeout={BUSY_SECONDS * 1000}"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _cause(error: BaseException) -> str:
    cause = getattr(error, "orig", None) or error
    return str(cause).splitlines()[0]
