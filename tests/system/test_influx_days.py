"""Days of many channels out of a real InfluxDB that was filled from the journal."""

from __future__ import annotations

from pathlib import Path

import pytest

from collector.forwarder.rollup_lines import RollupLines
from collector.influx_history import open_history
from collector.journal import Journal
from domain.directory import Directory
from domain.instant import MINUTE_MS
from domain.places import Facility
from domain.reading import Quality, Reading
from tests.collector import days_contract as contract
from tests.collector.days_contract import MIDNIGHT_MS, NAMES, channels
from tests.system.forwarding import v1
from tests.system.servers import influxdb
from tests.system.test_influx_history import forwarded

pytestmark = pytest.mark.system


def lines(journal: Journal, district: str) -> RollupLines:
    """Return the roll-ups as lines, from the first on, for a facility in this district."""
    placed = Directory(facilities=[Facility("clinic", "Clinic", "Uganda", "Western", district)], channels=channels())
    cursor = [0]

    async def read_cursor() -> int:
        return cursor[0]

    async def write_cursor(position: int) -> None:
        cursor[0] = position

    return RollupLines(journal, lambda: placed, read_cursor=read_cursor, write_cursor=write_cursor)


async def test_influxdb_gives_the_same_days_also_of_a_facility_that_moved(tmp_path: Path) -> None:
    """The contract of every store; what stands under the tags of two districts is one day, as it was known last."""
    async with (
        influxdb(tmp_path) as server,
        Journal.open(tmp_path / "journal", interval_of=lambda _: 30 * MINUTE_MS) as journal,
        open_history(v1(server.url)) as history,
    ):
        journal.judge_by(contract.limits())
        await journal.commit(contract.readings())
        await journal.settle()
        async with forwarded(lines(journal, "Kasese"), settings=v1(server.url)):
            await contract.days_are_those_of_each_channel(journal, history.days)
            await contract.only_what_was_asked_for_is_answered(history.days)
        late_ms = MIDNIGHT_MS + 7 * MINUTE_MS + 7
        await journal.commit([Reading(NAMES[0], late_ms, 30.0, Quality.GOOD, late_ms)])
        await journal.settle()
        async with forwarded(lines(journal, "Bunyangabu"), settings=v1(server.url)):
            await contract.days_are_those_of_each_channel(journal, history.days)
