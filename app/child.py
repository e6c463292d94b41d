"""Heavy work in a process of its own, so that the service goes on undisturbed: it comes in, lines of JSON go out.

Run as ``python -m app.child``, perhaps with modules that are imported before the work is there. Each line is an object:
``{"done": 3, "of": 12}`` now and then, and at the end ``{"result": ...}`` or ``{"error": "a sentence"}``.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import os
import pickle
import sys
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from domain.errors import VitalsError

_NICENESS = 10

Progress = Callable[[int, int, str], None]
"""Told (done, of, facility) after each facility."""


class Work(NamedTuple):
    """A function of a module, what it is given, and who hears how far it is; it returns plain data."""

    do: Callable[[Any, Progress], Awaitable[dict[str, Any]]]
    given: Any


async def work(given: Work, say: Callable[[dict[str, Any]], None]) -> None:
    """Do it and say what came of it."""

    def progress(done: int, of: int, _: str) -> None:
        say({"done": done, "of": of})

    try:
        say({"result": await given.do(given.given, progress)})
    except VitalsError as error:
        say({"error": str(error)})


def main() -> None:
    """Read the work from standard input, as the service wrote it, and do it."""
    for module in sys.argv[1:]:
        importlib.import_module(module)
    try:
        given: Work = pickle.load(sys.stdin.buffer)  # noqa: S301 - from our own parent, through a pipe
    except EOFError:
        return  # it was kept ready, and nothing came
    os.nice(_NICENESS)

    def say(line: dict[str, Any]) -> None:
        print(json.dumps(line), flush=True)  # noqa: T201 - this is the answer

    asyncio.run(work(given, say))


if __name__ == "__main__":
    main()
