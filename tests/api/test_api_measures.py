"""How alerting does, over HTTP."""

from __future__ import annotations

from datetime import timedelta

import httpx

from alerts.measures.compute import Measures, Rows, measures_of
from alerts.measures.rows import AlertRow, Period
from api.create import create_api
from domain.episode import Severity
from domain.places import Place
from tests.api.world import NOON, World

ALERT = AlertRow(
    id=1,
    rule="heat",
    subject="kasese-hc3/fridge-1/temperature",
    facility="kasese-hc3",
    severity=Severity.CRITICAL,
    past=False,
    retracted=False,
    raised_at=NOON - timedelta(hours=2),
    started_at=NOON - timedelta(hours=3),
    ended_at=None,
    told_at=NOON - timedelta(hours=2),
    answered_at=NOON - timedelta(hours=1),
    escalated=True,
)


def client_of(world: World) -> httpx.AsyncClient:
    """Return a client of an API that has one alert to measure."""

    async def measures(period: Period, place: Place) -> Measures:
        return measures_of(Rows([ALERT], [], []), period, place, world.directory())

    transport = httpx.ASGITransport(create_api(world.services(measures=measures)))
    return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1")


async def test_measures_of_the_last_thirty_days(world: World) -> None:
    """Durations are seconds, severities and bands are words."""
    async with client_of(world) as client:
        answer = (await client.get("/api/v1/measures")).json()
    assert answer["period"] == {"from": "2026-10-21T12:00:00Z", "to": "2026-11-20T12:00:00Z"}
    assert answer["acknowledge"] == {"number": 1, "median": 3600.0, "p90": 3600.0}
    [district] = answer["districts"]
    assert (district["alarms"], district["rate"]) == (1, "acceptable")
    assert district["priorities"] == {"info": 0.0, "warning": 0.0, "critical": 1.0}


async def test_measures_of_a_place(world: World) -> None:
    """Another facility had no alert."""
    async with client_of(world) as client:
        answer = (await client.get("/api/v1/measures", params={"facility": "kilembe-hc2"})).json()
    assert (answer["raised"], answer["districts"]) == (0, [])


async def test_a_period_that_ends_before_it_begins_is_refused(world: World) -> None:
    """With a sentence that says so."""
    async with client_of(world) as client:
        answer = await client.get("/api/v1/measures", params={"from": "2026-11-20T13:00:00Z"})
    assert (answer.status_code, answer.json()["detail"]) == (422, "from must be before to.")


async def test_an_unknown_place_is_refused(world: World) -> None:
    """Noughts for a misspelt district would be a lie; so would they for a facility of another district."""
    async with client_of(world) as client:
        answer = await client.get("/api/v1/measures", params={"district": "Kasesse"})
        elsewhere = await client.get("/api/v1/measures", params={"district": "Kasese", "facility": "nowhere"})
    assert answer.status_code == elsewhere.status_code == 422
    assert answer.json()["detail"].startswith("no such district")
    assert elsewhere.json()["detail"].startswith("no such facility")


async def test_what_is_no_time_is_refused(world: World) -> None:
    """It is not taken for the default."""
    async with client_of(world) as client:
        answer = await client.get("/api/v1/measures", params={"from": "yesterday"})
    assert answer.status_code == 422


async def test_a_process_without_alerts_has_no_measures(client: httpx.AsyncClient) -> None:
    """It says so instead of giving noughts."""
    assert (await client.get("/api/v1/measures")).status_code == 503


async def test_the_measures_are_typed(client: httpx.AsyncClient) -> None:
    """The description of the API names the document."""
    described = (await client.get("/api/v1/openapi.json")).json()
    answer = described["paths"]["/api/v1/measures"]["get"]["responses"]["200"]
    assert answer["content"]["application/json"]["schema"]["$ref"].endswith("/MeasuresDocument")
