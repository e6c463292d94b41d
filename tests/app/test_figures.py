"""The figures of facilities, kept up to date beside a real journal."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from app.figures import SETTLED_MS, FiguresKeeper
from collector.journal import Journal
from dashboards.figures.tally import Cold, Stretch
from domain.channel_day import ChannelDay
from domain.directory import Directory
from domain.errors import PeerError
from domain.instant import DAY_MS, HOUR_MS
from domain.limits import ALWAYS_MS, LimitsSince
from domain.places import Channel, Equipment, EquipmentKind, Facility
from domain.quantities import QUANTITIES
from domain.reading import Quality, Reading
from tests.collector.intake import StoppedClock

MIDNIGHT_MS = 1_760_054_400_000
HOURLY = timedelta(hours=1)
SAFE = {"low": 2.0, "high": 8.0}
NAMES = [f"hc-{number}" for number in range(60)]


class CountedJournal:
    """A journal that tells which channels it was asked for."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self.asked: list[str] = []
        self.away = False

    async def days(self, channels: Sequence[str], from_ms: int, to_ms: int) -> list[ChannelDay]:
        """Answer as the journal does."""
        if self.away:
            raise PeerError("away")
        self.asked += channels
        return await self._journal.days(channels, from_ms, to_ms)

    async def days_changed(self, position: int, from_ms: int, to_ms: int) -> tuple[int, frozenset[str]]:
        """Answer as the journal does."""
        return await self._journal.days_changed(position, from_ms, to_ms)


def a_directory(names: Sequence[str], district: str = "Kasese") -> Directory:
    """Return facilities with a fridge each."""
    return Directory(
        facilities=[Facility(each, each, "Uganda", "Rwenzori", district) for each in names],
        equipment=[Equipment(f"{each}/fridge", each, EquipmentKind.FRIDGE, "Fridge") for each in names],
        channels=[
            Channel(f"{each}/t", each, f"{each}/fridge", "n", "t", QUANTITIES["temperature"], HOURLY, SAFE)
            for each in names
        ],
    )


def day_of_readings(channel: str, value: float, midnight_ms: int) -> list[Reading]:
    """Return a reading an hour."""
    moments = range(midnight_ms, midnight_ms + DAY_MS, HOUR_MS)
    return [Reading(channel, moment, value, Quality.GOOD, moment) for moment in moments]


@pytest.fixture
def clock() -> StoppedClock:
    """Return a clock that stands where yesterday has just come to count."""
    return StoppedClock(MIDNIGHT_MS + DAY_MS + SETTLED_MS)


async def test_a_day_counts_an_hour_after_it_is_over_and_late_readings_correct_it(
    tmp_path: Path, clock: StoppedClock
) -> None:
    """All facilities once a day, afterwards only what changed; the cut fridge shows its heat."""
    directory = a_directory(NAMES)
    async with Journal.open(tmp_path, interval_of=lambda _: HOUR_MS) as journal:
        journal.judge_by({each: (LimitsSince(ALWAYS_MS, 2.0, 8.0),) for each in directory.channels})
        for each in directory.channels:
            await journal.commit(day_of_readings(each, 5.0, MIDNIGHT_MS))
        await journal.settle()
        past = CountedJournal(journal)
        keeper = FiguresKeeper(past, lambda: directory, clock)
        assert keeper.figures.of("hc-7", Stretch.WEEK).now.cold == Cold()
        clock.shows_ms -= 1
        await keeper.look()
        assert keeper.figures.of("hc-7", Stretch.WEEK).now.cold == Cold(7 * DAY_MS)
        clock.shows_ms += 1
        await keeper.look()
        assert sorted(past.asked) == sorted(2 * list(directory.channels))
        assert keeper.figures.end_ms == MIDNIGHT_MS + DAY_MS
        assert keeper.figures.missing == 0
        assert keeper.figures.of("hc-7", Stretch.WEEK).now.cold == Cold(DAY_MS, DAY_MS)

        past.asked.clear()
        await keeper.look()
        assert past.asked == []
        late_ms = MIDNIGHT_MS + 6 * HOUR_MS + HOUR_MS // 2
        await journal.commit([Reading("hc-7/t", late_ms, 9.0, Quality.GOOD, late_ms)])
        await journal.settle()
        await keeper.look()
        assert past.asked == ["hc-7/t"]
        assert keeper.figures.of("hc-7", Stretch.WEEK).now.cold == Cold(DAY_MS, DAY_MS, 0, HOUR_MS // 2)
        assert keeper.figures.of("hc-8", Stretch.WEEK).now.cold == Cold(DAY_MS, DAY_MS)


async def test_the_registry_changes_what_is_watched(tmp_path: Path, clock: StoppedClock) -> None:
    """A facility that came is worked out, one that went is gone, one that only moved is not read again."""
    known = [a_directory(NAMES[:3])]
    async with Journal.open(tmp_path, interval_of=lambda _: HOUR_MS) as journal:
        past = CountedJournal(journal)
        keeper = FiguresKeeper(past, lambda: known[0], clock)
        await keeper.look()
        past.asked.clear()
        known[0] = a_directory(NAMES[1:4], district="Bunyangabu")
        await keeper.look()
        assert past.asked == ["hc-3/t"]
        assert keeper.figures.by_facility.keys() == {"hc-1", "hc-2", "hc-3"}
        assert keeper.figures.missing == 0


async def test_what_fails_leaves_what_was_known_and_is_done_at_the_next_look(
    tmp_path: Path, clock: StoppedClock
) -> None:
    """Figures of yesterday stay while today's cannot be read; nothing that changed meanwhile is forgotten."""
    directory = a_directory(NAMES[:2])
    async with Journal.open(tmp_path, interval_of=lambda _: HOUR_MS) as journal:
        past = CountedJournal(journal)
        keeper = FiguresKeeper(past, lambda: directory, clock)
        await keeper.look()
        before = keeper.figures
        await journal.commit(day_of_readings("hc-1/t", 5.0, MIDNIGHT_MS + DAY_MS))
        await journal.settle()
        clock.shows_ms += DAY_MS
        past.away = True
        with pytest.raises(PeerError):
            await keeper.look()
        assert dataclasses.replace(keeper.figures) == before
        past.away = False
        await keeper.look()
        assert keeper.figures.of("hc-1", Stretch.WEEK).now.cold.span_ms == 7 * DAY_MS
        assert keeper.figures.end_ms == before.end_ms + DAY_MS
