"""The journal and other processes: killed writers, torn files, a full disk, locks, followers."""

from __future__ import annotations

import asyncio
import os
import random
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from collector.journal import (
    Journal,
    JournalBusy,
    JournalDamaged,
    JournalError,
    JournalFull,
    JournalLocked,
    JournalMissing,
    JournalTooNew,
    JournalTooOld,
    JournalUnwritable,
    schema,
)
from collector.journal.opening import OpenToWrite
from domain.reading import Reading
from tests.collector import journal_child
from tests.collector.journal_child import BATCH, NAME, SETTINGS, batch

REPOSITORY = Path(__file__).parents[2]
DATABASE = "journal.sqlite"


@contextmanager
def _child(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "tests.collector.journal_child", *arguments]
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def _run_and_kill(folder: Path, lines: int) -> tuple[int, int]:
    """Let a child write, kill it some time after so many commits; return the last position and cursor it told."""
    with _child("write", str(folder)) as process:
        assert process.stdout is not None
        told = [process.stdout.readline() for _ in range(lines)]
        process.send_signal(signal.SIGKILL)
        told += process.stdout.read().splitlines(keepends=True)
    position, cursor = [line for line in told if line.endswith("\n")][-1].split()
    return int(position), int(cursor)


async def _stored(folder: Path, position: int) -> tuple[int, int, list[Reading]]:
    async with Journal.open(folder, settings=SETTINGS) as journal:
        stored = [r for n in range(journal_child.CHANNELS) for r in await journal.series(f"c{n}", 0, 2**60)]
        cursor = await journal.cursor(NAME) or 0
        last, left = await journal.read_after(cursor, journal.position)
        assert last == journal.position >= position
        assert left == _expected(journal.position)[cursor:]
        return journal.position, cursor, sorted(stored, key=lambda r: r.measured_at_ms)


