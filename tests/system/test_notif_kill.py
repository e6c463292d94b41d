"""kill -9 at the worst moments: no message is lost, and at most those in flight are repeated, once."""

from __future__ import annotations

import asyncio
import random
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from alerts.dispatch import Dispatcher
from alerts.notification import Notification, NotificationState
from alerts.notifiers.notifier import Workplace
from alerts.notifiers.table import open_notifiers, routes_of
from alerts.store import AlertStore
from app.clock import SystemClock
from tests.alerts.given import sqlite_database
from tests.system.notif_child import settings_for
from tests.system.notif_receiver import HANG, Receiver, receiving

ALERTS = 8
ROOT = Path(__file__).parents[2]


@asynccontextmanager
async def child(path: Path, url: str, mode: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a child that has committed its alerts; killed at the end at the latest."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "tests.system.notif_child", str(path), url, str(ALERTS), mode),
        stdout=asyncio.subprocess.PIPE,
        cwd=ROOT,
    )
    try:
        assert process.stdout is not None
        assert await process.stdout.readline() == b"committed\n"
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def send_the_rest(path: Path, receiver: Receiver) -> list[Notification]:
    """Run a dispatcher on the file that the child left until nothing waits, and return every notification."""
    settings = settings_for(receiver.url)
    async with sqlite_database(str(path)) as database:
        store = AlertStore(database, routes=routes_of(settings.notifiers))
        async with open_notifiers(settings.notifiers, Workplace(writer=print)) as notifiers:
            dispatcher = Dispatcher(store, notifiers, SystemClock(), settings.dispatch, random=random.random)
            running = asyncio.create_task(dispatcher.run())
            async with asyncio.timeout(60):
                while any(not count.state.is_final for count in await store.outbox.counts()):
                    pass
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
        return [item for alert in range(1, ALERTS + 1) for item in await store.notifications(alert)]


@pytest.mark.system
async def test_killed_between_commit_and_send(tmp_path: Path) -> None:
    """What was committed and never sent goes out once when the service comes back."""
    async with receiving() as receiver:
        async with child(tmp_path / "vitals.db", receiver.url, "commit") as process:
            process.kill()
        assert receiver.requests == []
        sent = await send_the_rest(tmp_path / "vitals.db", receiver)
        assert sorted(receiver.keys) == sorted(item.key for item in sent)
        assert len(receiver.keys) == ALERTS


@pytest.mark.system
async def test_killed_while_sending(tmp_path: Path) -> None:
    """Messages whose answer never came are repeated once; answered ones are not, and none is lost."""
    async with receiving(204, 204, HANG, HANG, HANG) as receiver:
        async with child(tmp_path / "vitals.db", receiver.url, "send") as process:
            for _ in range(5):
                await asyncio.wait_for(receiver.arrived.acquire(), 30)
            process.kill()
            await process.wait()
        receiver.released.set()
        before = list(receiver.keys)
        sent = await send_the_rest(tmp_path / "vitals.db", receiver)
        assert {item.state for item in sent} == {NotificationState.DELIVERED}
        times = Counter(receiver.keys)
        assert times.keys() == {item.key for item in sent}
        assert len(times) == ALERTS
        assert {key for key, number in times.items() if number > 1} <= set(before)
        assert {key for key, number in times.items() if number > 1} >= set(before[2:])
        assert max(times.values()) == 2
