"""The past from two stores, joined."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.history import RECENT_MS, History
from collector.journal.rollup import Resolution, Rollup
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
        self.value, self.away = value, False
        self.asked: list[tuple[int, int]] = []

    async def series(self, channel: object, from_ms: int, to_ms: int, limit: int | None = None) -> list[Reading]:
        """Return a reading an hour."""
        del channel
        self._ask(from_ms, to_ms)
        moments = range(from_ms + -from_ms % HOUR_MS, to_ms, HOUR_MS)
        return [Reading("c", moment, self.value, Quality.GOOD, moment) for moment in moments][:limit]

    async def rollups(self, channel: object, from_ms: int, to_ms: int, resolution: Resolution) -> list[Rollup]:
        """Return a bucket each time."""
        del channel
        self._ask(from_ms, to_ms)
        starts = range(from_ms - from_ms % resolution, to_ms, resolution)
        return [Rollup(start, self.value, self.value, self.value, 1, 60.0) for start in starts]

    async def kept(self, channel: str) -> Kept:
        """Return that readings before today were deleted."""
        del channel
        return Kept(NOW_MS)

    def _ask(self, from_ms: int, to_ms: int) -> None:
        self.asked.append((from_ms, to_ms))
        if self.away:
            raise PeerError("away")


@pytest.fixture
def stores() -> tuple[Store, Store, History]:
    """Return the journal, InfluxDB and the history of both."""
    journal, influx = Store(1.0), Store(2.0)
    return journal, influx, History(journal, influx, lambda: Directory(channels=[CHANNEL]), StoppedClock(NOW_MS))


async def test_each_part_comes_from_the_store_that_has_it(stores: tuple[Store, Store, History]) -> None:
    """Every hour and day once, in order, whoever answered."""
    _, _, history = stores
    found = await history.series("c", SEAM_MS - 3 * HOUR_MS, SEAM_MS + 2 * HOUR_MS)
    assert [each.value for each in found] == [2.0, 2.0, 2.0, 1.0, 1.0]
    days = await history.rollups("c", SEAM_MS - 2 * DAY_MS + 5, SEAM_MS + DAY_MS, Resolution.DAY)
    assert [(each.start_ms - SEAM_MS) // DAY_MS for each in days] == [-2, -1, 0]
    assert [each.mean for each in days] == [2.0, 2.0, 1.0]


@pytest.mark.parametrize(
    ("from_ms", "to_ms", "asked"),
    [
        (SEAM_MS, NOW_MS, ["journal"]),
        (SEAM_MS + 1, NOW_MS, ["journal"]),
        (SEAM_MS - DAY_MS, SEAM_MS, ["journal", "influxdb"]),
        (SEAM_MS - DAY_MS, SEAM_MS - HOUR_MS, ["influxdb"]),
    ],
)
async def test_nobody_is_asked_for_nothing(
    stores: tuple[Store, Store, History], from_ms: int, to_ms: int, asked: list[str]
) -> None:
    """A chart of today costs InfluxDB nothing."""
    journal, influx, history = stores
    await history.rollups("c", from_ms, to_ms, Resolution.HOUR)
    names = {"journal": journal, "influxdb": influx}
    assert [name for name, store in names.items() if store.asked] == [name for name in asked if names[name].asked]
    assert influx.asked or "influxdb" not in asked


async def test_a_limit_counts_for_both_together(stores: tuple[Store, Store, History]) -> None:
    """What InfluxDB gave is taken off what the journal is asked for."""
    _, _, history = stores
    for limit, values in ((2, [2.0, 2.0]), (3, [2.0] * 3), (4, [2.0] * 3 + [1.0])):
        found = await history.series("c", SEAM_MS - 3 * HOUR_MS, NOW_MS, limit)
        assert [each.value for each in found] == values


async def test_while_influxdb_is_away_the_journal_answers(stores: tuple[Store, Store, History]) -> None:
    """With whatever it has; the trouble is told and forgotten when it is over."""
    _, influx, history = stores
    influx.away = True
    assert {each.value for each in await history.series("c", SEAM_MS - HOUR_MS, NOW_MS)} == {1.0}
    assert {each.mean for each in await history.rollups("c", SEAM_MS - HOUR_MS, NOW_MS, Resolution.HOUR)} == {1.0}
    assert history.trouble == "away"
    assert await history.kept("c") == Kept(NOW_MS)
    influx.away = False
    await history.series("c", SEAM_MS - HOUR_MS, NOW_MS)
    assert history.trouble == ""
    assert await history.kept("c") == Kept()


async def test_channels_that_are_registered_no_more_are_the_journals(stores: tuple[Store, Store, History]) -> None:
    """InfluxDB would have to be told what they measured."""
    journal, influx, history = stores
    await history.series("gone", SEAM_MS - HOUR_MS, NOW_MS)
    assert journal.asked
    assert not influx.asked
