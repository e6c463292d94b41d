"""Archive, export, backup and restore as a person runs them."""

from __future__ import annotations

import asyncio
import csv
import itertools
import json
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from app.build import App
from app.cli import main
from app.config import ServiceConfig, read_config
from app.store.archive import parse_month
from app.store.names import view_sql
from collector.journal import Journal
from domain.errors import OperatorError
from domain.instant import HOUR_MS
from domain.reading import Quality, Reading
from tests.cases.folders import CASES
from tests.collector import journal_child

FRIDGE = "clinic/fridge-1/temperature"
JULY_MS, AUGUST_MS = parse_month("2025-07"), parse_month("2025-08")


def vitals(*arguments: object) -> Result:
    """Run the command line."""
    return CliRunner().invoke(main, [str(argument) for argument in arguments], catch_exceptions=False)


def hourly(channel: str, from_ms: int, hours: int) -> list[Reading]:
    """Return a reading an hour."""
    moments = range(from_ms, from_ms + hours * HOUR_MS, HOUR_MS)
    return [Reading(channel, m, 4 + n % 7 / 10, Quality.GOOD, m + 900) for n, m in enumerate(moments)]


READINGS = [
    *hourly(FRIDGE, JULY_MS + 300 * HOUR_MS, 600),
    Reading(FRIDGE, AUGUST_MS + 1, None, Quality.SENSOR_GONE, AUGUST_MS + 2),
]


@pytest.fixture
def config_path(tmp_path: Path) -> Path:
    """Give a service's file, its registry and its readings of two months."""
    path = tmp_path / "vitals.yaml"
    path.write_text("data: data\n")
    assert vitals("registry", "import", CASES / "clinic.yaml", "--config", path).exit_code == 0

    async def commit() -> None:
        async with Journal.open(service(path).data) as journal:
            await journal.commit(READINGS)
            await journal.move_cursor("judge", 10)

    asyncio.run(commit())
    (tmp_path / "data" / "node-keys").mkdir()
    (tmp_path / "data" / "node-keys" / "clinic-1.key").write_text("secret")
    return path


def service(path: Path) -> ServiceConfig:
    """Return what the file says."""
    return read_config(path, {})


@contextmanager
def running(path: Path) -> Iterator[None]:
    """Have somebody else hold the journal as its writer, as a running service does."""
    started, stop = threading.Event(), threading.Event()

    async def live() -> None:
        async with Journal.open(service(path).data):
            started.set()
            await asyncio.to_thread(stop.wait)

    thread = threading.Thread(target=lambda: asyncio.run(live()))
    thread.start()
    assert started.wait(30)
    try:
        yield
    finally:
        stop.set()
        thread.join()


def cursors(path: Path) -> dict[str, int]:
    """Return the journal's cursors."""

    async def ask() -> dict[str, int]:
        async with Journal.open(service(path).data, read_only=True) as journal:
            return await journal.cursors()

    return asyncio.run(ask())


def stored(path: Path) -> list[Reading]:
    """Return everything the fridge's journal tells."""

    async def ask() -> list[Reading]:
        async with Journal.open(service(path).data, read_only=True) as journal:
            return await journal.series(FRIDGE, 0, 2**60)

    return asyncio.run(ask())


def sorted_readings() -> list[Reading]:
    """Return what was committed, in order of time, each moment once."""
    kept = {reading.measured_at_ms: reading for reading in READINGS}
    return [kept[moment] for moment in sorted(kept)]


def test_archived_by_hand_everything_is_still_told(config_path: Path) -> None:
    """After ``store archive`` the journal tells the same, a second run has nothing to do, DuckDB knows the names."""
    before = stored(config_path)
    done = vitals("store", "archive", "--config", config_path)
    assert "2025-07: part 1 written" in done.output
    assert "written" not in vitals("store", "archive", "--config", config_path).output
    assert stored(config_path) == before == sorted_readings()
    with duckdb.connect() as connection:
        connection.execute(view_sql(f"{service(config_path).data}/archive/"))
        question = "SELECT facility, quantity, unit, month, count(*), min(received_at - measured_at) FROM readings"
        rows = connection.execute(f"{question} GROUP BY ALL ORDER BY month").fetchall()
    assert [row[:4] for row in rows] == [("clinic", "temperature", "celsius", m) for m in ("2025-07", "2025-08")]
    assert sum(row[4] for row in rows) == len(before)


