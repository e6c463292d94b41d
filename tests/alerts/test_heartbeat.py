"""The dead man's switch: pings while the alerting path lives, and only then."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

import pytest
from aiohttp import web
from pydantic import ValidationError

from alerts.heartbeat import HeartbeatSettings, Vitality, ailment, beat, ping_for
from app.stories.clock import HandClock
from tests.system.servers import serve

MINUTE = timedelta(minutes=1)
WELL = Vitality(timedelta(seconds=5), "", timedelta())
Pings = asyncio.Queue[tuple[str, str, str]]


def judged(vitality: Vitality) -> str:
    """Return what is wrong after two minutes of silence, or ten of waiting."""
    return ailment(vitality, longest_silence=2 * MINUTE, longest_wait=10 * MINUTE)


def test_the_path_lives_while_everything_on_it_does() -> None:
    """Rules judge, the database is written, nothing that is due waits long: then nothing is wrong."""
    assert judged(WELL) == ""
    assert judged(WELL._replace(judged_ago=2 * MINUTE, oldest_due_ago=10 * MINUTE)) == ""


@pytest.mark.parametrize(
    ("vitality", "says"),
    [
        (WELL._replace(judged_ago=None), "not judged yet"),
        (WELL._replace(judged_ago=3 * MINUTE), "not judged for 180 s"),
        (WELL._replace(database_error="disk full"), "disk full"),
        (WELL._replace(oldest_due_ago=11 * MINUTE), "due for 660 s"),
    ],
)
def test_every_part_of_the_path_can_fail(vitality: Vitality, says: str) -> None:
    """Each is enough, and is named."""
    assert says in judged(vitality)


def test_an_ailment_is_said_only_where_there_is_a_place_to_say_it() -> None:
    """Otherwise silence says it."""
    quiet = HeartbeatSettings.model_validate({"url": "https://hc.example.org/abc"})
    loud = HeartbeatSettings.model_validate({"url": "https://hc.example.org/abc", "fail_suffix": "/fail"})
    assert ping_for(quiet, "ill") is None
    assert ping_for(loud, "ill") == ("POST", "https://hc.example.org/abc/fail", b"ill")
    assert ping_for(loud, "") == ("GET", "https://hc.example.org/abc", b"")


def test_an_address_of_another_kind_is_refused() -> None:
    """The error says what is allowed."""
    with pytest.raises(ValidationError, match="https://host/path"):
        HeartbeatSettings.model_validate({"url": "ftp://example.org"})


@asynccontextmanager
async def beating(
    healthy: Callable[[], Awaitable[str]], clock: HandClock, pings: Pings, *, status: int = 200, **settings: object
) -> AsyncIterator[None]:
    """Run a heartbeat against a server of its own."""

    async def take(request: web.Request) -> web.Response:
        await pings.put((request.method, request.path, await request.text()))
        return web.Response(status=status)

    application = web.Application()
    application.router.add_route("*", "/{path:.*}", take)
    async with serve(application) as url:
        found = HeartbeatSettings.model_validate({"url": f"{url}/abc", **settings})
        task = asyncio.create_task(beat(found, healthy, clock))
        try:
            async with asyncio.timeout(10):
                yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


async def asleep(clock: HandClock) -> None:
    """Wait until the heartbeat waits for its next beat."""
    while True:
        if clock.next_due_ms is not None:
            return
        await asyncio.sleep(0.001)


async def test_it_pings_every_so_often_while_all_is_well() -> None:
    """One ping now and one after each pause."""
    clock, pings = HandClock(0), Pings()

    async def healthy() -> str:
        return ""

    async with beating(healthy, clock, pings, every_seconds=60):
        for _ in range(3):
            assert await pings.get() == ("GET", "/abc", "")
            await asleep(clock)
            clock.move(MINUTE)


async def test_an_ill_service_is_silent_or_says_so_and_comes_back() -> None:
    """A failed examination counts as ill; with a place for it the reason is sent."""
    clock, pings = HandClock(0), Pings()
    answers = ["the database cannot be written", None, ""]

    async def healthy() -> str:
        answer = answers.pop(0)
        if answer is None:
            raise OSError("gone")
        return answer

    async with beating(healthy, clock, pings, fail_suffix="/fail", method="HEAD"):
        assert await pings.get() == ("POST", "/abc/fail", "the database cannot be written")
        await asleep(clock)
        clock.move(MINUTE)
        assert await pings.get() == ("POST", "/abc/fail", "the examination failed: OSError")
        await asleep(clock)
        clock.move(MINUTE)
        assert await pings.get() == ("HEAD", "/abc", "")


async def test_without_a_place_for_it_an_ill_service_sends_nothing() -> None:
    """The pause is the alarm."""
    clock, pings = HandClock(0), Pings()
    answers = ["ill", "ill", ""]

    async def healthy() -> str:
        return answers.pop(0)

    async with beating(healthy, clock, pings):
        for _ in range(2):
            await asleep(clock)
            assert pings.empty()
            clock.move(MINUTE)
        assert await pings.get() == ("GET", "/abc", "")


async def test_a_watcher_that_refuses_is_pinged_again(caplog: pytest.LogCaptureFixture) -> None:
    """The log says it once, without the address."""
    clock, pings = HandClock(0), Pings()

    async def healthy() -> str:
        return ""

    async with beating(healthy, clock, pings, status=503):
        for _ in range(2):
            await pings.get()
            await asleep(clock)
            clock.move(MINUTE)
    said = [record.message for record in caplog.records if record.name == "alerts.heartbeat"]
    assert said == ["heartbeat: the ping was answered with 503"]
