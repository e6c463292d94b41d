"""The board of statuses: whatever happened in whatever order, it shows what judging everything anew would show."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from dashboards.pages.board import HEARD_FOR_ONE_JUDGED, Board
from dashboards.pages.status import FacilityStatus, Status, facility_statuses
from dashboards.pages.wording import AlertText
from dashboards.pages.words import Words
from domain.alert import Alert, AlertState
from domain.episode import Severity
from domain.instant import HOUR_MS, MINUTE_MS
from domain.places import EquipmentKind
from domain.reading import Quality, Reading
from tests.api.world import World

AGES_MS = st.sampled_from((0, MINUTE_MS, 29 * MINUTE_MS, 30 * MINUTE_MS, 31 * MINUTE_MS, 3 * HOUR_MS, 50 * HOUR_MS))
STEPS_MS = st.sampled_from((1, 999, 59_999, MINUTE_MS, 10 * MINUTE_MS, 31 * MINUTE_MS, 7 * HOUR_MS, 49 * HOUR_MS))
VALUES = st.sampled_from((0.0, 1.0, 5.0, 9.5, None))
FRIDGE = "kilembe-hc2/fridge-0/temperature"


def _full(world: World) -> list[FacilityStatus]:
    return facility_statuses(world.directory(), world.latest, world.open_alerts(), world.clock.now_ms())


def _brought_up(board: Board, world: World, at_most: int = 3) -> Sequence[FacilityStatus]:
    while board.bring_up(world.clock.now_ms(), at_most):
        pass
    board.publish()
    return board.statuses


def _board(world: World) -> Board:
    board = Board(world.latest)
    board.note_directory(world.directory())
    board.note_alerts(world.open_alerts())
    return board


class Days(RuleBasedStateMachine):
    """Anything that can happen to a small district, told to the board as its owner would tell it."""

    @initialize()
    def begin(self) -> None:
        """Three facilities, one in trouble, one silent."""
        self.world = World(days=0)
        self.board = _board(self.world)
        self.renamed = 0

    @rule(number=st.integers(0, 60), age_ms=AGES_MS, late_ms=st.integers(0, 5_000), value=VALUES)
    def a_reading_comes(self, number: int, age_ms: int, late_ms: int, value: float | None) -> None:
        """Of now or of before, with a value or without; an older one than the newest changes nothing."""
        channel = self.world.channels[number % len(self.world.channels)].id
        now_ms, newest = self.world.clock.now_ms(), self.world.latest(channel)
        reading = Reading(
            channel, now_ms - age_ms, value, Quality.GOOD if value is not None else Quality.BUS_ERROR, now_ms - late_ms
        )
        if newest is None or reading.measured_at_ms > newest.measured_at_ms:
            self.world.readings.setdefault(channel, []).append(reading)
            self.board.note_heard([channel])

    @rule(value=VALUES)
    def a_whole_facility_is_heard(self, value: float | None) -> None:
        """One batch with all of its channels."""
        self.world.clock.advance(timedelta(milliseconds=1))
        channels = [each.id for each in self.world.directory().channels_of("kilembe-hc2")]
        for channel in channels:
            self.world.take(channel, value, Quality.GOOD if value is not None else Quality.SENSOR_GONE)
        self.board.note_heard(channels)

    @rule(step_ms=STEPS_MS)
    def time_passes(self, step_ms: int) -> None:
        """Nothing else happens."""
        self.world.clock.advance(timedelta(milliseconds=step_ms))

    @rule(step_ms=STEPS_MS)
    def the_clock_is_set_back(self, step_ms: int) -> None:
        """It ran ahead."""
        self.world.clock.advance(timedelta(milliseconds=-step_ms))

    @rule(number=st.integers(0, 60), severity=st.sampled_from(Severity), ago_ms=STEPS_MS)
    def an_alert_is_raised(self, number: int, severity: Severity, ago_ms: int) -> None:
        """About some channel."""
        channel = self.world.channels[number % len(self.world.channels)]
        self.world.raise_alert("heat", severity, channel.facility, channel.id, timedelta(milliseconds=ago_ms))
        self.board.note_alerts(self.world.open_alerts())

    @rule(number=st.integers(0, 60), state=st.sampled_from(AlertState))
    def an_alert_changes(self, number: int, state: AlertState) -> None:
        """It is answered, shelved, over."""
        ids = list(self.world.alert_by_id)
        id_ = ids[number % len(ids)]
        self.world.alert_by_id[id_] = dataclasses.replace(self.world.alert_by_id[id_], state=state)
        self.board.note_alerts(self.world.open_alerts())

    @rule(high=st.sampled_from((4.0, 8.0, 10.0)))
    def a_facility_is_registered(self, high: float) -> None:
        """With a fridge."""
        id_ = f"new-{len(self.world.facilities)}-{self.renamed}"
        self.world.add_facility(id_, id_)
        self.world.add_channel(id_, EquipmentKind.FRIDGE, "Fridge", "temperature", {"high": high})
        self.board.note_directory(self.world.directory())

    @rule(number=st.integers(0, 10))
    def a_facility_is_closed(self, number: int) -> None:
        """Its channels are still registered for a moment, as nothing forbids."""
        if len(self.world.facilities) > 1:
            del self.world.facilities[number % len(self.world.facilities)]
            self._registry_changed()

    @rule(number=st.integers(0, 10), high=st.sampled_from((4.0, 8.0, 10.0)))
    def names_and_limits_change(self, number: int, high: float) -> None:
        """One facility has another name, all fridges another limit."""
        place = number % len(self.world.facilities)
        self.renamed += 1
        name = f"{'zyx'[number % 3]} renamed {self.renamed}"
        self.world.facilities[place] = dataclasses.replace(self.world.facilities[place], name=name)
        self.world.channels = [
            dataclasses.replace(each, limits={"high": high}) if "high" in each.limits else each
            for each in self.world.channels
        ]
        self._registry_changed()

    @rule(at_most=st.integers(1, 4))
    def a_slice_is_done(self, at_most: int) -> None:
        """The owner had time for a little."""
        self.board.bring_up(self.world.clock.now_ms(), at_most)

    @invariant()
    def the_board_shows_what_is(self) -> None:
        """Brought up to date, it equals the full computation, in the same order."""
        if hasattr(self, "board"):
            assert list(_brought_up(self.board, self.world)) == _full(self.world)

    def _registry_changed(self) -> None:
        self.world._directory = None
        self.board.note_directory(self.world.directory())


class Slices(Days):
    """The same where the board is looked at only now and then, so that work piles up."""

    looks = 0

    @invariant()
    def the_board_shows_what_is(self) -> None:
        """Every fifth time."""
        self.looks += 1
        if self.looks % 5 == 0:
            super().the_board_shows_what_is()


TestDays = Days.TestCase
TestDays.settings = settings(max_examples=30, stateful_step_count=25, deadline=None)
TestSlices = Slices.TestCase
TestSlices.settings = settings(max_examples=30, stateful_step_count=40, deadline=None)


def test_a_reading_that_changes_nothing_is_not_judged() -> None:
    """What a well facility reads moves when it was heard, and asks no rule for its words."""
    world, asked = World(), list[Alert]()

    def describe(alert: Alert, _: Words) -> AlertText:
        asked.append(alert)
        return AlertText("too warm")

    board = Board(world.latest, describe)
    board.note_directory(world.directory())
    board.note_alerts(world.open_alerts())
    _brought_up(board, world)
    asked.clear()
    world.clock.advance(timedelta(seconds=10))
    world.take("kasese-hc3/fridge-0/temperature", 5.0)
    board.note_heard(["kasese-hc3/fridge-0/temperature"])
    shown = {each.facility.id: each for each in _brought_up(board, world)}
    assert shown["kasese-hc3"].last_heard_ms == world.clock.now_ms()
    assert asked == []
    board.note_words()
    _brought_up(board, world)
    assert {alert.facility for alert in asked} == {"kasese-hc3", "bwera-hospital"}


def test_the_moment_of_being_heard_can_move_back() -> None:
    """A newer reading that came earlier, on another way, takes the place of the one that came last."""
    world = World()
    board = _board(world)
    _brought_up(board, world)
    now_ms = world.clock.now_ms()
    for measured_ms, received_ms in ((now_ms + 1_000, now_ms + 9_000), (now_ms + 2_000, now_ms + 3_000)):
        world.readings[FRIDGE].append(Reading(FRIDGE, measured_ms, 5.0, Quality.GOOD, received_ms))
        board.note_heard([FRIDGE])
        assert list(_brought_up(board, world)) == _full(world)


def test_a_sensor_that_answers_without_a_value_is_told_for_how_long() -> None:
    """Its words go on by the minute although its readings are fresh."""
    world = World(days=0)
    board = _board(world)
    for channel in world.directory().channels_of("kilembe-hc2"):
        world.take(channel.id, None, Quality.SENSOR_GONE)
        board.note_heard([channel.id])
    for _ in range(3):
        assert list(_brought_up(board, world)) == _full(world)
        world.clock.advance(timedelta(minutes=1))


def test_a_slice_judges_no_more_than_it_may() -> None:
    """Whoever owns the board decides how long it keeps others waiting."""
    world = World(days=0, copies=9)
    board = _board(world)
    slices = 0
    while board.bring_up(world.clock.now_ms(), 4):
        slices += 1
        board.publish()
        assert len(board.statuses) == 4 * slices
    assert slices == 2


def test_what_is_shown_stays_until_it_is_published() -> None:
    """A reader of the board never sees half of a change."""
    world = World()
    board = _board(world)
    before = _brought_up(board, world)
    world.clock.advance(timedelta(hours=5))
    while board.bring_up(world.clock.now_ms(), HEARD_FOR_ONE_JUDGED):
        pass
    assert board.statuses is before
    board.publish()
    assert {each.overall for each in board.statuses} == {Status.CRITICAL, Status.SILENT}
