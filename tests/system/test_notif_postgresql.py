"""The same store on a real PostgreSQL server, which runs for this module alone."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from tests.alerts.store_contract import StoreContract
from tests.system.servers import free_ports

pytestmark = pytest.mark.system


@dataclass
class Server:
    """Where the server listens."""

    port: int

    def url(self, name: str) -> str:
        """Return the address of a database for SQLAlchemy."""
        return f"postgresql+asyncpg://postgres@127.0.0.1:{self.port}/{name}"


def as_postgres(*command: str) -> list[str]:
    """Return the command for the user that PostgreSQL agrees to run as: it refuses root."""
    if os.geteuid() != 0:
        return [*command]
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", *command]


def binaries() -> Path:
    """Return the folder of the newest server, or skip."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        pytest.skip("PostgreSQL is not installed; the Debian package 'postgresql' has it")
    if importlib.util.find_spec("asyncpg") is None:
        pytest.skip("the Python package 'asyncpg' is not installed")
    return found[-1].parent


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """Run a server in a folder of its own, without durability, which this module does not test."""
    where = binaries()
    folder = Path(tempfile.mkdtemp(prefix="vitals-postgresql-"))
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres", "postgres")
        subprocess.run(
            as_postgres(str(where / "initdb"), "-D", f"{folder}/data", "-U", "postgres", "--auth=trust", "--no-sync"),
            check=True,
            capture_output=True,
            cwd=folder,
        )
        yield from _running(where, folder)
    finally:
        shutil.rmtree(folder)


def _running(where: Path, folder: Path) -> Iterator[Server]:
    (port,) = free_ports(1)
    options = ("-h", "127.0.0.1", "-p", str(port), "-k", str(folder), "-F")
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            as_postgres(str(where / "postgres"), "-D", f"{folder}/data", *options), stdout=log, stderr=log, cwd=folder
        )
    try:
        subprocess.run(
            ["sh", "-c", f"until {where}/pg_isready -q -h 127.0.0.1 -p {port}; do sleep 0.1; done"],
            check=True,
            timeout=60,
        )
        yield Server(port)
    finally:
        process.send_signal(signal.SIGINT)  # PostgreSQL's "fast" shutdown
        process.wait(30)


@pytest.fixture
async def database(server: Server) -> AsyncIterator[AsyncEngine]:
    """Give an engine on a fresh database of the server."""
    name = f"vitals_{os.urandom(6).hex()}"
    admin = create_async_engine(server.url("postgres"), isolation_level="AUTOCOMMIT")
    async with admin.connect() as connection:
        await connection.exec_driver_sql(f"CREATE DATABASE {name}")
    await admin.dispose()
    engine = create_async_engine(server.url(name))
    yield engine
    await engine.dispose()


class TestOnPostgresql(StoreContract):
    """The contract on PostgreSQL."""
