"""The bar of the last day: no hour looks better than it was, and what is not known is a gap."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards.pages.day_bar import HOURS, day_bar, first_hour_ms, past_hours, question_of
from dashboards.pages.status import FacilityStatus, Status
from dashboards.pages.words import ENGLISH
from domain.alert import Alert, AlertState
from domain.episode import Severity
from domain.instant import HOUR_MS, to_datetime
from domain.place_hour import PlaceHour
from tests.api.world import World

FRIDGE = "kasese-hc3/fridge-1/temperature"
OK, WARNING, CRITICAL, UNKNOWN = Status.OK, Status.WARNING, Status.CRITICAL, Status.SILENT


def _world() -> World:
    world = World(days=0)
    world.alert_by_id.clear()
    return world


def _status(world: World, facility: str = "kasese-hc3") -> FacilityStatus:
    return next(each for each in world.statuses() if each.facility.id == facility)


def _alert(world: World, ago_h: float, ended_ago_h: float | None, **more: object) -> Alert:
    now = to_datetime(world.clock.now_ms())
    ended = None if ended_ago_h is None else now - timedelta(hours=ended_ago_h)
    severity = more.pop("severity", Severity.CRITICAL)
    assert isinstance(severity, Severity)
    subject = str(more.pop("subject", FRIDGE))
    return world.raise_alert("heat", severity, "kasese-hc3", subject, timedelta(hours=ago_h), ended_at=ended, **more)


def test_hours_come_from_readings_and_alerts_and_the_worse_counts() -> None:
    """A breach makes an hour wrong, an alert critical; without either it was well, without readings unknown."""
    world = _world()
    begin = first_hour_ms(world.clock.now_ms())
    hours = [PlaceHour("kasese-hc3", begin + n * HOUR_MS, n != 5, n == 7) for n in range(10)]
    found = past_hours(hours, [_alert(world, 14.5, 13.5)], world.directory(), world.clock.now_ms())
    expected = [OK] * 10 + [UNKNOWN] * 14
    expected[5], expected[7], expected[8], expected[9] = UNKNOWN, WARNING, CRITICAL, CRITICAL
    assert list(found) == expected


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, CRITICAL),
        ({"severity": Severity.WARNING}, WARNING),
        ({"severity": Severity.INFO}, OK),
        ({"state": AlertState.SUPPRESSED}, OK),
        ({"state": AlertState.OUT_OF_SERVICE}, OK),
        ({"subject": "kasese-hc3-gw"}, OK),
    ],
)
def test_which_alerts_count(more: dict[str, object], expected: Status) -> None:
    """Those about power, cold chain and water that nothing else explains; a silent node is a gap already."""
    world = _world()
    now_ms = world.clock.now_ms()
    hours = [PlaceHour("kasese-hc3", first_hour_ms(now_ms) + n * HOUR_MS, True, False) for n in range(HOURS)]
    found = past_hours(hours, [_alert(world, 2, None, **more)], world.directory(), now_ms)
    assert set(found[-3:]) == {expected}
    assert set(found[:-3]) == {OK}


def test_an_alert_from_before_the_day_fills_the_whole_bar() -> None:
    """It began three days ago and goes on."""
    world = _world()
    found = past_hours([], [_alert(world, 72, None)], world.directory(), world.clock.now_ms())
    assert found == (CRITICAL,) * HOURS
    over = past_hours([], [_alert(world, 72, 30)], world.directory(), world.clock.now_ms())
    assert over == (UNKNOWN,) * HOURS


def test_the_running_hour_is_as_bad_as_the_facility_is_now() -> None:
    """What is not settled yet stands in the status."""
    world = _world()
    for channel in world.directory().channels_of("kasese-hc3"):
        world.take(channel.id, 230.0 if channel.quantity.name == "voltage" else 5.0)
    bar = day_bar((UNKNOWN,) * HOURS, _status(world), ENGLISH)
    assert [(part.status, part.path) for part in bar.parts] == [(OK, "M46 12V8h2V12z")]
    assert bar.words == "Last 24 hours: 1 h well, 23 h unknown."
    world.clock.advance(timedelta(seconds=1))
    world.take(FRIDGE, 9.5)
    assert [part.status for part in day_bar((OK,) * HOURS, _status(world), ENGLISH).parts] == [WARNING, OK]
    world.clock.advance(timedelta(hours=4))
    assert day_bar((UNKNOWN,) * HOURS, _status(world), ENGLISH).parts == ()


def test_the_question_names_what_is_looked_at() -> None:
    """Channels with limits and mains supplies; the gateway's own figures tell nothing of the facility."""
    world = _world()
    asked = question_of(world.directory(), "kasese-hc3")
    assert [each.rpartition("/")[2] for each in asked.limited] == [
        "temperature",
        "temperature",
        "voltage",
        "tank_level",
    ]
    assert [each.rpartition("/")[2] for each in asked.supplies] == ["supply"]


@given(st.lists(st.sampled_from((OK, WARNING, CRITICAL, UNKNOWN)), min_size=HOURS, max_size=HOURS))
def test_the_drawing_and_the_words_say_the_same(hours: list[Status]) -> None:
    """Each known hour is drawn once; the heights tell the kinds apart without colour."""
    world = _world()
    world.channels.clear()
    world._directory = None
    bar = day_bar(tuple(hours), _status(world), ENGLISH)
    drawn = [UNKNOWN] * HOURS
    tops = {CRITICAL: "0", WARNING: "4", OK: "8"}
    for part in bar.parts:
        for piece in part.path.removesuffix("z").split("z"):
            start, _, rest = piece.removeprefix("M").partition(" 12V")
            top, _, rest = rest.partition("h")
            assert top == tops[part.status]
            for place in range(int(start) // 2, (int(start) + int(rest.partition("V")[0])) // 2):
                assert drawn[place] is UNKNOWN
                drawn[place] = part.status
    assert drawn == hours
    for tone, words in ((CRITICAL, "critical"), (WARNING, "with something wrong"), (OK, "well"), (UNKNOWN, "unknown")):
        count = hours.count(tone)
        assert (f"{count} h {words}" in bar.words) == (count > 0)


def test_an_hour_is_never_made_better() -> None:
    """Whatever comes in whatever order, a worse hour stays."""
    world = _world()
    now_ms = world.clock.now_ms()
    hours = [PlaceHour("kasese-hc3", first_hour_ms(now_ms), True, troubled) for troubled in (True, False)]
    assert past_hours(hours, [], world.directory(), now_ms)[0] is WARNING
    assert past_hours(reversed(hours), [], world.directory(), now_ms)[0] is WARNING
