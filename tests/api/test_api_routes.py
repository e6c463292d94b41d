"""The API's answers."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta

import httpx

from api.create import create_api
from api.exposition import Exposition
from dashboards.pages.series import MOST_POINTS
from domain.instant import format_rfc3339, to_ms
from domain.kept import Kept
from domain.reading import Quality
from tests.api.world import NOON, World

FRIDGE = "kasese-hc3/fridge-1/temperature"


async def test_facilities_come_worst_first(client: httpx.AsyncClient) -> None:
    """Each with the status of its services and when it was last heard."""
    answer = (await client.get("/api/v1/facilities")).json()
    assert [each["id"] for each in answer["facilities"]] == ["kasese-hc3", "bwera-hospital", "kilembe-hc2"]
    assert answer["total"] == 3
    assert answer["by_status"] == {"critical": 1, "silent": 1, "ok": 1}
    worst, silent, _ = answer["facilities"]
    assert {each["service"]: each["status"] for each in worst["services"]} == {
        "power": "warning", "cold_chain": "critical", "water": "ok", "monitoring": "ok",
    }  # fmt: skip
    assert silent["last_heard"] == "2026-11-20T07:00:02Z"


async def test_facilities_are_filtered_and_paged(client: httpx.AsyncClient) -> None:
    """A part of the list keeps the order of the whole."""
    one = (await client.get("/api/v1/facilities", params={"limit": 1, "offset": 1})).json()
    assert [each["id"] for each in one["facilities"]] == ["bwera-hospital"]
    assert (await client.get("/api/v1/facilities", params={"district": "Nowhere"})).json()["total"] == 0


async def test_a_facility_has_equipment_values_and_open_alerts(client: httpx.AsyncClient) -> None:
    """Values stand in the canonical unit, which is named."""
    answer = (await client.get("/api/v1/facilities/kasese-hc3")).json()
    fridge = next(each for each in answer["equipment"] if each["name"] == "Fridge 2")
    channel = fridge["channels"][0]
    assert (channel["id"], channel["unit"], channel["limits"]) == (FRIDGE, "celsius", {"low": 2.0, "high": 8.0})
    assert channel["latest"]["value"] > 8
    assert channel["latest"]["quality"] == "good"
    assert {alert["rule"] for alert in answer["alerts"]} == {"heat", "mains_lost"}


async def test_channels_are_listed_by_facility(client: httpx.AsyncClient) -> None:
    """And one is found by its id, slashes and all."""
    answer = (await client.get("/api/v1/channels", params={"facility": "kasese-hc3"})).json()
    assert answer["total"] == len(answer["channels"]) == 6
    assert (await client.get("/api/v1/channels")).json()["total"] == 18
    assert (await client.get(f"/api/v1/channels/{FRIDGE}")).json()["quantity"] == "temperature"


async def test_readings_of_a_day_are_raw(client: httpx.AsyncClient, world: World) -> None:
    """Without parameters: the last day, every reading as it was kept."""
    answer = (await client.get(f"/api/v1/channels/{FRIDGE}/readings")).json()
    since_ms = to_ms(NOON - timedelta(days=1))
    kept = [each for each in world.readings[FRIDGE] if each.measured_at_ms > since_ms]
    assert answer["resolution"] == "raw"
    assert [point["mean"] for point in answer["points"]] == [each.value for each in kept]
    assert answer["next"] is None


async def test_long_times_are_rolled_up_and_keep_their_extremes(world: World) -> None:
    """Auto stays within a screen's points, and the highest value is there whatever the resolution."""
    world = World(days=30)
    transport = httpx.ASGITransport(create_api(world.services()))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        highest = {}
        for resolution in ("auto", "hour", "day"):
            query = {"from": format_rfc3339(NOON - timedelta(days=30)), "resolution": resolution}
            answer = (await client.get(f"/api/v1/channels/{FRIDGE}/readings", params=query)).json()
            assert len(answer["points"]) <= MOST_POINTS
            highest[answer["resolution"]] = max(point["max"] for point in answer["points"])
    assert set(highest) == {"hour", "day"}
    assert set(highest.values()) == {max(each.value or 0.0 for each in world.readings[FRIDGE])}


async def test_more_readings_than_promised_still_fit_a_screen(client: httpx.AsyncClient, world: World) -> None:
    """A channel that reports more often than its interval says is rolled up, not cut off."""
    for _ in range(MOST_POINTS + 100):
        world.clock.advance(timedelta(seconds=1))
        world.take(FRIDGE, 5.0)
    answer = (await client.get(f"/api/v1/channels/{FRIDGE}/readings")).json()
    assert answer["resolution"] == "hour"


async def test_what_retention_took_is_told_coarser(client: httpx.AsyncClient, world: World) -> None:
    """Where raw readings of the beginning were deleted hours tell the whole; who insists is told what is kept."""
    begin = NOON - timedelta(days=1)
    world.kept = Kept(raw_from_ms=to_ms(NOON - timedelta(hours=6)))
    query = {"from": format_rfc3339(begin), "to": format_rfc3339(NOON)}
    answer = (await client.get(f"/api/v1/channels/{FRIDGE}/readings", params=query)).json()
    assert (answer["resolution"], answer["kept_from"]) == ("hour", None)
    assert answer["points"][0]["start"] == format_rfc3339(begin)
    answer = (await client.get(f"/api/v1/channels/{FRIDGE}/readings", params={**query, "resolution": "raw"})).json()
    assert (answer["resolution"], answer["kept_from"]) == ("raw", "2026-11-20T06:00:00Z")


