"""The event stream: what is told to whom, and that it ends."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import time
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta

import httpx
import pytest

from api.changes import MOST_AT_ONCE, Change, Seen, look
from api.create import create_api
from api.events import EventHub, Listener, _pause
from api.settings import ApiSettings
from dashboards.pages.status import FacilityStatus
from domain.alert import AlertState
from domain.instant import to_datetime
from domain.places import EquipmentKind
from tests.api.world import World

FRIDGE = "kilembe-hc2/fridge-0/temperature"
QUICK = ApiSettings(event_interval_seconds=0.05, heartbeat_seconds=0.05, max_event_streams=2)


def _parsed(frame: bytes) -> tuple[str, dict[str, object]]:
    name, _, data = frame.decode().partition("\n")
    return name.removeprefix("event: "), json.loads(data.removeprefix("data: "))


async def _changes(world: World, seen: Seen) -> list[tuple[str, dict[str, object]]]:
    return [_parsed(change.frame) for change in await look(world.services(), seen)]


async def test_only_what_changed_is_told(world: World) -> None:
    """Nothing new, nothing told; an answer to an alert is told with the alert."""
    seen = Seen()
    await look(world.services(), seen)
    assert await _changes(world, seen) == []
    await world.acknowledge(4821, by="Grace", now=to_datetime(world.clock.now_ms()), origin="test", note="")
    told = await _changes(world, seen)
    assert [(name, data["id"], data["acknowledged_by"]) for name, data in told] == [("alert", 4821, "Grace")]


async def test_a_status_that_changes_is_told_with_the_facility(world: World) -> None:
    """A fridge beyond its limit changes its facility's status."""
    seen = Seen()
    await look(world.services(), seen)
    world.clock.advance(timedelta(minutes=1))
    world.take(FRIDGE, 9.5)
    told = dict(await _changes(world, seen))
    assert told["facility"]["status"] == "warning"
    assert told["heard"] == {"last_heard": "2026-11-20T12:01:00Z"}


async def test_an_alert_that_is_over_is_told_once(world: World) -> None:
    """It left the open ones; listeners hear its last state."""
    seen = Seen()
    await look(world.services(), seen)
    alert = world.alert_by_id[4823]
    over = dataclasses.replace(alert, state=AlertState.NORMAL, ended_at=alert.started_at + timedelta(hours=5))
    world.alert_by_id[4823] = over
    services = world.services()
    told = [_parsed(change.frame) for change in await look(services, seen)]
    assert [data["id"] for name, data in told if name == "alert"] == [4823]
    assert [change for change in await look(services, seen) if b"event: alert" in change.frame] == []


async def _next_event(stream: AsyncIterator[bytes], world: World) -> bytes:
    """Return the next event, with a new reading whenever the stream only says that it lives."""
    async for frame in stream:
        if frame.startswith(b"event:"):
            return frame
        world.clock.advance(timedelta(seconds=1))
        world.take(FRIDGE, 5.0)
    raise AssertionError("the stream ended")


async def test_a_stream_delivers_lives_and_ends(world: World) -> None:
    """Events arrive, heartbeats between them, and closing ends every stream and the watcher."""
    hub = EventHub(world.services(), QUICK)
    stream = hub.stream("kilembe-hc2")
    async with asyncio.timeout(60):
        assert (await anext(stream)).startswith(b"retry:")
        assert _parsed(await _next_event(stream, world))[0] == "heard"
        await hub.close()
        assert [frame async for frame in stream] == []
    assert hub.listening == 0


async def test_a_stream_that_is_dropped_is_forgotten(world: World) -> None:
    """A browser that goes away leaves nothing behind, and the watcher stops looking."""
    hub = EventHub(world.services(), QUICK)
    stream = hub.stream(None)
    await anext(stream)
    assert hub.listening == 1
    await stream.aclose()  # type: ignore[attr-defined]  # it is a generator
    assert hub.listening == 0
    await hub.close()


