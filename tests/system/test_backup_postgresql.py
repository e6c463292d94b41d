"""A service whose SQL database is on a real PostgreSQL server: backed up and restored with everything else."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import create_async_engine

from app.check import registered
from app.config import ServiceConfig
from app.registry_commands import import_registry
from app.store.backup import MANIFEST, backup
from app.store.postgresql import DUMP_FILE
from app.store.restore import restore
from collector.journal import Journal
from domain.errors import OperatorError
from domain.reading import Quality, Reading
from registry.history import Occasion
from tests.cases.folders import CASES
from tests.system.test_broker_config import NOW
from tests.system.test_notif_postgresql import Server, server  # noqa: F401 - a fixture

pytestmark = pytest.mark.system

START_MS = 1_760_054_400_000


@pytest.fixture
async def places(server: Server, tmp_path: Path) -> tuple[ServiceConfig, ServiceConfig]:  # noqa: F811
    """Give a service with a registry and readings, and an empty place for another one."""
    found = []
    admin = create_async_engine(server.url("postgres"), isolation_level="AUTOCOMMIT")
    for place in ("here", "there"):
        name = f"vitals_{place}_{os.urandom(6).hex()}"
        async with admin.connect() as connection:
            await connection.exec_driver_sql(f"CREATE DATABASE {name}")
        found.append(ServiceConfig(data=tmp_path / place, database=server.url(name)))
    await admin.dispose()
    here, there = found
    await import_registry(here, CASES / "clinic.yaml", Occasion(START_MS), say=print)
    async with Journal.open(here.data) as journal:
        await journal.commit([Reading("c", START_MS + n, 4.5, Quality.GOOD, START_MS + n) for n in range(100)])
    return here, there


async def made(config: ServiceConfig, folder: Path, *, without_server: bool = False) -> tuple[Path, str]:
    """Return a backup, and what was said on the way."""
    said: list[str] = []
    return await backup(config, folder, now=NOW, say=said.append, without_server=without_server), "\n".join(said)


async def test_everything_comes_back(places: tuple[ServiceConfig, ServiceConfig], tmp_path: Path) -> None:
    """Registry and readings are the same in another database and folder; a second restore writes nothing over."""
    here, there = places
    copy, said = await made(here, tmp_path / "backups")
    assert f"{DUMP_FILE}: the SQL database on the server" in said
    await restore(there, copy, say=print)
    before, after = await registered(here), await registered(there)
    assert after.channels == before.channels
    assert after.contacts == before.contacts
    async with Journal.open(there.data, read_only=True) as journal:
        assert await journal.count() == 100
    shutil.rmtree(there.data)
    with pytest.raises(OperatorError, match="has tables already: name an empty one"):
        await restore(there, copy, say=print)
    assert not there.data.exists()


async def test_a_damaged_dump_is_refused(places: tuple[ServiceConfig, ServiceConfig], tmp_path: Path) -> None:
    """Cut or changed, it is found before anything is restored."""
    here, there = places
    copy, _ = await made(here, tmp_path / "backups")
    whole = (copy / DUMP_FILE).read_bytes()
    for content in (whole[: len(whole) // 2], whole[:1000] + b"\0" * (len(whole) - 1000)):
        (copy / DUMP_FILE).write_bytes(content)
        with pytest.raises(OperatorError):
            await restore(there, copy, say=print)
        assert not there.data.exists()


async def test_what_is_left_out_is_said(
    places: tuple[ServiceConfig, ServiceConfig], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the tools there is no backup, unless one is asked for without the database; both ends say so."""
    here, there = places
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    with pytest.raises(OperatorError, match="pg_dump is not installed; the Debian package postgresql-client has it"):
        await made(here, tmp_path / "backups")
    copy, said = await made(here, tmp_path / "backups", without_server=True)
    assert "LEFT OUT: the SQL database" in said
    assert DUMP_FILE not in (copy / MANIFEST).read_text()
    told: list[str] = []
    await restore(there, copy, say=told.append)
    assert told[0].startswith("NOT IN IT: the SQL database")


async def test_a_backup_of_another_kind_of_database_is_refused(
    places: tuple[ServiceConfig, ServiceConfig], tmp_path: Path
) -> None:
    """PostgreSQL's into SQLite, or the other way round, would leave the service without its registry."""
    here, there = places
    copy, _ = await made(here, tmp_path / "backups")
    with pytest.raises(OperatorError, match="holds a PostgreSQL database"):
        await restore(ServiceConfig(data=tmp_path / "small"), copy, say=print)
    small = ServiceConfig(data=tmp_path / "small")
    await import_registry(small, CASES / "clinic.yaml", Occasion(START_MS), say=print)
    async with Journal.open(small.data):
        pass
    copy, _ = await made(small, tmp_path / "others")
    with pytest.raises(OperatorError, match="holds an SQLite database"):
        await restore(there, copy, say=print)


async def test_the_server_says_why(places: tuple[ServiceConfig, ServiceConfig], tmp_path: Path) -> None:
    """A password on the way is not shown."""
    here, _ = places
    assert here.database is not None
    away = here.model_copy(update={"database": "postgresql+asyncpg://vitals:a-secret@127.0.0.1:1/vitals"})
    with pytest.raises(OperatorError, match="pg_dump failed: ") as caught:
        await made(away, tmp_path / "backups")
    assert "a-secret" not in str(caught.value)
    assert list((tmp_path / "backups").iterdir()) == []
