"""Who answers for a place over HTTP, on the real store's channels."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import time, timedelta
from pathlib import Path

import httpx
import pytest

from api.alert_desk import AlertDesk
from api.create import create_api
from domain.directory import Directory
from domain.episode import Severity
from domain.instant import format_rfc3339, to_ms
from domain.people import Contact, EscalationChain, EscalationStep, Override, QuietHours, Roster, Rotation
from tests.alerts.given import KASESE, LONELY, NOON, a_judge, sqlite_database
from tests.api.world import SteppedClock, World

PATH = "/api/v1/on-call"
HOUR = timedelta(hours=1)
NIGHT = QuietHours(time(12), time(13), "UTC", Severity.CRITICAL)
DIRECTORY = Directory(
    facilities=(KASESE, LONELY),
    contacts=(
        Contact("amina", "Amina", phone="+256700000001", facilities=("kasese-3",), channels=("sms",), quiet=NIGHT),
        Contact("joseph", "Joseph", email="joseph@example.org", district="Kasese", language="sw"),
        Contact("grace", "Grace", region="Western"),
    ),
    rosters=(
        Roster(
            "duty",
            "Duty",
            "UTC",
            (Rotation(("joseph", "grace"), NOON - HOUR),),
            (Override("amina", NOON + HOUR, NOON + 2 * HOUR, "Joseph is ill"),),
        ),
    ),
    chains=(
        EscalationChain(
            "kasese",
            (
                EscalationStep(timedelta(0), ("team:none",)),
                EscalationStep(timedelta(minutes=5), ("roster:duty", "facility")),
                EscalationStep(timedelta(minutes=30), ("region",), ("sms",)),
            ),
            district="Kasese",
            repeat_every=HOUR,
            repeat_times=2,
        ),
    ),
)


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """Give a client of an API that can send by SMS and e-mail."""
    async with sqlite_database(f"{tmp_path}/vitals.db") as database:
        judge = await a_judge(database)
        services = World().services(
            clock=SteppedClock(to_ms(NOON)), directory=lambda: DIRECTORY, alert_desk=AlertDesk(judge.store)
        )
        transport = httpx.ASGITransport(create_api(services), raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            yield client


async def test_every_step_names_its_people_and_why(client: httpx.AsyncClient) -> None:
    """With the channels they are told over, and without their addresses."""
    answer = await client.get(PATH, params={"facility": "kasese-3", "severity": "warning"})
    found = answer.json()
    assert "+256" not in answer.text
    assert "example.org" not in answer.text
    assert (found["chain"], found["place"], found["facility"]) == ("kasese", "Kasese HC3", "kasese-3")
    assert (found["repeat_every_seconds"], found["repeat_times"]) == (3600.0, 2)
    assert [(each["after_seconds"], each["to"]) for each in found["steps"]] == [
        (None, ["team:none"]),
        (0.0, ["roster:duty", "facility"]),
        (1800.0, ["region"]),
    ]
    joseph, amina = found["steps"][1]["people"]
    assert joseph == {
        "contact": "joseph",
        "name": "Joseph",
        "language": "sw",
        "lanes": [["email"]],
        "quiet_until": None,
        "why": [
            {
                "word": "roster:duty",
                "override": False,
                "override_reason": "",
                "until": format_rfc3339(NOON + HOUR),
            }
        ],
    }
    assert (amina["lanes"], amina["quiet_until"]) == ([["sms"]], format_rfc3339(NOON + HOUR))
    assert [each["lanes"] for each in found["steps"][2]["people"]] == [[]]


async def test_at_another_moment_somebody_else_answers(client: httpx.AsyncClient) -> None:
    """An override is said with its reason."""
    params = {"facility": "kasese-3", "at": format_rfc3339(NOON + HOUR)}
    found = (await client.get(PATH, params=params)).json()
    assert found["at"] == params["at"]
    (amina,) = found["steps"][1]["people"]
    assert [(each["word"], each["override"], each["override_reason"]) for each in amina["why"]] == [
        ("roster:duty", True, "Joseph is ill"),
        ("facility", False, ""),
    ]


async def test_an_area_has_people_as_well(client: httpx.AsyncClient) -> None:
    """A district is asked by its name, and those of one facility are not among its people."""
    found = (await client.get(PATH, params={"district": "Kasese"})).json()
    assert (found["facility"], found["place"], found["chain"]) == (None, "Kasese", "kasese")
    assert [[each["contact"] for each in step["people"]] for step in found["steps"]] == [[], ["joseph"], ["grace"]]


@pytest.mark.parametrize(
    ("params", "status", "said"),
    [
        ({}, 422, "Name a facility, or an area"),
        ({"facility": "kasese-3", "district": "Kasese"}, 422, "Name a facility, or an area"),
        ({"facility": "nowhere"}, 404, "no facility 'nowhere'"),
        ({"country": "Uganda", "district": "Nirgends"}, 404, "no area with facilities 'Uganda/Nirgends'"),
        ({"facility": "kasese-3", "at": "yesterday"}, 422, "not a time with its zone"),
        ({"facility": "kasese-3", "severity": "awful"}, 422, "critical"),
    ],
)
async def test_what_cannot_be_answered_says_what_can(
    client: httpx.AsyncClient, params: dict[str, str], status: int, said: str
) -> None:
    """As a problem document."""
    answer = await client.get(PATH, params=params)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert said in answer.text