async def test_roll_ups_tell_time_outside_the_limits(client: httpx.AsyncClient, world: World) -> None:
    """Hours of a fridge that warmed up add up to the time it was above its limit; raw readings stand for no time."""
    warm = [each for each in world.readings[FRIDGE] if (each.value or 0) > 8]
    query = {"from": format_rfc3339(NOON - timedelta(days=1)), "resolution": "hour"}
    points = (await client.get(f"/api/v1/channels/{FRIDGE}/readings", params=query)).json()["points"]
    # The newest reading stands for two intervals, for nothing came after it.
    assert sum(point["above_seconds"] for point in points) == (len(warm) + 1) * 600
    assert all(point["judged_seconds"] == point["covered_seconds"] > 0 == point["below_seconds"] for point in points)
    raw = (await client.get(f"/api/v1/channels/{FRIDGE}/readings", params={**query, "resolution": "raw"})).json()
    assert {point["above_seconds"] for point in raw["points"]} == {None}


async def test_a_limited_answer_says_where_to_go_on(client: httpx.AsyncClient) -> None:
    """Following ``next`` reads every raw point once."""
    query = {"from": format_rfc3339(NOON - timedelta(hours=3)), "to": format_rfc3339(NOON), "resolution": "raw"}
    whole = (await client.get(f"/api/v1/channels/{FRIDGE}/readings", params=query)).json()["points"]
    parts: list[object] = []
    while query["from"]:
        answer = (await client.get(f"/api/v1/channels/{FRIDGE}/readings", params={**query, "limit": 5})).json()
        parts += answer["points"]
        query["from"] = answer["next"]
    assert parts == whole
    assert len(whole) == 18


async def test_a_reading_without_a_value_says_why(client: httpx.AsyncClient, world: World) -> None:
    """Null with the quality beside it."""
    world.clock.advance(timedelta(minutes=1))
    world.take(FRIDGE, None, Quality.SENSOR_GONE)
    point = (await client.get(f"/api/v1/channels/{FRIDGE}/readings")).json()["points"][-1]
    assert (point["mean"], point["quality"]) == (None, "sensor_gone")


async def test_alerts_open_or_all(client: httpx.AsyncClient) -> None:
    """Newest first, with words and advice."""
    every = (await client.get("/api/v1/alerts")).json()["alerts"]
    still_open = (await client.get("/api/v1/alerts", params={"open": "true"})).json()["alerts"]
    assert [alert["id"] for alert in every] == [4824, 4823, 4822, 4821]
    assert [alert["id"] for alert in still_open] == [4823, 4822, 4821]
    heat = (await client.get("/api/v1/alerts/4821")).json()
    assert (heat["title"], heat["extreme"], heat["unit"], heat["severity"]) == ("too warm", 11.3, "celsius", "critical")
    assert heat["advice"]


async def test_acknowledging_is_idempotent(client: httpx.AsyncClient, world: World) -> None:
    """The first who takes it keeps it; the origin is recorded."""
    first = await client.post("/api/v1/alerts/4821/acknowledge", json={"by": " Grace ", "note": "on my way"})
    second = await client.post("/api/v1/alerts/4821/acknowledge", json={"by": "Somebody"})
    assert first.status_code == second.status_code == 200
    assert first.json() == second.json()
    assert first.json()["acknowledged_by"] == "Grace"
    assert first.json()["state"] == "acknowledged"
    assert world.notes == [(4821, "Grace", "api 127.0.0.1", "on my way")]


async def test_health_and_readiness(client: httpx.AsyncClient, world: World) -> None:
    """The process lives although a part does not work; readiness says which."""
    assert (await client.get("/readyz")).json()["ready"] is True
    world.ready = False
    answer = await client.get("/readyz")
    assert answer.status_code == 503
    assert "The broker at localhost:1883 does not answer." in [part["sentence"] for part in answer.json()["parts"]]
    assert (await client.get("/healthz")).status_code == 200


async def test_metrics_are_rendered_off_the_event_loop(world: World) -> None:
    """While a slow scrape goes on, other requests are answered."""
    loop, answered = asyncio.get_running_loop(), asyncio.Event()

    def slow(_: Exposition) -> Iterator[str]:
        asyncio.run_coroutine_threadsafe(answered.wait(), loop).result(timeout=30)
        yield "vitals_up 1\n"

    transport = httpx.ASGITransport(create_api(world.services(metrics=slow)))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        scrape = asyncio.create_task(client.get("/metrics"))
        assert (await client.get("/healthz")).status_code == 200
        answered.set()
        answer = await scrape
    assert answer.text == "vitals_up 1\n"
    assert answer.headers["content-type"].startswith("text/plain")


async def test_openapi_describes_every_route(client: httpx.AsyncClient) -> None:
    """Each operation has a summary and a typed answer."""
    document = (await client.get("/api/v1/openapi.json")).json()
    assert "/api/v1/channels/{channel}/readings" in document["paths"]
    for path, operations in document["paths"].items():
        for operation in operations.values():
            assert operation["summary"], path
            assert operation["description"], path
            named = {name for each in operation.get("security", []) for name in each}
            assert named <= document["components"]["securitySchemes"].keys(), path
    assert document["paths"]["/api/v1/alerts"]["get"]["security"] == [{"bearer": []}]
    assert "security" not in document["paths"]["/healthz"]["get"]
