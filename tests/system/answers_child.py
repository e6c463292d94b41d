"""A process that hears a text and is killed: before it commits, or before it can tell the gateway that it has."""

from __future__ import annotations

import asyncio
import sys

from alerts.notifiers.notifier import IncomingText
from tests.alerts.answers.people_desk import AMINAS, an_office
from tests.alerts.given import an_episode, opened, sqlite_database


async def hang(*_: object, **__: object) -> None:
    """Say that everything but the reply is done, and wait for the end."""
    _say("acted")
    await asyncio.Event().wait()


def _say(word: str) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


async def main(path: str, mode: str) -> None:
    """Hear one text on fresh tables and wait for the end."""
    async with sqlite_database(path) as database:
        office = await an_office(database)
        await office.judge.record(opened(an_episode()))
        if mode == "before":
            office.actions.reply = hang  # type: ignore[method-assign]  # dies there
        await office.desk().hear(IncomingText("sms", AMINAS, "2", "modem-1"))
        _say("heard")
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))
