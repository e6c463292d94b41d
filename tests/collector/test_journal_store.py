"""The journal's single answers: values, cursors, followers, dead letters, retention, upkeep."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.journal import Journal, JournalSettings, LetterFilter, Resolution, Retention, RetentionSettings, Rollup
from collector.journal.packed import Insert, fetch
from domain.instant import DAY_MS, HOUR_MS, MINUTE_MS
from domain.reading import Quality
from domain.rejection import Reason, Rejected
from tests.collector.journal_child import StandingClock
from tests.collector.journal_world import CHANNELS, MIDNIGHT_MS, interval_of, reading

FRIDGE, MAINS, ODD = CHANNELS
SMALL = JournalSettings(slice_rows=2, rejected_per_reason=3, rejected_payload_bytes=8, recent_readings=4)
DAY = (MIDNIGHT_MS, MIDNIGHT_MS + DAY_MS)


@given(st.lists(st.floats(allow_nan=False) | st.none(), max_size=50))
def test_packed_rows_bring_every_number_back(values: list[float | None]) -> None:
    """Whatever is written with many VALUES and read as one text is the same to the last bit."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE t(ts INTEGER, value REAL)")
        Insert("INSERT INTO t", 2).run(connection, [part for row in enumerate(values) for part in row])
        assert sorted(fetch(connection, "ts, value", "FROM t")) == list(enumerate(values))


