"""The trend on the page of an alert, the power, and the time that is left."""

from __future__ import annotations

import gzip
import math
import re
from dataclasses import replace
from datetime import datetime, timedelta

import httpx
import pytest
from fastapi import Request
from hypothesis import given
from hypothesis import strategies as st

from alerts.facts import Power
from api.create import create_api
from api.time_left import time_left
from dashboards.pages.alert_trend import measured_since, trend_window
from dashboards.pages.state_strip import Stretch
from domain.access import Grant, Principal, Role
from domain.alert import Alert, AlertState
from domain.episode import Severity, SubjectKind
from domain.instant import HOUR_MS, MINUTE_MS, to_datetime, to_ms
from domain.places import Channel, EquipmentKind
from domain.quantities import QUANTITIES
from domain.reading import Quality, Reading
from tests.api.test_api_pages import HTML, Reader
from tests.api.world import NOON, World

GRACE = Principal("user:grace", "Grace", frozenset({Grant(Role.TECHNICIAN)}))
CHANNEL = Channel("hc/f/t", "hc", "f", "n", "t", QUANTITIES["temperature"], timedelta(minutes=5), {"high": 8.0})
NOW_MS = to_ms(NOON)


def _client(world: World, principal: Principal | None = None) -> httpx.AsyncClient:
    async def recognise(_: Request) -> Principal | None:
        return principal

    services = world.services()
    api = create_api(services) if principal is None else create_api(services, recognise=recognise)
    return httpx.AsyncClient(transport=httpx.ASGITransport(api), base_url="http://127.0.0.1")


async def _page(world: World, alert: int = 4821) -> str:
    async with _client(world) as client:
        answer = await client.get(f"/alerts/{alert}", headers=HTML)
        assert answer.status_code == 200
        return answer.text


