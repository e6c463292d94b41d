"""Readings that were copied from another store are history: they wake no rule, and nobody is alive by them."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from alerts.notification import NotificationKind
from domain.reading import Reading
from tests.app.judging import CHANNELS, Bench, bench, play, reading

SPOILT = [reading(at, 12) for at in range(-600, -500)]
"""An excursion that was over hours ago, as it is copied: as arriving when it was measured."""


async def copy(made: Bench, readings: list[Reading]) -> None:
    """Commit copies while no judge is running, and begin a new life."""
    await made.journal.commit(readings, copied=True)
    await made.live()
    await made.judge_all()


async def test_a_copied_excursion_tells_nobody(tmp_path: Path) -> None:
    """Nothing is found, nobody is told, and what comes live afterwards is judged as ever."""
    async with bench(tmp_path) as made:
        await copy(made, SPOILT)
        assert (await made.figures(), made.told(), made.judge.stats.readings) == ([], {}, 0)
        assert made.judge.position == len(SPOILT)
        await play(made, [reading(at, value) for at, value in enumerate([5, 9, 9, 9, 9, 5])])
        assert await made.figures() == [("warm", CHANNELS[0], 1, 4, 5, 9.0)]


@pytest.mark.parametrize("age_minutes", [0, 1, 30, 600])
async def test_a_silent_node_stays_silent(tmp_path: Path, age_minutes: int) -> None:
    """However young the copied readings are, the node is not heard by them: no all-clear, no second alarm."""
    async with bench(tmp_path) as made:
        await play(made, [reading(0, 5)])
        for _ in range(40):
            made.clock.move(timedelta(minutes=1))
            await made.judge_all()
        silent = await made.figures()
        assert [(each[0], each[4]) for each in silent] == [("silent", None)]
        await copy(made, [reading(40 - age_minutes - at, 12) for at in range(10, 0, -1)])
        made.clock.move(timedelta(minutes=40))
        await made.judge_all()
        assert await made.figures() == silent
        assert made.told() == {1: [NotificationKind.ALARM]}


async def test_what_arrived_before_a_copy_is_still_judged(tmp_path: Path) -> None:
    """Readings that a killed judge had not come to are judged, the copies between them and the next are not."""
    async with bench(tmp_path) as made:
        made.clock.move(timedelta(minutes=5))
        await made.journal.commit([reading(at, 9) for at in range(3)])
        await made.journal.commit(SPOILT, copied=True)
        await made.journal.commit([reading(at, 9) for at in range(3, 5)])
        await made.live()
        await made.judge_all()
        assert await made.figures() == [("warm", CHANNELS[0], 0, 3, None, 9.0)]
