"""Maintenance on a page: what is silent, announcing it in local time, ending it."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import httpx
import pytest

from domain.alert import AlertState
from tests.alerts.given import MINUTE, NOON, an_episode, opened
from tests.api.desk import Desk
from tests.api.test_alert_page import OWN
from tests.api.test_api_pages import HTML, Reader

WINDOW = {
    "by": "Grace", "facility": "kasese-3", "start": "2026-11-20T14:00", "end": "2026-11-20T18:30",
    "reason": "compressor replaced",
}  # fmt: skip


async def show(desk: Desk, query: str = "") -> Reader:
    """Return the page as a browser sees it."""
    answer = await desk.client.get(f"/maintenance{query}", headers=HTML)
    assert answer.status_code == 200
    return Reader(answer.text)


async def announce(desk: Desk, **fields: str) -> httpx.Response:
    """Send the form."""
    return await desk.client.post("/maintenance", data=WINDOW | fields, headers=OWN | HTML)


async def test_a_window_is_announced_in_the_time_of_the_facility(desk: Desk) -> None:
    """Two in the afternoon in Kampala is eleven in UTC, and it stands on the page until it is over."""
    assert (await announce(desk)).status_code == 303
    (kept,) = await desk.judge.store.silences(NOON)
    assert kept.start == datetime(2026, 11, 20, 11, tzinfo=UTC)
    assert kept.end == datetime(2026, 11, 20, 15, 30, tzinfo=UTC)
    assert (kept.facility, kept.created_by) == ("kasese-3", "Grace")
    page = await show(desk)
    assert "Nobody is told of 1 thing just now" in page.text
    assert "Kasese HC3" in page.text
    assert "compressor replaced" in page.text


async def test_an_alert_in_the_window_is_silent_until_it_is_ended(desk: Desk) -> None:
    """Ending it early lets what goes on be told."""
    await announce(desk)
    await desk.judge.record(opened(an_episode()))
    assert not await desk.judge.store.notifications(1)
    answer = await desk.client.post("/maintenance/1/end", data={"by": "Grace"}, headers=OWN | HTML)
    assert answer.status_code == 303
    assert await desk.judge.store.notifications(1)
    found = await desk.judge.store.alert(1)
    assert found is not None
    assert found.state is AlertState.UNACKNOWLEDGED
    assert "Nothing is silenced" in (await show(desk)).text


async def test_a_window_of_certain_days_and_hours(desk: Desk) -> None:
    """Every Monday and Friday night, without an end."""
    hours = {"day0": "on", "day4": "on", "from_time": "22:00", "to_time": "04:00", "end": ""}
    assert (await announce(desk, **hours)).status_code == 303
    (kept,) = await desk.judge.store.silences(NOON)
    assert (kept.weekdays, kept.from_time, kept.to_time) == ((0, 4), time(22), time(4))
    assert (kept.timezone, kept.end) == ("Africa/Kampala", None)
    page = await show(desk)
    assert "Mon, Fri 22:00–04:00 Africa/Kampala" in page.text
    assert "until somebody ends it" in page.text


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"end": "2026-11-20T13:00"}, "it ends after it starts"),
        ({"start": "tomorrow"}, "is no date and time; write it as 2026-11-20T14:30"),
        ({"facility": "nowhere"}, "There is no facility with this id"),
        ({"facility": "", "district": ""}, "a maintenance names a place"),
        ({"reason": ""}, "Field required"),
        ({"from_time": "22:00"}, "from_time and to_time go together"),
        ({"by": " "}, "Write your name"),
    ],
)
async def test_what_cannot_be_announced_comes_back_with_the_reason(
    desk: Desk, fields: dict[str, str], sentence: str
) -> None:
    """Nothing is silenced, and what was written stands in the form again."""
    answer = await announce(desk, **fields)
    assert answer.status_code == 422
    page = Reader(answer.text)
    assert sentence in page.text
    assert not await desk.judge.store.silences(NOON)
    if "reason" not in fields:
        assert "compressor replaced" in answer.text


async def test_the_form_offers_the_equipment_of_a_facility_that_was_chosen(desk: Desk) -> None:
    """The page of a facility leads to its own form."""
    assert "fridge 2" in (await show(desk, "?facility=kasese-3")).text
    assert "fridge 2" not in (await show(desk)).text


async def test_what_is_planned_stands_apart_from_what_holds(desk: Desk) -> None:
    """Tomorrow's window silences nothing today."""
    tomorrow = NOON + timedelta(days=1)
    await announce(desk, start=f"{tomorrow:%Y-%m-%dT%H:%M}", end=f"{tomorrow + 30 * MINUTE:%Y-%m-%dT%H:%M}")
    page = await show(desk)
    assert "Nothing is silenced" in page.text
    assert "Planned" in page.text
