"""A quarantine is an alert: opened, told, cleared, and not forgotten by a restart."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from alerts.notifiers.table import routes_of
from alerts.settings import AT_ONCE, AlertsSettings
from alerts.store import AlertStore, World
from app.database import open_database
from app.quarantine_watch import TEXTS, QuarantineWatch
from collector.lanes import Lane
from collector.quarantine import Quarantine, QuarantineSettings
from domain.alert import AlertState
from domain.directory import Directory
from domain.instant import MINUTE_MS
from domain.people import Contact
from domain.places import Facility, Node
from tests.collector.intake import NOW_MS, StoppedClock

HERE = Directory(
    facilities=[Facility("clinic", "Clinic", "Uganda", "Western", "Kasese")],
    nodes=[Node("n1", "clinic", "Gateway")],
    contacts=[Contact("amina", "Amina", phone="+256700000001")],
)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    """Return an empty database."""
    async with open_database(f"sqlite+aiosqlite:///{tmp_path}/vitals.db") as engine:
        yield engine


class Watched:
    """One life of the service."""

    def __init__(self, database: AsyncEngine, clock: StoppedClock) -> None:
        self.clock = clock
        self.quarantine = Quarantine(lambda: HERE, QuarantineSettings())
        routes, world = routes_of(AlertsSettings().notifiers), World(lambda: HERE, lambda: TEXTS)
        self.alerts = AlertStore(database, routes=routes, world=world, telling=AT_ONCE)
        self.watch = QuarantineWatch(self.quarantine, self.alerts, database, directory=lambda: HERE, clock=clock)

    def flood(self, sender: str = "n1") -> None:
        """Send garbage until it is kept out."""
        while self.quarantine.admits(sender, Lane.LIVE, self.clock.shows_ms):
            self.quarantine.spend(sender, Lane.LIVE, readings=0, refused=50)


async def test_a_quarantine_is_told_and_cleared(database: AsyncEngine) -> None:
    """One alert, one message each way, however long the flood goes on."""
    here = Watched(database, StoppedClock())
    await here.alerts.create_tables()
    await here.watch.look()
    here.flood()
    for _ in range(3):
        await here.watch.look()
        here.clock.shows_ms += MINUTE_MS
        here.flood()
    (alert,) = await here.alerts.alerts()
    assert (alert.rule, alert.subject, alert.facility) == ("node-sends-garbage", "n1", "clinic")
    (message,) = await here.alerts.notifications(alert.id)
    assert "garbage" in message.short_text
    here.clock.shows_ms += 11 * MINUTE_MS
    await here.watch.look()
    (alert,) = await here.alerts.alerts(open_only=False)
    assert alert.ended_at is not None
    assert alert.state is AlertState.RETURNED_UNACKNOWLEDGED


async def test_a_restart_ends_what_is_over(database: AsyncEngine) -> None:
    """What an earlier life left open is taken up: ended when the node behaves, the same alert when it does not."""
    clock = StoppedClock()
    before = Watched(database, clock)
    await before.alerts.create_tables()
    before.flood()
    await before.watch.look()
    for floods in (True, False):
        after = Watched(database, clock)
        if floods:
            after.flood()
        await after.watch._recall()
        await after.watch.look()
        (alert,) = await after.alerts.alerts(open_only=False)
        assert (alert.ended_at is None) is floods


async def test_a_stranger_is_counted_and_nobody_is_told(database: AsyncEngine) -> None:
    """Nobody answers for a node that is not registered."""
    here = Watched(database, StoppedClock(NOW_MS))
    await here.alerts.create_tables()
    here.flood("stranger")
    await here.watch.look()
    assert await here.alerts.alerts(open_only=False) == []
    assert sum(here.quarantine.kept_out.values()) == 1
