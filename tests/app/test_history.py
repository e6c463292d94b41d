"""The past from two stores, joined."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest

from app.history import LEFT_ALONE_MS, RECENT_MS, TOLD_MS, History
from collector.journal.rollup import Resolution, Rollup
from domain.channel_day import ChannelDay
from domain.directory import Directory
from domain.errors import PeerError
from domain.instant import DAY_MS, HOUR_MS
from domain.kept import Kept
from domain.places import Channel
from domain.quantities import QUANTITIES
from domain.reading import Quality, Reading
from tests.collector.intake import StoppedClock

NOW_MS = 1_760_054_400_000 + 7 * HOUR_MS
SEAM_MS = 1_760_054_400_000 - RECENT_MS
CHANNEL = Channel("c", "f", "e", "n", "c", QUANTITIES["temperature"], timedelta(hours=1))


class Store:
    """Hourly readings whose value says who answered; keeps what it was asked."""

    def __init__(self, value: float) -> None:
        self.value, self.away, self.readings = value, False, 1
        self.kept_from_ms, self.kept_to_ms = 0, NOW_MS
        self.asked: list[tuple[int, int]] = []

    async def series(self, channel: object, from_ms: int, to_ms: int, limit: int | None = None) -> list[Reading]:
        """Return a reading an hour."""
        del channel
        self._ask(from_ms, to_ms)
        moments = range(from_ms + -from_ms % HOUR_MS, to_ms, HOUR_MS)
        return [Reading("c", moment, self.value, Quality.GOOD, moment) for moment in moments if self._has(moment)][
            :limit
        ]

    async def rollups(self, channel: object, from_ms: int, to_ms: int, resolution: Resolution) -> list[Rollup]:
        """Return a bucket each time."""
        del channel
        self._ask(from_ms, to_ms)
        starts = range(from_ms - from_ms % resolution, to_ms, resolution)
        kept = (start for start in starts if self._has(start))
        return [Rollup(start, self.value, self.value, self.value, self.readings, 60.0) for start in kept]

    async def days(self, channels: Sequence[object], from_ms: int, to_ms: int) -> list[ChannelDay]:
        """Return a day each time for the one channel."""
        rollups = await self.rollups(channels[0], from_ms, to_ms, Resolution.DAY)
        return [ChannelDay("c", each[0], *each[4:5], *each[1:4], 60_000, 0, 0, 0) for each in rollups]

    async def days_changed(self, position: int, from_ms: int, to_ms: int) -> tuple[int, frozenset[str]]:
        """Return that the channel changed."""
        del from_ms, to_ms
        return position + 1, frozenset("c")

    def _has(self, moment: int) -> bool:
        return self.kept_from_ms <= moment < self.kept_to_ms

    async def kept(self, channel: str) -> Kept:
        """Return that readings before today were deleted."""
        del channel
        return Kept(NOW_MS)

    def _ask(self, from_ms: int, to_ms: int) -> None:
        self.asked.append((from_ms, to_ms))
        if self.away:
            raise PeerError("away")


@pytest.fixture
def clock() -> StoppedClock:
    """Return the clock of the history."""
    return StoppedClock(NOW_MS)


@pytest.fixture
def stores(clock: StoppedClock) -> tuple[Store, Store, History]:
    """Return the journal, InfluxDB and the history of both."""
    journal, influx = Store(1.0), Store(2.0)
    return journal, influx, History(journal, influx, lambda: Directory(channels=[CHANNEL]), clock)


async def test_recent_hours_are_the_journals_and_old_moments_too_where_it_has_them(
    stores: tuple[Store, Store, History],
) -> None:
    """Every hour and day once, in order; the journal's where both have one."""
    journal, _, history = stores
    journal.kept_from_ms = SEAM_MS - HOUR_MS
    found = await history.series("c", SEAM_MS - 3 * HOUR_MS, SEAM_MS + 2 * HOUR_MS)
    assert [each.value for each in found] == [2.0, 2.0, 1.0, 1.0, 1.0]
    assert [each.measured_at_ms for each in found] == [SEAM_MS + n * HOUR_MS for n in range(-3, 2)]
    journal.kept_from_ms = SEAM_MS - DAY_MS
    days = await history.rollups("c", SEAM_MS - 2 * DAY_MS + 5, SEAM_MS + DAY_MS, Resolution.DAY)
    assert [(each.start_ms - SEAM_MS) // DAY_MS for each in days] == [-2, -1, 0]
    assert [each.mean for each in days] == [2.0, 1.0, 1.0]


async def test_what_is_not_forwarded_yet_is_no_hole(stores: tuple[Store, Store, History]) -> None:
    """A backlog older than two days shows before InfluxDB has it; a fuller roll-up stands for an emptier one."""
    journal, influx, history = stores
    influx.kept_to_ms = SEAM_MS - 10 * HOUR_MS
    found = await history.series("c", SEAM_MS - 12 * HOUR_MS, SEAM_MS)
    assert [each.measured_at_ms for each in found] == [SEAM_MS - n * HOUR_MS for n in range(12, 0, -1)]
    influx.kept_to_ms, influx.readings = NOW_MS, 9
    days = await history.rollups("c", SEAM_MS - DAY_MS, SEAM_MS + DAY_MS, Resolution.DAY)
    assert [each.mean for each in days] == [2.0, 1.0]
    journal.readings = 10
    days = await history.rollups("c", SEAM_MS - DAY_MS, SEAM_MS + DAY_MS, Resolution.DAY)
    assert [each.mean for each in days] == [1.0, 1.0]


async def test_days_of_many_channels_come_from_both_each_once(stores: tuple[Store, Store, History]) -> None:
    """The fuller one of two, the journal's of two that know as much; its own alone while InfluxDB is away."""
    journal, influx, history = stores
    journal.kept_from_ms = SEAM_MS - 2 * DAY_MS

    async def means() -> list[float | None]:
        found = await history.days(["c", "gone"], SEAM_MS - 3 * DAY_MS, SEAM_MS + DAY_MS)
        return [each.mean for each in sorted(found)]

    assert await means() == [2.0, 1.0, 1.0, 1.0]
    influx.readings = 9
    assert await means() == [2.0, 2.0, 2.0, 1.0]
    influx.away = True
    assert await means() == [1.0, 1.0, 1.0]
    assert history.trouble == "away"
    assert await history.days_changed(4, 0, NOW_MS) == (5, frozenset("c"))


async def test_a_chart_of_today_costs_influxdb_nothing(stores: tuple[Store, Store, History]) -> None:
    """Only what is older than two days is asked for there."""
    _, influx, history = stores
    await history.rollups("c", SEAM_MS, NOW_MS, Resolution.HOUR)
    await history.series("c", SEAM_MS + 1, NOW_MS)
    assert influx.asked == []
    await history.series("c", SEAM_MS - HOUR_MS, NOW_MS)
    assert influx.asked == [(SEAM_MS - HOUR_MS, SEAM_MS)]


async def test_a_limit_counts_for_both_together(stores: tuple[Store, Store, History]) -> None:
    """The first ones of both, whoever has them."""
    journal, _, history = stores
    journal.kept_from_ms = SEAM_MS
    for limit, values in ((2, [2.0, 2.0]), (3, [2.0] * 3), (4, [2.0] * 3 + [1.0])):
        found = await history.series("c", SEAM_MS - 3 * HOUR_MS, NOW_MS, limit)
        assert [each.value for each in found] == values


async def test_while_influxdb_is_away_the_journal_answers(
    stores: tuple[Store, Store, History], clock: StoppedClock
) -> None:
    """With whatever it has; the trouble is told, InfluxDB left alone for a while, and all is well when it is back."""
    journal, influx, history = stores
    journal.kept_from_ms = SEAM_MS
    influx.away = True
    assert {each.value for each in await history.series("c", SEAM_MS - HOUR_MS, NOW_MS)} == {1.0}
    assert {each.mean for each in await history.rollups("c", SEAM_MS - HOUR_MS, NOW_MS, Resolution.HOUR)} == {1.0}
    assert history.trouble == "away"
    assert len(influx.asked) == 1
    assert await history.kept("c") == Kept(NOW_MS)
    influx.away = False
    clock.shows_ms += LEFT_ALONE_MS
    assert {each.value for each in await history.series("c", SEAM_MS - HOUR_MS, NOW_MS)} == {1.0, 2.0}
    assert history.trouble == ""


async def test_old_trouble_is_told_no_more(stores: tuple[Store, Store, History], clock: StoppedClock) -> None:
    """Where nobody asks for old readings, pages do not speak of a failure for ever."""
    _, influx, history = stores
    influx.away = True
    await history.series("c", SEAM_MS - HOUR_MS, NOW_MS)
    clock.shows_ms += TOLD_MS
    assert history.trouble == ""
    assert await history.kept("c") == Kept()


async def test_channels_that_are_registered_no_more_are_the_journals(stores: tuple[Store, Store, History]) -> None:
    """InfluxDB would have to be told what they measured."""
    journal, influx, history = stores
    await history.series("gone", SEAM_MS - HOUR_MS, NOW_MS)
    assert journal.asked
    assert not influx.asked
