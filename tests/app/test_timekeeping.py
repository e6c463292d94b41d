"""Somebody sets the clock of the machine while the service runs or is away: no timer fires or is forgotten."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from alerts.notification import NotificationKind
from app.clock import SteadyClock
from app.timekeeping import Timekeeper
from domain.instant import HOUR_MS, MINUTE_MS
from domain.reading import Quality, Reading
from tests.app.judging import CHANNELS, START_MS, Bench, Fuse, bench

ALARM, CLEAR = NotificationKind.ALARM, NotificationKind.ALL_CLEAR
SET = pytest.mark.parametrize("hours", [2, -2, 24 * 365, -24 * 365])


@dataclass
class Site:
    """A service on a machine whose clock somebody sets; its sensors have the right time throughout."""

    made: Bench
    set_ms: int = 0

    async def minutes(self, count: int, *, heard: bool) -> None:
        """Let minutes pass, in which the node is heard or not."""
        for _ in range(count):
            self.made.clock.move(timedelta(minutes=1))
            if heard:
                await self.made.journal.commit([self._reading()])
            await self.made.judge_all()

    async def live(self) -> None:
        """Begin a new life of the service, on the same machine."""
        self.made.steady = self.steady()
        await self.made.live()

    def steady(self) -> SteadyClock:
        """Return the clock of the parts."""
        hand = self.made.clock
        return SteadyClock(lambda: hand.now_ms() + self.set_ms, lambda: hand.now_ms() - START_MS)

    def _reading(self) -> Reading:
        assert self.made.steady is not None
        return Reading(CHANNELS[0], self.made.clock.now_ms(), 5.0, Quality.GOOD, self.made.steady.now_ms())


@asynccontextmanager
async def site(folder: Path, fuse: Fuse | None = None) -> AsyncIterator[Site]:
    """Open a service that has heard of its node."""
    async with bench(folder, fuse=fuse) as made:
        there = Site(made)
        there.made.steady = there.steady()
        await Timekeeper(made.database, there.made.steady, "this-boot").create_tables()
        await there.live()
        await there.minutes(2, heard=True)
        yield there


@SET
async def test_silence_is_counted_as_if_nobody_had_set_the_clock(tmp_path: Path, hours: int) -> None:
    """The rule says 25 minutes: 10 before and 15 after, not at once and not hours later; then it is heard again."""
    async with site(tmp_path) as there:
        await there.minutes(10, heard=False)
        there.set_ms = hours * HOUR_MS
        await there.minutes(14, heard=False)
        assert there.made.told() == {}
        await there.minutes(2, heard=False)
        assert there.made.told() == {1: [ALARM]}
        await there.minutes(2, heard=True)
        assert there.made.told() == {1: [ALARM, CLEAR]}


@SET
async def test_the_clock_is_set_while_the_service_is_away(tmp_path: Path, hours: int) -> None:
    """The next life on the same machine knows, and counts on."""
    async with site(tmp_path) as there:
        await there.minutes(10, heard=False)
        there.set_ms = hours * HOUR_MS
        there.made.clock.move(timedelta(minutes=1))
        await there.live()
        await there.minutes(13, heard=False)
        assert there.made.told() == {}
        await there.minutes(2, heard=False)
        assert there.made.told() == {1: [ALARM]}


@SET
async def test_a_node_that_is_heard_stays_heard(tmp_path: Path, hours: int) -> None:
    """Whatever the clock does, again and again, a node that goes on sending is never told of."""
    async with site(tmp_path) as there:
        for turn in range(3):
            there.set_ms += (-1) ** turn * hours * HOUR_MS
            await there.minutes(40, heard=True)
        assert (there.made.told(), await there.made.figures()) == ({}, [])


@pytest.mark.parametrize("hours", [2, -2])
@pytest.mark.parametrize("burns", range(1, 12))
async def test_a_kill_while_the_clock_is_followed_moves_timers_once(tmp_path: Path, hours: int, burns: int) -> None:
    """Killed at any step, the next life moves what was not moved, and nothing twice."""
    fuse = Fuse()
    async with site(tmp_path, fuse) as there:
        await there.minutes(10, heard=False)
        there.set_ms = hours * HOUR_MS
        fuse.light(burns)
        await there.minutes(14, heard=False)
        fuse.light()
        assert there.made.told() == {}
        await there.minutes(2, heard=False)
        assert there.made.told() == {1: [ALARM]}


async def test_the_service_says_how_often_the_clock_was_set(tmp_path: Path) -> None:
    """One jump is counted once; the machine's small corrections are none."""
    async with site(tmp_path) as there:
        there.set_ms = HOUR_MS
        await there.minutes(3, heard=True)
        there.set_ms += MINUTE_MS // 60
        await there.minutes(3, heard=True)
        assert there.made.judge.stats.clock_jumps == 1