def test_the_running_service_archives_by_itself(config_path: Path) -> None:
    """With ``archive`` in its configuration the service moves old months, and keeps the names beside them."""
    config_path.write_text("data: data\nlisten: {port: 0}\njournal: {settle_after_seconds: 0.01, archive: {}}\n")
    archive = service(config_path).data / "archive"
    settled = service(config_path).journal.model_copy(update={"archive": None})

    async def settle() -> None:
        async with Journal.open(service(config_path).data, settings=settled) as journal:
            await journal.settle()

    async def live() -> None:
        async with App(service(config_path)), asyncio.timeout(60):
            while not (archive / "month=2025-08" / "000.parquet").exists():  # noqa: ASYNC110 - another's work
                await asyncio.sleep(0.02)

    asyncio.run(settle())
    asyncio.run(live())
    assert pq.read_table(archive / "channels.parquet").num_rows > 0
    assert stored(config_path) == sorted_readings()


def test_without_pyarrow_it_is_said_what_to_install(config_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the extra is not installed, archiving, and a question for an archived month, name it."""
    vitals("store", "archive", "--config", config_path)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    done = vitals("store", "archive", "--config", config_path)
    assert done.exit_code == 2
    assert "pip install 'vitals[server,archive]'" in done.output
    with pytest.raises(OperatorError, match="pip install"):
        stored(config_path)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("archive", "--month", "July"), "found 'July'; allowed: a month such as 2026-08"),
        (("archive", "--month", "2999-01"), "is not over yet"),
        (("export", "--from", "soon", "--to", "2025-08-01", "--out", "x"), "allowed: a time such as 2026-11-20"),
        (("export", "--from", "2025-08-01", "--to", "2025-07-01", "--out", "x"), "the first must be the earlier"),
        (("export", "--from", "2025-07-01", "--to", "2025-08-01", "--out", "x", "--facility", "no"), "no channel"),
        (("restore", "nothing-here"), "is not a backup of Vitals"),
    ],
)
def test_mistakes_read_well(config_path: Path, arguments: tuple[str, ...], words: str) -> None:
    """What was found and what is allowed, and the exit code of an operator's mistake."""
    done = vitals("store", *arguments, "--config", config_path)
    assert done.exit_code == 2
    assert words in done.output


def test_beside_a_running_service_archiving_is_refused(config_path: Path) -> None:
    """Who archives by hand while the service writes is told how it is done."""
    with running(config_path):
        done = vitals("store", "archive", "--config", config_path)
    assert done.exit_code == 2
    assert "it archives by itself" in done.output


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_export_has_every_reading_with_its_names(config_path: Path, tmp_path: Path, kind: str) -> None:
    """All formats tell the same, also while the service runs, for archived and young months; a second run goes on."""
    vitals("store", "archive", "--month", "2025-07", "--config", config_path)
    asked = ["store", "export", "--from", "2025-07-01", "--to", "2025-09-01", "--district", "kasese", "--format", kind]
    district = pq.read_table(write_names_of(config_path))["district"][0].as_py()
    asked[asked.index("kasese")] = district
    with running(config_path):
        assert vitals(*asked, "--out", tmp_path / "out", "--config", config_path).exit_code == 0
    files = sorted((tmp_path / "out").glob(f"*.{kind}"))
    assert [file.stem for file in files] == ["readings-2025-07", "readings-2025-08"]
    rows = list(itertools.chain.from_iterable(map(read, files)))
    assert [(row["channel"], float(row["value"]) if row["value"] not in {"", None} else None) for row in rows] == [
        (FRIDGE, reading.value) for reading in sorted_readings()
    ]
    assert {(row["unit"], row["facility"]) for row in rows} == {("celsius", "clinic")}
    files[0].unlink()
    again = vitals(*asked, "--out", tmp_path / "out", "--config", config_path)
    assert f"readings-2025-08.{kind}: is there already" in again.output
    assert files[0].exists()
    other = vitals(*asked, "--facility", "clinic", "--out", tmp_path / "out", "--config", config_path)
    assert "another export" in other.output


def write_names_of(path: Path) -> Path:
    """Return the table of channels beside the archive."""
    return service(path).data / "archive" / "channels.parquet"


def read(file: Path) -> list[dict[str, str]]:
    """Return the rows of an exported file."""
    if file.suffix == ".csv":
        with file.open(encoding="utf-8", newline="") as opened:
            return list(csv.DictReader(opened))
    if file.suffix == ".jsonl":
        return [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    rows: list[dict[str, str]] = pq.read_table(file).to_pylist()
    return rows


def test_a_restored_backup_tells_the_same(config_path: Path, tmp_path: Path) -> None:
    """A backup made beside the running service, moved to an empty machine, answers like the original."""
    vitals("store", "archive", "--month", "2025-07", "--config", config_path)
    with running(config_path):
        done = vitals("store", "backup", "--to", tmp_path / "b", "--config", config_path)
    assert done.exit_code == 0, done.output
    assert cursors(config_path) == {"judge": 10}
    (made,) = (tmp_path / "b").iterdir()
    before = stored(config_path)
    refused = vitals("store", "restore", made, "--config", config_path)
    assert refused.exit_code == 2
    assert "move it away first" in refused.output
    shutil.rmtree(service(config_path).data)
    done = vitals("store", "restore", made, "--config", config_path)
    assert done.exit_code == 0, done.output
    assert "resend from=2025-08-07T11:00:00.900Z" in done.output
    assert stored(config_path) == before
    assert cursors(config_path) == {"judge": 10}
    assert (service(config_path).data / "node-keys" / "clinic-1.key").read_text() == "secret"
    assert vitals("store", "export", "--from", "2025-07-01", "--to", "2025-08-01", "--facility", "clinic",
                  "--out", tmp_path / "out", "--config", config_path).exit_code == 0  # fmt: skip


def test_a_backup_beside_a_writer_at_full_rate_is_a_moment_of_it(config_path: Path, tmp_path: Path) -> None:
    """While another process commits as fast as it can, the copy holds whole commits up to some moment."""
    (tmp_path / "busy.yaml").write_text("data: busy\n")
    command = [sys.executable, "-m", "tests.collector.journal_child", "write", str(tmp_path / "busy")]
    with subprocess.Popen(command, cwd=Path(__file__).parents[2], stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        told = writer.stdout.readline()
        threading.Thread(target=writer.stdout.read).start()
        try:
            done = vitals("store", "backup", "--to", tmp_path / "b", "--config", tmp_path / "busy.yaml")
        finally:
            writer.kill()
    assert done.exit_code == 0, done.output
    (made,) = (tmp_path / "b").iterdir()

    async def ask() -> list[Reading]:
        async with Journal.open(made, read_only=True) as journal:
            found = [await journal.series(f"c{n}", 0, 2**60) for n in range(journal_child.CHANNELS)]
            return sorted(itertools.chain.from_iterable(found), key=lambda r: r.measured_at_ms)

    found = asyncio.run(ask())
    whole = len(found) // journal_child.BATCH
    assert found == [reading for number in range(whole) for reading in journal_child.batch(number)]
    assert whole * journal_child.BATCH >= int(told.split()[0])


def test_a_damaged_backup_is_refused(config_path: Path, tmp_path: Path) -> None:
    """A backup from which something was lost or changed is never restored."""
    vitals("store", "archive", "--month", "2025-07", "--config", config_path)
    vitals("store", "backup", "--to", tmp_path / "b", "--config", config_path)
    (made,) = (tmp_path / "b").iterdir()
    shutil.rmtree(service(config_path).data)
    for name in ("archive/month=2025-07/000.parquet", "vitals.db", "journal.sqlite"):
        broken = tmp_path / "broken"
        shutil.copytree(made, broken)
        content = (broken / name).read_bytes()
        (broken / name).write_bytes(content[: len(content) // 2])
        assert vitals("store", "restore", broken, "--config", config_path).exit_code == 2
        assert not (service(config_path).data / "journal.sqlite").exists()
        shutil.rmtree(broken)
