"""The archive: what grows old leaves the database and stays part of every answer."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.journal import ArchiveSettings, Journal, JournalSettings, Resolution, Retention
from collector.journal.archive.parts import month_end, month_start
from collector.journal.settings import RetentionOf, kept_for_ever
from domain.instant import DAY_MS
from domain.reading import Reading
from tests.collector.journal_world import (
    CHANNELS,
    COVER_FACTOR,
    MIDNIGHT_MS,
    NaiveJournal,
    agrees,
    interval_of,
    reading,
    readings,
)

MONTH_MS = month_start(MIDNIGHT_MS)
LATER_MS = month_end(MONTH_MS) + 100 * DAY_MS
SMALL = JournalSettings(
    slice_rows=7, cover_factor=COVER_FACTOR, archive=ArchiveSettings(part_readings=20, fold_readings=5)
)


def opened(folder: Path, retention_of: RetentionOf = kept_for_ever) -> Journal:
    """Return a journal with small slices and small files."""
    return Journal.open(folder, settings=SMALL, interval_of=interval_of, retention_of=retention_of)


async def left_in_database(journal: Journal) -> int:
    """Return how many settled readings stand in the database."""
    count = "SELECT count(*) FROM readings"
    return int(await journal._readers.ask(lambda reader, _: reader.connection.execute(count).fetchone()[0]))


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.lists(readings(), max_size=40), st.sampled_from(["settle", "archive", "none"])), max_size=5)
)
def test_archived_or_not_answers_are_the_same(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[list[Reading], str]]
) -> None:
    """Whatever arrives, late or contested, and whenever months are archived, every answer is the naive journal's."""

    async def story() -> None:
        naive = NaiveJournal()
        async with opened(tmp_path_factory.mktemp("journal")) as journal:
            for arrived, then in steps:
                await journal.commit(arrived)
                naive.commit(arrived)
                if then != "none":
                    await journal.settle()
                if then == "archive":
                    await journal.archive(LATER_MS)
                await agrees(journal, naive)

    asyncio.run(story())


async def test_an_archived_month_has_left_the_database(tmp_path: Path) -> None:
    """Closed months leave, in several files where one would be large; younger readings stay."""
    naive = NaiveJournal()
    async with opened(tmp_path) as journal:
        old = [reading(n, n / 7, channel) for channel in CHANNELS for n in range(50)]
        young = [old[0]._replace(measured_at_ms=LATER_MS, value=1.0)]
        for batch in (old, young):
            await journal.commit(batch)
            naive.commit(batch)
        await journal.settle()
        await journal.archive(LATER_MS)
        assert await left_in_database(journal) == 1
        assert await journal.count() == len(old) + 1
        assert await journal.series(CHANNELS[0], 0, 2**60) == naive.series(CHANNELS[0])


async def test_few_late_readings_wait_and_many_are_folded_in(tmp_path: Path) -> None:
    """A file is written anew by the number or the age of what waits; repetitions of what it holds never count."""
    async with opened(tmp_path) as journal:
        await journal.commit([reading(n, 4.0) for n in range(50)])
        await journal.settle()
        await journal.archive(LATER_MS)
        for late, left in ((3, 3), (3, 3), (20, 0)):
            await journal.commit([reading(n + 0.5, 5.0, received_ms=LATER_MS) for n in range(late)])
            await journal.commit([reading(n, 4.0, received_ms=LATER_MS) for n in range(50)])
            await journal.settle()
            await journal.archive(LATER_MS)
            assert await left_in_database(journal) == left
        assert await journal.count() == 70


async def test_retention_reaches_the_archive(tmp_path: Path) -> None:
    """Readings whose time has run out leave the archive by whole months; others in the same file and roll-ups stay."""
    kept = {CHANNELS[0]: Retention()}

    def retention_of(channel: str) -> Retention:
        return kept.get(channel, Retention(raw_ms=200 * DAY_MS))

    async with opened(tmp_path, retention_of=retention_of) as journal:
        await journal.commit([reading(n, 4.0, channel) for channel in CHANNELS for n in range(50)])
        await journal.settle()
        await journal.archive(LATER_MS)
        await journal.archive(LATER_MS + 300 * DAY_MS)
        assert [len(await journal.series(channel, 0, 2**60)) for channel in CHANNELS] == [50, 0, 0]
        await journal.commit([reading(5.5, 9.0, CHANNELS[1])])
        await journal.settle()
        (hour,) = await journal.rollups(CHANNELS[1], MIDNIGHT_MS, MIDNIGHT_MS + DAY_MS, Resolution.DAY)
        assert hour.readings == 50