def _said(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


async def test_the_trend_stands_in_the_page(world: World) -> None:
    """Drawn by the server, with limits, the excursion, when it began and who took it, and as a table."""
    world.alert_by_id[4821] = replace(
        world.alert_by_id[4821],
        state=AlertState.ACKNOWLEDGED,
        acknowledged_by="Grace",
        acknowledged_at=NOON - timedelta(hours=1),
    )
    answer = await _page(world)
    page, said = Reader(answer), _said(answer)
    classes = [attributes.get("class") for _, attributes in page.tags]
    assert {"safe", "excursion", "moment", "draw"} <= set(classes)
    assert "A began Fri 20 Nov 12:50 EAT" in said
    assert "B taken by Grace Fri 20 Nov 14:00 EAT" in said
    assert [tag for tag, _ in page.tags].count("table") == 1
    assert not any("uplot" in link for link in page.links())


async def test_it_is_light(world: World) -> None:
    """The page with its style and script, for a phone on 2G: at most 20 KB compressed."""
    async with _client(world) as client:
        page = await client.get("/alerts/4821", headers=HTML)
        files = [each for each in Reader(page.text).links() if each.startswith("/static/")]
        bodies = [page.content] + [(await client.get(each)).content for each in files]
    assert sum(len(gzip.compress(body, 6)) for body in bodies) <= 20_000


async def test_an_alert_about_a_node_has_no_trend(world: World) -> None:
    """What is not about something measured shows no empty drawing."""
    silent = next(each.id for each in world.alert_by_id.values() if each.rule == "silent")
    page = Reader(await _page(world, silent))
    assert not [1 for _, attributes in page.tags if attributes.get("class") in ("draw", "timeline")]


async def test_power_now_and_when_it_began_are_said(world: World) -> None:
    """Now by the service's own watch, then by what was measured; after a restart since when comes from that as well."""
    world.power["kasese-hc3"] = Power(False, NOON - timedelta(hours=3))
    said = _said(await _page(world))
    assert "Power now off since Fri 20 Nov 12:00 (3 h)" in said
    assert "Power when it began off" in said
    world.power["kasese-hc3"] = Power(False)
    assert "Power now off since Fri 20 Nov 12:10 (2 h 50 min)" in _said(await _page(world))
    world.power.clear()
    assert "Power now" not in _said(await _page(world))


@pytest.mark.parametrize(
    ("stretches", "on", "since_ms"),
    [
        ([Stretch(0, 10, 1.0, 10), Stretch(10, 20, 0.0, 10)], False, 10),
        ([Stretch(0, 10, 1.0, 10), Stretch(10, 20, 0.0, 10)], True, None),
        ([Stretch(0, 20, 0.0, 20)], False, None),
        ([Stretch(0, 10, 1.0, 10), Stretch(HOUR_MS, 2 * HOUR_MS, 0.0, HOUR_MS)], False, None),
        ([], True, None),
    ],
    ids=["measured", "contradicted", "from before", "in a gap", "nothing"],
)
def test_since_when_is_said_only_where_it_was_seen(stretches: list[Stretch], on: bool, since_ms: int | None) -> None:
    """A change that nobody measured has no moment."""
    assert measured_since(stretches, on=on) == (None if since_ms is None else to_datetime(since_ms))


def _warming(hours: float, tau_hours: float, *, around: float = 30.0, at_first: float = 4.0) -> list[Reading]:
    """Return a fridge that warmed by Newton's law until now."""
    found = []
    for minute in range(round(hours * 60), -1, -5):
        value = around + (at_first - around) * math.exp(-(hours - minute / 60) / tau_hours)
        at_ms = NOW_MS - minute * MINUTE_MS
        found.append(Reading("hc/f/t", at_ms, round(value, 2), Quality.GOOD, at_ms))
    return found


@pytest.mark.parametrize("tau_hours", [10.0, 20.0, 40.0])
def test_time_left_holds_the_true_moment(tau_hours: float) -> None:
    """For a box that warms by Newton's law the limit is reached between the two moments that are said."""
    readings = _warming(1.5, tau_hours)
    left = time_left(CHANNEL, readings, NOW_MS)
    assert left is not None
    true_hours = tau_hours * math.log((30.0 - 4.0) / (30.0 - 8.0)) - 1.5
    assert left.earliest_ms <= true_hours * HOUR_MS <= left.latest_ms
    assert left.latest_ms <= 3.5 * left.earliest_ms


@pytest.mark.parametrize(
    "readings",
    [
        [],
        _warming(0.3, 20.0),
        _warming(1.5, 20.0, around=6.0),
        _warming(1.5, 20.0, around=0.0),
        _warming(1.5, 2.0),
        [each._replace(value=4.0 + (number * 7 % 5) * 0.3) for number, each in enumerate(_warming(1.5, 20.0))],
        [each for each in _warming(1.5, 20.0) if not 20 < (NOW_MS - each.measured_at_ms) / MINUTE_MS < 60],
        [each._replace(measured_at_ms=each.measured_at_ms - HOUR_MS) for each in _warming(1.5, 20.0)],
    ],
    ids=["nothing", "too few", "stays below", "cools", "too warm already", "no curve", "a gap", "old"],
)
def test_nothing_is_said_where_it_cannot_be_said(readings: list[Reading]) -> None:
    """A poor fit, old readings, or a limit that is not reached: silence is better than a wrong figure."""
    assert time_left(CHANNEL, readings, NOW_MS) is None


async def _with_a_warming_fridge(world: World, power: Power) -> str:
    """Return what the page of a power cut says whose fridge warms."""
    world.add_facility("hc", "Warm")
    item = world.add_channel("hc", EquipmentKind.FRIDGE, "Fridge A", "temperature", {"high": 8.0})
    supply = world.add_channel("hc", EquipmentKind.MAINS, "Grid", "supply")
    world.readings[item] = [each._replace(channel=item) for each in _warming(1.5, 20.0)]
    world.readings[supply] = [Reading(supply, NOW_MS, 0.0, Quality.GOOD, NOW_MS)]
    world.power["hc"] = power
    alert = world.raise_alert("mains_lost", Severity.WARNING, "hc", supply, timedelta(hours=1, minutes=30))
    return _said(await _page(world, alert.id))


async def test_a_power_cut_says_how_long_each_fridge_lasts(world: World) -> None:
    """In whole hours or tens of minutes, with the limit, and that it holds if it goes on like this."""
    said = await _with_a_warming_fridge(world, Power(False, NOON - timedelta(hours=1, minutes=30)))
    assert "Time left, if it goes on like this Fridge A : about 1 h 40 min to 2 h until 8.0 °C" in said


async def test_with_power_no_time_left_is_said(world: World) -> None:
    """A fridge with power cools again."""
    assert "Time left" not in await _with_a_warming_fridge(world, Power(True))


async def test_who_is_signed_in_takes_an_alert_with_one_tap(world: World) -> None:
    """No name is asked for, on this page and in the lists, and none has to be sent."""
    async with _client(world, GRACE) as client:
        for path in ("/alerts/4821", "/alerts", "/facilities/kasese-hc3"):
            page = Reader((await client.get(path, headers=HTML)).text)
            assert not [1 for _, attributes in page.tags if attributes.get("name") == "by"], path
        own = {"sec-fetch-site": "same-origin"}
        answer = await client.post("/alerts/4821/acknowledge", data={"note": ""}, headers=own)
    assert answer.status_code == 303
    assert world.alert_by_id[4821].acknowledged_by == "Grace"


@given(
    st.integers(1, 400 * 24 * 60),
    st.integers(0, 400 * 24 * 60),
    st.booleans(),
    st.sampled_from(["UTC", "Asia/Kathmandu"]),
)
def test_a_trend_shows_how_it_began_and_never_the_future(ago: int, lasted: int, is_over: bool, zone: str) -> None:
    """At least three hours before the beginning, at most until now, in a table of a few rows."""
    started = NOON - timedelta(minutes=ago)
    ended = min(started + timedelta(minutes=lasted), NOON) if is_over else None
    window = trend_window(_alert(started, ended), zone, NOW_MS)
    assert window.from_ms <= to_ms(started) - 3 * HOUR_MS
    assert to_ms(ended or NOON) <= window.to_ms <= NOW_MS
    assert (window.to_ms - window.from_ms) / (window.range.table_step / timedelta(milliseconds=1)) <= 16


def _alert(started: datetime, ended: datetime | None) -> Alert:
    return Alert(
        id=1, episode="e", rule="heat", severity=Severity.CRITICAL, state=AlertState.UNACKNOWLEDGED,
        subject_kind=SubjectKind.CHANNEL, subject="c", facility="hc", started_at=started, raised_at=started,
        ended_at=ended,
    )  # fmt: skip
