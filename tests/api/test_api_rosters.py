"""Rosters as calendars over HTTP, on a real registry."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest

from alerts.oncall.roster import on_call
from api.create import create_api
from api.rosters import MOST_BYTES
from app.registry_view import RegistryView
from app.roster_calendars import roster_desk
from domain.instant import to_ms
from registry.history import Occasion
from registry.store import RegistryStore
from tests.alerts.given import sqlite_database
from tests.api.world import SteppedClock, World
from tests.registry.test_registry_people import KASESE, document

PATH = "/api/v1/rosters/duty.ics"
NOW = datetime(2026, 12, 1, tzinfo=UTC)
CHRISTMAS = datetime(2026, 12, 25, 12, tzinfo=UTC)
CALENDAR = {"Content-Type": "text/calendar; charset=utf-8"}


class Desk(NamedTuple):
    """What is registered, and a client of the API over it."""

    registry: RegistryView
    client: httpx.AsyncClient

    def on_call(self, at: datetime) -> tuple[str, ...]:
        """Return who is on call by what this process knows."""
        return on_call(self.registry.directory.rosters["duty"], at)


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """Give both on the people of Kasese."""
    async with sqlite_database(f"{tmp_path}/vitals.db") as database:
        store, clock = RegistryStore(database), SteppedClock(to_ms(NOW))
        await store.create_tables()
        await store.import_document(document(KASESE), occasion=Occasion(to_ms(NOW)))
        registry = RegistryView(store)
        await registry.refresh()
        services = World().services(
            clock=clock, directory=lambda: registry.directory, rosters=roster_desk(database, registry, clock)
        )
        transport = httpx.ASGITransport(create_api(services), raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            yield Desk(registry, client)


def day(who: str, date: str = "20261225", more: str = "") -> bytes:
    """Return a calendar with one whole day of a person."""
    return (
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTAMP:20261201T000000Z\r\n"
        f"SUMMARY:{who}\r\nDTSTART;VALUE=DATE:{date}\r\n{more}END:VEVENT\r\nEND:VCALENDAR\r\n"
    ).encode()


async def test_a_calendar_can_be_subscribed_to(desk: Desk) -> None:
    """It has the turns of the days that were asked for, as a calendar program wants them."""
    answer = await desk.client.get(PATH, params={"from": "2026-11-30T05:00:00Z", "days": 7})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/calendar; charset=utf-8")
    assert answer.text.startswith("BEGIN:VCALENDAR\r\n")
    assert (answer.text.count("SUMMARY:Amina K."), answer.text.count("SUMMARY:Joseph")) == (1, 2)
    assert (await desk.client.get("/api/v1/rosters/dutty.ics")).status_code == 404


async def test_a_calendar_puts_its_people_on_call_at_once(desk: Desk) -> None:
    """Within its days it says all; with ``add`` what is registered stays. Listeners of the registry hear of it."""
    heard: list[tuple[str, ...]] = []
    desk.registry.on_change(lambda: heard.append(desk.on_call(CHRISTMAS)))
    assert desk.on_call(CHRISTMAS) == ("joseph",)
    added = await desk.client.put(PATH, params={"add": "true"}, content=day("amina"), headers=CALENDAR)
    assert added.json() == {"roster": "duty", "events": 1, "added": 1, "forgotten": 0}
    assert desk.on_call(CHRISTMAS) == ("amina",)
    assert heard == [("amina",)]
    assert len(desk.registry.directory.rosters["duty"].overrides) == 2
    whole = await desk.client.put(PATH, content=day("amina"), headers=CALENDAR)
    assert whole.json() == {"roster": "duty", "events": 1, "added": 0, "forgotten": 1}
    again = await desk.client.put(PATH, content=day("amina"), headers=CALENDAR)
    assert again.json() == {"roster": "duty", "events": 1, "added": 0, "forgotten": 0}


async def test_an_event_that_cannot_be_used_is_named(desk: Desk) -> None:
    """Nothing of the calendar is taken then."""
    answer = await desk.client.put(PATH, content=day("Josef"), headers=CALENDAR)
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    (error,) = answer.json()["errors"]
    assert error["field"] == "line 4: event 'Josef' of 2026-12-25"
    assert error["sentence"].startswith("found 'Josef'; allowed: the id, name or e-mail address of a contact")
    assert desk.on_call(CHRISTMAS) == ("joseph",)


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"no calendar", "text/calendar", 422),
        (day("amina"), "application/json", 415),
        (day("amina"), "text/plain", 403),
        (b"x" * (MOST_BYTES + 1), "text/calendar", 413),
        (day("amina", more="RRULE:FREQ=SECONDLY\r\n"), "text/calendar", 422),
    ],
)
async def test_what_is_no_usable_calendar_is_refused(desk: Desk, content: bytes, kind: str, status: int) -> None:
    """As a problem document, and nothing changes."""
    answer = await desk.client.put(PATH, content=content, headers={"Content-Type": kind})
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert desk.on_call(CHRISTMAS) == ("joseph",)


async def test_a_large_calendar_is_taken(desk: Desk) -> None:
    """Larger than other bodies may be: a year of days is."""
    head, tail = day("amina").split(b"END:VCALENDAR")[0], b"END:VCALENDAR" + b"\r\n"
    note = b"X-NOTE:" + b"x" * 60 + b"\r\n"
    content = head.replace(b"END:VEVENT", note * 1_000 + b"END:VEVENT") + tail
    assert (await desk.client.put(PATH, content=content, headers=CALENDAR)).json()["events"] == 1


async def test_a_process_without_rosters_says_so() -> None:
    """With the status that means: ask elsewhere."""
    transport = httpx.ASGITransport(create_api(World().services()), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        assert (await client.get(PATH)).status_code == 503