async def test_a_failure_while_looking_does_not_end_the_streams(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """It is logged, and the next look may succeed."""
    failures = iter([RuntimeError("database is locked")])

    def statuses() -> Sequence[FacilityStatus]:
        for error in failures:
            raise error
        return world.statuses()

    hub = EventHub(world.services(statuses=statuses), QUICK)
    stream = hub.stream("kilembe-hc2")
    async with asyncio.timeout(60):
        assert _parsed(await _next_event(stream, world))[0] == "heard"
    await hub.close()
    assert "looking for changes failed" in caplog.text


async def test_too_much_at_once_is_one_reason_to_load_again(world: World) -> None:
    """A listener of everything is not told of each facility of a national outage, one of a facility is."""
    for number in range(MOST_AT_ONCE + 1):
        world.add_facility(f"post-{number}", f"Post {number}")
        world.take(world.add_channel(f"post-{number}", EquipmentKind.FRIDGE, "Fridge", "temperature"), 5.0)
    hub = EventHub(world.services(), QUICK)
    everywhere, here = hub.stream(None), hub.stream("post-7")
    async with asyncio.timeout(60):
        await anext(everywhere)
        await anext(here)
        told = await _after_silence(everywhere, world)
        assert told == b"event: reset\ndata: {}\n\n"
        assert _parsed(await _event(here))[1]["id"] == "post-7"
    await hub.close()


async def _event(stream: AsyncIterator[bytes]) -> bytes:
    return await anext(frame async for frame in stream if frame.startswith(b"event:"))


async def _after_silence(stream: AsyncIterator[bytes], world: World) -> bytes:
    """Return the next event after everything fell silent, which happens once the first look is over."""
    beats = 0
    async for frame in stream:
        if frame.startswith(b"event:"):
            return frame
        beats += 1
        if beats == 5:
            world.clock.advance(timedelta(hours=4))
    raise AssertionError("the stream ended")


async def test_what_came_as_the_time_was_up_is_an_event_and_no_heartbeat() -> None:
    """A late event loop finds both at once, and whoever reads frames sees the event first."""
    listener = Listener(None)

    async def goes_on() -> bool:
        return True

    event = b"event: alert\ndata: 1\n\n"
    frames = listener.frames(0.05, goes_on)
    await anext(frames)
    waiting = asyncio.ensure_future(anext(frames))
    await asyncio.sleep(0)
    asyncio.get_running_loop().call_later(0.06, listener.offer, Change("hc", event))
    _hold_the_loop(0.1)
    assert await waiting == event


def _hold_the_loop(seconds: float) -> None:
    time.sleep(seconds)


@pytest.mark.parametrize(("took", "pause"), [(0.001, 1.0), (0.2, 2.0), (30.0, 5.0)])
def test_a_look_that_was_held_up_puts_off_the_next_for_seconds_only(took: float, pause: float) -> None:
    """A look takes a tenth of the time; a machine that stood still half a minute silences no stream for five."""
    assert _pause(took, 1.0) == pytest.approx(pause)


def test_a_slow_listener_is_told_to_start_again() -> None:
    """Memory is bounded: who is too far behind loses the details and gets ``reset``."""
    listener = Listener(None)
    for number in range(MOST_AT_ONCE + 1):
        listener.offer(Change("hc", f"event: alert\ndata: {number}\n\n".encode()))
    assert listener._queue.qsize() == 1
    assert listener._queue.get_nowait() == b"event: reset\ndata: {}\n\n"


def test_a_listener_hears_of_its_own_facility_only() -> None:
    """Every reading is told only to those who watch that facility."""
    everywhere, here, elsewhere = Listener(None), Listener("hc"), Listener("other")
    for listener in (everywhere, here, elsewhere):
        listener.offer(Change("hc", b"status"))
        listener.offer(Change("hc", b"heard", closely=True))
    assert [each._queue.qsize() for each in (everywhere, here, elsewhere)] == [1, 2, 0]


async def test_streams_are_bounded(world: World) -> None:
    """One too many is told to come again later."""
    application = create_api(world.services(), QUICK)
    hub: EventHub = application.state.events
    streams = [hub.stream(None) for _ in range(2)]
    for stream in streams:
        await anext(stream)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(application), base_url="http://127.0.0.1") as client:
        answer = await client.get("/api/v1/events")
        assert answer.status_code == 503
        assert answer.headers["retry-after"]
        await hub.close()
        assert "stopping" in (await client.get("/api/v1/events")).json()["detail"]
    for stream in streams:
        assert [frame async for frame in stream] == []
