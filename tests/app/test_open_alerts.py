"""The open alerts in memory: what the store changes is known at once, what only the database knows a little later."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from app import open_alerts
from app.open_alerts import OpenAlerts
from domain.alert import Alert
from tests.alerts.given import Judge, a_judge, an_episode, ended, opened, retracted, sqlite_database


def _numbers(alerts: OpenAlerts) -> list[int]:
    return [alert.id for alert in alerts.now]


async def test_what_the_store_changes_is_known_at_once(tmp_path: Path) -> None:
    """Raised, answered, over, withdrawn; the newest first, and the same object while nothing happens."""
    async with sqlite_database(f"{tmp_path}/vitals.db") as database:
        judge = await a_judge(database)
        alerts = OpenAlerts(judge.store)
        await judge.record(opened(an_episode(0)))
        await judge.record(opened(an_episode(1)), opened(an_episode(2)))
        assert _numbers(alerts) == [3, 2, 1]
        assert alerts.now is alerts.now
        before = alerts.now
        await judge.store.acknowledge(1, by="Amina", now=judge.now, origin="test")
        assert alerts.now is not before
        assert alerts.now[-1].acknowledged_by == "Amina"
        await judge.record(ended(an_episode(0)))
        assert _numbers(alerts) == [3, 2]
        await judge.record(retracted(an_episode(1)))
        assert _numbers(alerts) == [3]


async def test_the_database_is_read_page_by_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of it, also where the last page is full, and as the store would list it."""
    monkeypatch.setattr(open_alerts, "PAGE", 3)
    async with sqlite_database(f"{tmp_path}/vitals.db") as database:
        judge = await a_judge(database)
        for count in (2, 3, 7):
            await judge.record(*(opened(an_episode(number)) for number in range(count)))
            alerts = OpenAlerts(judge.store)
            await alerts.refresh()
            assert list(alerts.now) == await judge.store.alerts(open_only=True)
            assert len(alerts.now) == count


async def test_what_another_process_did_is_found_when_the_database_is_asked(tmp_path: Path) -> None:
    """Its store tells nobody here."""
    async with sqlite_database(f"{tmp_path}/vitals.db") as database:
        here, there = await a_judge(database), Judge(database)
        alerts = OpenAlerts(here.store)
        await there.record(opened(an_episode(0)))
        assert alerts.now == ()
        await alerts.refresh()
        assert _numbers(alerts) == [1]
        same = alerts.now
        await alerts.refresh()
        assert alerts.now is same


async def test_what_happens_while_the_database_is_read_is_not_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page that was read before the change does not bring the alert back."""
    async with sqlite_database(f"{tmp_path}/vitals.db") as database:
        judge = await a_judge(database)
        await judge.record(opened(an_episode(0)))
        await judge.store.acknowledge(1, by="Amina", now=judge.now, origin="test")
        alerts, read = OpenAlerts(judge.store), judge.store.alerts

        async def read_and_change(**named: Any) -> list[Alert]:
            found = await read(**named)
            await judge.record(ended(an_episode(0)), opened(an_episode(1)))
            return found

        monkeypatch.setattr(judge.store, "alerts", read_and_change)
        await alerts.refresh()
        assert _numbers(alerts) == [2]
