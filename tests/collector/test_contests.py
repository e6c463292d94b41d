"""Contested moments: a store that keeps what came last ends with what the journal keeps."""

from __future__ import annotations

import asyncio
import random
import tempfile
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.forwarder.journal_lines import JournalLines
from collector.journal import ArchiveSettings, Journal, JournalSettings
from collector.journal.archive.parts import month_end, month_start
from collector.journal.marks import Mark, Stretch
from domain.directory import Directory
from domain.instant import DAY_MS
from domain.places import Channel
from domain.quantities import QUANTITIES
from domain.reading import QUALITY_BY_LABEL, Quality, Reading
from tests.collector.journal_world import CHANNELS, MIDNIGHT_MS, interval_of, reading, readings
from tests.collector.line_protocol_decoder import decode

DIRECTORY = Directory(
    channels=[
        Channel(name, "clinic", "fridge", "n1", f"c{n}", QUANTITIES["temperature"], timedelta(minutes=15))
        for n, name in enumerate(CHANNELS)
    ]
)
SMALL = JournalSettings(slice_rows=3, recent_readings=10, readers=1, archive=ArchiveSettings(fold_readings=1_000))
LATER_MS = month_end(month_start(MIDNIGHT_MS)) + 100 * DAY_MS
Told = dict[tuple[str, int], tuple[float | None, Quality]]


class LastOneStays:
    """Keeps of each field of a point what was written last, as InfluxDB does."""

    def __init__(self) -> None:
        self._points: dict[tuple[str, int], dict[str, object]] = {}

    def write(self, lines: list[str]) -> None:
        """Take lines."""
        for point in decode("\n".join(lines)):
            assert point.time is not None
            self._points.setdefault((point.tags["channel"], point.time), {}).update(point.fields)

    def told(self) -> Told:
        """Return value and quality of every point, as a reader of these fields takes them."""
        return {
            key: (fields.get("value"), QUALITY_BY_LABEL[str(fields.get("quality", "good"))])  # type: ignore[misc]
            for key, fields in self._points.items()
        }


class Follower:
    """A forwarder without a network: it writes batch after batch, and moves its cursor."""

    def __init__(self, journal: Journal, store: LastOneStays) -> None:
        self._source, self._store = JournalLines(journal, lambda: DIRECTORY), store

    async def follow(self, batches: int, size: int) -> bool:
        """Write some batches; return whether there was one."""
        for _ in range(batches):
            batch = await self._source.read_after(await self._source.cursor(), size)
            if not batch.entries:
                return False
            self._store.write(batch.lines)
            await self._source.move_cursor(batch.position)
        return True


async def kept(journal: Journal) -> Told:
    """Return value and quality of everything that the journal keeps."""
    found = [each for channel in CHANNELS for each in await journal.series(channel, 0, 2**60)]
    return {(each.channel, each.measured_at_ms): (each.value, each.quality) for each in found}


async def arrive(arrivals: list[Reading], rng: random.Random) -> tuple[Told, Told]:
    """Commit in random portions, settling and forwarding now and then; return what both ends keep."""
    store = LastOneStays()
    with tempfile.TemporaryDirectory() as folder:
        async with Journal.open(Path(folder), settings=SMALL, interval_of=interval_of) as journal:
            follower = Follower(journal, store)
            await follower.follow(1, 1)
            while arrivals:
                count = rng.randint(1, len(arrivals))
                await journal.commit(arrivals[:count])
                arrivals = arrivals[count:]
                if rng.random() < 0.5:
                    await journal.settle()
                await follower.follow(rng.randint(0, 3), rng.randint(1, 10))
            await journal.settle()
            while await follower.follow(1, 7):
                pass
            return await kept(journal), store.told()


@settings(max_examples=60, deadline=None)
@given(st.lists(readings(), min_size=1, max_size=40), st.randoms(use_true_random=False))
def test_what_came_last_is_what_is_kept_for_every_order_of_arrival(arrived: list[Reading], rng: random.Random) -> None:
    """Permuted, repeated and contested arrivals leave the same values and qualities at both ends, whoever lags."""
    again = arrived + rng.choices(arrived, k=rng.randint(0, 20))
    rng.shuffle(again)
    journal, forwarded = asyncio.run(arrive(again, rng))
    assert forwarded == journal
    assert journal == asyncio.run(arrive(arrived, rng))[0]


@pytest.mark.parametrize(
    ("archived", "late"),
    [((4.0, Quality.GOOD), (9.0, Quality.UNCERTAIN)), ((9.0, Quality.UNCERTAIN), (4.0, Quality.GOOD))],
    ids=["the late one loses", "the late one wins"],
)
async def test_what_is_archived_is_contested_like_any_other(
    tmp_path: Path, archived: tuple[float, Quality], late: tuple[float, Quality]
) -> None:
    """A late rival of an archived reading leaves both ends with the better one, once the archive is tended."""
    store, first = LastOneStays(), reading(0, archived[0], quality=archived[1])
    async with Journal.open(tmp_path, settings=SMALL, interval_of=interval_of) as journal:
        follower = Follower(journal, store)
        await follower.follow(1, 1)
        await journal.commit([first, *(reading(n, 4.0) for n in range(1, 10))])
        await journal.settle()
        await journal.archive(LATER_MS)
        await journal.commit([first._replace(value=late[0], quality=late[1], received_at_ms=LATER_MS)])
        await journal.settle()
        await journal.archive(LATER_MS)
        await journal.archive(LATER_MS + 8 * DAY_MS)
        while await follower.follow(1, 7):
            pass
        assert store.told() == await kept(journal)
        assert store.told()[CHANNELS[0], MIDNIGHT_MS] == (4.0, Quality.GOOD)
        await journal.settle()
        await journal.archive(LATER_MS + 9 * DAY_MS)
        assert len(await journal.marked(0, journal.position)) == 0


async def test_what_agrees_is_not_said_twice(tmp_path: Path) -> None:
    """Repetitions of the same value, and a later greater one, cost the followers nothing."""
    async with Journal.open(tmp_path, settings=SMALL, interval_of=interval_of) as journal:
        await journal.move_cursor("follower", 0)
        for value in (4.0, 4.0, 5.0, 5.0):
            await journal.commit([reading(n, value) for n in range(10)])
            await journal.settle()
        assert await journal.marked(0, journal.position) == []
        await journal.commit([reading(0, 4.0)])
        await journal.settle()
        await journal.settle()
        assert await journal.marked(0, journal.position) == [Stretch(42, 42, Mark.REPEATED)]
        assert await journal.marked(42, journal.position) == []


async def test_repetitions_leave_with_the_log(tmp_path: Path) -> None:
    """What is known of repetitions is let go of with the rows that they stand in."""
    async with Journal.open(tmp_path, settings=SMALL, interval_of=interval_of) as journal:
        await journal.commit([reading(0, 5.0), reading(0, 4.0)])
        await journal.settle()
        assert await journal.marked(0, 99) == [Stretch(3, 3, Mark.REPEATED)]
        await journal.settle()
        assert await journal.marked(0, 99) == []
