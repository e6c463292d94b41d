"""Figures of places from the whole service, out of what its own journal holds."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from app.build import App
from collector.journal import Journal
from domain.instant import DAY_MS, MINUTE_MS
from domain.limits import ALWAYS_MS, LimitsSince
from domain.reading import Quality, Reading
from tests.app.test_service_life import FRIDGE, PATIENCE_SECONDS, client_of, config, get

pytestmark = pytest.mark.system
UNUSED_PORT = 1


async def test_what_the_journal_holds_stands_on_the_page_of_the_district(tmp_path: Path) -> None:
    """Two days of a fridge, one of them too hot by half: 75 % in range, in the document and on the page."""
    midnight_ms = time.time_ns() // 1_000_000 // DAY_MS * DAY_MS
    served = config(tmp_path, UNUSED_PORT)
    served.data.mkdir()
    async with Journal.open(served.data, interval_of=lambda _: 10 * MINUTE_MS) as journal:
        journal.judge_by({FRIDGE: (LimitsSince(ALWAYS_MS, 2.0, 8.0),)})
        moments = range(midnight_ms - 4 * DAY_MS, midnight_ms - 2 * DAY_MS, 10 * MINUTE_MS)
        values = [5.0] * (len(moments) * 3 // 4) + [9.0] * (len(moments) // 4)
        await journal.commit(
            [Reading(FRIDGE, at, value, Quality.GOOD, at) for at, value in zip(moments, values, strict=True)]
        )
        await journal.settle()
    async with asyncio.timeout(2 * PATIENCE_SECONDS), App(served) as app, client_of(app) as client:
        while True:
            found = await get(client, "figures?range=7d")
            if not found["not_worked_out"]:
                break
            await asyncio.sleep(0.05)
        page = (await client.get("/places?range=7d")).text
    assert found["district"] == "Kasese"
    assert found["now"]["cold_chain"]["in_range"] == pytest.approx(0.75, abs=0.01)
    assert found["now"]["cold_chain"]["too_hot_hours"] == pytest.approx(12, abs=0.5)
    assert "Kasese" in page
    assert found["worst"][0]["equipment"].endswith("fridge-1")
