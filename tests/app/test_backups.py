"""A backup taken while a service writes, and what a restored one knows."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from app.backups import MANIFEST, back_up, restore
from app.cli import main
from app.config import ServiceConfig
from collector.journal import Journal
from domain.errors import OperatorError
from tests.collector import journal_child
from tests.collector.journal_child import BATCH, SETTINGS, batch

REPOSITORY = Path(__file__).parents[2]
NOW = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)


def nothing(_name: str, _share: float) -> None:
    """Show no progress."""


@pytest.fixture
def config(tmp_path: Path) -> ServiceConfig:
    """Return the configuration of a service with a database, a key and an authority."""
    data = tmp_path / "data"
    (data / "node-keys").mkdir(parents=True)
    (data / "node-keys" / "n1.key").write_text("k" * 64, "utf-8")
    with closing(sqlite3.connect(data / "vitals.db")) as connection:
        connection.executescript("CREATE TABLE alerts(id INTEGER); INSERT INTO alerts VALUES(7);")
    return ServiceConfig(data=data)


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Let another process commit as fast as it can."""
    command = [sys.executable, "-m", "tests.collector.journal_child", "write", str(folder)]
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            for _ in range(5):
                process.stdout.readline()
            yield
            assert process.poll() is None, "the writer had to stop"
        finally:
            process.kill()


async def test_a_backup_of_a_journal_that_is_written_is_one_moment_of_it(config: ServiceConfig, tmp_path: Path) -> None:
    """Everything up to its last reading and nothing else, in order of arrival; the writer goes on."""
    with writing(config.data):
        done = back_up(config, tmp_path / "backups", now=NOW, progress=nothing)
    assert done.readings > 0
    fresh = ServiceConfig(data=tmp_path / "fresh")
    assert restore(fresh, done.folder, progress=nothing).readings == done.readings
    async with Journal.open(fresh.data, settings=SETTINGS) as journal:
        assert journal.position == done.readings
        expected = [reading for number in range(done.readings // BATCH) for reading in batch(number)]
        for channel in range(journal_child.CHANNELS):
            stored = await journal.series(f"c{channel}", 0, 2**60)
            assert stored == [each for each in expected if each.channel == f"c{channel}"]
        await journal.commit(batch(done.readings // BATCH))
    with closing(sqlite3.connect(fresh.data / "vitals.db")) as connection:
        assert connection.execute("SELECT id FROM alerts").fetchall() == [(7,)]
    assert (fresh.data / "node-keys" / "n1.key").read_text("utf-8") == "k" * 64


async def test_a_backup_is_not_there_before_it_is_complete(config: ServiceConfig, tmp_path: Path) -> None:
    """One that was cut short has another name, and the next one says so."""
    async with Journal.open(config.data) as journal:
        await journal.commit(batch(0))

    def fail(_name: str, _share: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        back_up(config, tmp_path / "backups", now=NOW, progress=fail)
    assert [each.suffix for each in (tmp_path / "backups").iterdir()] == [".partial"]
    with pytest.raises(OperatorError, match="cut short"):
        back_up(config, tmp_path / "backups", now=NOW, progress=nothing)


async def test_nothing_is_overwritten(config: ServiceConfig, tmp_path: Path) -> None:
    """A folder with data, and one that a service writes into, are left as they are."""
    async with Journal.open(config.data) as journal:
        await journal.commit(batch(0))
        done = back_up(config, tmp_path / "backups", now=NOW, progress=nothing)
        with pytest.raises(OperatorError):
            restore(config, done.folder, progress=nothing)
    with pytest.raises(OperatorError, match="nothing is overwritten"):
        restore(config, done.folder, progress=nothing)
    with pytest.raises(OperatorError, match="is no backup"):
        restore(ServiceConfig(data=tmp_path / "fresh"), tmp_path, progress=nothing)


async def test_on_the_command_line(config: ServiceConfig, tmp_path: Path) -> None:
    """One line says where it is and how much it holds; an empty service has nothing to copy."""
    (tmp_path / "vitals.yaml").write_text("data: data\n", "utf-8")
    arguments = ["store", "backup", "--config", str(tmp_path / "vitals.yaml"), "--to", str(tmp_path / "b")]
    empty = CliRunner().invoke(main, arguments)
    assert (empty.exit_code, "nothing was stored yet" in empty.output) == (2, True)
    (next((tmp_path / "b").iterdir())).rename(tmp_path / "away")
    async with Journal.open(config.data) as journal:
        await journal.commit(batch(0))
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output
    folder = Path(result.output.partition(": ")[0])
    assert json.loads((folder / MANIFEST).read_text("utf-8"))["readings"] == BATCH
