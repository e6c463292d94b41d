"""What every database must do with the tables of an older Vitals; a subclass gives the ``database`` fixture."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, inspect, text
from sqlalchemy.ext.asyncio import AsyncEngine

from alerts.notification import NotificationKind, NotificationState
from alerts.routing import Audience, Route
from alerts.schema import bring_up_to_date
from tests.alerts.given import NOON, ROUTES, Judge, an_episode, ended, opened
from tests.alerts.old_schema import statements

HOOK = Route("webhook", Audience.SYSTEM, lambda _: "", "webhook")


async def an_old_database(database: AsyncEngine) -> None:
    """Make the tables of then."""
    async with database.begin() as connection:
        for statement in statements(database.dialect.name):
            await connection.execute(text(statement))


class UpgradeContract:
    """The behaviour of ``bring_up_to_date``, the same on every database."""

    async def test_nothing_is_lost_and_the_all_clear_still_comes(self, database: AsyncEngine) -> None:
        """Messages keep keys and states; who had the alarm before the upgrade has the all-clear after it."""
        await an_old_database(database)
        judge = Judge(database, (*ROUTES, HOOK))
        await judge.store.create_tables()
        kept = await judge.store.notifications(1)
        assert {(item.key, item.state) for item in kept} == {
            ("1-1-amina-email", NotificationState.DELIVERED),
            ("1-1-amina-sms", NotificationState.QUEUED),
            ("1-1-system-webhook", NotificationState.DELIVERED),
        }
        await judge.record(ended(an_episode()))
        cleared = [item for item in await judge.store.notifications(1) if item.kind is NotificationKind.ALL_CLEAR]
        assert {(item.contact, item.channel, item.address) for item in cleared} == {
            ("amina", "email", "somewhere"),
            ("amina", "sms", "somewhere"),
            ("", "webhook", ""),
        }
        (due,) = await judge.store.outbox.claim("sms", now=NOON, lease_until=NOON + timedelta(minutes=1), limit=5)
        assert due.key == "1-1-amina-sms"

    async def test_new_alerts_follow(self, database: AsyncEngine) -> None:
        """Numbers go on where they were."""
        await an_old_database(database)
        judge = Judge(database)
        await judge.store.create_tables()
        (change,) = await judge.record(opened(an_episode(3)))
        assert change.alert.id == 2
        assert len(await judge.store.notifications(2)) == 3

    async def test_a_second_start_changes_nothing(self, database: AsyncEngine) -> None:
        """Tables of today are left alone."""
        await an_old_database(database)
        judge = Judge(database)
        await judge.store.create_tables()
        before = await judge.store.notifications(1)
        await judge.store.create_tables()
        assert await judge.store.notifications(1) == before

    async def test_indexes_follow(self, database: AsyncEngine) -> None:
        """An index that came later is made where the table stands already."""
        await an_old_database(database)
        await Judge(database).store.create_tables()
        indexes = await _run(database, lambda connection: inspect(connection).get_indexes("alerts"))
        assert "alerts_by_incident" in {index["name"] for index in indexes}

    async def test_an_upgrade_that_is_cut_off_leaves_what_was(self, database: AsyncEngine) -> None:
        """It is one transaction: a crash within it leaves the old tables, and the next start begins again."""
        await an_old_database(database)

        def cut_off(connection: Connection) -> None:
            bring_up_to_date(connection)
            raise RuntimeError("the power went")

        with pytest.raises(RuntimeError):
            await _run(database, cut_off)
        names = await _run(database, lambda connection: inspect(connection).get_columns("notifications"))
        assert "transition" in {column["name"] for column in names}
        judge = Judge(database)
        await judge.store.create_tables()
        assert len(await judge.store.notifications(1)) == 3


async def _run(database: AsyncEngine, work: Any) -> Any:
    async with database.begin() as connection:
        return await connection.run_sync(work)
