"""Measures read a moment ago."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from alerts.measures.compute import Measures, Rows, measures_of
from alerts.measures.rows import Period
from app.lately import KEPT_MS, MOST, Lately
from domain.directory import Directory
from domain.instant import to_ms
from domain.places import EVERYWHERE, Place
from tests.api.world import SteppedClock

END = datetime(2026, 11, 20, tzinfo=UTC)
MONTH = Period(END - timedelta(days=30), END)


class Reader:
    """Counts what is read; fails when told to."""

    def __init__(self) -> None:
        self.read: list[tuple[Period, frozenset[str] | None]] = []
        self.trouble: Exception | None = None

    async def __call__(self, period: Period, place: Place, within: frozenset[str] | None = None) -> Measures:
        """Note what is asked, and return measures of nothing."""
        self.read.append((period, within))
        await asyncio.sleep(0)
        if self.trouble is not None:
            raise self.trouble
        return measures_of(Rows([], [], []), period, place, Directory())


async def test_the_same_is_read_once_a_minute() -> None:
    """Two who ask at once share one reading, so does who asks within the minute; afterwards it is read anew."""
    reader, clock = Reader(), SteppedClock(to_ms(END))
    lately = Lately(reader, clock)
    first, second = await asyncio.gather(lately(MONTH, EVERYWHERE), lately(MONTH, EVERYWHERE))
    assert first is second
    clock.advance(timedelta(milliseconds=KEPT_MS))
    await lately(MONTH, EVERYWHERE)
    assert len(reader.read) == 2


async def test_other_facilities_are_another_question() -> None:
    """Nobody gets the measures of what somebody else may see."""
    reader = Reader()
    lately = Lately(reader, SteppedClock(to_ms(END)))
    for within in (None, frozenset({"kilembe"}), frozenset({"bwera"})):
        await lately(MONTH, EVERYWHERE, within)
    assert [within for _, within in reader.read] == [None, {"kilembe"}, {"bwera"}]


async def test_a_failure_is_not_remembered() -> None:
    """The next one who asks has it read again."""
    reader = Reader()
    lately = Lately(reader, SteppedClock(to_ms(END)))
    reader.trouble = ConnectionError("the database is away")
    with pytest.raises(ConnectionError):
        await lately(MONTH, EVERYWHERE)
    reader.trouble = None
    assert (await lately(MONTH, EVERYWHERE)).period == MONTH


async def test_so_much_is_remembered_and_no_more() -> None:
    """The oldest goes first."""
    reader = Reader()
    lately = Lately(reader, SteppedClock(to_ms(END)))
    for number in range(MOST + 1):
        await lately(MONTH, EVERYWHERE, frozenset({str(number)}))
    await lately(MONTH, EVERYWHERE, frozenset({"1"}))
    assert len(reader.read) == MOST + 1
    await lately(MONTH, EVERYWHERE, frozenset({"0"}))
    assert len(reader.read) == MOST + 2
