"""What people wrote, over HTTP, as the real desk kept it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from api.alert_desk import AlertDesk
from api.create import create_api
from domain.instant import format_rfc3339
from tests.alerts.answers.people_desk import PEOPLE, Office, an_office
from tests.alerts.given import an_episode, opened, sqlite_database
from tests.api.world import World

PATH = "/api/v1/inbox"


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    """Give a desk on a fresh file."""
    async with sqlite_database(f"{tmp_path}/vitals.db") as database:
        yield await an_office(database)


@pytest.fixture
async def client(office: Office) -> AsyncIterator[httpx.AsyncClient]:
    """Give a client of the API over the same store."""
    services = World().services(directory=lambda: PEOPLE, alert_desk=AlertDesk(office.judge.store))
    transport = httpx.ASGITransport(create_api(services), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        yield client


async def test_texts_and_answers_are_listed_without_numbers(office: Office, client: httpx.AsyncClient) -> None:
    """The newest first: who wrote, what it was taken for, what it was about and what was answered."""
    await office.judge.record(opened(an_episode()))
    answered = await office.hear("1 1 ring me at 0700 000 001", reference="a")
    await office.hear("Who is this?", sender="+256755555555", reference="b")
    answer = await client.get(PATH)
    stranger, amina = answer.json()["texts"]
    assert answer.json()["next"] is None
    assert answered
    assert amina == {
        "id": 1,
        "received_at": format_rfc3339(office.now),
        "channel": "sms",
        "sender": "…001",
        "contact": "amina",
        "text": "1 1 ring me at …001",
        "meaning": "going",
        "alerts": [1],
        "answer": answered,
    }
    assert (stranger["sender"], stranger["contact"], stranger["meaning"]) == ("…555", "", "stranger")
    assert "700" not in answer.text
    assert "7555" not in answer.text


async def test_it_is_paged(office: Office, client: httpx.AsyncClient) -> None:
    """Every text once, with the number to go on from until there is no more."""
    for number in range(5):
        await office.hear("status", reference=str(number))
    seen: list[int] = []
    before: int | None = None
    for _ in range(3):
        params = {"limit": 2} | ({} if before is None else {"before": before})
        page = (await client.get(PATH, params=params)).json()
        seen += [each["id"] for each in page["texts"]]
        before = page["next"]
    assert (seen, before) == ([5, 4, 3, 2, 1], None)
    assert (await client.get(PATH, params={"limit": 0})).status_code == 422