def _expected(position: int) -> list[Reading]:
    return [reading for number in range(position // BATCH) for reading in batch(number)]


def test_killed_writer_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    """After kill -9 in the middle of commits, settling and trimming, every acknowledged reading is there once."""
    rng, kept = random.Random(7), 0
    for _ in range(8):
        told, told_cursor = _run_and_kill(tmp_path, rng.randint(1, 60))
        position, cursor, stored = asyncio.run(_stored(tmp_path, told))
        assert position >= told > kept
        assert cursor >= told_cursor
        assert stored == _expected(position)
        kept = position


async def test_opening_takes_as_many_steps_however_much_waits_to_be_settled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The log is not read before somebody asks or it is settled; a commit comes first, and then everything is told."""
    steps: list[int] = []

    def opened(folder: Path) -> sqlite3.Connection:
        connection = schema.open_writer(folder)
        connection.set_progress_handler(lambda: steps.append(1), 1)
        return connection

    monkeypatch.setattr("collector.journal.opening.open_writer", opened)
    async with Journal.open(tmp_path / "all") as journal:
        counted = []
        for portion in (range(1), range(1, 2 * 50_000 // BATCH)):
            await journal.commit([reading for number in portion for reading in batch(number)])
            copy = tmp_path / f"{portion.stop}"  # what kill -9 would leave
            shutil.copytree(tmp_path / "all", copy)
            steps.clear()
            OpenToWrite(copy, SETTINGS).close()
            counted.append(len(steps))
        assert counted[0] == counted[1] > 0
    end = 2 * 50_000 // BATCH
    for settled in (False, True):
        async with Journal.open(shutil.copytree(copy, tmp_path / f"settled {settled}")) as journal:
            assert journal.position == end * BATCH
            await journal.commit(batch(end))
            if settled:
                await journal.settle()
            expected = [reading for reading in _expected((end + 1) * BATCH) if reading.channel == "c3"]
            assert await journal.series("c3", 0, 2**60) == expected
            assert await journal.count() == journal.position == (end + 1) * BATCH


def _cuts(size: int, frame: int) -> Iterator[int]:
    """Yield lengths of a log cut inside its last three frames: every byte around the frames' ends, some between."""
    for back in range(3 * frame):
        if back % frame < 40 or back % frame > frame - 40 or back % 61 == 0:
            yield size - back


def test_torn_write_ahead_log_opens_as_a_prefix(tmp_path: Path) -> None:
    """However many bytes of its last frames a log lost, the journal opens with whole commits up to some point."""
    whole, torn = tmp_path / "whole", tmp_path / "torn"
    opened = OpenToWrite(whole, SETTINGS)
    for number in range(4):
        opened.writer.commit(batch(number), ())
    log, database = (whole / f"{DATABASE}-wal").read_bytes(), (whole / DATABASE).read_bytes()
    opened.close()
    found = set()
    for length in _cuts(len(log), 4096 + 24):
        torn.mkdir()
        (torn / DATABASE).write_bytes(database)
        (torn / f"{DATABASE}-wal").write_bytes(log[:length])
        found.add(_prefix(torn))
        shutil.rmtree(torn)
    assert 4 * BATCH in found
    assert len(found) > 1


def _prefix(folder: Path) -> int:
    reopened = OpenToWrite(folder, SETTINGS)
    rows = reopened.writer.connection.execute("SELECT ts, value FROM log ORDER BY position").fetchall()
    position = reopened.writer.position
    reopened.close()
    assert position % BATCH == 0
    assert rows == [(r.measured_at_ms, r.value) for r in _expected(position)]
    return position


def _commits_found(folder: Path, database: bytes, log: bytes) -> int:
    """Return how many whole commits SQLite finds in a database with this log, and that nothing else is in it."""
    (folder / DATABASE).write_bytes(database)
    (folder / f"{DATABASE}-wal").write_bytes(log)
    with closing(sqlite3.connect(folder / DATABASE, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous=OFF")
        rows = connection.execute("SELECT ts, value FROM log ORDER BY position").fetchall()
    assert rows == [(r.measured_at_ms, r.value) for r in _expected(len(rows))]
    return len(rows) // BATCH


def test_every_byte_of_the_last_commit_torn_or_changed_costs_that_commit_alone(tmp_path: Path) -> None:
    """Cut or changed at any offset of its last commit, the log brings back every commit before it."""
    whole, torn = tmp_path / "whole", tmp_path / "torn"
    torn.mkdir()
    opened = OpenToWrite(whole, SETTINGS)
    ends = []
    for number in range(4):
        opened.writer.commit(batch(number), ())
        ends.append((whole / f"{DATABASE}-wal").stat().st_size)
    log, database = (whole / f"{DATABASE}-wal").read_bytes(), (whole / DATABASE).read_bytes()
    opened.close()
    assert _commits_found(torn, database, log) == 4
    for offset in range(ends[2], ends[3]):
        assert _commits_found(torn, database, log[:offset]) == 3
        changed = log[:offset] + bytes((log[offset] ^ 0x10,)) + log[offset + 1 :]
        assert _commits_found(torn, database, changed) == 3


@contextmanager
def _small_disk(folder: Path) -> Iterator[bool]:
    """Leave the folder little room; yield whether it is a disk of its own or a limit on the size of files."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", str(folder)]
    if os.geteuid() == 0 and subprocess.run(mount, check=False, capture_output=True).returncode == 0:
        try:
            yield True
        finally:
            subprocess.run(["umount", "-l", str(folder)], check=True)
        return
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (3_000_000, before[1]))
    try:
        yield False
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


async def _fill(journal: Journal) -> int:
    """Commit until there is no room; return how many commits there are."""
    while (full := await _refusal(journal)) is None:
        pass
    assert full.retry
    return journal.position // BATCH


async def _refusal(journal: Journal) -> JournalFull | None:
    try:
        await journal.commit(batch(journal.position // BATCH))
    except JournalFull as full:
        return full
    return None


async def test_full_disk_acknowledges_nothing_that_is_not_stored(tmp_path: Path) -> None:
    """A commit that finds no room raises and stores nothing; what was acknowledged stays readable, also reopened."""
    folder = tmp_path / "small"
    with _small_disk(folder):
        async with Journal.open(folder, settings=SETTINGS) as journal:
            commits = await _fill(journal)
            assert journal.position == commits * BATCH
            assert await journal.count() == commits * BATCH
        async with Journal.open(folder, settings=SETTINGS) as journal:
            assert (await journal.read_after(0, 10**6))[1] == _expected(commits * BATCH)


async def test_full_disk_recovers_when_there_is_room(tmp_path: Path) -> None:
    """The same journal takes commits again as soon as something else on the disk goes away."""
    folder = tmp_path / "small"
    with _small_disk(folder) as own_disk:
        if not own_disk:
            pytest.skip("needs a disk of its own: mounting one takes root")
        (folder / "ballast").write_bytes(bytes(3_000_000))
        async with Journal.open(folder, settings=SETTINGS) as journal:
            commits = await _fill(journal)
            (folder / "ballast").unlink()
            assert await journal.commit(batch(commits)) == (commits + 1) * BATCH


async def test_second_writer_is_refused(tmp_path: Path) -> None:
    """Two writers never share a folder; the error names the process that holds it."""
    async with Journal.open(tmp_path):
        with pytest.raises(JournalLocked, match=str(os.getpid())):
            await Journal.open(tmp_path).__aenter__()
    async with Journal.open(tmp_path) as journal:
        assert journal.position == 0


async def test_another_program_holding_the_file_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A commit that waits too long for another program raises an error that may be tried again, and can be."""
    monkeypatch.setattr("collector.journal.schema._BUSY_MS", 50)
    async with Journal.open(tmp_path) as journal:
        with closing(sqlite3.connect(tmp_path / DATABASE, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(JournalBusy) as busy:
                await journal.commit(batch(0))
            assert busy.value.retry
        assert await journal.commit(batch(0)) == BATCH


async def test_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    """A path below a plain file gives one clear sentence."""
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(JournalUnwritable, match="cannot write into"):
        await Journal.open(tmp_path / "file" / "journal").__aenter__()


@contextmanager
def _unwritable(path: Path) -> Iterator[None]:
    if os.geteuid():
        path.chmod(0o444)
        yield
        return
    if subprocess.run(["chattr", "+i", str(path)], check=False, capture_output=True).returncode:
        pytest.skip("root may write everything here, and the file system knows no immutable files")
    try:
        yield
    finally:
        subprocess.run(["chattr", "-i", str(path)], check=True)


async def test_read_only_file_is_said(tmp_path: Path) -> None:
    """A file that may not be written is refused when the journal opens, not at the first commit."""
    async with Journal.open(tmp_path):
        pass
    with _unwritable(tmp_path / DATABASE), pytest.raises(JournalUnwritable):
        await Journal.open(tmp_path).__aenter__()


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ("UPDATE meta SET value = 999 WHERE key = 'schema_version'", JournalTooNew),
        ("DELETE FROM meta", JournalDamaged),
        ("DROP TABLE meta", JournalDamaged),
    ],
)
async def test_file_that_is_not_ours_to_read_is_refused(tmp_path: Path, change: str, error: type[JournalError]) -> None:
    """A newer schema, and a database that is no journal, are refused by writer and reader."""
    async with Journal.open(tmp_path):
        pass
    with closing(sqlite3.connect(tmp_path / DATABASE, isolation_level=None)) as other:
        other.execute(change)
    for read_only in (False, True):
        with pytest.raises(error):
            await Journal.open(tmp_path, read_only=read_only).__aenter__()


async def test_the_file_of_an_older_version_is_brought_up_to_date(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The writer takes the steps that are missing and keeps what is stored; who only reads asks for that first."""
    async with Journal.open(tmp_path) as journal:
        await journal.commit(batch(0))
    monkeypatch.setattr(schema, "STEPS", (*schema.STEPS, "ALTER TABLE series ADD COLUMN of_tomorrow INTEGER;"))
    with pytest.raises(JournalTooOld, match="start the service once"):
        await Journal.open(tmp_path, read_only=True).__aenter__()
    for _ in range(2):
        async with Journal.open(tmp_path) as journal:
            assert await journal.count() == BATCH
    with closing(sqlite3.connect(tmp_path / DATABASE)) as other:
        assert other.execute("SELECT count(of_tomorrow) FROM series").fetchone() == (0,)


async def test_no_database_at_all_is_refused(tmp_path: Path) -> None:
    """Bytes that are no database are called damaged; no file at all is missing for a reader."""
    with pytest.raises(JournalMissing):
        await Journal.open(tmp_path, read_only=True).__aenter__()
    (tmp_path / DATABASE).write_bytes(b"no database " * 1000)
    with pytest.raises(JournalDamaged):
        await Journal.open(tmp_path).__aenter__()


async def test_another_process_follows(tmp_path: Path) -> None:
    """A follower in another process gets every reading once, in order, while the writer settles and trims."""
    count = 60
    async with Journal.open(tmp_path, settings=SETTINGS) as journal:
        await journal.move_cursor(NAME, 0)
        with _child("follow", str(tmp_path), str(count * BATCH)) as process:
            assert process.stdout is not None
            for number in range(count):
                await journal.commit(batch(number))
                if number % 9 == 0:
                    await journal.settle()
            told = await asyncio.to_thread(process.stdout.read)
        assert told.splitlines() == [f"{r.channel} {r.measured_at_ms} {r.value!r}" for r in _expected(count * BATCH)]
        assert await journal.cursor(NAME) == count * BATCH
        await journal.settle()
        async with Journal.open(tmp_path, read_only=True) as other:
            assert await other.read_after(0, 10**6) == (0, [])
            assert await other.count() == count * BATCH


async def test_reader_of_another_process_tells_the_same(tmp_path: Path) -> None:
    """A journal opened read-only answers like the writer's before and after settling, and refuses to write."""
    async with Journal.open(tmp_path, settings=SETTINGS) as journal:
        await journal.commit(batch(0))
        async with Journal.open(tmp_path, settings=SETTINGS, read_only=True) as other:
            for number in range(1, 5):
                assert await other.latest() == await journal.latest()
                assert await other.series("c3", 0, 2**60) == await journal.series("c3", 0, 2**60)
                assert await other.count() == journal.position
                await journal.commit(batch(number))
                await journal.settle()
            with pytest.raises(JournalUnwritable):
                await other.commit(batch(9))
            with pytest.raises(JournalUnwritable):
                await other.settle()
