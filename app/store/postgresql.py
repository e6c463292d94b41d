"""The SQL database on a PostgreSQL server in backups, by PostgreSQL's own tools: ``pg_dump`` and ``pg_restore``."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from sqlalchemy import URL, inspect
from sqlalchemy.engine import make_url

from app.database import open_database
from app.store.copying import Stopped
from domain.errors import OperatorError

DUMP_FILE = "vitals.pgdump"
"""In a backup; PostgreSQL's custom format, compressed."""
_LOOK_SECONDS = 0.2


def dump_database(url: str | URL, target: Path, stopped: Stopped) -> None:
    """Write the database as of one moment into a file; raise ``OperatorError`` where that fails."""
    wanted = ("--format=custom", "--no-owner", "--no-privileges", f"--file={target}")
    _run("pg_dump", wanted, stopped, _environment(make_url(url)))


def verify_dump(path: Path, stopped: Stopped) -> None:
    """Read a dump from its beginning to its end; raise ``OperatorError`` where it is damaged."""
    _run("pg_restore", (f"--file={os.devnull}", str(path)), stopped)


def load_dump(url: str | URL, source: Path, stopped: Stopped) -> None:
    """Restore a dump into an empty database, all of it or nothing; raise ``OperatorError`` where that fails."""
    target = make_url(url)
    wanted = ("--exit-on-error", "--single-transaction", "--no-owner", "--no-privileges", f"--dbname={target.database}")
    _run("pg_restore", (*wanted, str(source)), stopped, _environment(target))


async def require_empty(url: str | URL) -> None:
    """Raise ``OperatorError`` where the database has tables, or cannot be reached."""
    async with open_database(url) as database, database.connect() as connection:
        tables = await connection.run_sync(lambda there: inspect(there).get_table_names())
    if tables:
        shown = make_url(url).render_as_string()
        raise OperatorError(f"the database {shown} has tables already: name an empty one, nothing is written over")


def _run(tool: str, arguments: Sequence[str], stopped: Stopped, environment: Mapping[str, str] | None = None) -> None:
    path = shutil.which(tool)
    if path is None:
        raise OperatorError(f"{tool} is not installed; the Debian package postgresql-client has it")
    with subprocess.Popen(  # noqa: S603 - PostgreSQL's own tool, no shell
        [path, "--no-password", *arguments] if environment is not None else [path, *arguments],
        env={**os.environ, **(environment or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    ) as process:
        while True:
            try:
                _, said = process.communicate(timeout=_LOOK_SECONDS)
                break
            except subprocess.TimeoutExpired:
                if stopped():
                    process.kill()
                    raise OperatorError(f"{tool} was stopped") from None
    if process.returncode:
        raise OperatorError(f"{tool} failed: {' '.join(said.split())[:500] or f'exit code {process.returncode}'}")


def _environment(url: URL) -> dict[str, str]:
    """Return where and as whom to connect; in the environment, because command lines are for everybody to read."""
    query = {name: value if isinstance(value, str) else value[0] for name, value in url.query.items()}
    found = {
        "PGHOST": url.host or query.get("host"),
        "PGPORT": None if url.port is None else str(url.port),
        "PGUSER": url.username,
        "PGPASSWORD": url.password,
        "PGDATABASE": url.database,
        "PGSSLMODE": query.get("ssl") or query.get("sslmode"),
    }
    return {name: value for name, value in found.items() if value}