def test_insert_takes_more_rows_than_one_statement() -> None:
    """Rows beyond the size of one statement are inserted too, in order."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE t(ts INTEGER, value REAL)")
        Insert("INSERT INTO t", 2).run(connection, [part for n in range(20_001) for part in (n, n / 3)])
        assert connection.execute("SELECT count(*), max(ts) FROM t").fetchone() == (20_001, 20_000)


async def test_empty_journal_has_empty_answers(tmp_path: Path) -> None:
    """Questions about nothing are answered with nothing."""
    async with Journal.open(tmp_path / "made" / "on the way") as journal:
        assert await journal.commit([]) == 0
        assert await journal.read_after(0, 10) == (0, [])
        assert await journal.series("unknown", *DAY) == []
        assert await journal.before("unknown", DAY[1]) is None
        assert await journal.rollups("unknown", *DAY, Resolution.HOUR) == []
        assert await journal.latest() == {}
        assert await journal.cursor("nobody") is None
        assert (await journal.count(), journal.position) == (0, 0)


async def test_better_reading_of_one_moment_stays(tmp_path: Path) -> None:
    """Of two readings with one key the better quality stays, whichever came first."""
    gone, good = reading(0, None), reading(0, 5.0)
    doubted = reading(0, 7.0, quality=Quality.UNCERTAIN)
    async with Journal.open(tmp_path) as journal:
        await journal.commit([gone, good, doubted])
        assert await journal.series(FRIDGE, *DAY) == [good]
        await journal.settle()
        await journal.commit([doubted, gone])
        assert await journal.latest() == {FRIDGE: good}
        await journal.settle()
        assert await journal.series(FRIDGE, *DAY) == [good]


async def test_follower_is_woken_by_a_commit(tmp_path: Path) -> None:
    """Who waits for readings beyond a position goes on when some are committed."""
    async with Journal.open(tmp_path) as journal:
        waiting = asyncio.create_task(journal.wait_beyond(0))
        await asyncio.sleep(0)
        assert not waiting.done()
        await journal.commit([reading(0, 1.0), reading(1, 2.0)])
        assert await waiting == 2
        assert await journal.wait_beyond(1) == 2


async def test_cancelled_commit_still_wakes_followers(tmp_path: Path) -> None:
    """A commit whose caller went away is either stored and announced, or not stored at all."""
    async with Journal.open(tmp_path) as journal:
        commit = asyncio.create_task(journal.commit([reading(0, 1.0)]))
        await asyncio.sleep(0)
        commit.cancel()
        await journal.commit([reading(1, 2.0)])
        assert await journal.wait_beyond(0) == await journal.count()


async def test_lagging_follower_reads_from_the_file(tmp_path: Path) -> None:
    """Readings that left the memory of recent ones come from the log, the same and in order."""
    arrived = [reading(n, n / 3, CHANNELS[n % 3]) for n in range(20)]
    async with Journal.open(tmp_path, settings=SMALL) as journal:
        for n in range(0, 20, 2):
            await journal.commit(arrived[n : n + 2])
        followed, position = [], 0
        while position < journal.position:
            position, some = await journal.read_after(position, 3)
            followed += some
        assert followed == arrived


async def test_rows_stay_until_every_cursor_has_passed(tmp_path: Path) -> None:
    """Settled rows leave the log when the last follower has passed them, or is dropped."""

    async def left() -> int:
        async with Journal.open(tmp_path, read_only=True) as other:
            return len((await other.read_after(0, 100))[1])

    async with Journal.open(tmp_path, settings=SMALL) as journal:
        await journal.move_cursor("quick", 0)
        await journal.move_cursor("slow", 0)
        await journal.commit([reading(n, 1.0) for n in range(10)])
        await journal.move_cursor("quick", 10)
        await journal.settle()
        assert await left() == 10
        await journal.move_cursor("slow", 4)
        await journal.settle()
        assert await left() == 6
        await journal.drop_cursor("slow")
        await journal.settle()
        assert await left() == 0
    async with Journal.open(tmp_path) as journal:
        assert (journal.position, await journal.cursor("quick"), await journal.cursor("slow")) == (10, 10, None)
        assert await journal.commit([reading(20, 1.0)]) == 11


def _rejected(number: int, reason: Reason = Reason.MALFORMED) -> Rejected:
    return Rejected(reason, f"detail {number}", "vitals/v1/n/up/live", None, b"0123456789" + bytes([number]), number)


async def test_rejected_are_bounded_by_reason_and_all_counted(tmp_path: Path) -> None:
    """A flood of one reason pushes out only its own; payloads are cut; counts tell all there ever were."""
    async with Journal.open(tmp_path, settings=SMALL) as journal:
        await journal.commit([], [_rejected(0, Reason.WRONG_NODE)])
        await journal.commit([reading(0, 1.0)], [_rejected(n) for n in range(1, 8)])
        await journal.commit([], [_rejected(8)])
        kept = [letter.rejected for letter in await journal.letters(limit=10, newest_first=True)]
        assert [r.received_at_ms for r in kept] == [8, 7, 6, 0]
        assert kept[0] == _rejected(8)._replace(payload=b"01234567")
        assert [
            each.rejected.received_at_ms for each in await journal.letters(LetterFilter(Reason.WRONG_NODE), limit=1)
        ] == [0]
        assert await journal.rejected_counts() == {Reason.MALFORMED: 8, Reason.WRONG_NODE: 1}


async def test_silence_is_not_covered(tmp_path: Path) -> None:
    """A reading covers at most its interval times the factor; a bad reading ends what the one before it covered."""
    rows = [reading(0, 4.0), reading(10, 6.0), reading(50, 8.0), reading(55, None), reading(115, 2.0)]
    async with Journal.open(tmp_path, interval_of=interval_of) as journal:
        await journal.commit(rows)
        expected = [
            Rollup(MIDNIGHT_MS, 6.0, 4.0, 8.0, 3, (10 + 30 + 5) * 60.0),
            Rollup(MIDNIGHT_MS + HOUR_MS, 2.0, 2.0, 2.0, 1, 5 * 60.0),
            Rollup(MIDNIGHT_MS + 2 * HOUR_MS, None, None, None, 0, 25 * 60.0),
        ]
        assert await journal.rollups(FRIDGE, *DAY, Resolution.HOUR) == expected
        await journal.settle()
        assert await journal.rollups(FRIDGE, *DAY, Resolution.HOUR) == expected
        assert await journal.rollups(FRIDGE, *DAY, Resolution.DAY) == [
            Rollup(MIDNIGHT_MS, 5.0, 2.0, 8.0, 4, (10 + 30 + 5 + 5 + 25) * 60.0)
        ]


async def test_late_data_recompute_what_they_touch(tmp_path: Path) -> None:
    """A late reading changes its hour, the coverage of the hour after it, and the day."""
    async with Journal.open(tmp_path, interval_of=interval_of) as journal:
        await journal.commit([reading(50, 4.0)])
        await journal.settle()
        await journal.commit([reading(55, None)])
        await journal.settle()
        hours = await journal.rollups(FRIDGE, *DAY, Resolution.HOUR)
        assert [(hour.readings, hour.covered_seconds) for hour in hours] == [(1, 300.0)]


async def test_retention_deletes_days_and_keeps_roll_ups(tmp_path: Path) -> None:
    """Raw readings and hours go by their retention, days and the newest reading stay; another channel keeps all."""
    now = MIDNIGHT_MS + 10 * DAY_MS

    def retention_of(channel: str) -> Retention:
        return Retention(raw_ms=3 * DAY_MS, hourly_ms=6 * DAY_MS) if channel == MAINS else Retention()

    async with Journal.open(tmp_path, settings=SMALL, interval_of=interval_of, retention_of=retention_of) as journal:
        await journal.commit([reading(n * 360, 230.0 + n, channel) for n in range(40) for channel in (MAINS, FRIDGE)])
        await journal.settle()
        everything = (MIDNIGHT_MS, now)
        days = await journal.rollups(MAINS, *everything, Resolution.DAY)
        await journal.prune(now)
        assert len(await journal.series(MAINS, *everything)) == 3 * 4
        assert len(await journal.rollups(MAINS, *everything, Resolution.HOUR)) == 6 * 4
        assert len(await journal.series(FRIDGE, *everything)) == 40
        await journal.commit([reading(7, 1.0, MAINS)])
        await journal.settle()
        assert await journal.rollups(MAINS, *everything, Resolution.DAY) == days
        assert (await journal.latest())[MAINS].value == 269.0


async def test_newest_reading_outlives_retention(tmp_path: Path) -> None:
    """The newest reading of a silent channel is still told when its row is gone and an older one came late."""
    newest = reading(100, 5.0)
    settings, day = JournalSettings(slice_rows=2), Retention(raw_ms=DAY_MS)
    async with Journal.open(tmp_path, settings=settings, retention_of=lambda _: day) as journal:
        await journal.commit([newest])
        await journal.settle()
        await journal.prune(MIDNIGHT_MS + 9 * DAY_MS)
        await journal.commit([reading(50, 4.0)])
        await journal.settle()
    async with Journal.open(tmp_path) as journal:
        assert await journal.latest() == {FRIDGE: newest}


async def test_roll_ups_of_several_channels_are_those_of_each(tmp_path: Path) -> None:
    """Asking for several channels at once answers what asking for each does."""
    async with Journal.open(tmp_path) as journal:
        await journal.commit([reading(n * 20, float(n), channel) for n in range(9) for channel in (FRIDGE, MAINS)])
        told = await journal.rollups_of([FRIDGE, MAINS, "unknown"], *DAY, Resolution.HOUR)
        assert told == {name: await journal.rollups(name, *DAY, Resolution.HOUR) for name in told}
        assert [len(rollups) for rollups in told.values()] == [3, 3, 0]


def test_default_retention_keeps_temperature() -> None:
    """Nothing of temperature is ever deleted; other quantities lose raw readings first, hours later."""
    settings = RetentionSettings()
    assert settings.of("temperature") == Retention(None, None)
    voltage = settings.of("voltage")
    assert voltage.raw_ms is not None
    assert voltage.hourly_ms is not None
    assert voltage.raw_ms < voltage.hourly_ms


async def test_background_loop_settles_and_trims(tmp_path: Path) -> None:
    """The loop settles by size without being asked, so that the log empties."""
    settings = JournalSettings(settle_rows=10, check_seconds=0.001, slice_rows=3)
    async with Journal.open(tmp_path, settings=settings, interval_of=interval_of) as journal:
        settled = asyncio.Event()

        class WatchingClock(StandingClock):
            def now_ms(self) -> int:
                if journal.stats().settled == 12:
                    settled.set()
                return super().now_ms()

        upkeep = asyncio.create_task(journal.run(WatchingClock()))
        await journal.commit([reading(n, n / 2) for n in range(12)])
        await settled.wait()
        upkeep.cancel()
        assert await journal.count() == 12
        assert journal.stats().commits == 1


@pytest.mark.parametrize("settled", [False, True])
async def test_odd_channel_names_are_only_text(tmp_path: Path, settled: bool) -> None:
    """Any text names a channel: quotes, brackets, every script."""
    async with Journal.open(tmp_path) as journal:
        await journal.commit([reading(n, n * 1.1, ODD) for n in range(3)])
        if settled:
            await journal.settle()
        assert [r.value for r in await journal.series(ODD, *DAY)] == [0.0, 1.1, 2.2]
        assert (await journal.before(ODD, MIDNIGHT_MS + MINUTE_MS)) == reading(0, 0.0, ODD)
        assert list(await journal.latest()) == [ODD]
