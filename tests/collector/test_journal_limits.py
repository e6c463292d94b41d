"""Time outside the limits: judged by what was in force then, exactly, and anew where that is corrected."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from collector.journal import Journal, JournalSettings, Resolution, Retention, Rollup
from collector.journal.schema import FILE_NAME, STEPS
from domain.instant import DAY_MS, HOUR_MS, MINUTE_MS
from domain.kept import Kept
from domain.limits import (
    ALWAYS_MS,
    LimitHistory,
    LimitsSince,
    changed_between,
    eras,
    from_then_on,
    history_of,
    limits_at,
)
from tests.collector.journal_child import StandingClock
from tests.collector.journal_world import CHANNELS, MIDNIGHT_MS, interval_of, reading

FRIDGE, MAINS, _ = CHANNELS
DAY = (MIDNIGHT_MS, MIDNIGHT_MS + DAY_MS)
SAFE = {FRIDGE: (LimitsSince(ALWAYS_MS, 2.0, 8.0),)}
COPY = """
INSERT INTO series SELECT * FROM new.series;
INSERT INTO readings SELECT * FROM new.readings;
INSERT INTO latest SELECT * FROM new.latest;
INSERT INTO rollup_hour SELECT sid, start, total, minimum, maximum, readings, covered FROM new.rollup_hour;
INSERT INTO rollup_day SELECT sid, start, total, minimum, maximum, readings, covered FROM new.rollup_day;
UPDATE meta SET value = (SELECT value FROM new.meta WHERE key = 'settled') WHERE key = 'settled';
"""
STATEMENTS = st.lists(
    st.builds(LimitsSince, st.integers(0, 20), *(st.sampled_from([None, 2.0, 8.0]) for _ in range(2))), max_size=6
)
HISTORIES = STATEMENTS.map(history_of)


def outside(rollups: list[Rollup]) -> list[tuple[float, float, float, float]]:
    """Return minutes below, above, judged and covered of each bucket."""
    return [
        tuple(seconds / 60 for seconds in (each.below_seconds, each.above_seconds, each.judged_seconds, each[5]))  # type: ignore[misc]
        for each in rollups
    ]


def since(minute: int, low: float | None, high: float | None) -> LimitsSince:
    """Return limits from so many minutes after midnight on."""
    return LimitsSince(MIDNIGHT_MS + minute * MINUTE_MS, low, high)


@given(STATEMENTS, st.integers(0, 20))
def test_the_last_statement_about_a_moment_holds(statements: list[LimitsSince], moment: int) -> None:
    """What was said last of all that reaches a moment is in force there."""
    reaching = [said for said in statements if said.valid_from_ms <= moment]
    expected = reaching[-1][1:] if reaching else (None, None)
    assert limits_at(history_of(statements), moment)[1:] == expected


@given(HISTORIES, HISTORIES)
def test_histories_are_equal_outside_of_what_changed(old: LimitHistory, new: LimitHistory) -> None:
    """Before and after the stretch that is named both say the same, and at its beginning they do not."""
    differing = [at for at in range(22) if limits_at(old, at)[1:] != limits_at(new, at)[1:]]
    stretch = changed_between(old, new)
    assert (stretch is None) == (not differing)
    if stretch:
        assert (stretch[0], min(stretch[1], 22)) == (differing[0], differing[-1] + 1)


@given(HISTORIES)
def test_eras_are_the_moments_with_limits(history: LimitHistory) -> None:
    """Every moment is in one era where a limit is in force, and in none where there is none."""
    found = {at: (era.low, era.high) for era in eras(history, 3, 18) for at in range(era.from_ms, era.to_ms)}
    limited = {at: limits_at(history, at)[1:] for at in range(3, 18) if limits_at(history, at)[1:] != (None, None)}
    assert found.keys() == limited.keys()
    for at, (low, high) in limited.items():
        assert found[at] == (float("-inf") if low is None else low, float("inf") if high is None else high)


def test_saying_again_what_holds_changes_nothing() -> None:
    """The same limits from a later moment on are no new entry; from an earlier moment on they replace what followed."""
    history = (since(0, 2.0, 8.0), since(60, None, 10.0))
    assert from_then_on(history, since(90, None, 10.0)) == history
    assert from_then_on(history, since(30, None, 10.0)) == (since(0, 2.0, 8.0), since(30, None, 10.0))


async def test_a_gap_is_not_time_above(tmp_path: Path) -> None:
    """Time above is covered time only, 8.0 is not above 8, and below is counted apart."""
    rows = [reading(0, 9.0), reading(10, 8.0), reading(20, 1.9), reading(25, 9.0), reading(130, 2.0)]
    async with Journal.open(tmp_path, interval_of=interval_of) as journal:
        journal.judge_by(SAFE)
        await journal.commit(rows)
        await journal.settle()
        hours = await journal.rollups(FRIDGE, *DAY, Resolution.HOUR)
        assert outside(hours) == [(5, 10 + 30, 55, 55), (0, 0, 30, 30)]
        assert outside(await journal.rollups(FRIDGE, *DAY, Resolution.DAY)) == [(5, 40, 85, 85)]


async def test_limits_change_within_an_hour_and_within_covered_time(tmp_path: Path) -> None:
    """Each minute is judged by the limits of that minute, and time without limits is not judged."""
    async with Journal.open(tmp_path, interval_of=interval_of) as journal:
        journal.judge_by(
            {FRIDGE: (since(5, None, 8.0), since(12, None, 10.0), since(20, 9.5, None), since(25, None, None))}
        )
        await journal.commit([reading(0, 9.0)])
        await journal.settle()
        assert outside(await journal.rollups(FRIDGE, *DAY, Resolution.HOUR)) == [(5, 7, 20, 30)]


async def test_last_month_is_judged_by_last_months_limits(tmp_path: Path) -> None:
    """New limits from noon on change nothing of the morning, whatever is recomputed."""
    async with Journal.open(tmp_path, interval_of=interval_of) as journal:
        journal.judge_by(SAFE)
        await journal.commit([reading(minute, 9.0) for minute in range(0, 24 * 60, 15)])
        await journal.settle()
        journal.judge_by({FRIDGE: (*SAFE[FRIDGE], since(12 * 60, 2.0, 10.0))})
        await journal.settle()
        await journal.commit([reading(minute + 7, 9.0) for minute in range(0, 24 * 60, 60)])
        await journal.settle()
        hours = await journal.rollups(FRIDGE, *DAY, Resolution.HOUR)
        assert [hour.above_seconds for hour in hours] == [3600.0] * 12 + [0.0] * 12


async def test_a_stored_hour_is_judged_anew_from_the_middle(tmp_path: Path) -> None:
    """A correction that begins within an hour that is over changes that hour, and none before it."""
    async with Journal.open(tmp_path, interval_of=interval_of) as journal:
        journal.judge_by(SAFE)
        await journal.commit([reading(minute, 9.0) for minute in range(0, 180, 15)])
        await journal.settle()
        journal.judge_by({FRIDGE: (*SAFE[FRIDGE], since(100, 2.0, 10.0))})
        await journal.settle()
        hours = await journal.rollups(FRIDGE, *DAY, Resolution.HOUR)
        assert [hour.above_seconds / 60 for hour in hours] == [60, 40, 0, 0]


async def test_corrections_that_come_one_upon_the_other_are_all_made(tmp_path: Path) -> None:
    """Hours listed for one correction stay listed when another one comes before they were judged, in either order."""
    for number, order in enumerate((("morning", "evening"), ("evening", "morning"))):
        said = {"morning": (since(0, None, 10.0), since(60, 2.0, 8.0)), "evening": (since(1380, None, 10.0),)}
        async with Journal.open(tmp_path / str(number), interval_of=interval_of) as journal:
            journal.judge_by(SAFE)
            await journal.commit([reading(minute, 9.0) for minute in range(0, 1440, 15)])
            await journal.settle()
            so_far: LimitHistory = SAFE[FRIDGE]
            for which in order:
                so_far = tuple(sorted({*so_far, *said[which]}))
                journal.judge_by({FRIDGE: so_far})
                assert journal._upkeep is not None
                await journal._upkeep._adopt_limits()
            await journal.settle()
            hours = await journal.rollups(FRIDGE, *DAY, Resolution.HOUR)
            assert [hour.above_seconds for hour in hours] == [0.0] + [3600.0] * 22 + [0.0]


async def test_a_correction_reaches_hours_long_over_in_the_background(tmp_path: Path) -> None:
    """Corrected limits show in every answer at once; the loop then judges the stored hours anew, and it lasts."""
    settings = JournalSettings(check_seconds=0.001)
    days, everything = 30, (MIDNIGHT_MS, MIDNIGHT_MS + 30 * DAY_MS)
    async with Journal.open(tmp_path, settings=settings, interval_of=interval_of) as journal:
        journal.judge_by(SAFE)
        await journal.commit([reading(minute, 9.0) for minute in range(0, days * 24 * 60, 30)])
        await journal.settle()
        assert _stored_above(tmp_path) == days * DAY_MS
        journal.judge_by({FRIDGE: (since(0, 2.0, 8.0), since(10 * 24 * 60, 2.0, 9.0))})
        upkeep = asyncio.create_task(journal.run(StandingClock()))
        async with asyncio.timeout(30):
            while _stored_above(tmp_path) != 10 * DAY_MS:
                told = await journal.rollups(FRIDGE, *everything, Resolution.DAY)
                assert sum(day.above_seconds for day in told) in (days * 86_400, 10 * 86_400)
        upkeep.cancel()
    async with Journal.open(tmp_path, read_only=True) as journal:
        told = await journal.rollups(FRIDGE, *everything, Resolution.DAY)
        assert [day.above_seconds for day in told] == [86_400.0] * 10 + [0.0] * 20


def _stored_above(folder: Path) -> int:
    with closing(sqlite3.connect(folder / FILE_NAME)) as connection:
        ((above,),) = connection.execute("SELECT sum(above) FROM rollup_day").fetchall()
        return int(above)


async def test_what_retention_took_stays_as_it_was_judged(tmp_path: Path) -> None:
    """Hours whose readings are gone cannot be judged anew: they keep what they had, and the others do not."""
    now = MIDNIGHT_MS + 4 * DAY_MS
    kept = Retention(raw_ms=2 * DAY_MS, hourly_ms=3 * DAY_MS)
    async with Journal.open(tmp_path, interval_of=interval_of, retention_of=lambda _: kept) as journal:
        journal.judge_by(SAFE)
        await journal.commit([reading(minute, 9.0) for minute in range(0, 4 * 24 * 60, 15)])
        await journal.settle()
        assert await journal.kept(FRIDGE) == Kept(0, 0)
        await journal.prune(now)
        assert await journal.kept(FRIDGE) == Kept(now - 2 * DAY_MS, now - 3 * DAY_MS)
        journal.judge_by({FRIDGE: (since(0, 2.0, 10.0),)})
        await journal.settle()
        days = await journal.rollups(FRIDGE, MIDNIGHT_MS, now, Resolution.DAY)
        assert [day.above_seconds for day in days] == [86_400.0, 86_400.0, 0.0, 0.0]
        assert len(await journal.rollups(FRIDGE, MIDNIGHT_MS, now, Resolution.HOUR)) == 3 * 24


async def test_a_journal_from_before_limits_is_judged_as_it_is_read(tmp_path: Path) -> None:
    """An older file opens at once; its hours answer with their time outside from then on and are stored so later."""
    new, old = tmp_path / "new", tmp_path / "old"
    async with Journal.open(new, interval_of=interval_of) as journal:
        await journal.commit(
            [reading(minute, 9.0, channel) for minute in range(0, 300, 10) for channel in (FRIDGE, MAINS)]
        )
        await journal.settle()
    _as_before_limits(new / FILE_NAME, old)
    for settled in (False, True):
        async with Journal.open(old, interval_of=interval_of) as journal:
            journal.judge_by(SAFE)
            assert journal._upkeep is not None
            await (journal.settle() if settled else journal._upkeep._adopt_limits())
            hours = await journal.rollups(FRIDGE, *DAY, Resolution.HOUR)
            assert [hour.above_seconds for hour in hours] == [3600.0] * 5 + [1200.0]
            assert [each[2] for each in outside(await journal.rollups(MAINS, *DAY, Resolution.DAY))] == [0.0]
    assert _stored_above(old) == 5 * HOUR_MS + 20 * MINUTE_MS


def _as_before_limits(path: Path, folder: Path) -> None:
    """Write the same content into a file as the first schema had it."""
    folder.mkdir()
    with closing(sqlite3.connect(folder / FILE_NAME)) as connection:
        connection.executescript(STEPS[0])
        connection.execute("UPDATE meta SET value = 1 WHERE key = 'schema_version'")
        connection.execute("ATTACH ? AS new", (str(path),))
        connection.executescript(COPY)
        connection.commit()
