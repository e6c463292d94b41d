"""Archiving that is cut off: at every single step, and by kill -9 at random."""

from __future__ import annotations

import asyncio
import random
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from collector.journal import Journal
from collector.journal.archive import archiver, parquet
from domain.reading import Reading
from tests.collector import journal_child
from tests.collector.journal_child import ARCHIVING, BATCH, batch
from tests.collector.journal_world import CHANNELS, NaiveJournal, agrees, interval_of, reading
from tests.collector.test_archive import LATER_MS, SMALL, left_in_database

REPOSITORY = Path(__file__).parents[2]


def _before_and_after(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, look: Callable[[], None]) -> None:
    original = getattr(owner, name)

    def looked_at(*arguments: Any) -> Any:
        look()
        result = original(*arguments)
        look()
        return result

    monkeypatch.setattr(owner, name, looked_at)


async def test_cut_off_at_any_step_everything_is_there_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What lies on the disk before and after every step of archiving and folding answers right and can be finished."""
    live, copies = tmp_path / "live", tmp_path / "copies"
    taken: list[Path] = []

    def take() -> None:
        target = copies / str(len(taken))
        shutil.copytree(live, target, ignore=shutil.ignore_patterns("*-shm", "*.lock"))
        taken.append(target)

    old = [reading(n, n / 7, channel) for channel in ("a", "b/temperature") for n in range(30)]
    late = [reading(n + 0.5, 2.0, "a") for n in range(8)] + [reading(3, 99.0, "a")]
    async with Journal.open(live, settings=SMALL, interval_of=interval_of) as journal:
        for arrived in (old, late):
            await journal.commit(arrived)
            await journal.settle()
            with monkeypatch.context() as patched:
                for owner, name in (
                    (parquet.PartWriter, "_write_group"),
                    (parquet, "sync"),
                    (archiver.Archiver, "_list"),
                    (archiver.Archiver, "_delete_held"),
                ):
                    _before_and_after(patched, owner, name, take)
                await journal.archive(LATER_MS)
            if arrived is old:
                early = len(taken)
    assert len(taken) > early > 10
    for number, folder in enumerate(taken):
        expected = NaiveJournal()
        expected.commit(old if number < early else old + late)
        async with Journal.open(folder, settings=SMALL, interval_of=interval_of) as journal:
            for _ in range(2):
                assert await journal.series("a", 0, 2**60) == expected.series("a")
                assert await journal.count() == len(expected.kept)
                assert await journal.latest() == expected.latest()
                await journal.archive(LATER_MS)
            assert not list(folder.glob("archive/*/*.tmp"))


async def test_stopped_at_any_channel_it_goes_on_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Archiving that is cancelled, again and again, leaves no file half written, no wrong answer, and gets done."""
    naive, add = NaiveJournal(), parquet.PartWriter.add
    arrived = [reading(n, n / 7, channel) for channel in CHANNELS for n in range(20)]
    naive.commit(arrived)
    async with Journal.open(tmp_path, settings=SMALL, interval_of=interval_of) as journal:
        await journal.commit(arrived)
        await journal.settle()
        for at in (*range(4), 10**6):
            task, added = asyncio.create_task(journal.archive(LATER_MS)), count()

            def add_and_stop(
                *arguments: Any, at: int = at, task: asyncio.Task[None] = task, added: Any = added
            ) -> None:
                if next(added) == at:
                    task.get_loop().call_soon_threadsafe(task.cancel)
                add(*arguments)

            monkeypatch.setattr(parquet.PartWriter, "add", add_and_stop)
            await asyncio.wait([task])
            await agrees(journal, naive)
        assert not task.cancelled()
        assert await left_in_database(journal) == 0


def test_killed_while_archiving_every_acknowledged_reading_is_there_once(tmp_path: Path) -> None:
    """After kill -9 in the middle of commits, settling, archiving and folding, nothing is lost and nothing twice."""
    rng, told = random.Random(11), 0
    for _ in range(6):
        told = max(told, _run_and_kill(tmp_path, rng.randint(5, 80)))
        assert asyncio.run(_stored(tmp_path)) >= told
    assert list(tmp_path.glob("archive/month=*/*.parquet"))


def _run_and_kill(folder: Path, lines: int) -> int:
    command = [sys.executable, "-m", "tests.collector.journal_child", "archive", str(folder)]
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        told = [process.stdout.readline() for _ in range(lines)]
        process.send_signal(signal.SIGKILL)
        told += process.stdout.read().splitlines(keepends=True)
    return int([line for line in told if line.endswith("\n")][-1].split()[0])


async def _stored(folder: Path) -> int:
    async with Journal.open(folder, settings=ARCHIVING) as journal:
        position = journal.position
        expected = [reading for number in range(position // BATCH) for reading in batch(number)]
        stored: list[Reading] = []
        for number in range(journal_child.CHANNELS):
            stored += await journal.series(f"c{number}", 0, 2**60)
        assert Counter(stored) == Counter(expected)
        assert await journal.count() == len(expected)
        return position
