"""The status board in a service: it hears of everything that happens, and keeps nobody waiting."""

from __future__ import annotations

import asyncio
import dataclasses
from datetime import timedelta
from pathlib import Path

import pytest

from app.open_alerts import OpenAlerts
from app.status_board import AT_A_TIME, StatusBoard
from collector.latest import Latest
from dashboards.pages.status import FacilityStatus, Status
from dashboards.pages.wording import AlertText
from dashboards.pages.words import Words
from domain.alert import Alert
from domain.episode import Severity
from domain.reading import Quality, Reading
from tests.alerts.given import DIRECTORY, an_episode, opened, sqlite_database
from tests.alerts.given import Judge as Recorder
from tests.api.world import World


class Given:
    """A board over a world's registry and a real store of alerts."""

    def __init__(self, world: World, alerts: OpenAlerts) -> None:
        self.world, self.latest = world, Latest()
        for readings in world.readings.values():
            self.latest.update(readings)
        self.broken = False
        self.board = StatusBoard(
            directory=world.directory, latest=self.latest, alerts=alerts, describe=self.describe, clock=world.clock
        )

    def describe(self, alert: Alert, words: Words) -> AlertText:
        """Return the words of a rule, or fail."""
        if self.broken:
            raise LookupError("a rule without words")
        return self.world.describe(alert, words)

    def take(self, channel: str, value: float) -> None:
        """Let a reading of now be committed."""
        now_ms = self.world.clock.now_ms()
        self.world.take(channel, value)
        self.latest.update([Reading(channel, now_ms, value, Quality.GOOD, now_ms)])

    def of(self, facility: str) -> FacilityStatus:
        """Return what the board shows of a facility."""
        return next(each for each in self.board.statuses() if each.facility.id == facility)


def _given(world: World, recorder: Recorder) -> Given:
    return Given(world, OpenAlerts(recorder.store))


def _without_alerts() -> World:
    world = World()
    world.alert_by_id.clear()
    return world


async def test_readings_time_and_registry_reach_the_board(tmp_path: Path) -> None:
    """Each at the next refresh, as the full computation would have it."""
    async with sqlite_database(f"{tmp_path}/vitals.db") as database:
        world = _without_alerts()
        given = _given(world, Recorder(database))
        await given.board.refresh()
        assert list(given.board.statuses()) == world.statuses()
        world.clock.advance(timedelta(minutes=1))
        given.take("kilembe-hc2/fridge-0/temperature", 9.5)
        await given.board.refresh()
        assert given.of("kilembe-hc2").overall is Status.WARNING
        assert list(given.board.statuses()) == world.statuses()
        world.clock.advance(timedelta(hours=4))
        world.add_facility("new", "New")
        world.facilities[0] = dataclasses.replace(world.facilities[0], name="Renamed")
        world._directory = None
        await given.board.refresh()
        assert list(given.board.statuses()) == world.statuses()


async def test_an_alert_shows_without_asking_the_database(tmp_path: Path) -> None:
    """What the judge records stands on the board at the next refresh."""
    async with sqlite_database(f"{tmp_path}/vitals.db") as database:
        recorder = Recorder(database)
        await recorder.store.create_tables()
        world = World(days=0)
        world.facilities, world.nodes = list(DIRECTORY.facilities.values()), list(DIRECTORY.nodes.values())
        world.equipment, world.channels = list(DIRECTORY.equipment.values()), list(DIRECTORY.channels.values())
        given = _given(world, recorder)
        await given.board.refresh()
        assert given.of("kasese-3").open_alerts == 0
        await recorder.record(opened(dataclasses.replace(an_episode(), severity=Severity.CRITICAL)))
        await given.board.refresh()
        assert given.of("kasese-3").open_alerts == 1
        assert given.of("kasese-3").overall is Status.CRITICAL


async def test_others_get_their_turn_while_a_nation_is_judged(tmp_path: Path) -> None:
    """After every few facilities."""
    async with sqlite_database(f"{tmp_path}/vitals.db") as database:
        given = _given(World(days=0, copies=10 * AT_A_TIME), Recorder(database))
        turns = 0

        async def count() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        counting = asyncio.create_task(count())
        await given.board.refresh()
        counting.cancel()
        assert turns >= 10


async def test_one_facility_that_cannot_be_judged_does_not_stall_the_others(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It is logged, the others are shown, and it is tried again when something about it changes."""
    async with sqlite_database(f"{tmp_path}/vitals.db") as database:
        recorder = Recorder(database)
        await recorder.store.create_tables()
        world = _without_alerts()
        given = _given(world, recorder)
        given.broken = True
        episode = dataclasses.replace(an_episode(), facility="kasese-hc3", subject="kasese-hc3/fridge-1/temperature")
        await recorder.record(opened(episode))
        await given.board.refresh()
        assert {each.facility.id for each in given.board.statuses()} == {"bwera-hospital", "kilembe-hc2"}
        assert "cannot be judged" in caplog.text
        given.broken = False
        world.clock.advance(timedelta(seconds=1))
        given.take("kasese-hc3/fridge-1/temperature", 9.9)
        await given.board.refresh()
        assert given.of("kasese-hc3").open_alerts == 1
