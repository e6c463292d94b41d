"""A process that a test kills: raises alerts and, if told to, sends them.

Run as ``python -m tests.system.notif_child DATABASE URL ALERTS commit|send``; says ``committed`` when that is done.
"""

from __future__ import annotations

import asyncio
import random
import sys

from alerts.dispatch import Dispatcher
from alerts.notifiers.notifier import Workplace
from alerts.notifiers.table import open_notifiers, routes_of
from alerts.settings import AlertsSettings
from app.clock import SystemClock
from domain.instant import to_datetime
from tests.alerts.given import a_judge, an_episode, opened, sqlite_database


def settings_for(url: str) -> AlertsSettings:
    """Return settings that send to one webhook and soon believe a killed sender dead."""
    return AlertsSettings.model_validate(
        {
            "notifiers": {"console": None, "webhook": {"url": url}},
            "dispatch": {"lease_seconds": 1.0, "concurrency": 3},
        }
    )


async def main(path: str, url: str, alerts: int, mode: str) -> None:
    """Raise the alerts in one transaction, then send or wait for the end."""
    settings, clock = settings_for(url), SystemClock()
    async with sqlite_database(path) as database:
        judge = await a_judge(database, routes_of(settings.notifiers))
        judge.now = to_datetime(clock.now_ms())
        await judge.record(*(opened(an_episode(number)) for number in range(alerts)))
        sys.stdout.write("committed\n")
        sys.stdout.flush()
        if mode == "commit":
            await asyncio.Event().wait()
        async with open_notifiers(settings.notifiers, Workplace(writer=print)) as notifiers:
            await Dispatcher(judge.store, notifiers, clock, settings.dispatch, random=random.random).run()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]))
