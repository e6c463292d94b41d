"""The facility topics on a real mosquitto: retained, up to date, and honest about their publisher."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiomqtt
import pytest

from alerts.mirrors.mirror import Mirrors, Shown
from alerts.mirrors.settings import MirrorsSettings, open_mirrors
from alerts.mirrors.topic import PREFIX, STATUS_TOPIC, topic_of
from domain.errors import PeerError
from tests.alerts.test_mirrors import ALERT, the_state
from tests.system.brokers import mosquitto, mosquitto_server
from tests.system.servers import START_SECONDS

pytestmark = pytest.mark.system


@asynccontextmanager
async def a_mirror(url: str, facilities: list[str]) -> AsyncIterator[Any]:
    """Open the mirror on a broker."""
    settings = MirrorsSettings.model_validate({"topic": {"url": url}})
    async with open_mirrors(settings, facilities=lambda: facilities) as (mirror,):
        yield mirror


@asynccontextmanager
async def a_display(url: str) -> AsyncIterator[Any]:
    """Give what a display that comes now is told, one message after the other."""
    port = int(url.rpartition(":")[2])
    async with aiomqtt.Client("127.0.0.1", port) as client:
        await client.subscribe(f"{PREFIX}/#", qos=1)
        async with asyncio.timeout(START_SECONDS):
            yield aiter(client.messages)


async def told(url: str, topic: str) -> tuple[bool, Any]:
    """Return whether the message of a topic was retained, and what it says to a display that comes now."""
    async with a_display(url) as messages:
        while True:
            message = await anext(messages)
            if message.topic.matches(topic):
                return message.retain, json.loads(message.payload)


async def test_a_display_that_comes_later_sees_the_state(tmp_path: Path) -> None:
    """Alarm and well-being are retained, and the publisher says that it is there until it leaves."""
    async with mosquitto(tmp_path) as url:
        async with a_mirror(url, ["kasese-3", "lonely"]) as mirror:
            await mirror.show(the_state(ALERT))
            retained, sick = await told(url, topic_of("kasese-3"))
            assert (retained, sick["worst"], sick["count"]) == (True, "warning", 1)
            assert (await told(url, topic_of("lonely")))[1]["count"] == 0
            assert await told(url, STATUS_TOPIC) == (True, {"status": "online"})
            await mirror.show(())
            assert (await told(url, topic_of("kasese-3")))[1] == {
                "worst": None, "count": 0, "unacknowledged": 0, "alerts": []
            }  # fmt: skip
        assert await told(url, STATUS_TOPIC) == (True, {"status": "offline"})


async def test_only_what_changed_is_published(tmp_path: Path) -> None:
    """A display over a metered link is told of its own facility alone, and only of changes."""
    facilities = ["kasese-3", "lonely"]
    async with mosquitto(tmp_path) as url, a_mirror(url, facilities) as mirror:
        await mirror.show(())
        async with a_display(url) as messages:
            for _ in range(3):
                await anext(messages)
            await mirror.show(())
            facilities.remove("lonely")
            await mirror.show(the_state(ALERT))
            got = [await anext(messages) for _ in range(4)]
    assert [(str(each.topic), bool(each.payload)) for each in got] == [
        (STATUS_TOPIC, True),
        (topic_of("lonely"), False),
        (topic_of("kasese-3"), True),
        (STATUS_TOPIC, True),
    ]


async def test_a_broker_that_forgot_everything_is_told_again(tmp_path: Path) -> None:
    """After a reconnect the whole state is published, without anything having changed."""
    async with mosquitto_server(tmp_path) as server, a_mirror(server.url, ["kasese-3"]) as mirror:
        state: tuple[Shown, ...] = the_state(ALERT)
        await mirror.show(state)
        await server.kill()
        for kept in (tmp_path / "mosquitto").glob("*.db"):
            kept.unlink()
        with pytest.raises(PeerError):
            await mirror.show(state)
        await server.restart()

        async def look() -> tuple[Shown, ...]:
            return state

        task = asyncio.create_task(Mirrors([mirror], look, retry_real_seconds=0.05).run())
        assert (await told(server.url, topic_of("kasese-3")))[1]["count"] == 1
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_publisher_that_dies_is_known_to_be_gone(tmp_path: Path) -> None:
    """The last will says so in its stead: displays show that what they show is old."""
    async with mosquitto(tmp_path) as url, a_mirror(url, []) as mirror:
        await mirror.show(())
        async with a_display(url) as messages:
            assert json.loads((await anext(messages)).payload) == {"status": "online"}
            # A second client of the same name: the broker throws the first one out without a goodbye.
            async with aiomqtt.Client("127.0.0.1", int(url.rpartition(":")[2]), identifier="vitals-mirror"):
                assert json.loads((await anext(messages)).payload) == {"status": "offline"}
