"""The archive: what grows old leaves the database and stays part of every answer."""

from __future__ import annotations

import asyncio
from operator import itemgetter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.journal import ArchiveSettings, Journal, JournalDamaged, JournalSettings, Resolution, Retention
from collector.journal.archive import parquet
from collector.journal.archive.parquet import PartFile, PartWriter
from collector.journal.archive.parts import month_end, month_start
from collector.journal.archive.shelf import Shelf
from collector.journal.precedence import Row
from collector.journal.settings import RetentionOf, kept_for_ever
from domain.instant import DAY_MS, to_datetime
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


ROWS = st.lists(
    st.tuples(
        st.integers(-(2**53), 2**53),
        st.none() | st.floats(allow_nan=False),
        st.integers(0, 4),
        st.integers(-(2**53), 2**53),
    ),
    max_size=40,
    unique_by=lambda row: row[0],
)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=8), ROWS, max_size=4), st.data())
def test_a_file_brings_every_reading_back(
    tmp_path_factory: pytest.TempPathFactory, written: dict[str, list[Row]], data: st.DataObject
) -> None:
    """Every moment, double (to the bit), quality and time of arrival comes back, however the rows are grouped."""
    path = tmp_path_factory.mktemp("archive") / "month" / "part.parquet"
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(parquet, "ROW_GROUP_READINGS", data.draw(st.integers(1, 60)))
        with PartWriter(path) as writer:
            for channel in sorted(written):
                writer.add(channel, sorted(written[channel], key=itemgetter(0)))
    file = PartFile(path)
    assert list(file.channels()) == sorted(channel for channel, rows in written.items() if rows)
    for channel, rows in written.items():
        found = file.rows(channel, -(2**60), 2**60)
        assert repr(found) == repr(sorted(rows, key=itemgetter(0)))
    assert file.readings == sum(map(len, written.values()))


async def test_a_missing_file_is_said(tmp_path: Path) -> None:
    """A question for a month whose file somebody removed gives one clear sentence; other questions are answered."""
    async with opened(tmp_path) as journal:
        young = reading(0, 1.0)._replace(measured_at_ms=LATER_MS)
        await journal.commit([reading(n, 4.0) for n in range(9)] + [young])
        await journal.settle()
        await journal.archive(LATER_MS)
        (tmp_path / "archive" / f"month={to_datetime(MONTH_MS):%Y-%m}" / "000.parquet").unlink()
        assert await journal.series(young.channel, LATER_MS, LATER_MS + 1) == [young]
        with pytest.raises(JournalDamaged, match=r"archive's file .*000.parquet cannot be read"):
            await journal.series(young.channel, 0, 2**60)


async def test_a_question_of_young_months_opens_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no archived month is asked for, the archive's files are not even looked at."""
    async with opened(tmp_path) as journal:
        await journal.commit([reading(n, 4.0) for n in range(9)])
        await journal.commit([reading(0, 1.0)._replace(measured_at_ms=LATER_MS + n) for n in range(3)])
        await journal.settle()
        await journal.archive(LATER_MS)
        monkeypatch.setattr(Shelf, "file", None)
        assert len(await journal.series(CHANNELS[0], LATER_MS - DAY_MS, 2**60)) == 3
        assert await journal.before(CHANNELS[0], LATER_MS + 2) is not None
        assert await journal.rollups(CHANNELS[0], LATER_MS, LATER_MS + DAY_MS, Resolution.HOUR)


async def test_late_readings_correct_the_rollups_of_archived_hours(tmp_path: Path) -> None:
    """An hour whose readings are archived is computed anew from them and from what came late."""
    naive = NaiveJournal()
    async with opened(tmp_path) as journal:
        for arrived in ([reading(10 * n, 4.0) for n in range(12)], [reading(15, 10.0)]):
            await journal.commit(arrived)
            naive.commit(arrived)
            await journal.settle()
            await journal.archive(LATER_MS)
            await agrees(journal, naive)
        hour, *_ = await journal.rollups(CHANNELS[0], MIDNIGHT_MS, MIDNIGHT_MS + DAY_MS, Resolution.HOUR)
        assert (hour.readings, hour.maximum) == (7, 10.0)


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
