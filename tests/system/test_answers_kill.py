"""kill -9 while an answer is heard: it counts once, whenever the gateway hands it over again."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from tests.alerts.answers.people_desk import Office, an_office
from tests.alerts.given import sqlite_database

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.system


async def killed_after(word: bytes, path: Path, mode: str) -> None:
    """Run a child until it has said a word, and kill it then."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "tests.system.answers_child", str(path), mode),
        stdout=asyncio.subprocess.PIPE,
        cwd=ROOT,
    )
    try:
        assert process.stdout is not None
        assert await process.stdout.readline() == word
    finally:
        process.kill()
        await process.wait()


async def trace(office: Office) -> tuple[object, ...]:
    """Return everything that an answer leaves behind."""
    return await office.judge.store.audit(1), await office.inbox(), await office.replies()


async def test_killed_between_commit_and_telling_the_gateway(tmp_path: Path) -> None:
    """The gateway hands the text over again, and nothing changes."""
    await killed_after(b"heard\n", tmp_path / "vitals.db", "after")
    async with sqlite_database(f"{tmp_path}/vitals.db") as database:
        office = await an_office(database)
        before = await trace(office)
        assert (await office.replies())[0].startswith("Help is called, Joseph told now")
        assert await office.hear("2", reference="modem-1") == ""
        assert await trace(office) == before


async def test_killed_before_the_commit(tmp_path: Path) -> None:
    """Nothing of it happened; handed over again it happens once."""
    await killed_after(b"acted\n", tmp_path / "vitals.db", "before")
    async with sqlite_database(f"{tmp_path}/vitals.db") as database:
        office = await an_office(database)
        assert await office.inbox() == []
        assert (await office.hear("2", reference="modem-1")).startswith("Help is called, Joseph told now")
        assert [entry.what for entry in await office.judge.store.audit(1)].count("help_wanted") == 1
