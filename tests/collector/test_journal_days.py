"""Days of many channels out of the journal, and which of them changed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from collector.journal import Journal, Resolution
from domain.channel_day import ChannelDay
from domain.instant import DAY_MS, MINUTE_MS
from domain.place_hour import HourQuestion, PlaceHour
from domain.places import Channel
from domain.reading import Quality, Reading
from tests.collector import days_contract as contract
from tests.collector.days_contract import END_MS, MIDNIGHT_MS, NAMES, Days


@asynccontextmanager
async def filled(folder: Path) -> AsyncIterator[tuple[Journal, Days]]:
    """Give a journal that holds the readings of the contract, and its days."""
    async with Journal.open(folder, interval_of=lambda _: 30 * MINUTE_MS) as journal:
        journal.judge_by(contract.limits())
        await journal.commit(contract.readings())
        await journal.settle()

        async def days(channels: Sequence[Channel], from_ms: int, to_ms: int) -> list[ChannelDay]:
            return await journal.days([channel.id for channel in channels], from_ms, to_ms)

        yield journal, days


async def test_the_journals_days_are_those_of_each_channel(tmp_path: Path) -> None:
    """The contract of every store."""
    async with filled(tmp_path) as (journal, days):
        await contract.days_are_those_of_each_channel(journal, days)
        await contract.only_what_was_asked_for_is_answered(days)


async def test_late_readings_are_told_by_the_channels_whose_days_changed(tmp_path: Path) -> None:
    """Each once, within the stretch that was asked about; nothing after nothing."""
    async with filled(tmp_path) as (journal, _):
        position, changed = await journal.days_changed(0, MIDNIGHT_MS, END_MS)
        assert changed == set(NAMES)
        assert await journal.days_changed(position, MIDNIGHT_MS, END_MS) == (position, frozenset())
        moment_ms = MIDNIGHT_MS + DAY_MS + 31 * MINUTE_MS + 7
        await journal.commit([Reading(NAMES[2], moment_ms, 3.0, Quality.GOOD, moment_ms)])
        assert await journal.days_changed(position, MIDNIGHT_MS, END_MS) == (position, frozenset())
        await journal.settle()
        later, changed = await journal.days_changed(position, MIDNIGHT_MS, END_MS)
        assert later > position
        assert changed == {NAMES[2]}
        assert (await journal.days_changed(position, MIDNIGHT_MS, MIDNIGHT_MS + DAY_MS))[1] == frozenset()


async def test_hours_of_places_are_those_of_their_channels_together(tmp_path: Path) -> None:
    """Known where any of their channels is, troubled where any was beyond its limits, or a supply off."""
    async with filled(tmp_path) as (journal, _):
        fridge, supply, tank = NAMES[:3]
        places = {
            "clinic 'one'": HourQuestion([fridge, tank], [supply]),
            "other": HourQuestion([tank], []),
            "nobody": HourQuestion(["never/heard"], []),
        }
        found = {
            (each.place, each.start_ms): each for each in await journal.hours_in_short(places, MIDNIGHT_MS, END_MS)
        }
        expected: dict[tuple[str, int], PlaceHour] = {}
        for place, (limited, supplies) in places.items():
            for name in (*limited, *supplies):
                for hour in await journal.rollups(name, MIDNIGHT_MS, END_MS, Resolution.HOUR):
                    off = name in supplies and hour.minimum is not None and hour.minimum < 1
                    wrong = off or hour.below_seconds > 0 or hour.above_seconds > 0
                    known = expected.get((place, hour.start_ms), PlaceHour(place, hour.start_ms, False, False))
                    expected[place, hour.start_ms] = PlaceHour(
                        place, hour.start_ms, known.known or hour.covered_seconds > 0, known.troubled or wrong
                    )
        assert found == expected
        assert {each.place for each in found.values()} == {"clinic 'one'", "other"}
        assert {each.troubled for each in found.values()} == {True, False}
        assert await journal.hours_in_short({}, MIDNIGHT_MS, END_MS) == []
